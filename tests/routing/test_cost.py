"""Generalised minutes: time, money and risk in one number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.cost import (
    crowding_minutes,
    generalised_minutes,
    going_on_minutes,
    hourly_fee_fen,
    risk_minutes,
)


def test_four_yuan_are_worth_a_minute() -> None:
    assert generalised_minutes(10.0, 5.0, 400.0) == 16.0


def test_every_begun_hour_is_paid() -> None:
    fees = hourly_fee_fen(np.array([0.0, 1.0, 60.0, 61.0]), 300.0)
    assert list(np.asarray(fees)) == [0.0, 300.0, 300.0, 600.0]


def test_a_sure_space_costs_no_risk_and_a_full_lot_all_of_it() -> None:
    assert risk_minutes(1.0, 15.0) == 0.0
    assert risk_minutes(0.0, 15.0) == 15.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_each_further_car_risks_at_least_as_much(chances: list[float]) -> None:
    crowding = crowding_minutes(np.array([chances]), 15.0)[0]
    assert crowding[0] == 0.0
    assert (np.diff(crowding) >= 0).all()
    assert crowding[-1] <= 15.0


def test_a_full_lot_costs_the_lost_time_the_way_on_and_the_worse_walk() -> None:
    there = np.array([[2.0, 10.0, 30.0]])
    ways = np.array([[0.0, 4.0, 4.0], [4.0, 0.0, 4.0], [4.0, 4.0, 0.0]])
    lost = going_on_minutes(np.array([[0.5, 1.0, 1.0]]), there, ways, 8.0)[0]
    assert lost[0] == 8.0 + 4.0 + (10.0 - 2.0)
    # he who finds the second full goes to the first: half the time he loses 8 + 4 minutes there
    assert lost[1] == 8.0 + 4.0 + (2.0 + 0.5 * 12.0 - 10.0)


def test_where_there_is_one_place_only_nobody_goes_on() -> None:
    lost = going_on_minutes(np.array([[0.5]]), np.array([[2.0]]), np.zeros((1, 1)), 8.0)
    assert np.isinf(lost).all()


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 2))
def test_a_surer_lot_elsewhere_never_makes_going_on_dearer(
    chances: list[float], surer: int
) -> None:
    there = np.array([[2.0, 10.0, 30.0]])
    ways = np.array([[0.0, 3.0, 5.0], [3.0, 0.0, 4.0], [5.0, 4.0, 0.0]])
    before = np.array([chances])
    after = before.copy()
    after[0, surer] = 1.0
    lost_before = going_on_minutes(before, there, ways, 8.0)
    assert (going_on_minutes(after, there, ways, 8.0) <= lost_before + 1e-9).all()
