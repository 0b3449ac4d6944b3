"""Which vital signs there are of whom and when, and how each comes out of a query that is kept."""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from gateway.observation import Basis
from occupancy import congestion
from occupancy.calendar import DayType
from occupancy.indicator import METHOD_VERSION, Indicator, Measure, judge
from occupancy.observed import Facts, Observed, Span, grounds
from occupancy.refused import Refusals
from occupancy.rollup import DAY_MS, MINUTE_MS, local_day
from occupancy.vitals import CONGESTION_INDEX, Band, band_of, congestion_index, score_slots

DISTRICT = "district"
DISTRICT_NAME = "全区"
QUARTER_MS = 15 * MINUTE_MS
LIKE_DAYS = 28  # so far back refused drivers of a day are judged by days like it
CONGESTION_NOW = Measure(
    "congestion_now",
    "停车拥堵指数（时段）",
    "0—10",
    "15 分钟时段得分：占有率 0→0、70%→2、85%→4、95%→6、100%→8 线性插值；"
    "未计拒停（拒停要到当日结束后才能估计）；全区按泊位数加权",
    "三水智泊",
    Basis.DERIVED,
)
INDEX_CODES = frozenset({CONGESTION_NOW.code, CONGESTION_INDEX.code})


class Grain(StrEnum):
    """How long a vital sign's span is, in local time."""

    QUARTER = "quarter"
    DAY = "day"
    MONTH = "month"


CODES: Mapping[Grain, tuple[Measure, ...]] = {
    Grain.QUARTER: (CONGESTION_NOW, congestion.MEAN_OCCUPANCY, congestion.DATA_ACCESS),
    **dict.fromkeys(
        (Grain.DAY, Grain.MONTH),
        (
            CONGESTION_INDEX,
            congestion.MEAN_OCCUPANCY,
            congestion.PEAK_HOUR_SATURATION,
            congestion.SATURATED_MINUTES,
            congestion.TURNOVER,
            congestion.DATA_ACCESS,
        ),
    ),
}


class VitalQuery(msgspec.Struct, frozen=True):
    """Everything that a vital sign hangs on besides the recorded windows.

    `lots` as they were judged; `overrides` are the operators' days (since 1970-01-01) of another
    kind; refused drivers are estimated from windows of a minute from `refused_from_ms` on, None:
    not at all. Times are UTC milliseconds.
    """

    subject: str
    grain: Grain
    from_ms: int
    until_ms: int
    lots: tuple[Facts, ...]
    refused_from_ms: int | None = None
    overrides: Mapping[int, DayType] = {}
    method_version: str = METHOD_VERSION


class LotPast(msgspec.Struct, frozen=True):
    """One car park in a span: its quarters, and who was refused; None: that was not asked."""

    quarters: Observed
    refusals: Refusals | None = None


class Vital(msgspec.Struct, frozen=True):
    """A query and what came out of it, as it is kept."""

    number: int
    made_at_ms: int
    query: VitalQuery
    figures: tuple[Indicator, ...]
    seal: str

    def find(self, code: str) -> Indicator | None:
        return next((one for one in self.figures if one.code == code), None)


def query_of(
    subject: str,
    grain: Grain,
    from_ms: int,
    until_ms: int,
    lots: Sequence[Facts],
    overrides: Mapping[int, DayType],
) -> VitalQuery:
    """What must be asked for a span; for a day the weeks before it tell who was refused."""
    if grain is Grain.QUARTER:
        known = tuple(_within(one, from_ms, until_ms) for one in lots)
        return VitalQuery(subject, grain, from_ms, until_ms, known)
    refused_from_ms = min(from_ms, until_ms - LIKE_DAYS * DAY_MS)
    known = tuple(_within(one, refused_from_ms, until_ms) for one in lots)
    days = range(local_day(refused_from_ms), local_day(until_ms))
    told = {day: overrides[day] for day in days if day in overrides}
    return VitalQuery(subject, grain, from_ms, until_ms, known, refused_from_ms, told)


def _within(facts: Facts, from_ms: int, until_ms: int) -> Facts:
    """Only what concerns the time: a closure that lasts still is the same query tomorrow."""
    closed = tuple(
        Span(max(one.from_ms, from_ms), min(one.until_ms, until_ms))
        for one in facts.closed
        if one.from_ms < until_ms and from_ms < one.until_ms
    )
    return msgspec.structs.replace(facts, closed=closed)


def work_out(query: VitalQuery, pasts: Sequence[LotPast]) -> tuple[Indicator, ...]:
    """The figures of a query, from the windows of its car parks in their order."""
    quarters = [one.quarters for one in pasts]
    if query.grain is Grain.QUARTER:
        return (
            congestion_now(*quarters),
            congestion.mean_occupancy(*quarters),
            congestion.data_access_rate(*quarters),
        )
    return (
        congestion_index(*((one.quarters, one.refusals) for one in pasts)),
        congestion.mean_occupancy(*quarters),
        congestion.peak_hour_saturation(*quarters),
        congestion.saturated_minutes(*quarters),
        congestion.turnover(*quarters),
        congestion.data_access_rate(*quarters),
    )


def congestion_now(*lots: Observed) -> Indicator:
    """停车拥堵指数（时段）: the score of one quarter of an hour, several lots by capacity. Ours."""
    told = [
        (slot.score, one.facts.capacity)
        for one in lots
        for slot in score_slots(one)
        if slot.score is not None
    ]
    weight = sum(capacity for _, capacity in told)
    value = sum(score * capacity for score, capacity in told) / weight if weight else None
    return judge(CONGESTION_NOW, grounds(*lots), value)


def seal_of(query: VitalQuery, figures: Sequence[Indicator]) -> str:
    """SHA-256 over what was asked and what came out."""
    told = msgspec.json.encode((query, tuple(figures)), order="deterministic")
    return hashlib.sha256(told).hexdigest()


def band_words(figure: Indicator) -> Band | None:
    """Only an index has bands."""
    if figure.code not in INDEX_CODES or figure.value is None:
        return None
    return band_of(figure.value)
