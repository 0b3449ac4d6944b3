"""Who goes where: the drivers of one moment decided together, each answer with its words."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from routing.candidate import Candidate
from routing.question import Question
from routing.reason import Reason
from routing.recommend import Recommendation, recommend

STAY_WITH_MINUTES = 2.0  # what another car park must save before a driver is told another one


class Asker(msgspec.Struct, frozen=True):
    """One question with its candidates; `leaning` is the car park its driver was shown before."""

    question: Question
    candidates: tuple[Candidate, ...]
    leaning: str = ""
    notes: tuple[Reason, ...] = ()


def decide(
    askers: Sequence[Asker], share: float, most_regret_minutes: float
) -> list[Recommendation]:
    """One after the other; what one is shown is taken off before the next."""
    taken: dict[str, float] = {}
    answers = []
    for asker in askers:
        candidates = [
            replace(c, promised=c.promised + taken.get(c.lot_id, 0.0)) for c in asker.candidates
        ]
        answer = _one(replace(asker, candidates=tuple(candidates)), most_regret_minutes)
        if answer.chosen is not None:
            taken[answer.chosen.lot_id] = taken.get(answer.chosen.lot_id, 0.0) + share
        answers.append(answer)
    return answers


def _one(asker: Asker, most_regret_minutes: float) -> Recommendation:
    if asker.leaning:
        stays = recommend(
            asker.question, asker.candidates, asker.leaning, asker.notes, STAY_WITH_MINUTES
        )
        if stays.chosen is not None and stays.chosen.lot_id == asker.leaning:
            return stays
    return recommend(asker.question, asker.candidates, None, asker.notes, most_regret_minutes)
