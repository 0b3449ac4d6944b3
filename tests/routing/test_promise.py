import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.promise import (
    GRACE_MINUTES,
    STANDS_MINUTES,
    Due,
    Promise,
    Seen,
    due_of,
    explain,
    is_over,
    minute_of,
)

NOW = 30_000_000  # minutes since 1970
NOW_MS = NOW * 60_000
MINUTE_MS = 60_000
SLACK = 1e-9


def a_promise(
    trip_id: str = "a",
    share: float = 0.6,
    *,
    begins: int = 5,
    lasts: int = 10,
    booked: float | None = None,
) -> Promise:
    first = NOW + begins
    return Promise(trip_id, share, share if booked is None else booked, first, first + lasts)


wanted = st.builds(
    a_promise,
    trip_id=st.sampled_from("abcdefghij"),
    share=st.floats(0.01, 1.0),
    begins=st.integers(-25, 60) | st.integers(150, 300),
    lasts=st.integers(0, 20),
)
asked = st.lists(st.tuples(wanted, st.floats(-1.0, 4.0)), max_size=25)


@given(asked)
def test_no_promise_takes_any_minute_beyond_its_newest_limit(
    wishes: list[tuple[Promise, float]],
) -> None:
    held: dict[str, Promise] = {}
    limits: dict[int, float] = {}
    for promise, limit in wishes:
        due = due_of(held.values(), limits)
        granted = due.room_for(promise, limit, NOW)
        assert 0 <= granted <= promise.share
        limits[promise.until_minute] = limit
        if granted > 0 and promise.trip_id not in held:
            held[promise.trip_id] = Promise(
                promise.trip_id, granted, granted, promise.from_minute, promise.until_minute
            )
            now_due = due_of(held.values(), limits)
            for minute, most in limits.items():
                stands = promise.from_minute <= minute <= promise.until_minute + STANDS_MINUTES
                is_past = minute + GRACE_MINUTES <= NOW
                if stands and not is_past and not is_over(promise, NOW):
                    assert now_due.by(minute, NOW) <= most + SLACK


def test_a_promise_that_is_long_overdue_takes_no_space() -> None:
    old = a_promise(begins=-10 - GRACE_MINUTES, lasts=10)
    assert is_over(old, NOW)
    assert due_of([old], {}).by(NOW, NOW) == 0
    late = a_promise(begins=-9 - GRACE_MINUTES, lasts=10)
    assert not is_over(late, NOW)
    assert due_of([late], {}).by(NOW, NOW) == 0.6


def test_who_came_hours_before_has_left_again() -> None:
    """What is promised for this evening says nothing of next week's spaces."""
    due = due_of([a_promise(begins=5, lasts=10)], {})
    assert due.by(NOW + 15 + STANDS_MINUTES, NOW) == 0.6
    assert due.by(NOW + 16 + STANDS_MINUTES, NOW) == 0
    next_week = a_promise("next week", 0.8, begins=10_000)
    assert due_of([a_promise()], {NOW + 15: 1.0}).room_for(next_week, 0.8, NOW) == 0.8
    full_next_week = due_of([], {next_week.until_minute: 0.0})
    assert full_next_week.room_for(a_promise("today"), 1.0, NOW) == 0.6


def test_who_comes_later_takes_nothing_from_me_but_i_from_him() -> None:
    later = a_promise("later", 0.8, begins=60)
    due = due_of([later], {later.until_minute: 1.0})
    sooner = a_promise("sooner", 0.8, begins=0)
    assert due.by(sooner.until_minute, NOW) == 0
    assert due.room_for(sooner, 5.0, NOW) == pytest.approx(0.2)
    assert Due().room_for(sooner, 5.0, NOW) == 0.8


def test_a_newer_forecast_of_a_minute_replaces_the_older() -> None:
    one = a_promise("one", 0.8)
    due = due_of([one], {one.until_minute: 1.0})
    assert due.room_for(a_promise("two", 0.8), 2.0, NOW) == 0.8
    assert due.room_for(a_promise("two", 0.8), 0.5, NOW) == 0


def test_minutes_are_whole() -> None:
    assert minute_of(NOW_MS) == minute_of(NOW_MS + 59_999) == NOW


def test_the_first_look_at_a_lot_explains_nothing() -> None:
    found = explain([a_promise(begins=0)], None, (1, 500), NOW_MS)
    assert found.seen == Seen(1, 500, NOW_MS, 0.0)
    assert found.arrived == ()
    assert len(found.promises) == 1


def test_counters_that_began_anew_explain_nothing() -> None:
    before = Seen(1, 500, NOW_MS - MINUTE_MS, 0.4)
    for entries in ((2, 510), (1, 3)):
        found = explain([a_promise(begins=0)], before, entries, NOW_MS)
        assert found.arrived == ()
        assert found.seen.per_minute == 0.4


def test_an_entry_where_nobody_else_comes_explains_the_promised_car() -> None:
    before = Seen(1, 500, NOW_MS - 10 * MINUTE_MS, 0.0)
    found = explain([a_promise(begins=-2)], before, (1, 501), NOW_MS)
    assert found.arrived == ("a",)
    assert found.promises == ()


def test_an_entry_among_many_ordinary_ones_explains_little() -> None:
    before = Seen(1, 500, NOW_MS - 10 * MINUTE_MS, 4.0)
    found = explain([a_promise(begins=-2)], before, (1, 501), NOW_MS)
    (left,) = found.promises
    assert 0.55 < left.share < 0.6
    assert found.arrived == ()


def test_many_entries_explain_a_promise_little_by_little() -> None:
    before = Seen(1, 500, NOW_MS - 10 * MINUTE_MS, 1.0)
    found = explain([a_promise(begins=-2, lasts=2)], before, (1, 510), NOW_MS)
    assert found.arrived == ("a",)


def test_no_entry_explains_who_is_not_due_yet() -> None:
    before = Seen(1, 500, NOW_MS - 10 * MINUTE_MS, 0.0)
    early = a_promise(begins=5)
    found = explain([early], before, (1, 503), NOW_MS)
    assert found.promises == (early,)


def test_a_promise_worn_down_to_nothing_is_dropped() -> None:
    worn = a_promise(share=0.01, booked=0.019, begins=5)
    found = explain([worn], Seen(1, 5, NOW_MS, 1.0), (1, 5), NOW_MS)
    assert found.promises == ()
    assert found.arrived == ()


@given(st.lists(wanted, max_size=8), st.integers(0, 30), st.floats(0, 5))
def test_entries_never_add_to_what_is_promised(
    held: list[Promise], count: int, per_minute: float
) -> None:
    before = Seen(1, 10, NOW_MS - MINUTE_MS, per_minute)
    after = explain(held, before, (1, 10 + count), NOW_MS)
    last = NOW + 100
    assert due_of(after.promises, {}).by(last, NOW) <= due_of(held, {}).by(last, NOW) + SLACK
