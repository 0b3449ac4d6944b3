"""Who goes where when several ask at once: one min-cost flow over drivers, lots and elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from routing.cost import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
_Ends: TypeAlias = tuple[NDArray[np.int64], ...]  # of arcs: drivers, lots
ELSEWHERE = -1
MOST_REGRET_MINUTES = 5.0
MOST_ROUNDS = 8
_UNITS = 10_000  # the solver counts in whole ten-thousandths of a minute
_FIRST_ARCS = 8
_TOLERANCE = 1e-6


class Basis(StrEnum):
    """How an answer was found."""

    OPTIMAL = "optimal"
    UNPROVEN = "unproven"  # time ran out before the pruned arcs were looked at
    ONE_BY_ONE = "one by one"  # no joint answer in time: each took the best that was left


@dataclass(frozen=True)
class Group:
    """Requests that arrive together: n drivers, m lots.

    `minutes` (n x m) are a driver's own generalised minutes if nobody else of the group goes
    there, infinite where he may not park; `tolls` (n x m) are what his stay takes from those who
    come later; `elsewhere` (n) is what no lot at all costs him; `crowding` (m x k) are the minutes
    that the 1st, 2nd ... car of the group adds to its lot, not falling; cars beyond k cost as the
    last one does.
    """

    minutes: FloatArray
    tolls: FloatArray
    elsewhere: FloatArray
    crowding: FloatArray


@dataclass(frozen=True)
class Assignment:
    """For each request its lot (or ELSEWHERE), what it costs and what he gives up for others."""

    lots: IntArray
    minutes: FloatArray
    regrets: FloatArray
    total_minutes: float
    basis: Basis


def never() -> bool:
    return False


def assign(
    group: Group,
    most_regret_minutes: float = MOST_REGRET_MINUTES,
    is_late: Callable[[], bool] = never,
) -> Assignment:
    """The cheapest for all together in which nobody loses more than the regret he may be asked.

    A driver's regret is what his lot costs him beyond the best he would find himself, the others
    staying where they are. `is_late` is asked before each run of the solver.
    """
    costs = _Costs.of(group)
    if len(costs.own) == 0:
        return _answer(costs, np.zeros(0, np.int64), Basis.OPTIMAL)
    if len(costs.own) == 1:
        return _answer(costs, _alone(costs, most_regret_minutes), Basis.OPTIMAL)
    chosen, basis = _together(costs, most_regret_minutes, is_late)
    return _answer(costs, _within_regret(costs, chosen, most_regret_minutes), basis)


@dataclass(frozen=True)
class _Costs:
    """A group with elsewhere as its last lot, which is never crowded."""

    own: FloatArray
    shared: FloatArray
    crowding: FloatArray

    @classmethod
    def of(cls, group: Group) -> "_Costs":
        if not np.isfinite(group.elsewhere).all():
            raise ValueError("what elsewhere costs each driver must be finite: it is always open")
        own = np.column_stack([group.minutes, group.elsewhere])
        tolls = np.column_stack([group.tolls, np.zeros(len(own))])
        width = max(group.crowding.shape[1], 1)
        crowding = np.zeros((own.shape[1], width))
        crowding[:-1, : group.crowding.shape[1]] = group.crowding
        return cls(own, own + tolls, crowding)

    def marginal(self, counts: IntArray) -> FloatArray:
        """What one more car adds to each lot that has `counts` cars of the group."""
        place = np.minimum(counts, self.crowding.shape[1] - 1)
        marginal: FloatArray = self.crowding[np.arange(len(counts)), place]
        return marginal

    def counts(self, chosen: IntArray) -> IntArray:
        return np.bincount(chosen, minlength=self.own.shape[1]).astype(np.int64)

    def regrets(self, chosen: IntArray) -> FloatArray:
        """Driver by driver, his own minutes beyond his best, the others standing where they do."""
        counts = self.counts(chosen)
        rows = np.arange(len(chosen))
        joined = self.own + self.marginal(counts)
        stayed = self.own[rows, chosen] + self.marginal(counts - 1)[chosen]
        joined[rows, chosen] = stayed
        regrets: FloatArray = stayed - joined.min(axis=1)
        return regrets

    def total(self, chosen: IntArray) -> float:
        """The objective: own minutes, tolls, and the crowding of all cars."""
        counts = self.counts(chosen)
        width = self.crowding.shape[1]
        crowds = np.cumsum(self.crowding, axis=1)[
            np.arange(len(counts)), np.clip(counts, 1, width) - 1
        ] * (counts > 0) + self.crowding[:, -1] * np.maximum(counts - width, 0)
        return float(self.shared[np.arange(len(chosen)), chosen].sum() + crowds.sum())


def _answer(costs: _Costs, chosen: IntArray, basis: Basis) -> Assignment:
    rows = np.arange(len(chosen))
    lots = np.where(chosen == costs.own.shape[1] - 1, ELSEWHERE, chosen)
    total = costs.total(chosen) if len(chosen) else 0.0
    regrets = costs.regrets(chosen) if len(chosen) else np.zeros(0)
    return Assignment(lots, costs.own[rows, chosen], regrets, total, basis)


def _alone(costs: _Costs, most_regret: float) -> IntArray:
    """The same model with one driver: crowded by nobody."""
    joined = costs.own + costs.crowding[:, 0]
    allowed = joined <= joined.min(axis=1, keepdims=True) + most_regret
    shared = np.where(allowed, costs.shared + costs.crowding[:, 0], np.inf)
    best: IntArray = shared.argmin(axis=1)
    return best


def _together(
    costs: _Costs, most_regret: float, is_late: Callable[[], bool]
) -> tuple[IntArray, Basis]:
    """Solve; who the crowd would cost more than the cap may go farther, then solve again."""
    if is_late():
        return _one_by_one(costs, most_regret), Basis.ONE_BY_ONE
    allowed = _allowed(costs, costs.crowding[:, 0], most_regret)
    found = _solve(costs, allowed, is_late)
    for _ in range(MOST_ROUNDS):
        if found is None:
            return _one_by_one(costs, most_regret), Basis.ONE_BY_ONE
        chosen, basis = found
        wider = allowed | _allowed(costs, costs.marginal(costs.counts(chosen)), most_regret)
        if basis is Basis.UNPROVEN or is_late() or bool((wider == allowed).all()):
            break
        allowed = wider
        found = _solve(costs, allowed, is_late) or found
    return chosen, basis


def _allowed(costs: _Costs, marginal: FloatArray, most_regret: float) -> NDArray[np.bool_]:
    """Which lots a driver may be sent to: his best, and what costs him little more."""
    joined = costs.own + marginal
    best = joined.min(axis=1, keepdims=True)
    first = costs.own + costs.crowding[:, 0]
    within: NDArray[np.bool_] = np.minimum(first, joined) <= best + most_regret
    return within


def _solve(
    costs: _Costs, allowed: NDArray[np.bool_], is_late: Callable[[], bool]
) -> tuple[IntArray, Basis] | None:
    """The optimum over the allowed arcs: first over each driver's few best, then proven or widened.

    The proof: prices of the lots that make no arc of the full problem worth taking.
    """
    shared = np.where(allowed, costs.shared, np.inf)
    arcs = _best_arcs(shared, _FIRST_ARCS)
    while True:
        ends = np.nonzero(arcs)
        chosen = _flow(costs, shared, ends)
        if chosen is None:
            return None
        prices = _prices(costs, shared, ends, chosen)
        missing = _worth_taking(shared, arcs, chosen, prices)
        if not missing.any():
            return chosen, Basis.OPTIMAL
        if is_late():
            return chosen, Basis.UNPROVEN
        arcs |= missing


def _best_arcs(shared: FloatArray, number: int) -> NDArray[np.bool_]:
    arcs = np.zeros(shared.shape, np.bool_)
    if number < shared.shape[1]:
        best = np.argpartition(shared, number, axis=1)[:, :number]
        arcs[np.arange(len(shared))[:, None], best] = True
    else:
        arcs[:] = True
    arcs[:, -1] = True
    return arcs & np.isfinite(shared)


def _flow(costs: _Costs, shared: FloatArray, arcs: _Ends) -> IntArray | None:
    drivers, lots = arcs
    number, width = shared.shape
    sink = number + width
    most_cars = np.bincount(lots, minlength=width)
    lot_of_space, place = np.nonzero(np.arange(costs.crowding.shape[1]) < most_cars[:, None])
    room = np.where(place == costs.crowding.shape[1] - 1, number, 1)
    flow = SimpleMinCostFlow()
    shared_units = np.rint(shared[drivers, lots] * _UNITS).astype(np.int64)
    crowd_units = np.rint(costs.crowding[lot_of_space, place] * _UNITS).astype(np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([drivers, number + lot_of_space]).astype(np.int32),
        np.concatenate([number + lots, np.full(len(lot_of_space), sink)]).astype(np.int32),
        np.concatenate([np.ones(len(drivers), np.int64), room]),
        np.concatenate([shared_units, crowd_units]),
    )
    supplies = np.zeros(sink + 1, np.int64)
    supplies[:number], supplies[sink] = 1, -number
    flow.set_nodes_supplies(np.arange(sink + 1, dtype=np.int32), supplies)
    if flow.solve() != flow.OPTIMAL:
        return None
    taken = flow.flows(np.arange(len(drivers), dtype=np.int32)) > 0
    chosen = np.zeros(number, np.int64)
    chosen[drivers[taken]] = lots[taken]
    return chosen


def _worth_taking(
    shared: FloatArray, arcs: NDArray[np.bool_], chosen: IntArray, prices: FloatArray
) -> NDArray[np.bool_]:
    """The arcs left out that could make the whole cheaper at these lots' prices."""
    rows = np.arange(len(chosen))
    now = shared[rows, chosen] + prices[chosen]
    worth: NDArray[np.bool_] = (shared + prices < now[:, None] - 2 / _UNITS) & ~arcs
    return worth


def _prices(costs: _Costs, shared: FloatArray, arcs: _Ends, chosen: IntArray) -> FloatArray:
    """What one more car in each lot would cost all: itself crowding, or moving somebody on."""
    width = shared.shape[1]
    moves = np.full((width, width), np.inf)
    drivers, lots = arcs
    stands = chosen[drivers]
    gains = shared[drivers, lots] - shared[drivers, stands]
    np.minimum.at(moves.reshape(-1), stands * width + lots, gains)
    prices = costs.marginal(costs.counts(chosen))
    for _ in range(width):
        moved = np.minimum(prices, (moves + prices).min(axis=1))
        if (moved >= prices - _TOLERANCE).all():
            break
        prices = moved
    return prices


def _one_by_one(costs: _Costs, most_regret: float) -> IntArray:
    """Each in turn takes the best for all that the earlier ones left him."""
    counts = np.zeros(costs.own.shape[1], np.int64)
    chosen = np.zeros(len(costs.own), np.int64)
    for driver in range(len(chosen)):
        marginal = costs.marginal(counts)
        joined = costs.own[driver] + marginal
        allowed = joined <= joined.min() + most_regret
        pick = np.where(allowed, costs.shared[driver] + marginal, np.inf).argmin()
        chosen[driver] = pick
        counts[pick] += 1
    return chosen


def _within_regret(costs: _Costs, chosen: IntArray, most_regret: float) -> IntArray:
    """Whoever would lose more takes his own best instead, the one who loses most first.

    Each such move makes the sum of own minutes and crowding smaller, so it ends.
    """
    chosen = chosen.copy()
    while True:
        regrets = costs.regrets(chosen)
        worst = int(regrets.argmax())
        if regrets[worst] <= most_regret + _TOLERANCE:
            return chosen
        counts = costs.counts(chosen)
        counts[chosen[worst]] -= 1
        chosen[worst] = (costs.own[worst] + costs.marginal(counts)).argmin()
