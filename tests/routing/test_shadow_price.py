"""Prices of scarce lots and hours: none where there is room, what the next best costs where not."""

import numpy as np
import pytest
from scipy.optimize import linprog

from routing.shadow_price import FIRST_ROUNDS, Demand, Prices, kept_spaces, settle

STEPS = 6


def drivers(minutes: list[list[float]], begins: list[int], stays: int = 2) -> Demand:
    """One sample day; the last of each driver's lots is elsewhere."""
    table = np.array(minutes)
    number, width = table.shape
    arrives = np.tile(np.array(begins)[:, None], (1, width))
    lots = np.tile(np.arange(width), (number, 1))
    return Demand(table, lots, arrives, arrives + stays, np.zeros(number, np.int64))


def room(*spaces: float) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    return np.tile(np.array(spaces)[None, :, None], (1, 1, STEPS))


def settled(demand: Demand, spaces: tuple[float, ...], rounds: int = FIRST_ROUNDS) -> Prices:
    return settle(demand, room(*spaces), Prices.none(1, len(spaces), STEPS), rounds)


def test_room_for_all_costs_nothing() -> None:
    demand = drivers([[1.0, 9.0, 20.0]] * 5, [2] * 5)
    assert settled(demand, (5.0, 5.0)).by_step.max() == 0.0


def test_a_scarce_lot_costs_what_the_next_best_one_costs_more() -> None:
    demand = drivers([[1.0, 9.0, 20.0]] * 10, [2] * 10)
    prices = settled(demand, (5.0, 10.0))
    toll = prices.tolls(np.array([[2.0, 2.0]]), np.array([[4.0, 4.0]]))
    assert toll[0, 0] == pytest.approx(8.0, abs=0.8)
    assert toll[0, 1] == 0.0


def test_other_hours_cost_nothing() -> None:
    demand = drivers([[1.0, 9.0]] * 10, [3] * 10)
    prices = settled(demand, (5.0,))
    assert prices.by_step[0, 0, :3].max() == 0.0
    assert prices.tolls(np.array([[0.0]]), np.array([[2.5]]))[0, 0] == 0.0


def test_a_stay_of_half_the_scarce_time_costs_half() -> None:
    prices = Prices.of(np.ones((2, 1, STEPS)))
    tolls = prices.tolls(np.array([[0.0], [0.5], [4.0]]), np.array([[4.0], [2.5], [99.0]]))
    assert tolls[:, 0] == pytest.approx([4.0, 2.0, 2.0])


def test_nobody_expected_leaves_prices_as_they_were() -> None:
    before = Prices.of(np.full((1, 1, STEPS), 0.5))
    nobody = drivers([[0.0, 0.0]], [0])
    none = Demand(
        nobody.minutes[:0],
        nobody.lots[:0],
        nobody.arrives[:0],
        nobody.leaves[:0],
        nobody.samples[:0],
    )
    assert settle(none, room(1.0), before) is before


def test_prices_come_near_the_duals_of_the_linear_programme() -> None:
    """The dual's value at our prices: never above the optimum, and close below it."""
    chance = np.random.default_rng(3)
    number, lots = 120, 3
    minutes = np.column_stack([chance.uniform(3, 15, (number, lots)), np.full(number, 30.0)])
    demand = drivers(minutes.tolist(), chance.integers(0, STEPS - 1, number).tolist())
    spaces = (12.0, 9.0, 6.0)
    optimum = linear_programme(demand, spaces)
    value = dual_value(demand, spaces, settled(demand, spaces, rounds=600))
    assert value <= optimum + 1e-6
    assert value >= optimum - 0.02 * abs(optimum)


def dual_value(demand: Demand, spaces: tuple[float, ...], prices: Prices) -> float:
    width = len(spaces)
    tolls = prices.tolls(
        demand.arrives[:, :width].astype(float), demand.leaves[:, :width].astype(float)
    )
    costs = demand.minutes.copy()
    costs[:, :width] += tolls
    rent = sum(prices.by_step[0, lot].sum() * free for lot, free in enumerate(spaces))
    return float(costs.min(axis=1).sum() - rent)


def linear_programme(demand: Demand, spaces: tuple[float, ...]) -> float:
    number, width = demand.minutes.shape
    one = np.kron(np.eye(number), np.ones(width))
    rows, limits = [], []
    for lot, free in enumerate(spaces):
        for step in range(STEPS):
            there = (demand.lots == lot) & (demand.arrives <= step) & (step < demand.leaves)
            rows.append(there.ravel().astype(float))
            limits.append(free)
    found = linprog(
        demand.minutes.ravel(), A_ub=np.array(rows), b_ub=limits, A_eq=one, b_eq=np.ones(number)
    )
    return float(found.fun)


def test_a_large_lot_keeps_more_spaces_and_a_smaller_share_of_them() -> None:
    kept = kept_spaces(np.array([0.0, 4.0, 100.0, 900.0]))
    assert kept[0] == 0.0
    assert kept[1] < 0.5
    assert (np.diff(kept) > 0).all()
    assert kept[3] / 900.0 < kept[2] / 100.0
