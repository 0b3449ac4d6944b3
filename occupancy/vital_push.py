"""What the command centre is told of a span's vital signs: one message a span and state of it."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from occupancy.vital_signs import Grain, Vital, band_words
from occupancy.vitals import Band

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))


class DuePush(msgspec.Struct, frozen=True):
    """A span to be told; `up_to` is its newest row: once corrected, it is told again."""

    grain: Grain
    from_ms: int
    up_to: int
    attempts: int


class PushedFigure(msgspec.Struct, frozen=True):
    """One figure; `kept_as` and `seal` name its kept query."""

    subject: str
    code: str
    name: str
    value: float | None
    unit: str
    band: Band | None
    coverage: float
    reason: str
    method_version: str
    kept_as: int
    seal: str


class PushedSpan(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The body, as JSON."""

    grain: Grain
    from_: str
    to: str
    revision: int
    figures: tuple[PushedFigure, ...]


def message_of(due: DuePush, vitals: Sequence[Vital]) -> PushedSpan:
    """`vitals`: each subject's newest row of the span."""
    until_ms = max(one.query.until_ms for one in vitals)
    return PushedSpan(
        due.grain, _words(due.from_ms), _words(until_ms), due.up_to, tuple(_figures(vitals))
    )


def delivery_of(due: DuePush) -> str:
    """The same for each attempt: a receiver that has it already need do nothing."""
    return f"vitals-{due.grain.value}-{due.from_ms}-{due.up_to}"


def _figures(vitals: Sequence[Vital]) -> list[PushedFigure]:
    return [
        PushedFigure(
            vital.query.subject,
            one.code,
            one.name,
            one.value,
            one.unit,
            band_words(one),
            one.completeness,
            one.reason,
            one.method_version,
            vital.number,
            vital.seal,
        )
        for vital in vitals
        for one in vital.figures
    ]


def _words(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1_000, tz=_SHANGHAI).isoformat()
