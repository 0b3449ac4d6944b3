"""Whether guidance signs told the truth: what each showed against what was true at that time."""

from collections.abc import Iterable, Sequence

import msgspec

from gateway.signs import CLOSED, FULL, STALE
from occupancy.indicator import Grounds, Indicator, Measure, judge, ratio, require_complete
from occupancy.observed import LEAST_TOLD, Observed
from occupancy.rollup import MINUTE_MS, Window

NEAR_SPACES, NEAR_SHARE = 3.0, 0.02
FULL_SPACES = 1.0
SIGN_TRUE = Measure(
    "sign_true_share",
    "诱导屏准确率",
    "比例",
    "|显示余位 − 实际余位| ≤ max(3, 2% × 可用车位) 的时间 ÷ 显示与实际都已知的时间",
    "停车规划指标",
)
SIGN_FREE_WHILE_FULL = Measure(
    "sign_free_while_full",
    "满位却显示有位",
    "分钟",
    "停车场满位（空位 ≤ max(1, 2% × 可用车位)）而屏上显示余位大于阈值的分钟数",
    "停车规划指标",
)
SIGN_NUMBER_WHILE_STALE = Measure(
    "sign_number_while_stale",
    "失联仍显示数字",
    "分钟",
    "停车场数据失联而屏上仍显示数字或“满”的分钟数，应为 0",
    "停车规划指标",
)


class Shown(msgspec.Struct, frozen=True):
    """What a sign said of one car park, from `from_ms` until `until_ms`.

    `text` is the line as the sign read it back; None while nobody knew what it showed.
    """

    from_ms: int
    until_ms: int
    text: str | None

    @property
    def free(self) -> int | None:
        """Free spaces it promised: its number, 0 for full; None for a dash, closed or unknown."""
        if self.text is None or self.text in (STALE, CLOSED):
            return None
        if self.text == FULL:
            return 0
        return int(self.text) if self.text.isdecimal() else None


class SignTruth(msgspec.Struct, frozen=True):
    """The three figures of one sign and one car park."""

    true_share: Indicator
    free_while_full: Indicator
    number_while_stale: Indicator


def judge_sign(shown: Iterable[Shown], seen: Observed) -> SignTruth:
    """The three figures from what was shown and the car park's windows (of a minute). Planning.

    A sign has as much time to follow as a window lasts: what it showed in a window is held
    against the window's means. Completeness is the share of the open time in which both were
    known.
    """
    by_minute = _spread(shown, seen.windows)
    told = [(window, part) for window in seen.windows for part in by_minute[window.start_ms]]
    known_ms = sum(ms for window, (ms, one) in told if one.text is not None)
    completeness = known_ms / seen.expected_ms if seen.expected_ms else 0.0
    compared = [
        (window, ms, one.free)
        for window, (ms, one) in told
        if one.free is not None and window.completeness >= LEAST_TOLD
    ]
    true_ms = sum(ms for window, ms, free in compared if _is_near(window, free))
    wrong_ms = sum(ms for window, ms, free in compared if _is_free_while_full(window, free))
    stale_ms = sum(ms * window.stale_share for window, (ms, one) in told if one.free is not None)
    reason = "" if known_ms else "没有该屏的显示记录"
    base = Grounds(completeness, reason or require_complete(completeness), seen.note)
    return SignTruth(
        judge(
            SIGN_TRUE,
            base,
            ratio(true_ms, sum(ms for _, ms, _ in compared)),
            otherwise="没有显示与实际都已知的时间",
        ),
        judge(SIGN_FREE_WHILE_FULL, base, wrong_ms / MINUTE_MS),
        judge(SIGN_NUMBER_WHILE_STALE, base, stale_ms / MINUTE_MS),
    )


def _is_near(window: Window, free: int) -> bool:
    usable = window.usable_ms / window.told_ms
    return abs(free - window.free_ms / window.told_ms) <= max(NEAR_SPACES, NEAR_SHARE * usable)


def _is_free_while_full(window: Window, free: int) -> bool:
    """All of what was told of the window was full, and the sign said that there was room."""
    usable = window.usable_ms / window.told_ms
    is_full = window.full_ms == window.told_ms
    return is_full and free > max(FULL_SPACES, NEAR_SHARE * usable)


def _spread(
    shown: Iterable[Shown], windows: Sequence[Window]
) -> dict[int, list[tuple[int, Shown]]]:
    """What was shown in each window, and for how many milliseconds."""
    found: dict[int, list[tuple[int, Shown]]] = {one.start_ms: [] for one in windows}
    if not windows:
        return found
    length_ms = windows[0].length_ms
    for one in shown:
        first = one.from_ms // length_ms * length_ms
        for start_ms in range(first, one.until_ms, length_ms):
            if start_ms in found:
                from_ms = max(one.from_ms, start_ms)
                until_ms = min(one.until_ms, start_ms + length_ms)
                found[start_ms].append((until_ms - from_ms, one))
    return found
