from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import GroupState
from occupancy.live import LiveGroup
from routing.machine_wait import fetch_minutes, store_minutes

STATES = st.sampled_from(GroupState)
queues = st.none() | st.integers(0, 30)


def a_machine(
    storing: int | None = 0,
    fetching: int | None = 0,
    cycle_seconds: float | None = 120.0,
    state: GroupState = GroupState.WORKING,
) -> LiveGroup:
    return LiveGroup("m", state, 18, 10, 8, storing, fetching, cycle_seconds)


machines = st.lists(
    st.builds(a_machine, queues, queues, st.none() | st.floats(20, 300), STATES), max_size=6
)


def test_cars_are_stored_at_the_shortest_queue_and_fetched_from_any() -> None:
    both = [a_machine(3, 2, 60.0), a_machine()]
    assert store_minutes(both, 0) == 2.0
    assert fetch_minutes(both, 0) == 4.0


def test_who_comes_half_an_hour_later_finds_half_the_queue() -> None:
    assert store_minutes([a_machine(4, 2)], 0) == 14.0
    assert store_minutes([a_machine(4, 2)], 30) == 8.0


def test_machines_that_say_nothing_or_stand_still_take_the_usual_time() -> None:
    dumb, jammed = a_machine(None, None, None), a_machine(9, 9, state=GroupState.JAMMED)
    for groups in ([dumb], [jammed], []):
        assert store_minutes(groups, 0) == fetch_minutes(groups, 0) == 1.5


@given(machines, st.floats(0, 600), st.floats(0, 600))
def test_nobody_waits_longer_for_what_lies_farther_ahead(
    groups: list[LiveGroup], one: float, other: float
) -> None:
    sooner, later = sorted((one, other))
    assert store_minutes(groups, later) <= store_minutes(groups, sooner)
    assert 0 < store_minutes(groups, sooner) <= fetch_minutes(groups, sooner) + 1e-9
