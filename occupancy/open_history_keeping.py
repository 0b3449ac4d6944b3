"""Publishes each finished month as open files, once; one recorder at a time does it for all."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.process import is_cancelled
from occupancy import database, database_open_history, history
from occupancy.database_lots import list_lots_since
from occupancy.database_rollup import find_first_start_ms, read_windows
from occupancy.open_month import QUARTER, month_lines
from occupancy.open_month_files import make_files
from occupancy.report.period import Period, month_of

LOOK_SECONDS = 60.0
LEASE_SECONDS = 900.0
LEASE_NAME = "*open history"  # no car park's name may begin so
SETTLE_MS = 6 * 3_600_000  # a gateway that was cut off may bring the last hours of a month late
LOOK_AGAIN_MS = 86_400_000
FIRST_NOTE, LATE_NOTE = "首次发布", "补入迟到的数据"
_SHANGHAI = dt.timezone(dt.timedelta(hours=8))

log = structlog.get_logger()


class NoSuchMonthError(Exception):
    """This month cannot be published; the message says why."""


@dataclass
class OpenHistoryKeeper:
    """The loop of whoever holds the lease. `clock` is UTC milliseconds."""

    connections: database.Pool
    clock: Callable[[], int]
    name: str
    looked_again_at_ms: int = 0

    async def run(self) -> None:
        """Look until cancelled; while PostgreSQL is away the month waits."""
        while not is_cancelled():
            try:
                if await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS):
                    await self.look()
            except database.NOT_READY as trouble:
                log.info("open months wait for PostgreSQL", reason=str(trouble))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Publish months that are over and were not; once a day the last one if it changed."""
        months = await self._finished()
        known = {one.month for one in await database_open_history.list_published(self.connections)}
        for month in months:
            if month.first not in known:
                await self._publish(month, FIRST_NOTE)
        now_ms = self.clock()
        if months and now_ms - self.looked_again_at_ms >= LOOK_AGAIN_MS:
            self.looked_again_at_ms = now_ms
            await self._publish(months[-1], LATE_NOTE)

    async def _finished(self) -> list[Period]:
        """Every month since the first data that is over and wholly rolled up, the first first."""
        now_ms = self.clock()
        first_ms = await database_open_history.find_first_data_ms(self.connections)
        if first_ms is None:
            return []
        found, month = [], month_at(first_ms)
        while month.end_ms + SETTLE_MS <= now_ms:
            found.append(month)
            month = month_of(month.last + dt.timedelta(days=1))
        if found and not await database_open_history.is_rolled_up_until(
            self.connections, found[-1].end_ms
        ):
            found.pop()
        return found

    async def _publish(self, month: Period, note: str) -> None:
        try:
            version = await publish_month(self.connections, month, self.clock(), note)
        except NoSuchMonthError as refusal:
            log.warning("a month cannot be published", reason=str(refusal))
            return
        if version is not None:
            log.info("a month is published", month=month.slug, version=version, note=note)


def month_at(at_ms: int) -> Period:
    """The month of a moment, by the clocks of Shanghai."""
    return month_of(dt.datetime.fromtimestamp(at_ms / 1_000, tz=_SHANGHAI).date())


async def publish_month(
    connections: database.Pool, month: Period, now_ms: int, note: str
) -> int | None:
    """The new version's number, None if nothing has changed. Raises NoSuchMonthError."""
    if month.end_ms > now_ms:
        raise NoSuchMonthError(f"{month.slug} is not over yet: it is published when it is")
    told = [
        (lot_id, await read_windows(connections, lot_id, month.start_ms, month.end_ms, QUARTER))
        for lot_id in await _lots_of(connections, month)
    ]
    if not told:
        raise NoSuchMonthError(f"{month.slug}: no car park had been heard of by then")
    content = "".join(month_lines(told, month)).encode()
    files = await asyncio.to_thread(make_files, content)
    at = dt.datetime.fromtimestamp(now_ms / 1_000, tz=dt.UTC)
    return await database_open_history.publish(connections, month.first, files, at, note)


async def _lots_of(connections: database.Pool, month: Period) -> list[str]:
    """The car parks that had been heard of by the end of the month."""
    heard = []
    for lot in await list_lots_since(connections, month.start_ms):
        first_ms = await find_first_start_ms(connections, lot.lot_id)
        if first_ms is not None and first_ms < month.end_ms:
            heard.append(lot.lot_id)
    return heard
