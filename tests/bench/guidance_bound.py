"""The omniscient lower bound: a linear programme that knows every trip and may split drivers.

No policy can be cheaper. Every driver takes one lot or the overflow; the cars in a lot never
exceed its spaces at the moments of a grid (fewer moments make the bound lower, never wrong).
Lots that the first columns leave out are priced with the duals and added until none would help.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import BoolArray, FloatArray, IntArray, World

_FIRST_LOTS = 6
_SIMPLEX_STATES = 9_000  # beyond, the simplex method takes minutes
_CLOSE_ENOUGH = 1e-5  # minutes a driver
_MOST_STATES = 12_000
_STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


@dataclass(frozen=True)
class _Stays:
    """Costs, and the first grid moments at which each driver is there and is gone again."""

    minutes: FloatArray
    comes: IntArray
    goes: IntArray
    room: FloatArray


def lower_bound(world: World) -> float:
    """Mean generalised minutes of a day on which everything is known beforehand."""
    if not len(world.day.trips):
        return 0.0
    stays = _stays(world)
    number, width = stays.minutes.shape
    columns = np.zeros((number, width), np.bool_)
    best = np.argsort(stays.minutes, axis=1)[:, :_FIRST_LOTS]
    columns[np.arange(number)[:, None], best] = True
    columns[:, -1] = True
    while True:
        total, driver_duals, tolls = _solve(stays, columns)
        reduced = stays.minutes + _tolls(stays, tolls) - driver_duals[:, None]
        # the most that each driver could gain by a lot that is left out: still a lower bound
        held = np.minimum(np.where(columns, reduced, np.inf).min(axis=1), 0.0)
        gains = np.minimum(reduced.min(axis=1) - held, 0.0).sum()
        missing = (reduced < held[:, None] - 1e-7) & ~columns
        if gains > -_CLOSE_ENOUGH * number or not missing.any():
            return float((total + gains) / number)
        columns |= missing


def _stays(world: World) -> _Stays:
    trips, travel = world.day.trips, Travel(world.lots, world.rules)
    drives = travel.drive_minutes(trips.from_x_m, trips.from_y_m) * trips.drive_factor[:, None]
    walks = travel.walk_minutes(trips.to_x_m, trips.to_y_m)
    minutes = travel.total_minutes(drives, walks, trips.stay_minutes)
    arrives = trips.minute[:, None] + drives
    leaves = arrives + trips.stay_minutes[:, None]
    lots = len(world.lots.ids)
    last = arrives.max()
    step = next((s for s in _STEPS if lots * last / s <= _MOST_STATES), _STEPS[-1])
    moments = int(last // step) + 1
    comes = np.minimum(np.ceil(arrives / step).astype(np.int64), moments)
    goes = np.minimum(np.ceil(leaves / step).astype(np.int64), moments)
    return _Stays(minutes, comes, goes, _room(world, moments, step))


def _room(world: World, moments: int, step: float) -> FloatArray:
    """Lots x moments: spaces that the cars from before leave."""
    initial = world.day.initial
    there = np.zeros((len(world.lots.ids), moments + 1))
    gone = np.clip(np.ceil(initial.leaves_at_minute / step), 0, moments).astype(np.int64)
    np.add.at(there, (initial.lot, np.zeros(len(gone), np.int64)), 1.0)
    np.add.at(there, (initial.lot, gone), -1.0)
    room: FloatArray = world.lots.capacity[:, None] - np.cumsum(there, axis=1)[:, :-1]
    return room


def _solve(stays: _Stays, columns: BoolArray) -> tuple[float, FloatArray, FloatArray]:
    """Total minutes, what each driver is worth, and lots x moments the toll of one moment."""
    lots, moments = stays.room.shape
    drivers, places = np.nonzero(columns)
    parks = places < lots
    column = np.arange(len(drivers))
    one_lot = csr_array((np.ones(len(drivers)), (drivers, column)), (len(columns), len(drivers)))
    come = stays.comes[drivers[parks], places[parks]]
    go = stays.goes[drivers[parks], places[parks]]
    rows = places[parks]
    # A lot's cars at a moment are its cars a moment ago, and who came, less who went.
    stay = come < go
    entries = [
        (rows[stay] * moments + come[stay], column[parks][stay], -1.0, come[stay] < moments),
        (rows[stay] * moments + go[stay], column[parks][stay], 1.0, go[stay] < moments),
    ]
    row = np.concatenate([r[ok] for r, _, _, ok in entries])
    col = np.concatenate([c[ok] for _, c, _, ok in entries])
    value = np.concatenate([np.full(int(ok.sum()), v) for _, _, v, ok in entries])
    state = len(drivers) + np.arange(lots * moments)
    follows = np.arange(lots * moments) % moments > 0
    row = np.concatenate([row, np.arange(lots * moments), np.flatnonzero(follows)])
    col = np.concatenate([col, state, state[follows] - 1])
    value = np.concatenate([value, np.ones(lots * moments), np.full(int(follows.sum()), -1.0)])
    size = (lots * moments, len(drivers) + lots * moments)
    balance = coo_array((value, (row, col)), size).tocsr()
    one_lot.resize((len(columns), size[1]))
    upper = np.concatenate([np.ones(len(drivers)), np.maximum(stays.room.ravel(), 0.0)])
    costs = np.concatenate([stays.minutes[drivers, places], np.zeros(lots * moments)])
    sides = np.concatenate([np.ones(len(columns)), np.zeros(lots * moments)])
    found = linprog(
        costs,
        A_eq=_stacked(one_lot, balance),
        b_eq=sides,
        bounds=np.column_stack([np.zeros(size[1]), upper]),
        method="highs" if len(stays.room.ravel()) <= _SIMPLEX_STATES else "highs-ipm",
    )
    if found.x is None:
        raise RuntimeError(f"the bound was not found: {found.message}")
    duals = np.asarray(found.eqlin.marginals)
    tolls = -np.asarray(found.upper.marginals)[len(drivers) :].reshape(lots, moments)
    return float(found.fun), duals[: len(columns)], tolls


def _stacked(above: csr_array, below: csr_array) -> csr_array:
    return vstack([above, below], format="csr")


def _tolls(stays: _Stays, tolls: FloatArray) -> FloatArray:
    lots, moments = tolls.shape
    sums = np.zeros((lots + 1, moments + 1))
    sums[:lots, 1:] = np.cumsum(tolls, axis=1)
    place = np.arange(lots + 1)[None, :]
    result: FloatArray = sums[place, stays.goes] - sums[place, stays.comes]
    return result
