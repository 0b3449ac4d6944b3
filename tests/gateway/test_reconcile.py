"""Counters against machines: what is free, what is doubtful, how far they drift."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import Basis, GroupReading, GroupState
from gateway.reconcile import (
    Anchor,
    balance,
    cars_inside,
    cars_on_pallets,
    drift,
    drift_per_day,
    list_doubts,
    overfilled,
)

DAY_MS = 86_400_000
BAYS = (6, 7, 7)


def _group(
    occupied: tuple[int, ...] | None,
    state: GroupState = GroupState.WORKING,
    storing: int | None = 0,
    name: str = "g1",
) -> GroupReading:
    return GroupReading(name, name, state, BAYS, occupied, storing, 0, 60.0, 0)


SILENT = _group(None, GroupState.SILENT, None, "g2")


def test_cars_inside_are_the_anchor_and_what_came_and_went_since() -> None:
    anchor = Anchor(cars_inside=10, entries_total=100, exits_total=90, at_ms=0)
    assert cars_inside(anchor, entries_total=107, exits_total=95) == 12


def test_counters_that_drift_below_nought_say_so_unclamped() -> None:
    inside = cars_inside(Anchor(1, 0, 0, 0), entries_total=0, exits_total=4)
    assert inside == -3
    assert list_doubts(inside, (_group((1, 0, 0)),)) == (
        "the counters say -3 cars inside, there is room for 20",
    )


def test_counters_above_the_bays_and_the_queue_are_doubted() -> None:
    groups = (_group((6, 7, 7), storing=2),)
    assert list_doubts(22, groups) == ()
    assert list_doubts(23, groups) == ("the counters say 23 cars inside, there is room for 22",)


def test_machines_that_see_all_their_cars_are_believed() -> None:
    spaces = balance((_group((1, 2, 3)), _group((0, 0, 1), name="g2")), inside=99)
    assert (spaces.capacity, spaces.usable, spaces.occupied, spaces.free) == (40, 40, 7, 33)
    assert (spaces.basis, spaces.doubts) == (Basis.COUNTED, ())


def test_a_silent_group_is_filled_by_the_counters_and_marked_derived() -> None:
    spaces = balance((_group((1, 2, 3), storing=1), SILENT), inside=15)
    assert (spaces.occupied, spaces.free, spaces.basis) == (14, 26, Basis.DERIVED)


def test_without_machines_and_counters_nothing_is_known() -> None:
    spaces = balance((_group((1, 2, 3)), SILENT), inside=None)
    assert (spaces.capacity, spaces.occupied, spaces.free) == (40, None, None)


@pytest.mark.parametrize("state", [GroupState.JAMMED, GroupState.MAINTENANCE])
def test_a_jam_takes_its_bays_and_its_cars_out_of_the_sum(state: GroupState) -> None:
    spaces = balance((_group((1, 2, 3)), _group((4, 4, 4), state, name="g2")), inside=None)
    assert (spaces.usable, spaces.out_of_service, spaces.locked_in) == (20, 20, 12)
    assert (spaces.occupied, spaces.free) == (6, 14)


def test_more_cars_than_bays_is_suspect_and_not_clamped() -> None:
    spaces = balance((_group((9, 9, 9)),), inside=None)
    assert (spaces.occupied, spaces.free) == (27, -7)
    assert spaces.doubts == ("occupied 27 of 20 usable", "group g1 says 27 cars in 20 bays")


def test_one_impossible_group_makes_a_possible_sum_doubtful() -> None:
    spaces = balance((_group((6, 7, 9)), _group((0, 0, 0), name="g2")), inside=None)
    assert spaces.free == 18
    assert spaces.doubts == ("group g1 says 22 cars in 20 bays",)


def test_a_silent_group_is_filled_by_counters_less_their_known_drift() -> None:
    spaces = balance((_group((1, 1, 1)), SILENT), inside=20, drifted=8)
    assert (spaces.occupied, spaces.free, spaces.basis) == (12, 28, Basis.DERIVED)


def test_drift_is_counters_minus_machines_minus_those_still_waiting() -> None:
    groups = (_group((1, 2, 3), storing=2),)
    assert drift(15, groups) == 7
    assert list_doubts(15, groups) == ("the counters say +7 cars against the machines",)
    assert list_doubts(9, groups) == ()


def test_drift_is_unknown_while_a_group_is_silent() -> None:
    assert drift(15, (_group((1, 2, 3)), SILENT)) is None
    assert list_doubts(15, (_group((1, 2, 3)), SILENT)) == ()
    assert list_doubts(None, (_group((1, 2, 3)),)) == ()


def test_drift_a_day_is_measured_from_the_anchor() -> None:
    anchor = Anchor(0, 0, 0, at_ms=0)
    assert drift_per_day(6, anchor, now_ms=2 * DAY_MS) == 3
    assert drift_per_day(6, anchor, now_ms=1_000) is None


occupied = st.one_of(
    st.none(), st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
)
groups_of = st.lists(
    st.builds(_group, occupied, st.sampled_from(GroupState), st.none() | st.integers(0, 5)),
    max_size=6,
)


@given(groups_of, st.none() | st.integers(-200, 2_000))
def test_the_parts_always_add_up(found: list[GroupReading], inside: int | None) -> None:
    spaces = balance(tuple(found), inside)
    assert spaces.capacity == spaces.usable + spaces.out_of_service == 20 * len(found)
    if spaces.free is None or spaces.occupied is None:
        assert (spaces.free, spaces.occupied) == (None, None)
        assert cars_on_pallets(found) is None
        assert inside is None
    else:
        assert spaces.occupied + spaces.free == spaces.usable
        possible = 0 <= spaces.occupied <= spaces.usable and not overfilled(found)
        assert bool(spaces.doubts) is not possible
