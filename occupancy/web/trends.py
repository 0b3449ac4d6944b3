"""What the last hours brought to each lot, from history; while that is away it stands still."""

import asyncio
import itertools
from collections.abc import Callable, Iterable

from gateway.process import is_cancelled
from occupancy import database, history
from occupancy.web.trend import Trend

SPAN_MS = 3 * 3_600_000
STEP_SECONDS = 60
DAY_MS = 24 * 3_600_000
EVERY_SECONDS = 60.0
RETRY_SECONDS = 3.0


class Trends:
    """One trend a lot. `clock` is UTC milliseconds."""

    def __init__(self, connections: database.Pool, clock: Callable[[], int]) -> None:
        self._connections = connections
        self._clock = clock
        self._by_lot: dict[str, Trend] = {}

    def of(self, lot_id: str) -> Trend:
        return self._by_lot.get(lot_id, Trend())

    def take(self, lot_id: str, trend: Trend) -> None:
        self._by_lot[lot_id] = trend

    async def keep_fresh(self, lot_ids: Iterable[str]) -> None:
        """Read the last hours again and again until cancelled."""
        lots = list(lot_ids)
        while not is_cancelled():
            try:
                for lot_id in lots:
                    self.take(lot_id, await self._read(lot_id))
            except database.NOT_READY:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                known = any(trend.free for trend in self._by_lot.values())
                await asyncio.sleep(EVERY_SECONDS if known else RETRY_SECONDS)

    async def _read(self, lot_id: str) -> Trend:
        now_ms = self._clock()
        points = await history.read_series(
            self._connections, lot_id, now_ms - SPAN_MS, now_ms, STEP_SECONDS
        )
        flow = await history.read_flow(self._connections, lot_id, now_ms - DAY_MS, now_ms)
        known = itertools.dropwhile(lambda free: free is None, (point.free for point in points))
        return Trend(tuple(known), flow.entries, flow.exits)
