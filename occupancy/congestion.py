"""Indicators of use: turnover, stay, occupancy, peaks, full time, and whether data arrives.

Each takes what was observed of one car park, or of several, which are judged together.
Sources: "practice" is what urban parking studies commonly use, "planning" what planners chose here.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from gateway.observation import Basis
from occupancy import bootstrap
from occupancy.indicator import (
    LEAST_COMPLETENESS,
    Grounds,
    Indicator,
    Interval,
    Measure,
    judge,
    ratio,
)
from occupancy.observed import LEAST_TOLD, Observed, Slot, grounds, slots, whole_days
from occupancy.rollup import DAY_MS, MINUTE_MS, local_day

QUARTER_MINUTES, QUARTERS_AN_HOUR = 15, 4
PEAK_QUANTILE = 0.95
TARGET_FROM, TARGET_TO = 0.60, 0.85
NOTHING_USABLE = "没有可用车位"
NOBODY_CAME = "统计期内没有车辆进场"
_DOMAIN, _PLANNING = "城市停车指标", "停车规划指标"

TURNOVER = Measure(
    "turnover", "周转率", "次/泊位·日", "统计期进场车辆数 ÷ 泊位数 ÷ 开放天数", _DOMAIN
)
MEAN_STAY = Measure(
    "mean_stay",
    "平均停放时间",
    "分钟",
    "停放时间之和 ÷ 停放次数",
    _DOMAIN,
    Basis.COUNTED,
)
MEAN_STAY_DERIVED = Measure(
    "mean_stay_derived",
    "平均停放时间（推算）",
    "分钟",
    "平均在场车辆数 × 开放时长 ÷ 进场车辆数（利特尔定律，由计数推算）",
    "Little's law",
)
TIME_OCCUPANCY = Measure(
    "time_occupancy",
    "时间利用率",
    "比例",
    "占用时间之和 ÷（泊位数 × 有数据的时长）",
    _DOMAIN,
)
MEAN_OCCUPANCY = Measure(
    "mean_occupancy",
    "平均占有率",
    "比例",
    "占用时间之和 ÷ 可用车位时间之和",
    _DOMAIN,
)
SNAPSHOT_OCCUPANCY = Measure(
    "snapshot_occupancy", "占有率", "比例", "某一时刻在场车辆数 ÷ 可用车位数", _DOMAIN
)
PEAK_SATURATION = Measure(
    "peak_saturation",
    "高峰饱和度（瞬时）",
    "比例",
    "各时段最大在场车辆数 ÷ 该时段平均可用车位数，取最大值",
    _DOMAIN,
)
PEAK_HOUR_SATURATION = Measure(
    "peak_hour_saturation",
    "高峰饱和度（日最高小时，P95）",
    "比例",
    "每日 60 分钟平均占有率（逐 15 分钟滑动）的最大值，取各日的第 95 百分位",
    _PLANNING,
)
SATURATED_MINUTES = Measure(
    "saturated_minutes",
    "饱和时长",
    "分钟",
    "空位 ≤ 饱满阈值 max(1, 2% × 可用车位) 的分钟数，只计有数据的时间",
    _DOMAIN,
)
FULL_TIME_SHARE = Measure(
    "full_time_share",
    "满位时间占比",
    "比例",
    "空位 ≤ max(1, 2% × 可用车位) 的时间 ÷ 有数据的开放时间",
    _PLANNING,
)
TARGET_SHARE = Measure(
    "target_share",
    "目标区间占比",
    "比例",
    f"占有率在 {TARGET_FROM:.0%}—{TARGET_TO:.0%} 之间的 15 分钟时段数 ÷ 有数据的时段数",
    _PLANNING,
)
DATA_ACCESS = Measure(
    "data_access_rate",
    "数据接入率",
    "比例",
    "Σ（泊位数 × 数据新鲜的时间）÷ Σ（泊位数 × 开放时间）",
    "佛山市停车规划 2022—2024",
    Basis.COUNTED,
)


def turnover(*lots: Observed) -> Indicator:
    """周转率: vehicles that entered / bays / open days; times a bay and day. Source: practice.

    Entries are running totals: those of a silence are counted when the gateway speaks again.
    """
    bay_days = sum(one.facts.capacity * one.expected_ms for one in lots) / DAY_MS
    entries = sum(one.total("entries") for one in lots)
    return judge(TURNOVER, grounds(*lots), ratio(entries, bay_days))


def mean_stay(stays_minutes: Sequence[float]) -> Indicator:
    """平均停放时间: sum of parking times / parkings; minutes. Source: practice.

    Needs stays that were measured one by one; counters alone give `mean_stay_derived`.
    """
    count = len(stays_minutes)
    base = Grounds(1.0 if count else 0.0)
    return judge(
        MEAN_STAY,
        base,
        ratio(sum(stays_minutes), count),
        interval=bootstrap.mean_interval(stays_minutes),
        otherwise="没有逐车的停放记录；由计数推算的见“平均停放时间（推算）”",
    )


def mean_stay_derived(*lots: Observed) -> Indicator:
    """Mean cars present x open time / entries; minutes. Source: Little's law, N = lambda W.

    Mean cars are taken over the time that was told and stand for the open time. The interval
    comes from whole days drawn again.
    """
    cars_ms = [_cars_ms(one) for one in lots]
    entries = sum(one.total("entries") for one in lots)
    return judge(
        MEAN_STAY_DERIVED,
        grounds(*lots),
        ratio(sum(cars_ms) / MINUTE_MS, entries),
        interval=_stay_interval(lots),
        otherwise=NOBODY_CAME,
    )


def time_occupancy(*lots: Observed) -> Indicator:
    """时间利用率: sum of occupied time / (bays x told time); share. Source: practice."""
    bay_ms = sum(one.facts.capacity * one.total("told_ms") for one in lots)
    occupied_ms = sum(one.total("occupied_ms") for one in lots)
    return judge(TIME_OCCUPANCY, grounds(*lots), ratio(occupied_ms, bay_ms))


def mean_occupancy(*lots: Observed) -> Indicator:
    """平均占有率: occupied time / usable time, while told; share. Source: practice."""
    usable_ms = sum(one.total("usable_ms") for one in lots)
    occupied_ms = sum(one.total("occupied_ms") for one in lots)
    return judge(
        MEAN_OCCUPANCY, grounds(*lots), ratio(occupied_ms, usable_ms), otherwise=NOTHING_USABLE
    )


def snapshot_occupancy(occupied: int | None, usable: int) -> Indicator:
    """占有率: occupied / usable spaces at one moment; share. Source: practice.

    `occupied` None: the source is stale or contradicts itself.
    """
    if occupied is None:
        return judge(SNAPSHOT_OCCUPANCY, Grounds(0.0, "此刻没有可信的数据"), None)
    value = ratio(occupied, usable)
    return judge(SNAPSHOT_OCCUPANCY, Grounds(1.0), value, otherwise=NOTHING_USABLE)


def peak_saturation(*lots: Observed) -> Indicator:
    """高峰饱和度: most occupied of a window / its mean usable spaces; share. Source: practice.

    Of several car parks the highest counts.
    """
    peaks = [
        one.occupied_most * one.told_ms / one.usable_ms
        for lot in lots
        for one in lot.windows
        if one.occupied_most is not None and one.usable_ms
    ]
    return judge(
        PEAK_SATURATION, grounds(*lots), max(peaks, default=None), otherwise=NOTHING_USABLE
    )


def peak_hour_saturation(*lots: Observed) -> Indicator:
    """P95 over days of the highest 60-minute mean of N/C; share. Source: planning.

    Hours begin at any quarter and lie within their local day. Days of which less than 90 % is
    known do not count. Needs windows of 15 minutes.
    """
    _require_quarters(lots)
    days = whole_days(slots(*lots), LEAST_COMPLETENESS)
    peaks = [peak for part in days.values() if (peak := _peak_hour(part)) is not None]
    value = float(np.quantile(peaks, PEAK_QUANTILE)) if peaks else None
    return judge(PEAK_HOUR_SATURATION, grounds(*lots), value, otherwise="没有一天数据完整")


def saturated_minutes(*lots: Observed) -> Indicator:
    """饱和时长: minutes with free <= max(1, 2 % of the usable spaces). Source: practice.

    Only time that was told; the interval goes up to what the silence may hide.
    """
    full_ms = sum(one.total("full_ms") for one in lots)
    silent_ms = sum(one.expected_ms - one.total("told_ms") for one in lots)
    interval = Interval(full_ms / MINUTE_MS, (full_ms + silent_ms) / MINUTE_MS)
    return judge(
        SATURATED_MINUTES,
        grounds(*lots),
        full_ms / MINUTE_MS,
        interval=interval if silent_ms else None,
    )


def full_time_share(*lots: Observed) -> Indicator:
    """满位时间占比: time with free <= f0 / told open time; share. Source: planning."""
    told_ms = sum(one.total("told_ms") for one in lots)
    full_ms = sum(one.total("full_ms") for one in lots)
    return judge(FULL_TIME_SHARE, grounds(*lots), ratio(full_ms, told_ms))


def target_share(
    *lots: Observed, band: tuple[float, float] = (TARGET_FROM, TARGET_TO)
) -> Indicator:
    """目标区间占比: quarters with N/C in the band / quarters with data; share. Source: planning.

    Both edges belong to the band. Each car park's slots count by themselves.
    """
    _require_quarters(lots)
    shares = [
        share
        for lot in lots
        for one in lot.windows
        if one.completeness >= LEAST_TOLD and (share := one.occupancy) is not None
    ]
    inside = sum(band[0] <= share <= band[1] for share in shares)
    return judge(TARGET_SHARE, grounds(*lots), ratio(inside, len(shares)), otherwise=NOTHING_USABLE)


def data_access_rate(*lots: Observed) -> Indicator:
    """数据接入率: bays with fresh data / bays, over the open time; share. Source: practice.

    Silence is what it measures: it has a value, however little was told.
    """
    bay_ms = sum(one.facts.capacity * one.expected_ms for one in lots)
    fresh = sum(one.facts.capacity * one.total("fresh_ms") for one in lots)
    base = grounds(*lots)
    reason = "" if bay_ms else base.reason
    return judge(DATA_ACCESS, Grounds(base.completeness, reason, base.note), ratio(fresh, bay_ms))


def _require_quarters(lots: Sequence[Observed]) -> None:
    wrong = {one.minutes for one in lots} - {QUARTER_MINUTES}
    if wrong:
        raise ValueError(f"needs windows of 15 minutes, not of {sorted(wrong)}")


def _peak_hour(day: Sequence[Slot]) -> float | None:
    """The highest mean of four slots in a row, all known."""
    means = []
    for first in range(len(day) - QUARTERS_AN_HOUR + 1):
        hour = day[first : first + QUARTERS_AN_HOUR]
        shares = [share for one in hour if (share := one.share) is not None]
        lasts_ms = hour[-1].start_ms - hour[0].start_ms
        is_in_a_row = lasts_ms == (QUARTERS_AN_HOUR - 1) * QUARTER_MINUTES * MINUTE_MS
        if len(shares) == QUARTERS_AN_HOUR and is_in_a_row:
            means.append(sum(shares) / QUARTERS_AN_HOUR)
    return max(means, default=None)


def _cars_ms(lot: Observed) -> float:
    """The integral of cars over the open time, what was told standing for the rest."""
    told_ms = lot.total("told_ms")
    return lot.total("occupied_ms") / told_ms * lot.expected_ms if told_ms else 0.0


def _stay_interval(lots: Sequence[Observed]) -> Interval | None:
    cars: dict[int, float] = {}
    entries: dict[int, int] = {}
    for lot in lots:
        for day, part in groupby(lot.windows, key=lambda one: local_day(one.start_ms)):
            windows = list(part)
            told_ms = sum(one.told_ms for one in windows)
            share = len(windows) * lot.minutes * MINUTE_MS / told_ms if told_ms else 0.0
            cars[day] = cars.get(day, 0.0) + share * sum(one.occupied_ms for one in windows)
            entries[day] = entries.get(day, 0) + sum(one.entries for one in windows)
    known = [day for day in cars if cars[day] and entries[day]]
    return bootstrap.ratio_interval(
        np.array([cars[day] / MINUTE_MS for day in known]),
        np.array([float(entries[day]) for day in known]),
    )
