"""The ways to several car parks for one driver, checked, and what must be said of them."""

import math
from collections.abc import Sequence
from typing import Protocol

from occupancy.lot import Lot, Place
from routing.gathering import Way, metres
from routing.question import Question
from routing.reason import Code, Reason, because

UNKNOWN_APPROACH_MINUTES = 10.0  # the drive of somebody of whom nobody knows where he sets out
# What the straight line says where nobody else does, or where what is said cannot be.
DRIVE_METRES_A_MINUTE, DRIVE_DETOUR = 420.0, 1.4
WALK_METRES_A_MINUTE, WALK_DETOUR = 75.0, 1.3
# Nobody is faster than this along the straight line, nor takes so much longer than usual.
FASTEST_DRIVE, FASTEST_WALK = 2_500.0, 150.0
SLOWEST_FACTOR, SLOWEST_MINUTES = 8.0, 30.0


class TravelTimes(Protocol):
    """How long the ways to several places take, in minutes."""

    async def drive_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]: ...

    async def walk_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]: ...


async def ways_to(
    travel: TravelTimes, lots: Sequence[Lot], question: Question
) -> tuple[dict[str, Way], list[Reason]]:
    """Drive to and walk from each of `lots`, by lot id."""
    entrances = [lot.entrance for lot in lots]
    origin = question.origin or question.destination
    approach = 0.0 if question.origin else UNKNOWN_APPROACH_MINUTES
    said = await travel.drive_minutes(origin, entrances)
    drives = _possible(said, by_car(origin, entrances), FASTEST_DRIVE, origin, entrances)
    said = await travel.walk_minutes(question.destination, entrances)
    on_foot_usually = on_foot(question.destination, entrances)
    walks = _possible(said, on_foot_usually, FASTEST_WALK, question.destination, entrances)
    notes = [] if question.origin else [because(Code.NO_ORIGIN)]
    if drives is None or walks is None:
        notes.append(because(Code.TRAVEL_ESTIMATED))
    pairs = zip(lots, drives or by_car(origin, entrances), walks or on_foot_usually, strict=True)
    return {lot.lot_id: Way(approach + drive, walk) for lot, drive, walk in pairs}, notes


def by_car(origin: Place, to: Sequence[Place]) -> list[float]:
    return [metres(origin, place) * DRIVE_DETOUR / DRIVE_METRES_A_MINUTE for place in to]


def on_foot(origin: Place, to: Sequence[Place]) -> list[float]:
    return [metres(origin, place) * WALK_DETOUR / WALK_METRES_A_MINUTE for place in to]


class StraightLine:
    """A straight line, a detour and a usual speed."""

    async def drive_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return by_car(origin, to)

    async def walk_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return on_foot(origin, to)


def _possible(
    said: Sequence[float],
    usual: Sequence[float],
    fastest: float,
    origin: Place,
    to: Sequence[Place],
) -> Sequence[float] | None:
    """What was said, unless part of it cannot be: who is wrong once is not believed at all."""
    if len(said) != len(to):
        return None
    for minutes, as_usual, place in zip(said, usual, to, strict=True):
        least = metres(origin, place) / fastest
        most = as_usual * SLOWEST_FACTOR + SLOWEST_MINUTES
        if not math.isfinite(minutes) or not least <= minutes <= most:
            return None
    return said
