"""Who goes where: the drivers of one moment decided together, each answer with its words."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
from msgspec.structs import replace

from routing.assignment import ELSEWHERE, Basis, Group, assign, never
from routing.candidate import FULL_PENALTY_MINUTES, Candidate, expected_minutes
from routing.cost import FloatArray, crowding_minutes
from routing.question import Question
from routing.reason import Code, Reason, because
from routing.recommend import Recommendation, Sorted, recommend, sort_out

STAY_WITH_MINUTES = 2.0  # what another car park must save before a driver is told another one
ELSEWHERE_MINUTES = 120.0
MOST_CROWD = 64  # cars of one moment for one lot; more risk as much as the last


# What is said where time ran out.
_BASIS = {Basis.ONE_BY_ONE: Code.DECIDED_ALONE, Basis.UNPROVEN: Code.DECIDED_IN_HASTE}


class Tolls(Protocol):
    """What a stay in a lot takes from those who come later, in minutes."""

    def __call__(self, lot_id: str, arrives_ms: int, leaves_ms: int, /) -> float: ...


def no_tolls(_: str, __: int, ___: int) -> float:
    """Nothing is known of those who come later."""
    return 0.0


class Asker(msgspec.Struct, frozen=True):
    """One question with its candidates; `leaning` is the car park its driver was shown before."""

    question: Question
    candidates: tuple[Candidate, ...]
    leaning: str = ""
    notes: tuple[Reason, ...] = ()


class Rules(msgspec.Struct, frozen=True):
    """What one recommendation takes of a lot, what a driver may be asked, what later ones pay."""

    share: float
    most_regret_minutes: float
    tolls: Tolls = no_tolls


def decide(
    askers: Sequence[Asker], rules: Rules, is_late: Callable[[], bool] = never
) -> list[Recommendation]:
    """Everyone's answer: the cheapest for all in which nobody loses more than he may be asked."""
    found = [sort_out(asker.candidates, asker.question) for asker in askers]
    lot_ids = list(dict.fromkeys(c.lot_id for one in found for c in one.open))
    if not lot_ids:
        return [recommend(asker.question, asker.candidates, None, asker.notes) for asker in askers]
    answer = assign(_group(askers, found, lot_ids, rules), rules.most_regret_minutes, is_late)
    chosen = ["" if lot == ELSEWHERE else lot_ids[lot] for lot in answer.lots]
    basis = [because(_BASIS[answer.basis])] if answer.basis in _BASIS else []
    return [
        recommend(
            asker.question,
            _beside(asker, number, chosen, rules.share),
            chosen[number],
            (*asker.notes, *basis),
            rules.most_regret_minutes,
        )
        for number, asker in enumerate(askers)
    ]


def _beside(asker: Asker, number: int, chosen: Sequence[str], share: float) -> Sequence[Candidate]:
    """His candidates once the others of this moment are on their way, too.

    Of those who go to the same car park the ones who asked before him come before him.
    """
    if len(chosen) == 1:
        return asker.candidates
    cars = Counter(chosen)
    cars[chosen[number]] = chosen[:number].count(chosen[number])
    return [replace(c, promised=c.promised + share * cars[c.lot_id]) for c in asker.candidates]


def _group(
    askers: Sequence[Asker], found: Sequence[Sorted], lot_ids: Sequence[str], rules: Rules
) -> Group:
    column = {lot_id: number for number, lot_id in enumerate(lot_ids)}
    minutes = np.full((len(askers), len(lot_ids)), np.inf)
    tolls = np.zeros(minutes.shape)
    by_lot: dict[str, Candidate] = {}
    for row, (asker, one) in enumerate(zip(askers, found, strict=True)):
        stay_ms = asker.question.stay_minutes * 60_000
        for candidate, cost in _acceptable(asker, one):
            place = row, column[candidate.lot_id]
            arrives_ms = candidate.arrives_ms
            minutes[place] = cost
            tolls[place] = rules.tolls(candidate.lot_id, arrives_ms, arrives_ms + stay_ms)
            by_lot.setdefault(candidate.lot_id, candidate)
    elsewhere = np.full(len(askers), minutes[np.isfinite(minutes)].max() + ELSEWHERE_MINUTES)
    return Group(minutes, tolls, elsewhere, _crowding(by_lot, lot_ids, len(askers), rules.share))


def _acceptable(asker: Asker, found: Sorted) -> list[tuple[Candidate, float]]:
    """What he may be sent to, with its minutes: what he was shown before, if that still does."""
    priced = [(c, expected_minutes(c, asker.question)) for c in found.open]
    best = min((cost for _, cost in priced), default=0.0)
    return [
        (c, cost)
        for c, cost in priced
        if c.lot_id == asker.leaning and cost <= best + STAY_WITH_MINUTES
    ] or priced


def _crowding(
    by_lot: dict[str, Candidate], lot_ids: Sequence[str], askers: int, share: float
) -> FloatArray:
    """What each further car of this moment risks; nothing for one alone."""
    width = min(askers, MOST_CROWD)
    if width == 1:
        return np.zeros((len(lot_ids), 1))
    chances = np.ones((len(lot_ids), width))
    for row, lot_id in enumerate(lot_ids):
        if lot_id in by_lot:
            candidate = by_lot[lot_id]
            chances[row] = [
                candidate.outlook.chance_of_at_least(1, candidate.promised + share * cars)
                for cars in range(width)
            ]
    return crowding_minutes(chances, FULL_PENALTY_MINUTES)
