"""Which days a report is about, as its address says: a month, a week, or any days up to 400."""

import datetime as dt
import re
from enum import StrEnum

import msgspec

from occupancy.rollup import date_start_ms

MOST_DAYS = 400
FIRST_YEAR = 2020
EXAMPLES = "2026-10, 2026-W41 or 2026-10-01..2026-10-15"
_WEEK_DAYS = 7
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")


class BadPeriodError(ValueError):
    """These are no days of a report; the message names what was asked and the way out.

    `words` says the same in Chinese.
    """

    def __init__(self, message: str, words: str) -> None:
        self.words = words
        super().__init__(message)


class PeriodKind(StrEnum):
    """How long a period is: what it is compared with hangs on it."""

    MONTH = "month"
    WEEK = "week"
    DAYS = "days"


class Period(msgspec.Struct, frozen=True, order=True):
    """The days from `first` to `last`, both included, in Asia/Shanghai."""

    first: dt.date
    last: dt.date
    kind: PeriodKind = PeriodKind.DAYS

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start_ms(self) -> int:
        """UTC."""
        return date_start_ms(self.first)

    @property
    def end_ms(self) -> int:
        """The moment after the last day, UTC."""
        return date_start_ms(self.last + dt.timedelta(days=1))

    @property
    def slug(self) -> str:
        """As in the address of the report."""
        if self.kind is PeriodKind.MONTH:
            return f"{self.first:%Y-%m}"
        if self.kind is PeriodKind.WEEK:
            return f"{self.first:%G-W%V}"
        return f"{self.first}..{self.last}"

    @property
    def title(self) -> str:
        if self.kind is PeriodKind.MONTH:
            return f"{self.first.year} 年 {self.first.month} 月"
        if self.kind is PeriodKind.WEEK:
            return f"{self.first:%G} 年第 {int(f'{self.first:%V}')} 周"
        return self.dates

    @property
    def dates(self) -> str:
        """2026 年 10 月 1 日—31 日: what is in common is said once."""
        first, last = self.first, self.last
        begin = f"{first.year} 年 {first.month} 月 {first.day} 日"
        if first == last:
            return begin
        year = "" if first.year == last.year else f"{last.year} 年 "
        is_same_month = (first.year, first.month) == (last.year, last.month)
        month = "" if is_same_month else f"{last.month} 月 "
        return f"{begin}—{year}{month}{last.day} 日"

    def previous(self) -> "Period":
        """The month or week before, or as many days right before."""
        if self.kind is PeriodKind.MONTH:
            return month_of(self.first - dt.timedelta(days=1))
        return Period(
            self.first - dt.timedelta(days=self.days),
            self.first - dt.timedelta(days=1),
            self.kind,
        )

    def year_before(self) -> "Period":
        """The same month a year before; weeks and days 52 weeks before, on the same weekdays."""
        if self.kind is PeriodKind.MONTH:
            return month_of(dt.date(self.first.year - 1, self.first.month, 1))
        back = dt.timedelta(weeks=52)
        return Period(self.first - back, self.last - back, self.kind)


def month_of(day: dt.date) -> Period:
    first = day.replace(day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return Period(first, following - dt.timedelta(days=1), PeriodKind.MONTH)


def week_of(day: dt.date) -> Period:
    monday = day - dt.timedelta(days=day.weekday())
    return Period(monday, monday + dt.timedelta(days=_WEEK_DAYS - 1), PeriodKind.WEEK)


def make_period(first: dt.date, last: dt.date) -> Period:
    """These days, as a month or a week where they are one. Raises BadPeriodError."""
    if last < first:
        raise BadPeriodError(
            f"{first}..{last}: the last day lies before the first; swap them",
            f"{first} 到 {last}：最后一天在第一天之前，请对调",
        )
    if first.year < FIRST_YEAR:
        raise BadPeriodError(
            f"{first}: nothing was counted before {FIRST_YEAR}",
            f"{first}：{FIRST_YEAR} 年以前没有计数",
        )
    days = Period(first, last)
    if days.days > MOST_DAYS:
        raise BadPeriodError(
            f"{first}..{last} are {days.days} days; a report has at most {MOST_DAYS}, "
            "ask for parts of it",
            f"{first} 到 {last} 共 {days.days} 天：一份报告最多 {MOST_DAYS} 天，请分几份生成",
        )
    whole = (month_of(first), week_of(first))
    return next((one for one in whole if (one.first, one.last) == (first, last)), days)


def parse_period(slug: str) -> Period:
    """A period from its address. Raises BadPeriodError."""
    try:
        first, last = _first_and_last(slug)
    except (ValueError, OverflowError):
        raise BadPeriodError(
            f"{slug[:40]}: no such days; write {EXAMPLES}",
            f"“{slug[:40]}”不是报告的时段：请写成 2026-10、2026-W41 或 2026-10-01..2026-10-15",
        ) from None
    return make_period(first, last)


def _first_and_last(slug: str) -> tuple[dt.date, dt.date]:
    if month := _MONTH.fullmatch(slug):
        whole = month_of(dt.date(int(month[1]), int(month[2]), 1))
        return whole.first, whole.last
    if week := _WEEK.fullmatch(slug):
        whole = week_of(dt.date.fromisocalendar(int(week[1]), int(week[2]), 1))
        return whole.first, whole.last
    if days := _DAYS.fullmatch(slug):
        return dt.date.fromisoformat(days[1]), dt.date.fromisoformat(days[2] or days[1])
    raise ValueError(slug)
