"""Who goes where when several ask at once: the best for all, within what one may be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from routing.cost import FloatArray
from routing.joint_flow import Costs, IntArray, solve

ELSEWHERE = -1
MOST_REGRET_MINUTES = 5.0
MOST_ROUNDS = 8
_TOLERANCE = 1e-6


class Basis(StrEnum):
    """How an answer was found."""

    OPTIMAL = "optimal"
    UNPROVEN = "unproven"  # time ran out before all ways were looked at
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
    all: Costs

    @classmethod
    def of(cls, group: Group) -> "_Costs":
        if not np.isfinite(group.elsewhere).all():
            raise ValueError("what elsewhere costs each driver must be finite: it is always open")
        own = np.column_stack([group.minutes, group.elsewhere])
        tolls = np.column_stack([group.tolls, np.zeros(len(own))])
        width = max(group.crowding.shape[1], 1)
        crowding = np.zeros((own.shape[1], width))
        crowding[:-1, : group.crowding.shape[1]] = group.crowding
        return cls(own, Costs(own + tolls, crowding))

    def to(self, allowed: NDArray[np.bool_]) -> Costs:
        """Where nobody goes where he may not be sent."""
        return Costs(np.where(allowed, self.all.shared, np.inf), self.all.crowding)

    def regrets(self, chosen: IntArray) -> FloatArray:
        """Driver by driver, his own minutes beyond his best, the others standing where they do."""
        counts = self.all.counts(chosen)
        rows = np.arange(len(chosen))
        joined = self.own + self.all.marginal(counts)
        stayed = self.own[rows, chosen] + self.all.marginal(counts - 1)[chosen]
        joined[rows, chosen] = stayed
        regrets: FloatArray = stayed - joined.min(axis=1)
        return regrets

    def total(self, chosen: IntArray) -> float:
        """The objective: own minutes, tolls, and the crowding of all cars."""
        counts = self.all.counts(chosen)
        width = self.all.crowding.shape[1]
        crowds = np.cumsum(self.all.crowding, axis=1)[
            np.arange(len(counts)), np.clip(counts, 1, width) - 1
        ] * (counts > 0) + self.all.crowding[:, -1] * np.maximum(counts - width, 0)
        return float(self.all.shared[np.arange(len(chosen)), chosen].sum() + crowds.sum())


def _answer(costs: _Costs, chosen: IntArray, basis: Basis) -> Assignment:
    rows = np.arange(len(chosen))
    lots = np.where(chosen == costs.own.shape[1] - 1, ELSEWHERE, chosen)
    total = costs.total(chosen) if len(chosen) else 0.0
    regrets = costs.regrets(chosen) if len(chosen) else np.zeros(0)
    return Assignment(lots, costs.own[rows, chosen], regrets, total, basis)


def _alone(costs: _Costs, most_regret: float) -> IntArray:
    """The same model with one driver: crowded by nobody."""
    joined = costs.own + costs.all.crowding[:, 0]
    allowed = joined <= joined.min(axis=1, keepdims=True) + most_regret
    shared = np.where(allowed, costs.all.shared + costs.all.crowding[:, 0], np.inf)
    best: IntArray = shared.argmin(axis=1)
    return best


def _together(
    costs: _Costs, most_regret: float, is_late: Callable[[], bool]
) -> tuple[IntArray, Basis]:
    """Solve; who the crowd would cost more than the cap may go farther, then solve again."""
    if is_late():
        return _one_by_one(costs, most_regret), Basis.ONE_BY_ONE
    allowed = _allowed(costs, costs.all.crowding[:, 0], most_regret)
    found = solve(costs.to(allowed), None, is_late)
    if found is None:
        return _one_by_one(costs, most_regret), Basis.ONE_BY_ONE
    is_settled = False
    for _ in range(MOST_ROUNDS):
        marginal = costs.all.marginal(costs.all.counts(found.chosen))
        wider = allowed | _allowed(costs, marginal, most_regret)
        is_settled = bool((wider == allowed).all())
        if is_settled or not found.is_proven or is_late():
            break
        allowed = wider
        found = solve(costs.to(allowed), found, is_late) or found
    is_best = is_settled and found.is_proven
    return found.chosen, Basis.OPTIMAL if is_best else Basis.UNPROVEN


def _allowed(costs: _Costs, marginal: FloatArray, most_regret: float) -> NDArray[np.bool_]:
    """Which lots a driver may be sent to: his best, and what costs him little more."""
    joined = costs.own + marginal
    best = joined.min(axis=1, keepdims=True)
    first = costs.own + costs.all.crowding[:, 0]
    within: NDArray[np.bool_] = np.minimum(first, joined) <= best + most_regret
    return within


def _one_by_one(costs: _Costs, most_regret: float) -> IntArray:
    """Each in turn takes the best for all that the earlier ones left him."""
    counts = np.zeros(costs.own.shape[1], np.int64)
    chosen = np.zeros(len(costs.own), np.int64)
    for driver in range(len(chosen)):
        marginal = costs.all.marginal(counts)
        joined = costs.own[driver] + marginal
        allowed = joined <= joined.min() + most_regret
        pick = np.where(allowed, costs.all.shared[driver] + marginal, np.inf).argmin()
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
        counts = costs.all.counts(chosen)
        counts[chosen[worst]] -= 1
        chosen[worst] = (costs.own[worst] + costs.all.marginal(counts)).argmin()
