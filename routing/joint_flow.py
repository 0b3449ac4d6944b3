"""The cheapest for all drivers of one moment: a min-cost flow over few arcs, proven over all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from routing.cost import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
_UNITS = 10_000  # the solver counts in whole ten-thousandths of a minute
_FIRST_ARCS = 6
_GUESSES = 8
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Costs:
    """Minutes of n drivers at w lots, infinite where one may not go; the last lot is elsewhere.

    `crowding` (w x k) is what the 1st, 2nd ... car adds, not falling; later ones as the last.
    """

    shared: FloatArray
    crowding: FloatArray

    def counts(self, chosen: IntArray) -> IntArray:
        return np.bincount(chosen, minlength=len(self.crowding)).astype(np.int64)

    def marginal(self, counts: IntArray) -> FloatArray:
        """What one more car adds to each lot that has `counts` cars of the group."""
        place = np.minimum(counts, self.crowding.shape[1] - 1)
        marginal: FloatArray = self.crowding[np.arange(len(counts)), place]
        return marginal


@dataclass(frozen=True)
class Flow:
    """Each driver's lot; `arcs` are the places of the flattened costs that were looked at."""

    chosen: IntArray
    arcs: IntArray
    is_proven: bool


def solve(costs: Costs, before: Flow | None, is_late: Callable[[], bool]) -> Flow | None:
    """The optimum; `before` is that of the same costs with fewer ways allowed. None: no answer.

    The proof: prices of the lots that make no arc of the full problem worth taking.
    """
    arcs = _first_arcs(costs) if before is None else before.arcs
    chosen = _flow(costs, arcs) if before is None else before.chosen
    if chosen is None:
        return None
    while True:
        missing = _worth_taking(costs, arcs, chosen)
        if not len(missing):
            return Flow(chosen, arcs, is_proven=True)
        if is_late():
            return Flow(chosen, arcs, is_proven=False)
        arcs = np.concatenate([arcs, missing])
        again = _flow(costs, arcs)
        if again is None:
            return Flow(chosen, arcs, is_proven=False)
        chosen = again


def _first_arcs(costs: Costs) -> IntArray:
    """Each driver's few cheapest lots at the prices that the crowd will about pay; elsewhere."""
    number, width = costs.shared.shape
    priced = costs.shared + _guessed_prices(costs)
    arcs = np.zeros(priced.shape, np.bool_)
    if width > _FIRST_ARCS:
        best = np.argpartition(priced, _FIRST_ARCS, axis=1)[:, :_FIRST_ARCS]
        arcs[np.arange(number)[:, None], best] = True
    else:
        arcs[:] = True
    arcs[:, -1] = True
    arcs &= np.isfinite(costs.shared)
    return np.flatnonzero(arcs)


def _guessed_prices(costs: Costs) -> FloatArray:
    """Where everybody goes to what is cheapest at a price, and prices follow them, slower each."""
    prices = costs.marginal(np.zeros(costs.shared.shape[1], np.int64))
    for number in range(_GUESSES):
        picks = (costs.shared + prices).argmin(axis=1)
        asked = costs.marginal(costs.counts(picks))
        prices = prices + (asked - prices) / (number + 2)
    return prices


def _flow(costs: Costs, arcs: IntArray) -> IntArray | None:
    number, width = costs.shared.shape
    drivers, lots = arcs // width, arcs % width
    sink = number + width
    spaces = _space_arcs(costs, np.bincount(lots, minlength=width))
    flow = SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([drivers, number + spaces.lots]).astype(np.int32),
        np.concatenate([number + lots, np.full(len(spaces.lots), sink)]).astype(np.int32),
        np.concatenate([np.ones(len(arcs), np.int64), spaces.room]),
        np.concatenate([_units(costs.shared.ravel()[arcs]), spaces.units]),
    )
    supplies = np.zeros(sink + 1, np.int64)
    supplies[:number], supplies[sink] = 1, -number
    flow.set_nodes_supplies(np.arange(sink + 1, dtype=np.int32), supplies)
    if flow.solve() != flow.OPTIMAL:
        return None
    taken = flow.flows(np.arange(len(arcs), dtype=np.int32)) > 0
    chosen = np.zeros(number, np.int64)
    chosen[drivers[taken]] = lots[taken]
    return chosen


@dataclass(frozen=True)
class _Spaces:
    """Arcs from lots to the sink: neighbouring cars that cost the same share one."""

    lots: IntArray
    room: IntArray
    units: IntArray


def _space_arcs(costs: Costs, comers: IntArray) -> _Spaces:
    """For as many cars as may come to each lot."""
    units = _units(costs.crowding)
    width, most = units.shape
    used = np.minimum(comers, most)
    begins = np.arange(most)[None, :] < used[:, None]
    begins[:, 1:] &= units[:, 1:] != units[:, :-1]
    places = np.flatnonzero(begins)
    lots = places // most
    ends = np.append(places[1:], width * most)
    is_last = np.append(lots[1:] != lots[:-1], True)
    row_ends = lots * most + np.maximum(used, comers)[lots]
    return _Spaces(lots, np.where(is_last, row_ends, ends) - places, units.ravel()[places])


def _units(minutes: FloatArray) -> IntArray:
    units: IntArray = np.rint(minutes * _UNITS).astype(np.int64)
    return units


def _worth_taking(costs: Costs, arcs: IntArray, chosen: IntArray) -> IntArray:
    """The arcs left out that could make the whole cheaper at these lots' prices."""
    prices = _prices(costs, arcs, chosen)
    now = costs.shared[np.arange(len(chosen)), chosen] + prices[chosen]
    worth = costs.shared + prices < now[:, None] - 2 / _UNITS
    worth.ravel()[arcs] = False
    return np.flatnonzero(worth)


def _prices(costs: Costs, arcs: IntArray, chosen: IntArray) -> FloatArray:
    """What one more car in each lot would cost all: itself crowding, or moving somebody on."""
    width = costs.shared.shape[1]
    drivers, lots = arcs // width, arcs % width
    now = costs.shared[np.arange(len(chosen)), chosen]
    moves = np.full(width * width, np.inf)
    np.minimum.at(moves, chosen[drivers] * width + lots, costs.shared.ravel()[arcs] - now[drivers])
    moves = moves.reshape(width, width)
    prices = costs.marginal(costs.counts(chosen))
    for _ in range(width):
        moved = np.minimum(prices, (moves + prices).min(axis=1))
        if (moved >= prices - _TOLERANCE).all():
            break
        prices = moved
    return prices
