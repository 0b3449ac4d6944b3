import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.report.period import (
    BadPeriodError,
    Period,
    PeriodKind,
    make_period,
    month_of,
    parse_period,
)

DAYS = st.dates(dt.date(2021, 1, 1), dt.date(2199, 12, 31))


def test_a_month_a_week_and_any_days_have_an_address() -> None:
    october = parse_period("2026-10")
    assert (october.first, october.last) == (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    week = parse_period("2026-W41")
    assert (week.first, week.last) == (dt.date(2026, 10, 5), dt.date(2026, 10, 11))
    half = parse_period("2026-10-01..2026-10-15")
    assert (half.days, half.kind) == (15, PeriodKind.DAYS)
    assert parse_period("2026-10-03").days == 1


def test_days_that_are_a_month_are_that_month() -> None:
    assert parse_period("2026-02-01..2026-02-28") == parse_period("2026-02")
    assert parse_period("2026-10-05..2026-10-11") == parse_period("2026-W41")


@given(DAYS, st.integers(0, 399))
def test_an_address_leads_back_to_its_period(first: dt.date, more: int) -> None:
    period = make_period(first, first + dt.timedelta(days=more))
    assert parse_period(period.slug) == period
    assert (period.end_ms - period.start_ms) == period.days * 86_400_000


@pytest.mark.parametrize(
    "slug",
    ["", "2026", "2026-13", "2026-W54", "2026-02-30", "x", "2026-10-01..", "2026-10..2026-11"],
)
def test_what_names_no_days_is_refused_with_the_way_out(slug: str) -> None:
    with pytest.raises(BadPeriodError, match="write 2026-10"):
        parse_period(slug)


def test_too_many_days_and_days_in_the_wrong_order_are_refused() -> None:
    assert parse_period("2025-01-01..2026-02-04").days == 400
    with pytest.raises(BadPeriodError, match="401 days"):
        parse_period("2025-01-01..2026-02-05")
    with pytest.raises(BadPeriodError, match="swap them"):
        parse_period("2026-10-15..2026-10-01")
    with pytest.raises(BadPeriodError, match="2020"):
        parse_period("1999-10")


def test_a_period_is_compared_with_the_one_before_and_the_year_before() -> None:
    january = month_of(dt.date(2026, 1, 5))
    assert january.previous().slug == "2025-12"
    assert january.year_before().slug == "2025-01"
    half = parse_period("2026-10-01..2026-10-15")
    assert half.previous() == Period(dt.date(2026, 9, 16), dt.date(2026, 9, 30))
    assert half.year_before().first.weekday() == half.first.weekday()
    assert parse_period("2026-W41").previous().slug == "2026-W40"


def test_dates_are_said_without_repeating_what_is_in_common() -> None:
    assert parse_period("2026-10").dates == "2026 年 10 月 1 日—31 日"
    assert parse_period("2026-10").title == "2026 年 10 月"
    assert parse_period("2026-W41").title == "2026 年第 41 周"
    assert parse_period("2026-10-03").title == "2026 年 10 月 3 日"
    assert parse_period("2026-09-28..2026-10-04").title == "2026 年第 40 周"
    assert parse_period("2025-12-28..2026-01-02").dates == "2025 年 12 月 28 日—2026 年 1 月 2 日"
