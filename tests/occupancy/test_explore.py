"""Steps say what was told of, gaps stay gaps, and a bad period is refused beside its field."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.calendar import Calendar, DayType, day_of
from occupancy.edit import BadEditError
from occupancy.explore import (
    EARLIEST_MS,
    MOST_POINTS,
    Plan,
    RawStep,
    Sample,
    curve_of_rows,
    curve_of_samples,
    plan_steps,
    require_weeks,
    unlike_days,
)
from occupancy.tariff_clock import utc_ms
from tests.builders import MORNING_MS

HOUR, DAY = 3_600_000, 86_400_000
NOW = MORNING_MS
QUARTER = 900_000


@given(st.integers(1, 731 * DAY), st.integers(0, 300 * DAY))
def test_every_period_has_whole_steps_that_hold_it_and_few_enough(
    length_ms: int, ago_ms: int
) -> None:
    to_ms = NOW - ago_ms
    plan = plan_steps(to_ms - length_ms, to_ms, NOW)
    step_ms = plan.step_seconds * 1_000
    assert plan.from_ms <= to_ms - length_ms < plan.from_ms + step_ms
    assert plan.to_ms - step_ms < to_ms <= plan.to_ms
    assert (plan.to_ms - plan.from_ms) % step_ms == 0
    assert 0 < plan.count <= MOST_POINTS
    assert (plan.from_ms + 8 * HOUR) % step_ms == 0


@pytest.mark.parametrize(
    ("length_ms", "step_seconds"),
    [(HOUR, 10), (DAY, 60), (31 * DAY, 900), (90 * DAY, 3_600), (731 * DAY, 86_400)],
)
def test_without_a_step_the_finest_is_taken(length_ms: int, step_seconds: int) -> None:
    assert plan_steps(NOW - length_ms, NOW, NOW).step_seconds == step_seconds


def test_days_begin_at_midnight_in_shanghai() -> None:
    plan = plan_steps(NOW - 3 * DAY, NOW, NOW, 86_400)
    assert plan.from_ms == NOW - 3 * DAY - 8 * HOUR
    assert (plan.count, plan.is_raw) == (4, False)


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "step", "field", "words"),
    [
        (NOW, NOW, 0, "to", "必须晚于"),
        (NOW - 1, NOW - 2, 0, "to", "必须晚于"),
        (EARLIEST_MS - 1, NOW, 0, "from", "2020年以前"),
        (NOW, NOW + 1, 0, "from", "在将来"),
        (NOW - 1, NOW + DAY + 1, 0, "to", "最晚为明天此时"),
        (NOW - 732 * DAY, NOW, 0, "to", "最长 731 天"),
        (NOW - DAY, NOW, 7, "step", "只能是 10秒、1分钟、15分钟、1小时、1天"),
        (NOW - 32 * DAY, NOW, 900, "step", "按15分钟有 3072 个点，最多 3000 个；请改为1小时"),
    ],
)
def test_a_bad_period_is_refused_beside_its_field(
    from_ms: int, to_ms: int, step: int, field: str, words: str
) -> None:
    with pytest.raises(BadEditError, match=words) as refused:
        plan_steps(from_ms, to_ms, NOW, step)
    assert refused.value.field == field


@pytest.mark.parametrize("weeks", [-1, 53])
def test_weeks_that_cannot_be_compared_are_refused(weeks: int) -> None:
    require_weeks(52)
    with pytest.raises(BadEditError) as refused:
        require_weeks(weeks)
    assert refused.value.field == "weeks_back"


def test_a_day_can_be_asked_for_to_its_end_before_it_ends() -> None:
    assert plan_steps(NOW - 8 * HOUR, NOW + 16 * HOUR, NOW).count > 0


MINUTES = Plan(NOW, NOW + 5 * 60_000, 60)


def a_step(number: int, **other: float | None) -> RawStep:
    told = RawStep(number, 6, 12.0, 24.0, 1, 1, 10, 12, 5, 6)
    return told._replace(**other)  # type: ignore[arg-type]


def test_raw_steps_tell_means_and_the_cars_since_the_step_before() -> None:
    curve = curve_of_rows(
        MINUTES, [a_step(0, occupied=12.345), a_step(1, entries_last=20), a_step(3, spells=2)]
    )
    assert curve.times_ms == tuple(NOW + number * 60_000 for number in range(5))
    assert list(curve.occupied) == [12.35, 12, None, None, None]
    assert list(curve.free) == [24, 24, None, None, None]
    assert list(curve.entries) == [2, 8, None, None, None]
    assert list(curve.exits) == [1, 0, None, None, None]
    assert curve.completeness == (1, 1, 0, 0.333, 0)


def test_a_new_outbox_within_a_step_or_before_it_makes_no_flow_up() -> None:
    curve = curve_of_rows(
        MINUTES,
        [
            a_step(0, entries_last=500),
            a_step(1, epoch=2, entries_first=0, entries_last=500),
            a_step(2, epoch_first=2, epoch=2, entries_first=3, entries_last=4),
            a_step(3, epoch_first=3, epoch=3, entries_first=0, entries_last=7),
        ],
    )
    assert list(curve.entries[1:4]) == [None, 1, 7]


def test_what_a_part_does_not_have_is_none() -> None:
    lane = a_step(0, occupied=None, free=None, exits_first=None, exits_last=None)
    told = curve_of_rows(MINUTES, [lane])
    assert [column[0] for column in (told.occupied, told.entries, told.exits)] == [None, 2, None]


def a_sample(number: int, **other: int | None) -> Sample:
    told = Sample(NOW + number * QUARTER, 1, 10 + number, 26 - number, 100 + number, 90)
    return told._replace(**other)  # type: ignore[arg-type]


def test_quarters_are_their_beginnings_and_the_cars_until_the_next() -> None:
    plan = Plan(NOW, NOW + 4 * QUARTER, 900)
    curve = curve_of_samples(plan, [a_sample(0), a_sample(1), a_sample(3), a_sample(4)])
    assert list(curve.occupied) == [10, 11, None, 13]
    assert list(curve.free) == [26, 25, None, 23]
    assert list(curve.entries) == [1, None, None, 1]
    assert list(curve.exits) == [0, None, None, 0]
    assert curve.completeness == (1, 1, 0, 1)


def test_hours_are_means_of_their_quarters_and_exact_in_their_cars() -> None:
    plan = Plan(NOW, NOW + 3 * HOUR, 3_600)
    some = [a_sample(number) for number in (0, 2, 3, 4, 8)]
    curve = curve_of_samples(plan, [*some, a_sample(9, occupied=None)])
    assert list(curve.occupied) == [11.67, None, 18]
    assert list(curve.entries) == [4, None, None]
    assert curve.completeness == (0.75, 0.25, 0.5)


def test_a_step_that_is_mostly_unknown_has_no_mean() -> None:
    plan = Plan(NOW, NOW + HOUR, 3_600)
    unknown = [a_sample(number, occupied=None) for number in (1, 2, 3)]
    assert curve_of_samples(plan, [a_sample(0), *unknown]).occupied == (None,)


def test_a_step_over_a_new_outbox_has_no_flow() -> None:
    plan = Plan(NOW, NOW + QUARTER, 900)
    assert curve_of_samples(plan, [a_sample(0), a_sample(1, epoch=2)]).entries == (None,)


def test_a_period_before_has_as_many_points() -> None:
    earlier = MINUTES.earlier(2)
    assert (earlier.count, MINUTES.from_ms - earlier.from_ms) == (5, 14 * DAY)


def test_days_of_another_kind_are_named_beside_what_they_are_compared_with() -> None:
    national_day = day_of(date(2026, 10, 8))  # a Thursday after the holiday
    from_ms = utc_ms(national_day * 1440)
    (unlike,) = unlike_days(Plan(from_ms, from_ms + DAY, 900), 1, Calendar())
    assert (unlike.day, unlike.before) == (national_day, national_day - 7)
    assert (unlike.day_type, unlike.type_before) == (DayType.WORKDAY, DayType.PUBLIC_HOLIDAY)
    assert unlike_days(Plan(from_ms, from_ms + DAY, 900), 4, Calendar()) == ()
