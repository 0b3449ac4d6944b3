"""Vital signs (体征): the parking congestion index, 0 to 10, of a car park and of the district."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

import msgspec

from gateway.observation import Basis
from occupancy.indicator import LEAST_COMPLETENESS, Indicator, Measure, judge
from occupancy.observed import Observed, grounds, slots, whole_days
from occupancy.refused import Refusals

# Score of a slot by its occupancy: straight lines between these points.
SCORES = ((0.0, 0.0), (0.70, 2.0), (0.85, 4.0), (0.95, 6.0), (1.0, 8.0))
REFUSED_SCORE, REFUSED_FULL_SHARE = 2.0, 0.2
WORST_QUARTERS = 12  # three hours
HOUR_MINUTES = 60
CONGESTION_INDEX = Measure(
    "congestion_index",
    "停车拥堵指数",
    "0—10",
    "15 分钟时段得分：占有率 0→0、70%→2、85%→4、95%→6、100%→8 线性插值，"
    "加 2 × min(1, 每小时拒停 ÷ 可用车位 ÷ 0.2)；"
    "每日取最差 3 小时的平均，各日平均，全区按泊位数加权",
    "三水智泊",
    Basis.EXPECTED,
)


class Band(StrEnum):
    """What an index means, in the words of traffic reports."""

    CLEAR = "畅通"
    FAIRLY_CLEAR = "基本畅通"
    RATHER_FULL = "较满"
    TENSE = "紧张"
    SEVERE = "严重"


_BANDS = ((2.0, Band.CLEAR), (4.0, Band.FAIRLY_CLEAR), (6.0, Band.RATHER_FULL), (8.0, Band.TENSE))


class SlotScore(msgspec.Struct, frozen=True):
    """One quarter of an hour of a car park; None is no data."""

    start_ms: int
    score: float | None


class DayIndex(msgspec.Struct, frozen=True):
    """One local day (days since 1970-01-01) of a car park or the district."""

    day: int
    index: float


def band_of(index: float) -> Band:
    """0-2 畅通, 2-4 基本畅通, 4-6 较满, 6-8 紧张, 8-10 严重; an edge belongs to the band above."""
    return next((band for below, band in _BANDS if index < below), Band.SEVERE)


def slot_score(occupancy: float, refused_an_hour: float = 0.0, spaces: float = 1.0) -> float:
    """Score 0 to 10 of a slot: piecewise linear in N/C, plus 2 min(1, refused/h / C / 0.2). Ours.

    `occupancy` is between 0 and 1: what lies beyond is no sound observation.
    """
    pressed = refused_an_hour / spaces / REFUSED_FULL_SHARE if spaces else 0.0
    return _occupancy_score(occupancy) + REFUSED_SCORE * min(1.0, pressed)


def score_slots(seen: Observed, refusals: Refusals | None = None) -> list[SlotScore]:
    """Every quarter of an hour of a car park: what a chart of a day shows."""
    by_quarter = refusals.by_quarter if refusals is not None else {}
    return [
        SlotScore(
            one.start_ms,
            None
            if (share := one.share) is None
            else slot_score(
                share,
                by_quarter.get(one.start_ms, 0.0) * HOUR_MINUTES / seen.minutes,
                one.spaces,
            ),
        )
        for one in slots(seen)
    ]


def daily_index(seen: Observed, refusals: Refusals | None = None) -> list[DayIndex]:
    """The mean of the worst 3 hours (12 quarters) of each day that is at least 90 % known."""
    scores = {one.start_ms: one.score for one in score_slots(seen, refusals)}
    found = []
    for day, part in whole_days(slots(seen), LEAST_COMPLETENESS).items():
        known = [score for one in part if (score := scores[one.start_ms]) is not None]
        worst = sorted(known, reverse=True)[:WORST_QUARTERS]
        if worst:
            found.append(DayIndex(day, sum(worst) / len(worst)))
    return found


def district_daily_index(
    lots: Iterable[tuple[Observed, Refusals | None]],
) -> list[DayIndex]:
    """Each day's index of the car parks that have one, weighted by capacity."""
    sums: dict[int, tuple[float, int]] = {}
    for seen, refusals in lots:
        capacity = seen.facts.capacity
        for one in daily_index(seen, refusals):
            total, weight = sums.get(one.day, (0.0, 0))
            sums[one.day] = (total + one.index * capacity, weight + capacity)
    return [DayIndex(day, total / weight) for day, (total, weight) in sorted(sums.items())]


def congestion_index(*lots: tuple[Observed, Refusals | None]) -> Indicator:
    """停车拥堵指数 of a period: the mean of its days' indices; 0 to 10. Source: ours.

    One car park, or several as a district. Needs quarters of an hour.
    """
    wrong = {seen.minutes for seen, _ in lots} - {HOUR_MINUTES // 4}
    if wrong:
        raise ValueError(f"needs windows of 15 minutes, not of {sorted(wrong)}")
    days = district_daily_index(lots)
    value = sum(one.index for one in days) / len(days) if days else None
    return judge(
        CONGESTION_INDEX,
        grounds(*(seen for seen, _ in lots)),
        value,
        otherwise="没有一天数据完整",
    )


def _occupancy_score(occupancy: float) -> float:
    for (low, base), (high, top) in pairwise(SCORES):
        if occupancy <= high:
            return base + (top - base) * (occupancy - low) / (high - low)
    return SCORES[-1][1]
