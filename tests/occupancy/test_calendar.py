from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from occupancy.calendar import PUBLISHED_YEARS, Calendar, DayType, date_of, day_of


def day_type(year: int, month: int, day: int) -> DayType:
    return Calendar().day_type(day_of(date(year, month, day)))


def test_an_ordinary_monday_is_a_workday() -> None:
    assert day_type(2026, 11, 2) is DayType.WORKDAY


def test_an_ordinary_saturday_is_a_weekend() -> None:
    assert day_type(2026, 11, 7) is DayType.WEEKEND


def test_national_day_is_a_public_holiday() -> None:
    assert day_type(2026, 10, 1) is DayType.PUBLIC_HOLIDAY


def test_a_saturday_that_is_worked_is_a_makeup_workday() -> None:
    assert day_type(2026, 10, 10) is DayType.MAKEUP_WORKDAY


def test_the_operator_may_override_any_date() -> None:
    day = day_of(date(2026, 11, 2))
    assert Calendar({day: DayType.PUBLIC_HOLIDAY}).day_type(day) is DayType.PUBLIC_HOLIDAY


def test_a_year_nobody_published_falls_back_to_weekdays_and_says_so() -> None:
    new_year = day_of(date(PUBLISHED_YEARS[-1] + 10, 1, 1))
    calendar = Calendar()
    assert calendar.day_type(new_year) in (DayType.WORKDAY, DayType.WEEKEND)
    assert not calendar.is_published(new_year)


def test_an_override_makes_a_day_of_a_missing_year_known() -> None:
    day = day_of(date(PUBLISHED_YEARS[-1] + 1, 10, 1))
    assert Calendar({day: DayType.PUBLIC_HOLIDAY}).is_published(day)


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_every_date_has_a_type_and_comes_back_from_its_number(date_: date) -> None:
    assert Calendar().day_type(day_of(date_)) in DayType
    assert date_of(day_of(date_)) == date_


def test_a_calendar_that_has_seen_many_days_still_answers() -> None:
    calendar = Calendar()
    first = [calendar.day_type(day) for day in range(20_000, 25_000)]
    assert [calendar.day_type(day) for day in range(20_000, 25_000)] == first
