"""What an indicator says: a number with its doubt, or in words why there is none."""

import msgspec

from gateway.observation import Basis

METHOD_VERSION = "2026.2"  # changes whenever a formula does: older figures stay what they were
LEAST_COMPLETENESS = 0.9


class Measure(msgspec.Struct, frozen=True):
    """What is measured: its code, its name and formula as planners read them, and their source."""

    code: str
    name: str
    unit: str
    formula: str
    source: str
    basis: Basis = Basis.DERIVED


class Indicator(msgspec.Struct, frozen=True):
    """One figure. `completeness`: the share of its time (weighted by spaces) that was told.

    `low`, `high`: 95 % of what the truth may be, where `value` is an estimate. `value` None is
    no data, and `reason` says why; `note` is what the figure must be read with.
    """

    code: str
    name: str
    unit: str
    value: float | None
    basis: Basis
    completeness: float
    low: float | None = None
    high: float | None = None
    reason: str = ""
    note: str = ""
    method_version: str = METHOD_VERSION


class Grounds(msgspec.Struct, frozen=True):
    """What a figure stands on. `reason` is not empty where it must not be made at all."""

    completeness: float
    reason: str = ""
    note: str = ""


class Interval(msgspec.Struct, frozen=True):
    """Where the truth lies in 95 % of cases."""

    low: float
    high: float


def judge(
    measure: Measure,
    grounds: Grounds,
    value: float | None,
    *,
    interval: Interval | None = None,
    otherwise: str = "没有可计算的数据",
) -> Indicator:
    """The figure as it may be shown; `otherwise` says why there is none on good grounds."""
    reason = grounds.reason or ("" if value is not None else otherwise)
    has_value = not reason
    return Indicator(
        code=measure.code,
        name=measure.name,
        unit=measure.unit,
        value=value if has_value else None,
        basis=measure.basis,
        completeness=grounds.completeness,
        low=interval.low if interval and has_value else None,
        high=interval.high if interval and has_value else None,
        reason=reason,
        note=grounds.note,
    )


def ratio(part: float, whole: float) -> float | None:
    """None where there is nothing to divide by."""
    return part / whole if whole else None


def require_complete(completeness: float) -> str:
    """Why a figure of this completeness is not shown; empty where it is."""
    if completeness >= LEAST_COMPLETENESS:
        return ""
    return f"数据完整率 {completeness:.1%}，低于 {LEAST_COMPLETENESS:.0%}，不给出数值"
