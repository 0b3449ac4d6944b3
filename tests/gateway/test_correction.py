"""An operator's count: what counters and machines say from then on."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.correction import Correction, corrected
from gateway.observation import Basis, GroupReading, GroupState
from gateway.reconcile import Anchor, balance, cars_inside, drift

EPOCH = 7
COUNT = Correction(
    number=3,
    epoch=EPOCH,
    cars_inside=20,
    entries_total=100,
    exits_total=90,
    at_ms=5_000,
    unseen_cars=-2,
)


def _group(occupied: tuple[int, ...]) -> GroupReading:
    return GroupReading("g", "g1", GroupState.WORKING, (30,), occupied, 0, 0, 90.0, 0)


def test_cars_that_moved_after_the_count_are_counted_on_top_of_it() -> None:
    anchor = corrected(Anchor(10, 80, 85, 0), EPOCH, COUNT)
    assert anchor is not None
    assert cars_inside(anchor, entries_total=104, exits_total=91) == 20 + 4 - 1


def test_a_count_is_taken_once_and_never_after_a_newer_one() -> None:
    anchor = corrected(None, EPOCH, COUNT)
    assert anchor is not None
    assert corrected(anchor, EPOCH, COUNT) is None
    assert corrected(anchor, EPOCH, msgspec.structs.replace(COUNT, number=2)) is None
    assert corrected(anchor, EPOCH, msgspec.structs.replace(COUNT, number=4)) is not None


def test_a_count_that_belongs_to_another_memory_is_not_taken() -> None:
    assert corrected(None, EPOCH + 1, COUNT) is None


def test_what_the_operator_found_beyond_the_machines_is_added_to_what_they_see() -> None:
    groups = (_group((22,)),)
    spaces = balance(groups, inside=20, unseen_cars=COUNT.unseen_cars)
    assert (spaces.occupied, spaces.free, spaces.basis) == (20, 10, Basis.COUNTED)
    assert drift(20, groups, COUNT.unseen_cars) == 0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 500), st.integers(0, 500))
def test_after_a_count_counters_and_machines_agree(
    counted: int, seen: int, entries: int, exits: int
) -> None:
    groups = (_group((seen,)),)
    count = Correction(1, EPOCH, counted, entries, exits, 0, counted - seen)
    anchor = corrected(None, EPOCH, count)
    assert anchor is not None
    inside = cars_inside(anchor, entries, exits)
    assert inside == counted == balance(groups, inside, None, anchor.unseen_cars).occupied
    assert drift(inside, groups, anchor.unseen_cars) == 0
