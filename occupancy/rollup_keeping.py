"""Keeps rollups up with history and lets old history go; one recorder at a time does it for all."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import structlog

from gateway.process import is_cancelled
from occupancy import database, database_rollup, history
from occupancy.database_rollup import Due, GoneError, Retention
from occupancy.rollup import DAY_MS, date_start_ms

LOOK_SECONDS, LOOK_A_LOT_SECONDS = 10.0, 0.12  # a look costs as much as there are car parks
LEASE_SECONDS = 180.0
LEASE_NAME = "*rollup"  # no car park's name may begin so
MOST_DUE = 2_000
DROP_EVERY_MS = 3_600_000

log = structlog.get_logger()


class NothingToRebuildError(Exception):
    """The period lies before what is kept, or is none; the message says what may be asked."""


@dataclass
class RollupKeeper:
    """The loop of whoever holds the lease. `clock` is UTC milliseconds."""

    connections: database.Pool
    clock: Callable[[], int]
    name: str
    keep: Retention = field(default_factory=Retention)
    dropped_at_ms: int = 0

    async def run(self) -> None:
        """Look until cancelled; while PostgreSQL is away everything stays due."""
        lots = 0
        while not is_cancelled():
            try:
                if await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS):
                    lots = await self._work()
            except database.NOT_READY as trouble:
                log.info("rollups wait for PostgreSQL", reason=str(trouble))
            await asyncio.sleep(max(LOOK_SECONDS, LOOK_A_LOT_SECONDS * lots))

    async def _work(self) -> int:
        """Roll up everything that is due, then let go what is too old, once an hour.

        Of how many car parks something was due.
        """
        lots: set[str] = set()
        now_ms = self.clock()
        oldest_ms = now_ms - self.keep.observations * DAY_MS
        if struck := await database_rollup.strike_off(self.connections, oldest_ms):
            log.warning("what came later than history is kept is not rolled up", spans=struck)
        while due := await database_rollup.list_due(self.connections, MOST_DUE):
            lots |= {one.lot_id for one in due}
            await self._roll_up(due)
        if now_ms - self.dropped_at_ms >= DROP_EVERY_MS:
            self.dropped_at_ms = now_ms
            for name in await database_rollup.drop_old(self.connections, now_ms, self.keep):
                log.info("history is let go", partition=name)
        return len(lots)

    async def _roll_up(self, due: Sequence[Due]) -> None:
        """Of each lot what lies within a day of its first span: no transaction takes long."""
        by_lot = sorted(due, key=lambda one: (one.lot_id, one.first_ms))
        for _, spans in groupby(by_lot, key=lambda one: one.lot_id):
            first, *others = spans
            until_ms = first.first_ms + DAY_MS - 1
            near = [first, *(one for one in others if one.first_ms <= until_ms)]
            await database_rollup.roll_up(self.connections, near, until_ms)
            await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS)


async def rebuild_days(
    connections: database.Pool,
    lot_ids: Sequence[str],
    first: dt.date,
    last: dt.date,
    say: Callable[[str], None],
) -> None:
    """Make the rollups of local days again from raw rows. Raises NothingToRebuildError."""
    if last < first:
        raise NothingToRebuildError(f"--to {last} lies before --from {first}")
    for lot_id in lot_ids:
        for number in range((last - first).days + 1):
            day = first + dt.timedelta(days=number)
            start_ms = date_start_ms(day)
            try:
                await database_rollup.rebuild(connections, lot_id, start_ms, start_ms + DAY_MS)
            except GoneError as gone:
                raise NothingToRebuildError(_words(day, gone.oldest_ms)) from None
            say(f"{lot_id} {day} is rolled up again")


def _words(day: dt.date, oldest_ms: int | None) -> str:
    if oldest_ms is None:
        return f"{day}: no observation is recorded yet"
    oldest = dt.datetime.fromtimestamp(oldest_ms / 1_000, tz=dt.UTC)
    return (
        f"{day}: observations are kept from {oldest:%Y-%m-%d %H:%M} UTC on; "
        "what was rolled up of earlier days stays as it is"
    )
