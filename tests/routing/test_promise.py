import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.promise import Promise, Seen, due_by, explain, room_for

NOW_MS = 1_000_000
MINUTE_MS = 60_000
LIMIT_SLACK = 1e-9


def a_promise(
    trip_id: str = "a",
    share: float = 0.6,
    *,
    begins: int = 5,
    lasts: int = 10,
    limit: float = 3.0,
    booked: float | None = None,
) -> Promise:
    from_ms = NOW_MS + begins * MINUTE_MS
    until_ms = from_ms + lasts * MINUTE_MS
    return Promise(
        trip_id,
        share,
        share if booked is None else booked,
        from_ms,
        until_ms,
        limit,
        until_ms + 10 * MINUTE_MS,
    )


wanted = st.builds(
    a_promise,
    trip_id=st.sampled_from("abcdefghij"),
    share=st.floats(0.01, 1.0),
    begins=st.integers(-20, 60),
    lasts=st.integers(1, 20),
    limit=st.floats(0.0, 4.0),
)


@given(st.lists(wanted, max_size=25))
def test_no_more_is_ever_promised_than_the_limit_of_any_promise(asked: list[Promise]) -> None:
    held: dict[str, Promise] = {}
    for promise in asked:
        granted = room_for(promise, list(held.values()), NOW_MS)
        assert 0 <= granted <= promise.share
        if granted > 0 and promise.trip_id not in held:
            held[promise.trip_id] = a_promise(
                promise.trip_id,
                granted,
                begins=(promise.from_ms - NOW_MS) // MINUTE_MS,
                lasts=(promise.until_ms - promise.from_ms) // MINUTE_MS,
                limit=promise.limit,
            )
    for promise in held.values():
        if promise.expires_ms > NOW_MS:
            assert due_by(held.values(), promise.until_ms, NOW_MS) <= promise.limit + LIMIT_SLACK


def test_a_promise_that_has_expired_takes_no_space() -> None:
    old = a_promise(begins=-60, lasts=10)
    assert due_by([old], NOW_MS, NOW_MS) == 0
    assert room_for(a_promise("b", limit=0.6), [old], NOW_MS) == 0.6


def test_who_comes_later_takes_nothing_from_me_but_i_from_him() -> None:
    later = a_promise("later", 0.8, begins=60, limit=1.0)
    sooner = a_promise("sooner", 0.8, begins=0, limit=1.0)
    assert due_by([later], sooner.until_ms, NOW_MS) == 0
    assert room_for(sooner, [later], NOW_MS) == pytest.approx(0.2)


def test_my_own_promise_does_not_stand_in_my_way() -> None:
    mine = a_promise("mine", 1.0, limit=1.0)
    assert due_by([mine], mine.until_ms, NOW_MS, but="mine") == 0
    assert room_for(mine, [mine], NOW_MS) == 1.0


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


def test_without_any_rate_entries_explain_nothing() -> None:
    before = Seen(1, 500, NOW_MS - MINUTE_MS, 0.0)
    assert explain([], before, (1, 500), NOW_MS).promises == ()


@given(st.lists(wanted, max_size=8), st.integers(0, 30), st.floats(0, 5))
def test_entries_never_add_to_what_is_promised(
    held: list[Promise], count: int, per_minute: float
) -> None:
    before = Seen(1, 10, NOW_MS - MINUTE_MS, per_minute)
    after = explain(held, before, (1, 10 + count), NOW_MS)
    ends = NOW_MS + 100 * MINUTE_MS
    assert due_by(after.promises, ends, NOW_MS) <= due_by(held, ends, NOW_MS) + LIMIT_SLACK
