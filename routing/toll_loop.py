"""Learns the day's tolls from days like it in history, off the event loop, every few hours."""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence

import structlog

from gateway.process import is_cancelled
from occupancy import database, database_tariffs
from occupancy.calendar import Calendar
from occupancy.database_forecast import QUARTER_MS, QuarterRow, read_quarters
from occupancy.lot import Lot
from occupancy.tariff_clock import DAY_MINUTES, local_minute, utc_ms
from routing.tolls import QUARTERS, Flow, TollTable, learn_tolls

SAMPLE_DAYS = 4
DAYS_BACK = 28
LEARN_EVERY_MS = 3 * 3_600_000
LOOK_EVERY_SECONDS = 10.0

log = structlog.get_logger()


class TollLearning:
    """Keeps one process's tolls those of today; `take` is told of new ones."""

    def __init__(
        self,
        lots: Mapping[str, Lot],
        connections: database.Pool,
        clock: Callable[[], int],
        take: Callable[[TollTable], None],
    ) -> None:
        self._lots = lots
        self._connections = connections
        self._clock = clock
        self._take = take
        self._day = 0
        self._learned_at_ms = 0
        self._calendar_revision = 0

    async def keep_learning(self) -> None:
        """Learn when a day begins, every few hours and after the calendar, until cancelled."""
        while not is_cancelled():
            try:
                await self.look()
            except database.NOT_READY as trouble:
                log.debug("no tolls learned: PostgreSQL is away", reason=str(trouble))
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Learn if it is time."""
        now_ms = self._clock()
        today = local_minute(now_ms) // DAY_MINUTES
        revision = (await database_tariffs.read_revisions(self._connections))["calendar"]
        is_fresh = today == self._day and now_ms - self._learned_at_ms < LEARN_EVERY_MS
        if is_fresh and revision == self._calendar_revision:
            return
        lots = list(self._lots.values())
        samples = [await self._read(lots, day) for day in await self._days_like(today)]
        self._take(await asyncio.to_thread(learn_tolls, today, lots, samples))
        self._day, self._learned_at_ms, self._calendar_revision = today, now_ms, revision

    async def _days_like(self, today: int) -> list[int]:
        """The last days of the same kind."""
        calendar = Calendar(await database_tariffs.list_overrides(self._connections))
        kind = calendar.day_type(today)
        before = range(today - 1, today - 1 - DAYS_BACK, -1)
        return [day for day in before if calendar.day_type(day) is kind][:SAMPLE_DAYS]

    async def _read(self, lots: Sequence[Lot], day: int) -> dict[str, Flow]:
        """A day of the lots that have one."""
        start_ms = utc_ms(day * DAY_MINUTES)
        until_ms = start_ms + (QUARTERS + 1) * QUARTER_MS
        found = {}
        for lot in lots:
            rows = await read_quarters(self._connections, lot.lot_id, start_ms, until_ms)
            if rows:
                found[lot.lot_id] = flow_of(rows, start_ms)
        return found


def flow_of(rows: Sequence[QuarterRow], start_ms: int) -> Flow:
    """Rows at the quarters' beginnings to a day; cars between two rows of one epoch."""
    by_start = {row.start_ms: row for row in rows}
    starts = [start_ms + number * QUARTER_MS for number in range(QUARTERS + 1)]
    at = [by_start.get(start) for start in starts]
    entries = [
        following.entries_total - row.entries_total
        if row is not None and following is not None and row.epoch == following.epoch
        else None
        for row, following in itertools.pairwise(at)
    ]
    occupied = tuple(None if row is None else row.occupied for row in at[:QUARTERS])
    free = tuple(None if row is None else row.free for row in at[:QUARTERS])
    return Flow(occupied, free, tuple(entries))
