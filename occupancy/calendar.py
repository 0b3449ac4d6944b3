"""What kind of day a date is in China: workday, weekend, public holiday or make-up workday.

Days are whole numbers: days since 1970-01-01 in Asia/Shanghai. chinese-calendar is the data behind
it; beyond its years the weekday decides, and `is_published` says so. Operators' overrides win.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from chinese_calendar import constants

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SATURDAY = 5
_CACHED_DAYS = 4096


class DayType(StrEnum):
    """APDS special days, as Chinese tariffs tell them apart."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    PUBLIC_HOLIDAY = "public_holiday"
    MAKEUP_WORKDAY = "makeup_workday"  # 调休上班: a Saturday or Sunday that is worked


def day_of(date_: date) -> int:
    return date_.toordinal() - EPOCH_ORDINAL


LAST_DAY = day_of(date(2199, 12, 31))  # nothing later is priced


def date_of(day: int) -> date:
    return date.fromordinal(day + EPOCH_ORDINAL)


PUBLISHED_YEARS = range(
    min(constants.holidays).year,
    max(constants.holidays).year + 1,
)


class Calendar:
    """Day types with the operator's overrides; it never raises, whatever the year."""

    def __init__(self, overrides: Mapping[int, DayType] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._known: dict[int, DayType] = {}

    def day_type(self, day: int) -> DayType:
        found = self._known.get(day)
        if found is None:
            if len(self._known) >= _CACHED_DAYS:
                self._known.clear()
            found = self._known[day] = self._overrides.get(day) or published_day_type(day)
        return found

    def supposing(self, days: Mapping[int, DayType]) -> "Calendar":
        """The same, were these days of these types."""
        return Calendar(self._overrides | dict(days))

    def is_published(self, day: int) -> bool:
        """Whether somebody said what this day is, or only its weekday did."""
        return day in self._overrides or date_of(day).year in PUBLISHED_YEARS


def published_day_type(day: int) -> DayType:
    date_ = date_of(day)
    is_weekend = date_.weekday() >= _SATURDAY
    if date_ in constants.workdays:
        return DayType.MAKEUP_WORKDAY if is_weekend else DayType.WORKDAY
    if date_ in constants.holidays:
        return DayType.PUBLIC_HOLIDAY
    return DayType.WEEKEND if is_weekend else DayType.WORKDAY
