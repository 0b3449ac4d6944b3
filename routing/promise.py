"""What guidance has promised away: soft, expiring shares of the spaces expected at a moment.

A promise is no reservation: a driver who was shown a car park books the chance that he follows.
Time is counted in whole minutes, so that many promises add up to few numbers.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from occupancy.effect.advice import AHEAD_MINUTES, STEP_MINUTES, Coming

GRACE_MINUTES = 10  # a late driver's promise is kept so long
STANDS_MINUTES = 180  # so long after his arrival a car is thought to stand there still
LEAST_SHARE = 0.02  # what is left of a promise below this says nothing any more
ARRIVED_SHARE = 0.5  # of what was booked: once entries explain so much, he is taken as arrived
RATE_MINUTES = 30.0
_MINUTE_MS = 60_000


class Promise(msgspec.Struct, frozen=True):
    """A share, 0 to 1 cars, of one lot's spaces, due in a window of minutes since 1970.

    `booked` is the share as it began.
    """

    trip_id: str
    share: float
    booked: float
    from_minute: int
    until_minute: int


class Seen(msgspec.Struct, frozen=True):
    """How far a lot's entries have been matched with promises, and how often cars enter."""

    epoch: int
    entries_total: int
    at_ms: int
    per_minute: float


class Explained(msgspec.Struct, frozen=True):
    """What entries leave of the promises, and whose arrival they explain."""

    seen: Seen
    promises: tuple[Promise, ...]
    arrived: tuple[str, ...]


class Due(msgspec.Struct, frozen=True):
    """All promises of one lot: cars by window, and by minute the most that may be due then."""

    cars: Mapping[tuple[int, int], float] = {}
    limits: Mapping[int, float] = {}

    def by(self, minute: int, now_minute: int) -> float:
        """Cars promised to be there at a minute.

        Who is long overdue does not come any more, and who comes hours before has left again.
        """
        return sum(
            cars
            for (begins, ends), cars in self.cars.items()
            if begins <= minute <= ends + STANDS_MINUTES and ends + GRACE_MINUTES > now_minute
        )

    def room_for(self, wanted: Promise, limit: float, now_minute: int) -> float:
        """How much of `wanted` may be promised.

        `limit` is the most that may be due when its window ends. A promise that is due sooner
        also takes from those due later: no minute's newest limit is passed.
        """
        limits = {
            minute: most
            for minute, most in self.limits.items()
            if minute + GRACE_MINUTES > now_minute
        }
        limits[wanted.until_minute] = limit
        room = min(
            most - self.by(minute, now_minute)
            for minute, most in limits.items()
            if wanted.from_minute <= minute <= wanted.until_minute + STANDS_MINUTES
        )
        return min(wanted.share, max(0.0, room))


def minute_of(at_ms: int) -> int:
    return at_ms // _MINUTE_MS


def is_over(promise: Promise, now_minute: int) -> bool:
    return promise.until_minute + GRACE_MINUTES <= now_minute


def due_of(promises: Iterable[Promise], limits: Mapping[int, float]) -> Due:
    """The promises added up."""
    cars: dict[tuple[int, int], float] = {}
    for promise in promises:
        window = promise.from_minute, promise.until_minute
        cars[window] = cars.get(window, 0.0) + promise.share
    return Due(cars, limits)


def coming_of(promises: Iterable[Promise], now_minute: int) -> Coming:
    """Who is on his way, and when: each in the middle of his window, who is late right now."""
    alive = [promise for promise in promises if not is_over(promise, now_minute)]
    steps = [0.0] * (AHEAD_MINUTES // STEP_MINUTES)
    for promise in alive:
        middle = (promise.from_minute + promise.until_minute) // 2
        step = max(middle - now_minute, 0) // STEP_MINUTES
        if step < len(steps):
            steps[step] += promise.share
    return Coming(len(alive), sum(promise.share for promise in alive), tuple(steps))


def explain(
    promises: Sequence[Promise], before: Seen | None, entries: tuple[int, int], now_ms: int
) -> Explained:
    """Match what entered since `before` with the promises; `entries` is (epoch, running total).

    Each entry is a promised car with the odds of its rate against all cars' rate. Counters that
    began anew say nothing of the time before.
    """
    now_minute = minute_of(now_ms)
    alive = [promise for promise in promises if not is_over(promise, now_minute)]
    epoch, total = entries
    if before is None or before.epoch != epoch or total < before.entries_total:
        per_minute = before.per_minute if before is not None else 0.0
        return Explained(Seen(epoch, total, now_ms, per_minute), tuple(alive), ())
    count = total - before.entries_total
    seen = Seen(epoch, total, now_ms, _rate(before, count, now_ms))
    for _ in range(count):
        alive = _one_entry(alive, seen.per_minute, now_minute)
    arrived = [p for p in alive if p.share <= (1 - ARRIVED_SHARE) * p.booked]
    left = tuple(p for p in alive if p not in arrived and p.share >= LEAST_SHARE)
    return Explained(seen, left, tuple(p.trip_id for p in arrived))


def _rate(before: Seen, count: int, now_ms: int) -> float:
    """Entries a minute, the last half hour counting most."""
    minutes = max((now_ms - before.at_ms) / _MINUTE_MS, 1e-3)
    weight = min(1.0, minutes / RATE_MINUTES)
    return (1 - weight) * before.per_minute + weight * count / minutes


def _one_entry(promises: Sequence[Promise], per_minute: float, now_minute: int) -> list[Promise]:
    rates = [_rate_of(promise, now_minute) for promise in promises]
    all_cars = max(per_minute, sum(rates))
    return [
        msgspec.structs.replace(promise, share=promise.share * (1 - rate / all_cars))
        for promise, rate in zip(promises, rates, strict=True)
    ]


def _rate_of(promise: Promise, now_minute: int) -> float:
    """Cars a minute that this promise brings now; who is late is as likely as in his window."""
    if now_minute < promise.from_minute:
        return 0.0
    return promise.share / max(promise.until_minute - promise.from_minute, 1)
