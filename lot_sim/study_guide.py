"""Which lot a driver tries where prices are changed, signs are added or a lot is closed."""

import math
import random
from collections.abc import Callable, Mapping, Sequence

from lot_sim.arrivals import Arrival, metres_between, weekday_of
from lot_sim.scenario import Scenario
from lot_sim.study_spec import HOURS, Change, DayKind, Fees, Spec

_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_SHANGHAI_AHEAD_MS = 8 * _HOUR_MS
_SATURDAY = 5


def fee_fen(fees: Fees, at_ms: int, stay_ms: int) -> int:
    """What a stay costs that begins in this hour: that of the next longer stay of the table."""
    kind = DayKind.WEEKEND if weekday_of(at_ms) >= _SATURDAY else DayKind.WORKDAY
    hour = (at_ms + _SHANGHAI_AHEAD_MS) // _HOUR_MS % HOURS
    minutes = math.ceil(stay_ms / _MINUTE_MS)
    place = next(
        (n for n, most in enumerate(fees.stays_minutes) if minutes <= most),
        len(fees.stays_minutes) - 1,
    )
    return fees.fen[kind][hour][place]


class StudyGuide:
    """Drivers choose by the walk, as they did, and by what a change makes dearer or cheaper.

    Whoever heads for a lot with a new sign and heeds it goes on to one that shows spaces.
    """

    def __init__(
        self, town: Scenario, spec: Spec, change: Change, free: Callable[[int], int]
    ) -> None:
        self._scale = town.habits.walk_scale_metres
        self._lots = range(len(town.lots))
        self._ids = [lot.lot_id for lot in town.lots]
        self._walks = [
            _from_nearest([metres_between(place, lot) for lot in town.lots])
            for place in town.destinations
        ]
        self._closed = {n for n in self._lots if self._ids[n] in change.closed}
        self._before = {
            n: spec.fees[self._ids[n]] for n in self._lots if self._ids[n] in change.fees
        }
        self._after = {n: change.fees[self._ids[n]] for n in self._before}
        self._boards = {self._ids.index(one.lot_id): one for one in change.boards}
        self._metres_a_yuan = spec.metres_a_yuan
        self._free = free

    def choose(self, arrival: Arrival, tried: tuple[int, ...], _: random.Random) -> int | None:
        """A lot's place in the scenario's list, none of those tried; None if none is left."""
        weights = self._weights(arrival)
        # A driver has a chance of his own: he decides alike with and without a change.
        chance = random.Random(hash((*arrival, len(tried))))
        pick, heed = chance.random(), chance.random()
        chosen = _drawn(weights, pick, (*tried, *self._closed))
        board = self._boards.get(chosen) if chosen is not None else None
        if chosen is None or board is None or heed >= board.share or self._free(chosen) > 0:
            return chosen
        shown = {chosen, *(self._ids.index(other) for other in board.others)}
        full = [n for n in self._lots if n not in shown or self._free(n) <= 0]
        other = _drawn(weights, pick, (*tried, *self._closed, *full))
        return chosen if other is None else other

    def _weights(self, arrival: Arrival) -> Sequence[float]:
        walks = self._walks[arrival.destination]
        return [
            math.exp(
                -max(walks[n] + self._dearer_metres(n, arrival), -self._scale * 50) / self._scale
            )
            for n in self._lots
        ]

    def _dearer_metres(self, lot: int, arrival: Arrival) -> float:
        after = self._after.get(lot)
        if after is None:
            return 0.0
        before = fee_fen(self._before[lot], arrival.at_ms, arrival.stay_ms)
        more_fen = fee_fen(after, arrival.at_ms, arrival.stay_ms) - before
        return more_fen / 100 * self._metres_a_yuan


def _from_nearest(walks: Sequence[float]) -> list[float]:
    nearest = min(walks)
    return [walk - nearest for walk in walks]


def _drawn(weights: Sequence[float], pick: float, without: Sequence[int]) -> int | None:
    left = [(n, weight) for n, weight in enumerate(weights) if n not in without]
    total = sum(weight for _, weight in left)
    if not total:
        return None
    reached = pick * total
    for n, weight in left:
        reached -= weight
        if reached < 0:
            return n
    return left[-1][0]


def fees_in_force(spec: Spec, change: Change) -> Mapping[str, Fees]:
    return {**spec.fees, **change.fees}
