"""One message, one computation, one answer: however often and wherever WeChat asks for it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis

from routing.patience import AwayError, Patience
from wechat import reply_store
from wechat.reply_xml import NOTHING

ANSWER_SECONDS = 4.3  # WeChat hangs up after 5
MOST_AT_ONCE = 2_000
TURN_MS = 900  # Redis is asked for less than the patience with it
Compute = Callable[[], Awaitable[bytes]]
Deliver = Callable[[bytes], Awaitable[None]]

log = structlog.get_logger()


class _Asked:
    """One message while it is answered, and for a minute after."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.settling = asyncio.Lock()
        self.held: bytes | None = None  # once settled


class Once:
    """`run` must be running: it owns the computations, which may outlive their requests."""

    def __init__(
        self, redis: Redis, clock: Callable[[], int], answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._patience = Patience(clock)
        self._asked: dict[str, _Asked] = {}
        self._group: asyncio.TaskGroup | None = None
        self._running = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    async def answer(self, message: str, compute: Compute, deliver: Deliver) -> bytes:
        """The answer within the time WeChat waits; what comes later goes to `deliver`."""
        self._forget()
        asked = self._asked.get(message)
        if asked is None:
            if self._group is None or self._running >= MOST_AT_ONCE:
                log.error("too many messages at once, or not started", running=self._running)
                return NOTHING
            asked = self._asked[message] = _Asked(self._clock())
            self._running += 1
            work = self._work(message, asked, compute, deliver)
            self._group.create_task(work, name="answer a message")
        if asked.held is not None:
            return asked.held
        done, _ = await asyncio.wait({asked.answer}, timeout=self._answer_seconds)
        if done:
            return asked.answer.result()
        return await self._settle(message, asked, NOTHING)

    async def _work(self, message: str, asked: _Asked, compute: Compute, deliver: Deliver) -> None:
        try:
            answer = await self._elsewhere(message) or await self._computed(compute)
            held = await self._settle(message, asked, answer)
            if not asked.answer.done():
                asked.answer.set_result(held)
            if held == NOTHING != answer:
                await deliver(answer)
        finally:
            self._running -= 1
            if not asked.answer.done():
                asked.answer.set_result(NOTHING)

    async def _elsewhere(self, message: str) -> bytes | None:
        """What another process answers; None when it is ours to compute."""
        redis, waits = self._redis, round(self._answer_seconds * 1_000 / TURN_MS) + 1
        try:
            if await self._patience.ask(lambda: reply_store.claim(redis, message)):
                return None
            for _ in range(waits):
                found = await self._patience.ask(
                    lambda: reply_store.wait_for_answer(redis, message, TURN_MS)
                )
                if found is not None:
                    return found
        except AwayError:
            return None
        log.warning("another process claimed a message and stayed silent")
        return None

    async def _computed(self, compute: Compute) -> bytes:
        try:
            return await compute()
        except Exception:  # WeChat shows citizens an error at anything but an answer
            log.exception("a message could not be answered")
            return NOTHING

    async def _settle(self, message: str, asked: _Asked, answer: bytes) -> bytes:
        """The first answer given holds, here and in every process that Redis reaches."""
        redis = self._redis
        async with asked.settling:
            if asked.held is None:
                try:
                    asked.held = await self._patience.ask(
                        lambda: reply_store.settle(redis, message, answer)
                    )
                except AwayError:
                    asked.held = answer
            return asked.held

    def _forget(self) -> None:
        """Answers that Redis has forgotten too."""
        oldest_ms = self._clock() - reply_store.KEPT_MS
        while self._asked:
            message = next(iter(self._asked))
            if self._asked[message].at_ms > oldest_ms:
                return
            del self._asked[message]
