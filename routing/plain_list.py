"""The list that drivers get without guidance: what they can use, the nearest first."""

from collections.abc import Sequence

from routing.candidate import Candidate, barriers, expected_minutes
from routing.question import Question
from routing.reason import Code, Reason, because, whole_minutes
from routing.recommend import LeftOut, Option, Recommendation, fee_words, notes_of, recommend


def plain_list(
    question: Question, candidates: Sequence[Candidate], notes: Sequence[Reason] = ()
) -> Recommendation:
    """By the walk to the destination, whatever the chance of a space; nobody is spread.

    Car parks that he cannot use at all are left out as ever, and what is wrong with one is said.
    """
    against = {c.lot_id: tuple(barriers(c, question)) for c in candidates}
    usable = [c for c in candidates if not against[c.lot_id]]
    if not usable:
        return recommend(question, candidates, None, notes)
    ranked = sorted(usable, key=lambda c: (c.travel.walk, c.travel.drive, c.lot_id))
    return Recommendation(
        verdict=because(Code.PLAIN_LIST, name=ranked[0].lot.short_name),
        options=tuple(_option(question, c) for c in ranked),
        left_out=tuple(LeftOut(c, against[c.lot_id]) for c in candidates if against[c.lot_id]),
        notes=tuple(notes),
        is_plain=True,
    )


def _option(question: Question, candidate: Candidate) -> Option:
    """Facts alone: no chance, no comparison, nothing of other drivers."""
    travel = candidate.travel
    parts = ((Code.DRIVE, travel.drive), (Code.WALK, travel.walk))
    way = [because(code, minutes=whole_minutes(minutes)) for code, minutes in parts if minutes]
    silent = [because(Code.NO_DATA)] if candidate.is_stale else []
    return Option(
        candidate,
        expected_minutes(candidate, question),
        (*way, *fee_words(question, candidate)),
        (*silent, *notes_of(question, candidate)),
    )
