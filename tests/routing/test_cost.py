"""Generalised minutes: time, money and risk in one number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.cost import crowding_minutes, generalised_minutes, hourly_fee_fen, risk_minutes


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
