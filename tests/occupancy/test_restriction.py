"""What operators close or reserve takes room away, each place once, and never a car."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import GroupState
from gateway.reconcile import balance
from occupancy.live import Received, Status, fold
from occupancy.restriction import (
    Closing,
    Extent,
    Restriction,
    closing_at,
    closings_of,
    restrict,
)
from tests.builders import MORNING_MS, a_group, a_lot, an_observation

HOUR_MS = 3_600_000


def closing(extent: Extent = Extent.LOT, part: str = "", **other: object) -> Restriction:
    told = {"from_ms": MORNING_MS - HOUR_MS, "until_ms": MORNING_MS + HOUR_MS, **other}
    return Restriction(1, "kangle", extent, wording="检修", part=part, **told)  # type: ignore[arg-type]


RESTRICTIONS = st.lists(
    st.one_of(
        st.sampled_from(["g1", "g2", "gone"]).map(lambda part: closing(Extent.GROUP, part)),
        st.integers(1, 4).map(lambda level: closing(Extent.LEVEL, str(level))),
        st.integers(0, 40).map(lambda n: closing(Extent.SPACES, spaces=n)),
    ),
    max_size=5,
)
CARS = st.tuples(*[st.integers(0, 6)] * 3)
STATES = st.sampled_from(GroupState)


@given(RESTRICTIONS, CARS, CARS, STATES)
def test_spaces_are_only_moved_out_of_service(
    restrictions: list[Restriction], one: tuple[int, ...], two: tuple[int, ...], state: GroupState
) -> None:
    groups = (a_group(1, one, state=state), a_group(2, two))
    before = balance(groups, None)
    after = restrict(before, restrictions, groups, MORNING_MS)
    assert after.capacity == before.capacity == after.usable + after.out_of_service
    assert after.occupied == before.occupied
    assert before.free is not None
    assert after.free is not None
    assert 0 <= after.free <= before.free
    assert before.free - after.free == after.out_of_service - before.out_of_service


@given(CARS, CARS)
def test_a_place_closed_twice_is_closed_once(one: tuple[int, ...], two: tuple[int, ...]) -> None:
    """Level 2 of all machines and the whole machine 1 share the level 2 of machine 1."""
    groups = (a_group(1, one), a_group(2, two))
    after = restrict(
        balance(groups, None),
        [closing(Extent.GROUP, "g1"), closing(Extent.LEVEL, "2")],
        groups,
        MORNING_MS,
    )
    assert after.free == (6 - two[0]) + (6 - two[2])


def test_a_jammed_machine_is_not_taken_out_of_service_twice() -> None:
    groups = (a_group(1, state=GroupState.JAMMED), a_group(2, (0, 0, 0)))
    before = balance(groups, None)
    assert restrict(before, [closing(Extent.GROUP, "g1")], groups, MORNING_MS) == before


def test_nothing_is_known_of_a_silent_car_park_and_nothing_taken_from_it() -> None:
    groups = (a_group(1, None), a_group(2))
    before = balance(groups, None)
    assert restrict(before, [closing(Extent.LEVEL, "1")], groups, MORNING_MS) == before


def test_what_has_not_begun_or_is_over_takes_nothing() -> None:
    groups = (a_group(1), a_group(2))
    before = balance(groups, None)
    later = closing(Extent.GROUP, "g1", from_ms=MORNING_MS + 1)
    over = closing(Extent.GROUP, "g2", until_ms=MORNING_MS)
    assert restrict(before, [later, over], groups, MORNING_MS) == before


def test_a_closing_is_known_a_day_ahead_and_until_it_is_over() -> None:
    soon = closing(from_ms=MORNING_MS + HOUR_MS, until_ms=None)
    far = closing(from_ms=MORNING_MS + 25 * HOUR_MS, until_ms=None)
    over = closing(until_ms=MORNING_MS)
    assert closings_of([far, soon, over, closing(Extent.GROUP, "g1")], MORNING_MS) == (
        Closing(MORNING_MS + HOUR_MS, None, "检修"),
    )


def test_of_several_the_one_that_ends_last_is_told() -> None:
    short, long = Closing(0, 10, "a"), Closing(0, 20, "b")
    ever = Closing(5, None, "c")
    assert closing_at((short, long), 5) == long
    assert closing_at((short, ever, long), 5) == ever
    assert closing_at((short, ever), 4) == short
    assert closing_at((short,), 10) is None


def test_a_closed_car_park_says_so_and_shows_no_room_in_what_is_closed() -> None:
    news = an_observation()
    received = Received(news, MORNING_MS, MORNING_MS)
    shut = fold(None, a_lot(), received, [closing()])
    assert shut.status is Status.CLOSED
    part = fold(None, a_lot(), received, [closing(Extent.GROUP, "g1")])
    assert (part.free, part.held_back, part.out_of_service) == (12, 12, 12)
    assert [group.free for group in part.groups] == [0, 12]
    assert sum(level.free or 0 for level in part.levels) == part.free
    assert all(
        level.occupied is not None
        and level.capacity == level.occupied + level.out_of_service + (level.free or 0)
        for level in part.levels
    )
