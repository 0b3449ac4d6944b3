"""What guidance has promised away: soft, expiring shares of the spaces expected at a moment.

A promise is no reservation: a driver who was shown a car park books the chance that he follows.
"""

from collections.abc import Iterable, Sequence

import msgspec

LEAST_SHARE = 0.02  # what is left of a promise below this says nothing any more
ARRIVED_SHARE = 0.5  # of what was booked: once entries explain so much, he is taken as arrived
RATE_MINUTES = 30.0
_MINUTE_MS = 60_000


class Promise(msgspec.Struct, frozen=True):
    """A share, 0 to 1 cars, of one lot's spaces, due within a window (UTC milliseconds).

    `booked` is the share as it began; `limit` the most that may be due by the window's end:
    expected free spaces and the margin.
    """

    trip_id: str
    share: float
    booked: float
    from_ms: int
    until_ms: int
    limit: float
    expires_ms: int


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


def due_by(promises: Iterable[Promise], at_ms: int, now_ms: int, *, but: str = "") -> float:
    """Cars promised to be there by `at_ms`, without trip `but`."""
    return sum(
        promise.share
        for promise in promises
        if promise.from_ms <= at_ms and promise.expires_ms > now_ms and promise.trip_id != but
    )


def room_for(wanted: Promise, held: Sequence[Promise], now_ms: int) -> float:
    """How much of `wanted` may be promised: neither its own limit nor an earlier one's is passed.

    A promise that is due sooner also takes from those that are due later.
    """
    others = [p for p in held if p.trip_id != wanted.trip_id and p.expires_ms > now_ms]
    concerned = [p for p in others if p.until_ms >= wanted.from_ms]
    room = wanted.limit - due_by(others, wanted.until_ms, now_ms)
    for promise in concerned:
        room = min(room, promise.limit - due_by(others, promise.until_ms, now_ms))
    return min(wanted.share, max(0.0, room))


def explain(
    promises: Sequence[Promise], before: Seen | None, entries: tuple[int, int], now_ms: int
) -> Explained:
    """Match what entered since `before` with the promises; `entries` is (epoch, running total).

    Each entry is a promised car with the odds of its rate against all cars' rate. Counters that
    began anew say nothing of the time before.
    """
    alive = [promise for promise in promises if promise.expires_ms > now_ms]
    epoch, total = entries
    if before is None or before.epoch != epoch or total < before.entries_total:
        per_minute = before.per_minute if before is not None else 0.0
        return Explained(Seen(epoch, total, now_ms, per_minute), tuple(alive), ())
    count = total - before.entries_total
    seen = Seen(epoch, total, now_ms, _rate(before, count, now_ms))
    for _ in range(count):
        alive = _one_entry(alive, seen.per_minute, now_ms)
    arrived = [p for p in alive if p.share <= (1 - ARRIVED_SHARE) * p.booked]
    left = tuple(p for p in alive if p not in arrived and p.share >= LEAST_SHARE)
    return Explained(seen, left, tuple(p.trip_id for p in arrived))


def _rate(before: Seen, count: int, now_ms: int) -> float:
    """Entries a minute, the last half hour counting most."""
    minutes = max((now_ms - before.at_ms) / _MINUTE_MS, 1e-3)
    weight = min(1.0, minutes / RATE_MINUTES)
    return (1 - weight) * before.per_minute + weight * count / minutes


def _one_entry(promises: Sequence[Promise], per_minute: float, now_ms: int) -> list[Promise]:
    rates = [_rate_of(promise, now_ms) for promise in promises]
    all_cars = max(per_minute, sum(rates))
    if all_cars == 0:
        return list(promises)
    return [
        msgspec.structs.replace(promise, share=promise.share * (1 - rate / all_cars))
        for promise, rate in zip(promises, rates, strict=True)
    ]


def _rate_of(promise: Promise, now_ms: int) -> float:
    """Cars a minute that this promise brings now; who is late is as likely as in his window."""
    if now_ms < promise.from_ms:
        return 0.0
    minutes = max((promise.until_ms - promise.from_ms) / _MINUTE_MS, 1.0)
    return promise.share / minutes
