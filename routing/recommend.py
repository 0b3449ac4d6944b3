"""Ranks car parks for one driver, says why, and says of those left out why not."""

from collections.abc import Sequence

import msgspec

from occupancy.lot import Lot
from occupancy.tariff_clock import DAY_MINUTES, clock_words, local_minute
from routing.candidate import (
    Candidate,
    barriers,
    doubts,
    expected_minutes,
    plain_minutes,
)
from routing.question import Question, Vehicle, Wish
from routing.reason import (
    Code,
    Reason,
    because,
    chance_words,
    stay_words,
    ways_out,
    whole_minutes,
    yuan,
)

MOST_REGRET_MINUTES = 5.0
_FURTHER_MINUTES = 0.5  # less is not worth a word
_LIKELIER = 0.03
_PROMISED_CARS = 0.5
_FEW = 2


class Option(msgspec.Struct, frozen=True):
    """A car park that is recommended, with everything that was weighed."""

    candidate: Candidate
    minutes: float
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """A car park that is not, and why."""

    candidate: Candidate
    reasons: tuple[Reason, ...]


class Recommendation(msgspec.Struct, frozen=True):
    """The answer: the first option is the one to take; `verdict` says how good it is."""

    verdict: Reason
    options: tuple[Option, ...]
    left_out: tuple[LeftOut, ...]
    regret_minutes: float = 0.0
    notes: tuple[Reason, ...] = ()
    is_plain: bool = False  # no guidance: nearest first, no word of chances

    @property
    def chosen(self) -> Candidate | None:
        return self.options[0].candidate if self.options else None


class Sorted(msgspec.Struct, frozen=True):
    """Candidates that fit, or else the least bad; and what speaks against each."""

    open: tuple[Candidate, ...]
    against: dict[str, tuple[Reason, ...]]
    is_least_bad: bool


def sort_out(candidates: Sequence[Candidate], question: Question) -> Sorted:
    """Who fits; where nobody does, those that are only doubtful stay open."""
    hard = {c.lot_id: tuple(barriers(c, question)) for c in candidates}
    soft = {c.lot_id: tuple(doubts(c)) for c in candidates}
    against = {lot_id: (*hard[lot_id], *soft[lot_id]) for lot_id in hard}
    fitting = tuple(c for c in candidates if not against[c.lot_id])
    if fitting:
        return Sorted(fitting, against, is_least_bad=False)
    return Sorted(tuple(c for c in candidates if not hard[c.lot_id]), against, is_least_bad=True)


def recommend(
    question: Question,
    candidates: Sequence[Candidate],
    assigned: str | None = None,
    notes: Sequence[Reason] = (),
    most_regret_minutes: float = MOST_REGRET_MINUTES,
) -> Recommendation:
    """The answer for one driver; `assigned` is what the joint decision gave him.

    It holds only if he can park there and loses no more by it than `most_regret_minutes`.
    """
    found = sort_out(candidates, question)
    left_out = _left_out(candidates, found)
    if not found.open:
        return Recommendation(_nothing(candidates, found), (), left_out, notes=tuple(notes))
    minutes = {c.lot_id: expected_minutes(c, question) for c in found.open}
    ranked = sorted(found.open, key=lambda c: (minutes[c.lot_id], c.lot_id))
    best = ranked[0]
    regret = minutes.get(assigned or "", minutes[best.lot_id]) - minutes[best.lot_id]
    if regret > most_regret_minutes:
        regret = 0.0
    elif assigned in minutes:
        ranked.sort(key=lambda c: c.lot_id != assigned)
    words = _Words(question, candidates, ranked, best)
    options = tuple(
        Option(
            c,
            minutes[c.lot_id],
            words.reasons(c, regret),
            (*found.against[c.lot_id], *notes_of(question, c)),
        )
        for c in ranked
    )
    return Recommendation(
        _verdict(ranked[0], found), options, left_out, max(regret, 0.0), tuple(notes)
    )


class _Words:
    """What is said of each option, in comparison with the others."""

    def __init__(
        self,
        question: Question,
        candidates: Sequence[Candidate],
        ranked: Sequence[Candidate],
        best: Candidate,
    ) -> None:
        self._question = question
        self._candidates = candidates
        self._ranked = ranked
        self._best = best

    def reasons(self, candidate: Candidate, regret: float) -> tuple[Reason, ...]:
        found = [because(Code.CHANCE, **chance_words(candidate.chance))]
        if candidate is self._ranked[0]:
            found += self._against_closer(candidate, regret)
        if candidate.promised >= _PROMISED_CARS:
            found.append(because(Code.PROMISED, cars=round(candidate.promised)))
        found += self._way(candidate)
        found += fee_words(self._question, candidate)
        found += self._superlatives(candidate)
        if Wish.COVERED in self._question.wishes and candidate.lot.covered:
            found.append(because(Code.COVERED))
        return tuple(found)

    def _way(self, candidate: Candidate) -> list[Reason]:
        travel = candidate.travel
        parts = (
            (Code.DRIVE, travel.drive),
            (Code.STORE, travel.store),
            (Code.WALK, travel.walk),
            (Code.FETCH, travel.fetch),
        )
        return [because(code, minutes=whole_minutes(minutes)) for code, minutes in parts if minutes]

    def _superlatives(self, candidate: Candidate) -> list[Reason]:
        others = [other for other in self._ranked if other is not candidate]
        if len(others) + 1 < _FEW:
            return []
        found = []
        fees = [other.fee.total_fen for other in others]
        own = candidate.fee.total_fen
        if own is not None and all(fee is not None and own < fee for fee in fees):
            found.append(because(Code.CHEAPEST))
        if all(candidate.travel.walk < other.travel.walk for other in others):
            found.append(because(Code.NEAREST))
        if all(candidate.chance > other.chance + _LIKELIER for other in others):
            found.append(because(Code.SUREST))
        return found

    def _against_closer(self, chosen: Candidate, regret: float) -> list[Reason]:
        """Why not the closer one: it will be full, or its few spaces are left to others."""
        minutes = plain_minutes(chosen)
        closer = [
            c
            for c in self._candidates
            if minutes - plain_minutes(c) >= _FURTHER_MINUTES and not barriers(c, self._question)
        ]
        if closer:
            other = min(closer, key=lambda c: (plain_minutes(c), c.lot_id))
            longer = minutes - plain_minutes(other)
            if other.is_stale and not chosen.is_stale:
                return [_compared(Code.CLOSER_UNKNOWN, chosen, other, longer)]
            if other.chance + _LIKELIER < chosen.chance:
                return [_compared(Code.SENT_FURTHER, chosen, other, longer)]
        if regret >= _FURTHER_MINUTES:
            return [_compared(Code.LEAVES_ROOM, chosen, self._best, regret)]
        return []


def fee_words(question: Question, candidate: Candidate) -> list[Reason]:
    """What the planned stay costs, if that is known."""
    total_fen = candidate.fee.total_fen
    if total_fen is None:
        return []
    stay = stay_words(question.stay_minutes)
    if total_fen == 0:
        return [because(Code.FREE_OF_CHARGE, **stay)]
    return [because(Code.FEE, yuan=yuan(total_fen), **stay)]


def notes_of(question: Question, candidate: Candidate) -> list[Reason]:
    """What is known of it only roughly."""
    lot, found = candidate.lot, []
    if candidate.is_stale:
        found.append(because(Code.OLD_DATA))
    if question.arrive_ms is not None and candidate.arrives_ms > question.arrive_ms:
        minute = local_minute(candidate.arrives_ms)
        found.append(because(Code.ARRIVES_LATER, time=clock_words(minute % DAY_MINUTES)))
    if candidate.fee.total_fen is None:
        found.append(because(Code.FEE_UNKNOWN))
    elif candidate.fee.is_unconfirmed:
        found.append(because(Code.FEE_UNCONFIRMED))
    if Wish.COVERED in question.wishes and lot.covered is None:
        found.append(because(Code.COVER_UNKNOWN))
    return [*found, *_limits(lot, question.vehicle)]


def _limits(lot: Lot, vehicle: Vehicle) -> list[Reason]:
    """The limits he must check himself, or that those checked for him may be others."""
    sizes = (vehicle.height_metres, vehicle.weight_tonnes)
    is_confirmed = "limits" not in lot.placeholders
    found = [] if is_confirmed or sizes == (None, None) else [because(Code.LIMITS_UNCONFIRMED)]
    if None in sizes:
        height, weight = f"{lot.limits.height_metres:g}", f"{lot.limits.weight_tonnes:g}"
        code = Code.LIMITS if is_confirmed else Code.LIMITS_ROUGHLY
        found.append(because(code, height=height, weight=weight))
    return found


def _compared(code: Code, chosen: Candidate, other: Candidate, minutes: float) -> Reason:
    return because(
        code,
        other=other.lot.short_name,
        minutes=whole_minutes(minutes),
        **chance_words(chosen.chance),
        **chance_words(other.chance, "other_chance"),
    )


def _left_out(candidates: Sequence[Candidate], found: Sorted) -> tuple[LeftOut, ...]:
    still_in = {candidate.lot_id for candidate in found.open}
    return tuple(
        LeftOut(candidate, found.against[candidate.lot_id])
        for candidate in candidates
        if candidate.lot_id not in still_in
    )


def _verdict(first: Candidate, found: Sorted) -> Reason:
    name = first.lot.short_name
    if not found.is_least_bad:
        return because(Code.FITS, name=name)
    against = found.against[first.lot_id]
    return because(Code.LEAST_BAD, name=name, **_joined(against))


def _nothing(candidates: Sequence[Candidate], found: Sorted) -> Reason:
    """Every reason once, in the order of the car parks, and what may be done about them."""
    if not candidates:
        return because(Code.NO_CAR_PARK)
    reasons = [reason for c in candidates for reason in found.against[c.lot_id]]
    lot = candidates[0].lot
    mended = ways_out(reasons, lot.hotline, is_confirmed="hotline" not in lot.placeholders)
    return because(Code.NOTHING, **_joined(reasons), **mended)


def _joined(reasons: Sequence[Reason]) -> dict[str, str]:
    zh = dict.fromkeys(reason.zh for reason in reasons)
    en = dict.fromkeys(reason.en for reason in reasons)
    return {"why": "；".join(zh), "why_en": "; ".join(en)}
