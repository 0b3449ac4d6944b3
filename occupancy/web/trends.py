"""What the last hours brought to each lot, from history; while that is away it stands still."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Sequence

from gateway.process import is_cancelled
from occupancy import database
from occupancy.database_trends import Recent, read_recent
from occupancy.rollup import DAY_MS
from occupancy.web.trend import Trend

SPAN_MS = 3 * 3_600_000
LOTS_AT_ONCE = 50  # what they answer is read without anybody noticing
WHOLE_WITHIN_MS = 30 * 60_000  # a day that lacks less than this is called one
EVERY_SECONDS = 60.0
RETRY_SECONDS = 3.0


class Trends:
    """One trend a lot. `clock` is UTC milliseconds."""

    def __init__(self, connections: database.Pool, clock: Callable[[], int]) -> None:
        self._connections = connections
        self._clock = clock
        self._by_lot: dict[str, Trend] = {}

    def of(self, lot_id: str) -> Trend:
        return self._by_lot.get(lot_id, _NONE)

    def take(self, lot_id: str, trend: Trend) -> None:
        """Keep the one that is known where nothing has changed: rows are made of it."""
        if self._by_lot.get(lot_id) != trend:
            self._by_lot[lot_id] = trend

    async def keep_fresh(self, lot_ids: Collection[str]) -> None:
        """Read the last hours again and again until cancelled; `lot_ids` may change meanwhile."""
        while not is_cancelled():
            try:
                lots = list(lot_ids)
                for start in range(0, len(lots), LOTS_AT_ONCE):
                    await self._read(lots[start : start + LOTS_AT_ONCE])
            except database.NOT_READY:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                known = any(trend.free for trend in self._by_lot.values())
                await asyncio.sleep(EVERY_SECONDS if known else RETRY_SECONDS)

    async def _read(self, lot_ids: Sequence[str]) -> None:
        now_ms = self._clock()
        for recent in await read_recent(self._connections, lot_ids, now_ms, SPAN_MS):
            self.take(recent.lot_id, _trend(recent, now_ms))


_NONE = Trend()


def _trend(recent: Recent, now_ms: int) -> Trend:
    known = itertools.dropwhile(lambda free: free is None, recent.free)
    since_ms = recent.since_ms
    is_short = since_ms is not None and since_ms > now_ms - DAY_MS + WHOLE_WITHIN_MS
    return Trend(
        tuple(known), recent.entries, recent.exits, flow_since_ms=since_ms if is_short else None
    )
