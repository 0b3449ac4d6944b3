"""A year's calendar as operators edit it: what was published, what they changed, what cannot be."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec
from chinese_calendar import constants

from occupancy.calendar import (
    LAST_DAY,
    PUBLISHED_YEARS,
    Calendar,
    DayType,
    date_of,
    day_of,
    published_day_type,
)
from occupancy.price_words import DAY_TYPES, Language

MOST_CHANGES = 366
_SATURDAY = 5
_NEAR_DAYS = 14
_WEEKDAYS = "一二三四五六日"


class Override(msgspec.Struct, frozen=True):
    """What an operator says of a day, and why."""

    day_type: DayType
    reason: str
    changed_by: str
    changed_at_ms: int


class YearDay(msgspec.Struct, frozen=True):
    """One day: its type, what was published of it, and the holiday it belongs to (春节)."""

    day: date
    day_type: DayType
    published: DayType
    is_published: bool
    holiday: str
    override: Override | None


class DayChange(msgspec.Struct, frozen=True):
    """A day shall be of a type, or again as published (None); `seen` is the override that was."""

    day: date
    day_type: DayType | None
    seen: DayType | None = None


class DayRemark(msgspec.Struct, frozen=True):
    """What is to be said of one day."""

    day: date
    words: str


class BadDaysError(Exception):
    """Some days cannot be changed so; nothing was. A remark for each of them."""

    def __init__(self, remarks: Sequence[DayRemark]) -> None:
        self.remarks = tuple(remarks)
        super().__init__("\n".join(f"{one.day}: {one.words}" for one in remarks))


def days_of_year(year: int, overrides: Mapping[date, Override]) -> tuple[YearDay, ...]:
    first, last = day_of(date(year, 1, 1)), day_of(date(year, 12, 31))
    return tuple(_year_day(date_of(day), overrides) for day in range(first, last + 1))


def _year_day(day: date, overrides: Mapping[date, Override]) -> YearDay:
    override, published = overrides.get(day), published_day_type(day_of(day))
    return YearDay(
        day=day,
        day_type=published if override is None else override.day_type,
        published=published,
        is_published=day.year in PUBLISHED_YEARS,
        holiday=_holiday(day),
        override=override,
    )


def _holiday(day: date) -> str:
    name = constants.holidays.get(day) or constants.workdays.get(day)
    return "" if name is None else str(constants.Holiday(name).chinese)


def require_changes(changes: Sequence[DayChange], today: int) -> None:
    """Raises BadDaysError; `today` is the local day's number (occupancy.calendar)."""
    if remarks := list(_wrong(changes, today)):
        raise BadDaysError(remarks)


def _wrong(changes: Sequence[DayChange], today: int) -> Iterator[DayRemark]:
    if not changes or len(changes) > MOST_CHANGES:
        words = f"一次修改 1 到 {MOST_CHANGES} 天，现有 {len(changes)} 天"
        yield DayRemark(date_of(today), words)
    told: set[date] = set()
    for change in changes:
        if words := _wrong_with(change, today):
            yield DayRemark(change.day, words)
        elif change.day in told:
            yield DayRemark(change.day, "同一天写了多次，只能有一个类型")
        told.add(change.day)


def _wrong_with(change: DayChange, today: int) -> str:
    if day_of(change.day) < today:
        return f"已过去的日期不能改（今天是 {date_of(today).isoformat()}）：已收的费不变"
    if day_of(change.day) > LAST_DAY:
        return f"最晚到 {date_of(LAST_DAY).isoformat()}"
    is_weekend = change.day.weekday() >= _SATURDAY
    name = "" if change.day_type is None else DAY_TYPES[change.day_type][Language.CHINESE]
    weekday = _WEEKDAYS[change.day.weekday()]
    if change.day_type in (DayType.MAKEUP_WORKDAY, DayType.WEEKEND) and not is_weekend:
        return f"这天是星期{weekday}，{name}只能是星期六或星期日"
    if change.day_type is DayType.WORKDAY and is_weekend:
        return f"这天是星期{weekday}，要上班请选调休上班日"
    return ""


def doubts_of_year(year: int, calendar: Calendar) -> tuple[DayRemark, ...]:
    """What is allowed and yet unusual: an operator should look at it once more."""
    return tuple(_doubts(year, calendar))


def _doubts(year: int, calendar: Calendar) -> Iterator[DayRemark]:
    first, last = day_of(date(year, 1, 1)), day_of(date(year, 12, 31))
    kinds = {day: calendar.day_type(day) for day in range(first - _NEAR_DAYS, last + _NEAR_DAYS)}
    for day in range(first, last + 1):
        if kinds[day] is DayType.MAKEUP_WORKDAY:
            near = range(day - _NEAR_DAYS + 1, day + _NEAR_DAYS)
            if all(kinds.get(one) is not DayType.PUBLIC_HOLIDAY for one in near):
                yield DayRemark(date_of(day), f"前后 {_NEAR_DAYS} 天内没有法定节假日，请核对")
    new_year = date(year, 1, 1)
    if kinds[first] is not DayType.PUBLIC_HOLIDAY:
        yield DayRemark(new_year, "元旦不是法定节假日：这一年的放假安排还没有录入")
