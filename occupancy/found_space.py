"""The chance that a driver found a space when he came."""

from collections.abc import Sequence

import numpy as np

from occupancy.columns import Columns, columns_of
from occupancy.indicator import Indicator, Interval, Measure, judge, ratio
from occupancy.observed import Observed, grounds
from occupancy.refused import Refusals
from occupancy.rollup import MINUTE_MS

PROMPT_MINUTES = 3
NO_MINUTES = "满位时段没有逐分钟的数据"
FOUND_SPACE = Measure(
    "found_space",
    "到达即有位概率",
    "比例",
    "3 分钟内进场的车辆数 ÷（进场车辆数 + 拒停车辆估计）",
    "停车规划指标；拒停为估计值",
)


def found_space(lots: Sequence[tuple[Observed, Refusals]]) -> Indicator:
    """到达即有位概率: entered within 3 minutes / (entered + refused); share. Source: planning.

    Counters do not see who waits: a car that entered after the place had been full for more than
    three whole minutes is taken to have waited. Needs windows of a minute. The interval is that
    of the refused.
    """
    if any(one.minutes != 1 for one, _ in lots):
        raise ValueError("needs windows of a minute")
    return found_in([(seen, refusals, columns_of(seen)) for seen, refusals in lots])


def found_in(lots: Sequence[tuple[Observed, Refusals, Columns]]) -> Indicator:
    """The same where the minutes are columns; whoever was never full needs none."""
    seen = [one for one, _, _ in lots]
    if any(minutes.minutes != 1 and minutes.is_ever_full for _, _, minutes in lots):
        return judge(FOUND_SPACE, grounds(*seen), None, otherwise=NO_MINUTES)
    entries = sum(one.total("entries") for one in seen)
    prompt = sum(_prompt(minutes) for _, _, minutes in lots)
    told = [refusals.indicator for _, refusals, _ in lots]
    refused = sum(one.value or 0.0 for one in told)
    least, most = (sum(getattr(one, end) or 0.0 for one in told) for end in ("low", "high"))
    interval = None
    if entries:
        interval = Interval(prompt / (entries + most), prompt / (entries + least))
    return judge(
        FOUND_SPACE,
        grounds(*seen),
        ratio(prompt, entries + refused),
        interval=interval,
        otherwise="统计期内没有车辆到达",
    )


def _prompt(told: Columns) -> int:
    """Cars that entered in a window of which it, or one of the minutes before, was not all full."""
    if not len(told.start_ms):
        return 0
    length_ms = told.minutes * MINUTE_MS
    is_open = (told.full_ms < told.told_ms) | (told.told_ms == 0)
    is_after_silence = np.diff(told.start_ms, prepend=told.start_ms[:1]) > length_ms
    silent_ms = np.where(is_after_silence, told.start_ms - length_ms, told.start_ms[0])
    open_ms = np.maximum.accumulate(np.where(is_open, told.start_ms, silent_ms))
    return int(told.entries[told.start_ms - open_ms < PROMPT_MINUTES * MINUTE_MS].sum())
