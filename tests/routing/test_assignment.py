"""Drivers who ask together: the best for all, found exactly, and nobody asked too much."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import linear_sum_assignment

from routing import joint_flow
from routing.assignment import ELSEWHERE, Basis, Group, assign
from routing.cost import FloatArray, crowding_minutes

ANY_REGRET = float("inf")
FULL = 15.0


@st.composite
def groups(draw: st.DrawFn, most_drivers: int = 4, most_lots: int = 3) -> Group:
    number = draw(st.integers(1, most_drivers))
    lots = draw(st.integers(1, most_lots))
    tenths = st.integers(0, 400).map(lambda value: value / 10)
    maybe = st.one_of(tenths, st.just(float("inf")))
    minutes = draw(st.lists(maybe, min_size=number * lots, max_size=number * lots))
    tolls = draw(st.lists(tenths, min_size=number * lots, max_size=number * lots))
    elsewhere = draw(st.lists(tenths, min_size=number, max_size=number))
    steps = draw(st.lists(tenths, min_size=lots * 3, max_size=lots * 3))
    crowding = np.sort(np.array(steps).reshape(lots, 3), axis=1)
    shape = (number, lots)
    return Group(
        np.array(minutes).reshape(shape),
        np.array(tolls).reshape(shape),
        np.array(elsewhere),
        crowding,
    )


def total_of(group: Group, lots: tuple[int, ...]) -> float:
    """The objective, car by car."""
    cars = dict.fromkeys(range(group.minutes.shape[1]), 0)
    total = 0.0
    for driver, lot in enumerate(lots):
        if lot == ELSEWHERE:
            total += group.elsewhere[driver]
            continue
        place = min(cars[lot], group.crowding.shape[1] - 1)
        total += group.minutes[driver, lot] + group.tolls[driver, lot] + group.crowding[lot, place]
        cars[lot] += 1
    return total


def best_of_all(group: Group) -> float:
    places = [ELSEWHERE, *range(group.minutes.shape[1])]
    ways = product(places, repeat=len(group.elsewhere))
    return min(total_of(group, lots) for lots in ways)


@given(groups())
def test_the_solver_finds_what_trying_everything_finds(group: Group) -> None:
    found = assign(group, ANY_REGRET)
    assert found.basis is Basis.OPTIMAL
    assert found.total_minutes == pytest.approx(best_of_all(group), abs=1e-6)
    assert found.total_minutes == pytest.approx(total_of(group, tuple(found.lots)))


@given(groups(), st.randoms(use_true_random=False))
def test_the_order_of_the_requests_does_not_change_the_total(group: Group, luck: object) -> None:
    order = list(range(len(group.elsewhere)))
    luck.shuffle(order)  # type: ignore[attr-defined]
    mixed = Group(group.minutes[order], group.tolls[order], group.elsewhere[order], group.crowding)
    one, other = assign(group, ANY_REGRET), assign(mixed, ANY_REGRET)
    assert one.total_minutes == pytest.approx(other.total_minutes, abs=1e-6)


def regret_of(group: Group, lots: tuple[int, ...], driver: int) -> float:
    """What he would win by another lot, the others staying, tolls left out."""
    own = Group(group.minutes, group.tolls * 0, group.elsewhere, group.crowding)
    now = total_of(own, lots)
    places = [ELSEWHERE, *range(group.minutes.shape[1])]
    others = [(*lots[:driver], place, *lots[driver + 1 :]) for place in places]
    return now - min(total_of(own, tuple(other)) for other in others)


@given(groups(), st.integers(0, 100).map(lambda value: value / 10))
def test_nobody_loses_more_than_the_regret_he_may_be_asked(group: Group, cap: float) -> None:
    found = assign(group, cap)
    lots = tuple(int(lot) for lot in found.lots)
    for driver in range(len(lots)):
        assert regret_of(group, lots, driver) <= cap + 1e-5
        assert found.regrets[driver] == pytest.approx(regret_of(group, lots, driver), abs=1e-5)


@given(groups(), st.integers(0, 100).map(lambda value: value / 10))
def test_the_cap_holds_also_where_nobody_had_time_to_solve(group: Group, cap: float) -> None:
    found = assign(group, cap, is_late=lambda: True)
    assert (found.regrets <= cap + 1e-5).all()
    if len(group.elsewhere) > 1:
        assert found.basis is Basis.ONE_BY_ONE


@given(groups(), st.integers(0, 2))
def test_a_space_more_makes_the_whole_no_worse(group: Group, lot: int) -> None:
    lot = min(lot, group.minutes.shape[1] - 1)
    roomier = group.crowding.copy()
    roomier[lot, 1:] = roomier[lot, :-1]  # every car is as crowded as the one before it was
    roomier[lot, 0] = 0.0
    wider = Group(group.minutes, group.tolls, group.elsewhere, roomier)
    less, more = assign(group, ANY_REGRET), assign(wider, ANY_REGRET)
    assert more.total_minutes <= less.total_minutes + 1e-6


def crowd(drivers: int, lots: int, spaces: int, seed: int = 0) -> Group:
    """Everybody wants to the middle; each lot surely has so many spaces."""
    chance = np.random.default_rng(seed)
    places = chance.uniform(0, 3000, (lots, 2))
    wishes = chance.normal(1500, 300, (drivers, 2))
    walks = np.hypot(*(places[None] - wishes[:, None]).transpose(2, 0, 1)) / 70
    chances = np.zeros((lots, spaces + 1))
    chances[:, :spaces] = 1.0
    return Group(walks, walks * 0, np.full(drivers, 60.0), crowding_minutes(chances, 100.0))


def test_a_crowd_that_needs_more_lots_than_were_looked_at_first_is_still_optimal() -> None:
    group = crowd(60, 40, spaces=2)
    found = assign(group, ANY_REGRET)
    everything = _with_all_arcs(group)
    assert found.basis is Basis.OPTIMAL
    assert found.total_minutes == pytest.approx(everything, abs=1e-3)
    assert max(np.bincount(found.lots)) <= 2


def _with_all_arcs(group: Group) -> float:
    """The Hungarian method over single spaces: another algorithm for the same question."""
    spaces = np.repeat(group.minutes, 2, axis=1)
    drivers, places = linear_sum_assignment(spaces)
    return float(spaces[drivers, places].sum())


@given(st.integers(0, 2**32 - 1), st.integers(10, 60), st.integers(8, 30), st.integers(1, 12))
@settings(max_examples=40)
def test_many_drivers_over_many_lots_are_sent_as_well_as_can_be(
    seed: int, drivers: int, lots: int, steps: int
) -> None:
    """The Hungarian method again, each car of a lot a place of its own at its own price."""
    chance = np.random.default_rng(seed)
    minutes, tolls = chance.uniform(0, 40, (2, drivers, lots))
    minutes[chance.random((drivers, lots)) < 0.3] = np.inf
    crowding = np.sort(chance.uniform(0, 20, (lots, steps)), axis=1)
    elsewhere = chance.uniform(20, 60, drivers)
    places = np.pad(crowding, ((0, 0), (0, drivers)), mode="edge")[:, :drivers]
    costs = np.repeat(minutes + tolls, drivers, axis=1) + places.ravel()
    costs = np.column_stack([costs, np.repeat(elsewhere[:, None], drivers, axis=1)])
    rows, columns = linear_sum_assignment(np.where(np.isfinite(costs), costs, 1e9))
    found = assign(Group(minutes, tolls, elsewhere, crowding), ANY_REGRET)
    assert found.basis is Basis.OPTIMAL
    assert found.total_minutes == pytest.approx(costs[rows, columns].sum(), abs=2e-4 * drivers)


def test_time_that_runs_out_before_the_proof_is_said() -> None:
    asked = iter([False, True])
    found = assign(crowd(60, 40, spaces=2), ANY_REGRET, is_late=lambda: next(asked, True))
    assert found.basis is Basis.UNPROVEN


def test_a_solver_that_refuses_is_replaced_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint_flow, "_flow", lambda *_: None)
    group = crowd(5, 3, spaces=1)
    found = assign(group, ANY_REGRET)
    assert found.basis is Basis.ONE_BY_ONE
    assert sorted(found.lots) == [ELSEWHERE, ELSEWHERE, 0, 1, 2]


def test_drivers_beyond_the_nearby_spaces_go_farther_even_with_a_small_cap() -> None:
    """12 spaces near, 100 a longer walk away: the 13th driver's own best is the far one."""
    minutes = np.tile([3.0, 11.0], (40, 1))
    chances = np.zeros((2, 41))
    chances[0, :12], chances[1, :] = 1.0, 1.0
    group = Group(minutes, minutes * 0, np.full(40, 30.0), crowding_minutes(chances, FULL))
    found = assign(group, most_regret_minutes=2.0)
    assert list(np.bincount(found.lots)) == [12, 28]


def test_a_toll_moves_a_driver_only_within_his_cap() -> None:
    minutes, tolls = np.array([[5.0, 9.0]]), np.array([[20.0, 0.0]])
    group = Group(minutes, tolls, np.array([40.0]), np.zeros((2, 1)))
    assert list(assign(group, most_regret_minutes=5.0).lots) == [1]
    assert list(assign(group, most_regret_minutes=3.0).lots) == [0]


def test_nobody_asking_gets_an_empty_answer() -> None:
    none: FloatArray = np.zeros((0, 2))
    found = assign(Group(none, none, np.zeros(0), np.zeros((2, 1))))
    assert len(found.lots) == 0
    assert found.total_minutes == 0.0


def test_who_may_park_nowhere_goes_elsewhere() -> None:
    nowhere = np.full((2, 1), np.inf)
    found = assign(Group(nowhere, np.zeros((2, 1)), np.full(2, 30.0), np.zeros((1, 1))))
    assert list(found.lots) == [ELSEWHERE, ELSEWHERE]
    assert_allclose(found.minutes, 30.0)


def test_a_group_without_a_last_resort_is_refused() -> None:
    lots = np.ones((1, 1))
    with pytest.raises(ValueError, match="elsewhere"):
        assign(Group(lots, lots, np.array([np.inf]), lots))
