import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.edit import BadEditError
from occupancy.report.period import PeriodKind
from occupancy.report.schedule import Plan, Schedule, find_due, next_due_ms, read_plan
from occupancy.rollup import date_start_ms

HOUR_MS = 3_600_000
FORM = {
    "kind": "month",
    "day": "2",
    "clock": "06:30",
    "recipients": "a@b.cn；c@d.cn\n a@b.cn",
    "is_on": "1",
}


def schedule(plan: Plan, set_on: dt.date) -> Schedule:
    return Schedule(1, plan, "li", date_start_ms(set_on), 1)


def test_a_month_is_due_on_its_day_and_minute_and_not_before() -> None:
    plan = read_plan(FORM, ())
    kept = schedule(plan, dt.date(2026, 10, 20))
    due_ms = date_start_ms(dt.date(2026, 11, 2)) + 6 * HOUR_MS + HOUR_MS // 2
    assert find_due(kept, due_ms - 1) is None
    due = find_due(kept, due_ms)
    assert due is not None
    assert (due.period.slug, due.due_at_ms) == ("2026-10", due_ms)
    late = find_due(kept, date_start_ms(dt.date(2026, 12, 1)))
    assert late is not None
    assert late.period.slug == "2026-10"


def test_a_week_is_due_on_its_day() -> None:
    plan = Plan(PeriodKind.WEEK, 1, 0, ("a@b.cn",))
    due = find_due(schedule(plan, dt.date(2026, 10, 1)), date_start_ms(dt.date(2026, 10, 12)))
    assert due is not None
    assert due.period.slug == "2026-W41"


def test_a_plan_that_is_off_is_never_due() -> None:
    plan = Plan(PeriodKind.WEEK, 1, 0, ("a@b.cn",), is_on=False)
    assert find_due(schedule(plan, dt.date(2026, 1, 1)), date_start_ms(dt.date(2027, 1, 1))) is None


@given(
    st.sampled_from([(PeriodKind.MONTH, 28), (PeriodKind.WEEK, 7)]),
    st.integers(1, 28),
    st.integers(0, 1_439),
    st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1)),
)
def test_what_is_due_next_is_due_then(
    kind: tuple[PeriodKind, int], day: int, minute: int, today: dt.date
) -> None:
    plan = Plan(kind[0], min(day, kind[1]), minute, ("a@b.cn",))
    kept = schedule(plan, today)
    at_ms = next_due_ms(plan, kept.set_at_ms)
    assert find_due(kept, at_ms - 1) is None
    due = find_due(kept, at_ms)
    assert due is not None
    assert due.period.end_ms <= at_ms


def test_a_plan_is_read_from_a_form_each_address_once() -> None:
    plan = read_plan(FORM, ("kangle",))
    assert plan.recipients == ("a@b.cn", "c@d.cn")
    assert (plan.clock, plan.lots, plan.is_on) == ("06:30", ("kangle",), True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "year"),
        ("day", "29"),
        ("day", "二"),
        ("day", ""),
        ("clock", "25:00"),
        ("clock", "noon"),
        ("recipients", ""),
        ("recipients", "nobody"),
        ("recipients", "a@b.cn\r\nBcc: x@y.cn"),
        ("recipients", " ".join(f"p{number}@b.cn" for number in range(51))),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_beside_its_field(field: str, value: str) -> None:
    with pytest.raises(BadEditError) as refusal:
        read_plan({**FORM, field: value}, ())
    assert refusal.value.field == field
