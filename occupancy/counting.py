"""An operator's commands about counts: check the truth on demand, record what was counted."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from occupancy import database, database_corrections, snapshot
from occupancy.correction import Count
from occupancy.live import LiveOccupancy
from occupancy.truth_check import TruthCheck, check

TAKEN_WITHIN_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class NotHeardError(Exception):
    """Nothing is known of this car park now."""


class Counted(NamedTuple):
    """A recorded correction, and whether the gateway counts on from it already."""

    number: int
    is_taken: bool

    @property
    def words(self) -> str:
        if self.is_taken:
            return f"correction {self.number} is recorded, and the gateway counts on from it"
        return (
            f"correction {self.number} is recorded; the gateway takes it as soon as it is heard "
            "again, unless its outbox was lost meanwhile: then count once more"
        )


async def check_lots(
    redis: Redis,
    connections: database.Pool,
    lot_ids: Sequence[str],
    clock: Callable[[], int],
    asked_by: str,
) -> list[TruthCheck]:
    """Compare counters and machines now and keep the results. Raises NotHeardError."""
    checks = []
    for lot_id in lot_ids:
        picture = await _picture(redis, lot_id)
        before = await database_corrections.list_checks(connections, lot_id, 1)
        found = check(picture, before[0] if before else None, clock(), asked_by)
        await database_corrections.add_check(connections, found)
        checks.append(found)
    return checks


async def count_lot(
    redis: Redis,
    connections: database.Pool,
    lot_id: str,
    count: Count,
    monotonic: Callable[[], float],
) -> Counted:
    """Record what a person counted, and wait a little for the gateway to take it.

    Raises NotHeardError and BadCountError before anything is recorded.
    """
    picture = await _picture(redis, lot_id)
    made = await database_corrections.add_correction(connections, picture, count)
    until = monotonic() + TAKEN_WITHIN_SECONDS
    while monotonic() < until:
        if (await _picture(redis, lot_id)).correction_number >= made.number:
            return Counted(made.number, is_taken=True)
        await asyncio.sleep(_LOOK_SECONDS)
    return Counted(made.number, is_taken=False)


async def _picture(redis: Redis, lot_id: str) -> LiveOccupancy:
    pictures = await snapshot.read_all(redis, [lot_id])
    if not pictures:
        raise NotHeardError(
            f"{lot_id}: nothing has been heard of such a car park; "
            "`zhibo doctor` says what is missing"
        )
    return pictures[0]
