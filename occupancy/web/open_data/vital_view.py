"""Vital signs in the shape their readers get: each figure beside the span before and last year."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from occupancy.indicator import Indicator
from occupancy.observed import Span
from occupancy.report.period import month_of
from occupancy.rollup import DAY_MS
from occupancy.vital_signs import (
    DISTRICT,
    DISTRICT_NAME,
    QUARTER_MS,
    Grain,
    Vital,
    band_words,
)
from occupancy.vitals import Band
from occupancy.web.formats import SHANGHAI, rfc3339

PREFIX = "/open/vitals/v1"
YEAR_DAYS = 364  # the same weekday
Key = tuple[str, int]


class VitalPeriod(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """From a moment until another; times of Shanghai."""

    grain: Grain
    from_: str
    to: str


class VitalSign(msgspec.Struct, frozen=True):
    """One figure of the district or a car park.

    `value` null is no data, `reason` says why. `coverage` is the share of the time, weighted by
    spaces, that was told. `source_age` are seconds since the subject's eldest source was last
    observed. `band` only for an index. `low`, `high`: 95 % of what the truth may be.
    """

    subject: str
    subject_name: str
    code: str
    name: str
    value: float | None
    unit: str
    band: Band | None
    period: VitalPeriod
    coverage: float
    low: float | None
    high: float | None
    reason: str
    note: str
    basis: str
    method_version: str
    source_age: float | None
    previous: float | None
    year_before: float | None
    kept_as: int
    seal: str
    again: str


class VitalList(msgspec.Struct, frozen=True):
    """The newest figures of one grain; `note` says why there are none."""

    owner: str
    licence: str
    grain: Grain
    note: str
    indicators: tuple[VitalSign, ...]


class VitalPoint(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One span of a series; null is no data."""

    from_: str
    to: str
    value: float | None
    band: Band | None
    coverage: float


class VitalSeries(msgspec.Struct, frozen=True):
    """One figure over time."""

    subject: str
    subject_name: str
    code: str
    name: str
    unit: str
    span: str
    points: tuple[VitalPoint, ...]


class Compared(NamedTuple):
    """The spans that a span stands beside."""

    previous_ms: int
    year_before_ms: int


def compared_with(grain: Grain, from_ms: int) -> Compared:
    """When the span before, and the one a year before, begin."""
    if grain is Grain.MONTH:
        month = month_of(local_date(from_ms))
        return Compared(month.previous().start_ms, month.year_before().start_ms)
    step_ms = QUARTER_MS if grain is Grain.QUARTER else DAY_MS
    return Compared(from_ms - step_ms, from_ms - YEAR_DAYS * DAY_MS)


def local_date(at_ms: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_ms / 1_000, tz=SHANGHAI).date()


def signs_of(
    newest: Iterable[Vital],
    beside: Mapping[Key, Vital],
    names: Mapping[str, str],
    ages_seconds: Mapping[str, float | None],
) -> list[VitalSign]:
    """`beside`: the spans before and a year before, by subject and beginning."""
    return [
        _sign(vital, figure, beside, names, ages_seconds.get(vital.query.subject))
        for vital in newest
        for figure in vital.figures
    ]


def _sign(
    vital: Vital,
    figure: Indicator,
    beside: Mapping[Key, Vital],
    names: Mapping[str, str],
    age_seconds: float | None,
) -> VitalSign:
    query = vital.query
    compared = compared_with(query.grain, query.from_ms)
    before, year_before = (_value(beside.get((query.subject, at)), figure.code) for at in compared)
    return VitalSign(
        subject=query.subject,
        subject_name=name_of(query.subject, names),
        code=figure.code,
        name=figure.name,
        value=figure.value,
        unit=figure.unit,
        band=band_words(figure),
        period=VitalPeriod(query.grain, rfc3339(query.from_ms), rfc3339(query.until_ms)),
        coverage=figure.completeness,
        low=figure.low,
        high=figure.high,
        reason=figure.reason,
        note=figure.note,
        basis=figure.basis.value,
        method_version=figure.method_version,
        source_age=age_seconds,
        previous=before,
        year_before=year_before,
        kept_as=vital.number,
        seal=vital.seal,
        again=f"{PREFIX}/kept/{vital.number}/again",
    )


def series_of(
    vitals: Iterable[Vital], subject: str, code: str, spans: Sequence[Span]
) -> list[VitalPoint]:
    """Every span in order; what was not worked out is no data."""
    by_start = {one.query.from_ms: one for one in vitals if one.query.subject == subject}
    return [_point(by_start.get(span.from_ms), code, span) for span in spans]


def _point(vital: Vital | None, code: str, span: Span) -> VitalPoint:
    figure = vital.find(code) if vital else None
    times = rfc3339(span.from_ms), rfc3339(span.until_ms)
    if figure is None:
        return VitalPoint(*times, None, None, 0.0)
    return VitalPoint(*times, figure.value, band_words(figure), figure.completeness)


def name_of(subject: str, names: Mapping[str, str]) -> str:
    return DISTRICT_NAME if subject == DISTRICT else names.get(subject, subject)


def _value(vital: Vital | None, code: str) -> float | None:
    figure = vital.find(code) if vital else None
    return figure.value if figure else None
