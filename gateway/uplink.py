"""Brings the outbox to Redis: the newest first, then everything in order, each thing once."""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway import stream
from gateway.observation import Observation
from gateway.outbox import OutboxFullError
from gateway.outbox_thread import OutboxThread
from gateway.process import is_cancelled
from gateway.server_clock import ServerClock

BATCH_OBSERVATIONS = 300
ASK_SECONDS = 1.0
FILL_AGAIN_SECONDS = 5.0
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
_LOST = (RedisError, OSError, TimeoutError)

log = structlog.get_logger()


class DisplacedError(Exception):
    """Another gateway speaks for this car park, under a younger epoch."""


class Uplink:
    """One gateway's way to Redis. `clock` is UTC milliseconds, `monotonic` runs in seconds."""

    def __init__(
        self,
        outbox: OutboxThread,
        newest: Observation | None,
        redis: Redis,
        lot_id: str,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._redis = redis
        self._lot_id = lot_id
        self._clock = clock
        self._monotonic = monotonic
        self._newest = newest
        self._told_at = (clock(), monotonic())
        self._said_sequence = 0
        self._sent_sequence = 0
        self._asked_at: float | None = None
        self._server_clock: ServerClock | None = None
        self._filled: tuple[stream.Acknowledgement | None, float] = (None, 0.0)
        self._news = asyncio.Event()
        self.trouble = ""
        self.asked = 0
        self._failures = 0

    def tell(self, observation: Observation) -> None:
        """There is a newer observation in the outbox."""
        self._newest = observation
        self._told_at = (self._clock(), self._monotonic())
        self._news.set()

    @property
    def is_connected(self) -> bool:
        return self._asked_at is not None

    @property
    def backlog(self) -> int:
        """Observations not yet sent."""
        return self._outbox.sequence - self._sent_sequence

    async def run(self) -> None:
        """Publish until cancelled; a lost server is tried again, fast first."""
        while not is_cancelled():
            try:
                await self._session()
            except DisplacedError as trouble:
                self._say_once(trouble)
                await self._say_displaced()
            except _LOST as trouble:
                self._say_once(trouble)
            self._asked_at = None
            pause_seconds = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
            self._failures += 1
            await asyncio.sleep(pause_seconds)

    async def _say_displaced(self) -> None:
        """Two gateways for one car park are a mistake that somebody must see."""
        with contextlib.suppress(*_LOST):
            epoch, number = self._outbox.epoch, int(self._monotonic() * 1_000)
            await stream.say_displaced(self._redis, self._lot_id, epoch, number)

    async def _session(self) -> None:
        self._said_sequence = 0
        while not is_cancelled():
            self._news.clear()
            await self._ask_server()
            await self._say_newest()
            more = await self._send_batch()
            self._say_well()
            if not more:
                await self._wait_for_news()

    async def _ask_server(self) -> None:
        """Learn once a second what the server holds: it may have lost some, or all.

        The client may have reconnected unseen, so a broken connection is not the only sign.
        """
        now = self._monotonic()
        if self._asked_at is not None and now - self._asked_at < ASK_SECONDS:
            return
        server_ms = await stream.read_clock(self._redis)
        self._server_clock = ServerClock(server_ms, self._monotonic())
        held = await stream.read_held(self._redis, self._lot_id)
        await self._hold_our_epoch(held)
        hole = await self._take_recorded(held.recorded)
        top = held.top_of(self._outbox.epoch)
        if hole is not None and self._is_to_fill(hole, now):
            log.warning("the stream has a hole and is sent again", behind=hole.sequence)
            await stream.begin_again(self._redis, self._lot_id)
            self._sent_sequence = hole.sequence
        elif self._asked_at is None or top < self._sent_sequence:
            self._sent_sequence = max(top, self._outbox.recorded)
        self._said_sequence = min(self._said_sequence, held.now_of(self._outbox.epoch))
        self._asked_at = now
        self.asked += 1

    async def _take_recorded(
        self, recorded: stream.Acknowledgement | None
    ) -> stream.Acknowledgement | None:
        """Note what PostgreSQL holds; the answer again if a hole follows it."""
        if recorded is None or recorded.epoch != self._outbox.epoch:
            return None
        await self._outbox.note_recorded(recorded.sequence)
        return recorded if recorded.send_again else None

    def _is_to_fill(self, hole: stream.Acknowledgement, now: float) -> bool:
        """The mark stands until the recorder has seen the filling: not each look is a new hole."""
        known, filled_at = self._filled
        if hole == known and now - filled_at < FILL_AGAIN_SECONDS:
            return False
        self._filled = (hole, now)
        return True

    async def _hold_our_epoch(self, held: stream.Held) -> None:
        """One epoch speaks for a car park. Raises DisplacedError when it is not ours."""
        if held.newest_epoch > self._outbox.epoch:
            if await self._outbox.is_published():
                raise DisplacedError(
                    f"another gateway speaks for {self._lot_id}: stop one of the two; if it shall "
                    f"be this one that goes on, move {self._outbox.path} away and start it again"
                )
            await self._outbox.bear_again(self._clock(), above=held.newest_epoch)
        elif held.newest_of(self._outbox.epoch) > self._outbox.sequence:
            log.warning("this outbox is an old copy: a new epoch begins", lot=self._lot_id)
            await self._outbox.leave_epoch(self._clock(), above=held.newest_epoch)

    async def _say_newest(self) -> None:
        newest = self._newest
        if newest is None or newest.sequence <= self._said_sequence:
            return
        if self._said_sequence == 0:
            await self._outbox.note_published()
        # The epoch may be younger than the observation: see Outbox.bear_again.
        placed = msgspec.structs.replace(newest, epoch=self._outbox.epoch)
        told_at_ms, told_at = self._told_at
        known = self._server_clock
        server_ms = None if known is None else known.at(told_at)
        await stream.publish_now(self._redis, stream.NowEntry(placed, told_at_ms, server_ms))
        self._said_sequence = newest.sequence

    async def _send_batch(self) -> bool:
        """Send the next observations in order; True if there may be more."""
        batch = await self._outbox.read_after(self._sent_sequence, BATCH_OBSERVATIONS)
        if not batch:
            return False
        await stream.publish_history(self._redis, batch)
        self._sent_sequence = batch[-1].sequence
        return len(batch) == BATCH_OBSERVATIONS

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return

    def _say_once(self, trouble: Exception) -> None:
        """One line for each kind of trouble, until it is over."""
        kind = kind_of(trouble)
        if kind != self.trouble:
            log.warning(kind, lot=self._lot_id, reason=str(trouble))
        self.trouble = kind

    def _say_well(self) -> None:
        if self.trouble:
            log.info("Redis takes observations again", lot=self._lot_id, backlog=self.backlog)
        self.trouble = ""
        self._failures = 0


def kind_of(trouble: Exception) -> str:
    """A server that answers no is not a server that is away: another cure."""
    if isinstance(trouble, DisplacedError):
        return "another gateway speaks for this car park"
    if isinstance(trouble, OutboxFullError):
        return "the outbox takes no more"
    if isinstance(trouble, ResponseError):
        return "Redis refuses writes"
    return "Redis is away"
