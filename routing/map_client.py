"""Asks a map service over HTTP: quickly or not at all, within its quota, not while it is ill."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import aiohttp
import structlog

from routing.map_services import Asked, BadAnswerError

T = TypeVar("T")
ANSWERS_WITHIN_SECONDS = 1.5
ILL_AFTER_FAILURES = 3
LEFT_ALONE_MS = 30_000
MOST_BYTES = 1 << 20
_DAY_MS = 86_400_000
_OK = 200

log = structlog.get_logger()


class NoAnswerError(Exception):
    """The service did not answer in time, is left alone, or its quota is spent."""


class MapClient:
    """One service's address, key and health. `clock` is UTC milliseconds."""

    def __init__(self, address: str, calls_a_day: int, clock: Callable[[], int]) -> None:
        self._address = address.rstrip("/")
        self._calls_a_day = calls_a_day
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._ill_until_ms = 0
        self._day = 0
        self._is_spent = False
        self.calls_today = 0

    async def ask(self, requests: Sequence[Asked], read: Callable[[list[Any]], T]) -> T:
        """What `read` makes of the answers in order, all asked at once; one failure ends them.

        Raises NoAnswerError, and BadAnswerError for what is not what was asked: both are failures.
        """
        try:
            value = read(await self._all(requests))
        except BadAnswerError:
            self._note_failure()
            raise
        self._failures = 0
        return value

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _all(self, requests: Sequence[Asked]) -> list[Any]:
        if len(requests) == 1:
            return [await self._ask(requests[0])]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(asked)) for asked in requests]
        except ExceptionGroup as trouble:
            failed, others = trouble.split(NoAnswerError)
            if failed is None or others is not None:
                raise
            raise NoAnswerError(str(failed.exceptions[0])) from None
        return [task.result() for task in tasks]

    async def _ask(self, asked: Asked) -> Any:  # noqa: ANN401
        self._spend_call()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                return await self._get(asked)
        except (aiohttp.ClientError, OSError, TimeoutError) as trouble:
            self._note_failure()
            is_ours = isinstance(trouble, aiohttp.ClientPayloadError)  # others may tell the key
            raise NoAnswerError(str(trouble) if is_ours else type(trouble).__name__) from None

    def _spend_call(self) -> None:
        now_ms = self._clock()
        if now_ms < self._ill_until_ms:
            raise NoAnswerError("left alone after failures")
        if now_ms // _DAY_MS != self._day:
            self._day, self.calls_today, self._is_spent = now_ms // _DAY_MS, 0, False
        if self.calls_today >= self._calls_a_day:
            if not self._is_spent:
                log.warning("the day's calls of a map service are spent", address=self._address)
            self._is_spent = True
            raise NoAnswerError("the day's quota is spent")
        self.calls_today += 1

    async def _get(self, asked: Asked) -> Any:  # noqa: ANN401
        session = self._open()
        method = "GET" if asked.body is None else "POST"
        url = self._address + asked.path
        async with session.request(method, url, params=asked.query, json=asked.body) as answer:
            raw = await answer.content.read(MOST_BYTES)
            if answer.status != _OK:
                raise aiohttp.ClientPayloadError(f"status {answer.status}")
        try:
            return json.loads(raw)
        except ValueError:
            raise aiohttp.ClientPayloadError("not JSON") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    def _note_failure(self) -> None:
        self._failures += 1
        if self._failures >= ILL_AFTER_FAILURES:
            self._failures = 0
            self._ill_until_ms = self._clock() + LEFT_ALONE_MS
            log.warning("a map service does not answer and is left alone", address=self._address)
