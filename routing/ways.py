"""The ways to several car parks for one driver, checked, and what must be said of them."""

import asyncio
import math
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

from occupancy.lot import Lot, Place
from routing.gathering import Way, metres
from routing.question import Question
from routing.reason import Code, Reason, because
from routing.straight_line import by_car, on_foot

Minutes: TypeAlias = Sequence[float]
UNKNOWN_APPROACH_MINUTES = 10.0  # the drive of somebody of whom nobody knows where he sets out
# Nobody is faster than this along the straight line, nor takes so much longer than usual.
FASTEST_DRIVE, FASTEST_WALK = 2_500.0, 150.0
SLOWEST_FACTOR, SLOWEST_MINUTES = 8.0, 30.0


class TravelTimes(Protocol):
    """How long the ways to several places take, in minutes."""

    def drive_minutes(self, origin: Place, to: Sequence[Place]) -> Coroutine[Any, Any, Minutes]: ...

    def walk_minutes(self, origin: Place, to: Sequence[Place]) -> Coroutine[Any, Any, Minutes]: ...


async def ways_to(
    travel: TravelTimes, lots: Sequence[Lot], question: Question
) -> tuple[dict[str, Way], list[Reason]]:
    """Drive to and walk from each of `lots`, by lot id."""
    entrances = [lot.entrance for lot in lots]
    origin = question.origin or question.destination
    approach = 0.0 if question.origin else UNKNOWN_APPROACH_MINUTES
    driven, walked = await _both(
        travel.drive_minutes(origin, entrances),
        travel.walk_minutes(question.destination, entrances),
    )
    drives = _possible(driven, by_car(origin, entrances), FASTEST_DRIVE, origin, entrances)
    on_foot_usually = on_foot(question.destination, entrances)
    walks = _possible(walked, on_foot_usually, FASTEST_WALK, question.destination, entrances)
    notes = [] if question.origin else [because(Code.NO_ORIGIN)]
    if drives is None or walks is None:
        notes.append(because(Code.TRAVEL_ESTIMATED))
    pairs = zip(lots, drives or by_car(origin, entrances), walks or on_foot_usually, strict=True)
    return {lot.lot_id: Way(approach + drive, walk) for lot, drive, walk in pairs}, notes


async def _both(
    driven: Coroutine[Any, Any, Minutes], walked: Coroutine[Any, Any, Minutes]
) -> tuple[Minutes, Minutes]:
    """At the same time: a driver waits for one slow answer, not for two."""
    async with asyncio.TaskGroup() as group:
        one, other = group.create_task(driven), group.create_task(walked)
    return one.result(), other.result()


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
