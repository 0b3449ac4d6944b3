"""Redis asked with little patience: a driver waits for the answer, and there is one without it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

T = TypeVar("T")
ANSWERS_WITHIN_SECONDS = 1.0
LEFT_ALONE_MS = 2_000

log = structlog.get_logger()


class AwayError(Exception):
    """Redis does not answer, or did not a moment ago."""


class Patience:
    """After one failure Redis is left alone for a moment: not every request waits for it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._away_until_ms = 0
        self._is_away = False

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to `question()`. Raises AwayError."""
        if self._clock() < self._away_until_ms:
            raise AwayError
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                answer = await question()
        except (RedisError, OSError, TimeoutError) as trouble:
            self._away_until_ms = self._clock() + LEFT_ALONE_MS
            if not self._is_away:
                log.warning("guidance goes on without Redis", reason=str(trouble))
            self._is_away = True
            raise AwayError from None
        if self._is_away:
            log.info("Redis answers again")
        self._is_away = False
        return answer
