"""A car park that tells of itself: what it told is committed together, and observed each second."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from redis.asyncio import Redis

from gateway.counter import CounterState
from gateway.observation import Observation
from gateway.outbox import Memory, Outbox, OutboxFullError
from gateway.outbox_thread import OutboxThread
from gateway.process import is_cancelled
from gateway.reconcile import Anchor
from gateway.uplink import Uplink

OBSERVE_SECONDS = 1.0

log = structlog.get_logger()


class Ledger(Protocol):
    """The state of one car park, folded from what it was told."""

    anchor: Anchor | None

    def counters(self, now_ms: int) -> Mapping[str, CounterState]: ...
    def observe(self, now_ms: int, uptime_ms: int) -> Observation: ...


class LedgerStation:
    """The loops of one such car park. `clock` is UTC ms, `monotonic` runs in seconds."""

    # Where news comes by the thousand, a row tells of many at once.
    gather_seconds = 0.0

    def __init__(
        self,
        lot_id: str,
        ledger: Ledger,
        outbox: Outbox,
        redis: Redis,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._told = ledger
        self._clock = clock
        self._monotonic = monotonic
        newest = outbox.newest()
        self._outbox = OutboxThread(outbox)
        self._uplink = Uplink(self._outbox, newest, redis, lot_id, clock, monotonic)
        self._waiting: list[asyncio.Future[bool]] = []
        self._has_counts = False
        self._records: list[tuple[str, int]] = []
        self._heard: list[tuple[str, int]] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit(), name="commit")
            group.create_task(self._uplink.run(), name="uplink")

    def close(self) -> None:
        self._outbox.close()

    def tell(self, *, counts: bool) -> None:
        """The ledger has news; with `counts` a running total moved."""
        self._has_counts = self._has_counts or counts
        self._news.set()

    async def committed(self) -> bool:
        """Once the outbox has what the ledger knows now; False if it could not be kept."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._news.set()
        return await done

    async def after_write(self, placed: Observation) -> None:
        """What a kind of station does besides, after each row."""

    def uptime_ms(self) -> int:
        return int(self._monotonic() * 1_000)

    async def _commit(self) -> None:
        """Everything that waits in one transaction, and an observation at least each second."""
        while not is_cancelled():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OBSERVE_SECONDS):
                    await self._news.wait()
            await asyncio.sleep(self.gather_seconds)
            self._news.clear()
            waiting, self._waiting = self._waiting, []
            is_kept = await self._write()
            for one in waiting:
                if not one.done():
                    one.set_result(is_kept)

    async def _write(self) -> bool:
        records, self._records = self._records, []
        heard, self._heard = self._heard, []  # of a post that is not kept: it may come again
        counts, self._has_counts = self._has_counts, False
        now_ms = self._clock()
        seen = self._told.observe(now_ms, self.uptime_ms())
        memory = Memory(self._told.counters(now_ms), self._told.anchor)
        try:
            placed = await self._outbox.append(
                seen, memory, counts=counts, pushed=records, heard=heard
            )
        except OutboxFullError as full:
            log.error("the outbox takes no more", reason=str(full))  # noqa: TRY400
            # counted in memory: kept with the next row
            self._records = records + self._records
            self._has_counts = counts or self._has_counts
            return False
        self._uplink.tell(placed)
        await self.after_write(placed)
        return True
