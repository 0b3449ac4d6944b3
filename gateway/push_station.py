"""One pushing car park at work: posts folded in, committed together, answered when committed."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from redis.asyncio import Redis

from gateway.outbox import Memory, Outbox, OutboxFullError
from gateway.outbox_thread import OutboxThread
from gateway.process import is_cancelled
from gateway.push_config import Sender
from gateway.push_ledger import PushLedger
from gateway.push_message import RECORD_WITHIN_MS, SENT_WITHIN_MS, Push
from gateway.uplink import Uplink

OBSERVE_SECONDS = 1.0
ROWS_A_LOOK = 1_000  # at which records have grown too old

log = structlog.get_logger()


class PushStation:
    """The loops of one pushing car park. `clock` is UTC ms, `monotonic` runs in seconds."""

    def __init__(
        self,
        sender: Sender,
        outbox: Outbox,
        redis: Redis,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self.sender = sender
        self.ledger = PushLedger(sender.park, outbox.counters(), outbox.anchor(), outbox.pushed())
        self._clock = clock
        self._monotonic = monotonic
        newest = outbox.newest()
        self._outbox = OutboxThread(outbox)
        self._uplink = Uplink(self._outbox, newest, redis, sender.park.lot_id, clock, monotonic)
        self._pending: list[tuple[str, int]] = []
        self._waiting: list[asyncio.Future[bool]] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit(), name="commit")
            group.create_task(self._uplink.run(), name="uplink")

    def close(self) -> None:
        self._outbox.close()

    async def take(self, push: Push) -> int | None:
        """How many records were new, once they are committed; None if they could not be.

        Raises BadPushError.
        """
        fresh = self.ledger.take(push, self._clock(), self._uptime_ms())
        self._pending += [(passage.number, passage.at_ms) for passage in fresh]
        committed = asyncio.get_running_loop().create_future()
        self._waiting.append(committed)
        self._news.set()
        if await committed:
            return len(fresh)
        self.ledger.release(push.nonce)
        return None

    async def _commit(self) -> None:
        """Everything that waits in one transaction, and an observation at least each second."""
        while not is_cancelled():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OBSERVE_SECONDS):
                    await self._news.wait()
            self._news.clear()
            waiting, self._waiting = self._waiting, []
            is_kept = await self._write()
            for one in waiting:
                if not one.done():
                    one.set_result(is_kept)

    async def _write(self) -> bool:
        pending, self._pending = self._pending, []
        now_ms = self._clock()
        seen = self.ledger.observe(now_ms, self._uptime_ms())
        memory = Memory(self.ledger.counters(now_ms), self.ledger.anchor)
        try:
            placed = await self._outbox.append(seen, memory, counts=bool(pending), pushed=pending)
        except OutboxFullError as full:
            log.error("the outbox takes no more", reason=str(full))  # noqa: TRY400
            self._pending = pending + self._pending  # counted in memory: kept with the next row
            return False
        self._uplink.tell(placed)
        if placed.sequence % ROWS_A_LOOK == 0:
            await self._forget(now_ms - RECORD_WITHIN_MS - SENT_WITHIN_MS)
        return True

    async def _forget(self, before_ms: int) -> None:
        with contextlib.suppress(OutboxFullError):
            self.ledger.forget(await self._outbox.forget_pushed(before_ms))

    def _uptime_ms(self) -> int:
        return int(self._monotonic() * 1_000)
