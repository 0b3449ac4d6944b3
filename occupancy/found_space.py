"""The chance that a driver found a space when he came."""

from collections.abc import Sequence

from occupancy.indicator import Indicator, Interval, Measure, judge, ratio
from occupancy.observed import Observed, grounds
from occupancy.refused import Refusals
from occupancy.rollup import MINUTE_MS, Window

PROMPT_MINUTES = 3
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
    seen = [one for one, _ in lots]
    if any(one.minutes != 1 for one in seen):
        raise ValueError("needs windows of a minute")
    entries = sum(one.total("entries") for one in seen)
    prompt = sum(_prompt(one.windows) for one in seen)
    told = [refusals.indicator for _, refusals in lots]
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


def _prompt(minutes: Sequence[Window]) -> int:
    """Cars that entered in a minute of which it, or one of the two before, was not all full."""
    prompt, last_open_ms = 0, minutes[0].start_ms if minutes else 0
    for one in minutes:
        if one.full_ms < one.told_ms or not one.told_ms:
            last_open_ms = one.start_ms
        if one.start_ms - last_open_ms < PROMPT_MINUTES * MINUTE_MS:
            prompt += one.entries
    return prompt
