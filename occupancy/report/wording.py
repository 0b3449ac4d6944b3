"""Pieces of the report's sentences: names, hours, days, comparisons, and what is not known."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from occupancy.calendar import date_of
from occupancy.indicator import Indicator
from occupancy.report.figures import write_number
from occupancy.report.period import Period, PeriodKind

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_BEFORE = {PeriodKind.MONTH: "上月", PeriodKind.WEEK: "上周", PeriodKind.DAYS: "上期"}
_THIS = {PeriodKind.MONTH: "本月", PeriodKind.WEEK: "本周", PeriodKind.DAYS: "本期"}
_YEAR = {PeriodKind.MONTH: "去年同月", PeriodKind.WEEK: "去年同期", PeriodKind.DAYS: "去年同期"}
_NEXT = {PeriodKind.MONTH: "下月", PeriodKind.WEEK: "下周", PeriodKind.DAYS: "下期"}


def bold(words: str) -> str:
    return f"**{words}**"


def listed(words: Iterable[str]) -> str:
    return "、".join(words)


def this_period(period: Period) -> str:
    return _THIS[period.kind]


def before_period(period: Period) -> str:
    return _BEFORE[period.kind]


def year_period(period: Period) -> str:
    return _YEAR[period.kind]


def next_period(period: Period) -> str:
    return _NEXT[period.kind]


def day_words(day: int) -> str:
    """10 月 3 日, of a day number (occupancy.calendar)."""
    return date_words(date_of(day))


def date_words(date: dt.date) -> str:
    return f"{date.month} 月 {date.day} 日"


def hours_words(hours: Sequence[int]) -> str:
    """Hours of a day as spans: 8, 17, 18, 19 are 8—9 时、17—20 时."""
    spans: list[list[int]] = []
    for hour in sorted(hours):
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    return "、".join(f"{first}—{last} 时" for first, last in spans)


def compared(
    now: float | None, before: float | None, name: str, write: Callable[[float], str]
) -> str:
    """上月 5.1，↓0.5: the difference is that of the numbers as they are written."""
    if before is None:
        return f"{name}无可比数据"
    if now is None:
        return f"{name} {write(before)}"
    change = now - before
    if write(now) == write(before):
        return f"{name} {write(before)}，持平"
    return f"{name} {write(before)}，{'↑' if change > 0 else '↓'}{write(abs(change))}"


def not_known(indicator: Indicator) -> str:
    """Why there is no number, as a sentence's part."""
    return f"数据不足：{indicator.reason or '没有可计算的数据'}"


def ranged(indicator: Indicator, write: Callable[[float], str]) -> str:
    """12（8—17）: the value with its interval where there is one."""
    if indicator.value is None:
        return "—"
    if indicator.low is None or indicator.high is None:
        return write(indicator.value)
    return f"{write(indicator.value)}（{write(indicator.low)}—{write(indicator.high)}）"


def no_figures(reason: str) -> str:
    """Of a section in which nothing can be said."""
    return f"没有一个车场的数据够用：{reason or '报告里没有车场'}。"


def whole(value: float) -> str:
    return write_number(value, 0)


def tenths(value: float) -> str:
    return write_number(value, 1)
