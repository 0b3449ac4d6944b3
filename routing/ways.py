"""The ways to several car parks for one driver, and what must be said of them."""

from collections.abc import Sequence
from typing import Protocol

from occupancy.lot import Lot, Place
from routing.gathering import Way, metres
from routing.question import Question
from routing.reason import Code, Reason, because

UNKNOWN_APPROACH_MINUTES = 10.0  # the drive of somebody of whom nobody knows where he sets out


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
    drives = await travel.drive_minutes(origin, entrances)
    walks = await travel.walk_minutes(question.destination, entrances)
    ways = {
        lot.lot_id: Way(approach + drive, walk)
        for lot, drive, walk in zip(lots, drives, walks, strict=True)
    }
    return ways, [] if question.origin else [because(Code.NO_ORIGIN)]


class StraightLine:
    """A straight line, a detour and a usual speed."""

    async def drive_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return [metres(origin, place) * 1.4 / 420 for place in to]

    async def walk_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return [metres(origin, place) * 1.3 / 75 for place in to]
