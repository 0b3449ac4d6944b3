"""Brings the outbox to Redis: the newest first, then everything in order, each thing once."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway import stream
from gateway.observation import Observation
from gateway.outbox_thread import OutboxThread
from gateway.process import is_cancelled

BATCH_OBSERVATIONS = 300
ASK_RECORDED_MS = 1_000
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)

log = structlog.get_logger()


class Uplink:
    """One gateway's way to Redis. `clock` is UTC milliseconds."""

    def __init__(
        self,
        outbox: OutboxThread,
        newest: Observation | None,
        redis: Redis,
        lot_id: str,
        clock: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._redis = redis
        self._lot_id = lot_id
        self._clock = clock
        self._newest = newest
        self._said_sequence = 0
        self._sent_sequence = 0
        self._asked_at_ms = 0
        self._news = asyncio.Event()
        self._failures = 0
        self.is_connected = False

    def tell(self, observation: Observation) -> None:
        """There is a newer observation in the outbox."""
        self._newest = observation
        self._news.set()

    @property
    def backlog(self) -> int:
        """Observations not yet sent."""
        return self._outbox.sequence - self._sent_sequence

    async def run(self) -> None:
        """Publish until cancelled; a lost server is tried again, fast first."""
        while not is_cancelled():
            try:
                await self._session()
            except (RedisError, OSError, TimeoutError) as trouble:
                if self._failures == 0:
                    log.warning("Redis does not take observations", reason=str(trouble))
                self.is_connected = False
                pause_seconds = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
                self._failures += 1
                await asyncio.sleep(pause_seconds)

    async def _session(self) -> None:
        await self._resume()
        while not is_cancelled():
            self._news.clear()
            await self._say_newest()
            more = await self._send_batch()
            if not self.is_connected:
                self.is_connected = True
                self._failures = 0
                log.info("Redis takes observations", backlog=self.backlog)
            await self._ask_recorded()
            if not more:
                await self._wait_for_news()

    async def _resume(self) -> None:
        """Find out what the server holds; it may have restarted with less, or with nothing."""
        top = await stream.read_top(self._redis, stream.observations_key(self._lot_id))
        if top is not None and top[0] > self._outbox.epoch:
            await self._outbox.bear_again(self._clock(), above=top[0])
        self._said_sequence = 0
        self._asked_at_ms = 0
        await self._ask_recorded()
        held = top[1] if top is not None and top[0] == self._outbox.epoch else 0
        self._sent_sequence = max(held, self._outbox.recorded)

    async def _say_newest(self) -> None:
        newest = self._newest
        if newest is None or newest.sequence <= self._said_sequence:
            return
        if self._said_sequence == 0:
            await self._outbox.note_published()
        # The epoch may be younger than the observation: see Outbox.bear_again.
        placed = msgspec.structs.replace(newest, epoch=self._outbox.epoch)
        await stream.publish_now(self._redis, placed, self._clock())
        self._said_sequence = newest.sequence

    async def _send_batch(self) -> bool:
        """Send the next observations in order; True if there may be more."""
        batch = await self._outbox.read_after(self._sent_sequence, BATCH_OBSERVATIONS)
        if not batch:
            return False
        await stream.publish_history(self._redis, batch)
        self._sent_sequence = batch[-1].sequence
        return len(batch) == BATCH_OBSERVATIONS

    async def _ask_recorded(self) -> None:
        """Learn what PostgreSQL holds; fill the hole if the recorder found one."""
        now_ms = self._clock()
        if 0 <= now_ms - self._asked_at_ms < ASK_RECORDED_MS:
            return
        self._asked_at_ms = now_ms
        recorded = await stream.read_acknowledged(self._redis, self._lot_id)
        if recorded is None or recorded.epoch != self._outbox.epoch:
            return
        await self._outbox.note_recorded(recorded.sequence, now_ms)
        if recorded.send_again:
            log.warning("the stream has a hole and is sent again", behind=recorded.sequence)
            await stream.begin_again(self._redis, self._lot_id)
            self._sent_sequence = recorded.sequence
        self._sent_sequence = max(self._sent_sequence, recorded.sequence)

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(ASK_RECORDED_MS / 1_000):
                await self._news.wait()
        except TimeoutError:
            return
