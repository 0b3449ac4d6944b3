from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.calendar import PUBLISHED_YEARS, Calendar, DayType, day_of
from occupancy.calendar_year import (
    MOST_CHANGES,
    BadDaysError,
    DayChange,
    Override,
    days_of_year,
    doubts_of_year,
    require_changes,
)

MONDAY = date(2026, 11, 23)
SATURDAY = date(2026, 11, 28)
TODAY = day_of(MONDAY)


@given(st.integers(1992, 2198))
def test_a_year_has_its_days_and_each_is_as_the_calendar_says(year: int) -> None:
    days = days_of_year(year, {})
    assert (days[0].day, days[-1].day) == (date(year, 1, 1), date(year, 12, 31))
    calendar = Calendar()
    assert all(one.day_type is one.published is calendar.day_type(day_of(one.day)) for one in days)
    assert all(one.is_published is (year in PUBLISHED_YEARS) for one in days)


def test_a_day_names_its_holiday_and_what_an_operator_made_of_it() -> None:
    said = Override(DayType.PUBLIC_HOLIDAY, "市民活动", "wang", 0)
    days = {one.day: one for one in days_of_year(2026, {MONDAY: said})}
    assert (days[date(2026, 10, 1)].holiday, days[date(2026, 10, 10)].holiday) == ("国庆节",) * 2
    monday = days[MONDAY]
    assert (monday.day_type, monday.published) == (DayType.PUBLIC_HOLIDAY, DayType.WORKDAY)
    assert (monday.override, monday.holiday) == (said, "")


@pytest.mark.parametrize(
    ("day", "day_type", "words"),
    [
        (MONDAY - timedelta(1), DayType.PUBLIC_HOLIDAY, "已过去"),
        (date(2200, 1, 1), DayType.PUBLIC_HOLIDAY, "最晚到 2199-12-31"),
        (MONDAY, DayType.MAKEUP_WORKDAY, "这天是星期一，调休上班日只能是星期六或星期日"),
        (MONDAY, DayType.WEEKEND, "周末只能是星期六或星期日"),
        (SATURDAY, DayType.WORKDAY, "请选调休上班日"),
    ],
)
def test_a_day_that_cannot_be_is_refused_beside_it(
    day: date, day_type: DayType, words: str
) -> None:
    good = DayChange(SATURDAY + timedelta(7), DayType.MAKEUP_WORKDAY)
    with pytest.raises(BadDaysError) as refused:
        require_changes([good, DayChange(day, day_type)], TODAY)
    (remark,) = refused.value.remarks
    assert remark.day == day
    assert words in remark.words


@pytest.mark.parametrize(
    ("day", "day_type"),
    [
        (MONDAY, DayType.WORKDAY),
        (MONDAY, DayType.PUBLIC_HOLIDAY),
        (MONDAY, None),
        (SATURDAY, DayType.WEEKEND),
        (SATURDAY, DayType.MAKEUP_WORKDAY),
        (SATURDAY, DayType.PUBLIC_HOLIDAY),
    ],
)
def test_a_day_that_can_be_is_taken(day: date, day_type: DayType | None) -> None:
    require_changes([DayChange(day, day_type)], TODAY)


def test_a_day_is_changed_once_and_some_days_at_a_time() -> None:
    twice = [DayChange(MONDAY, None), DayChange(MONDAY, DayType.PUBLIC_HOLIDAY)]
    with pytest.raises(BadDaysError, match="写了多次"):
        require_changes(twice, TODAY)
    with pytest.raises(BadDaysError, match="现有 0 天"):
        require_changes([], TODAY)
    many = [DayChange(MONDAY + timedelta(n), None) for n in range(MOST_CHANGES + 1)]
    require_changes(many[1:], TODAY)
    with pytest.raises(BadDaysError, match="现有 367 天"):
        require_changes(many, TODAY)


def test_published_years_raise_no_doubt_and_unknown_ones_do() -> None:
    assert [doubts_of_year(year, Calendar()) for year in PUBLISHED_YEARS[-3:]] == [()] * 3
    (doubt,) = doubts_of_year(2040, Calendar())
    assert (doubt.day, "还没有录入" in doubt.words) == (date(2040, 1, 1), True)


def test_a_makeup_workday_far_from_any_holiday_is_doubted() -> None:
    lonely = Calendar({day_of(SATURDAY): DayType.MAKEUP_WORKDAY})
    (doubt,) = doubts_of_year(2026, lonely)
    assert (doubt.day, "请核对" in doubt.words) == (SATURDAY, True)
