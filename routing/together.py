"""Requests that come within a few milliseconds of each other are decided together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class LeaderLeftError(Exception):
    """Whoever gathered this round went away before it was decided."""


class Together(Generic[Q, A]):
    """The first that asks gathers the others for `window_seconds` and decides for all of them."""

    def __init__(
        self, decide: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], window_seconds: float
    ) -> None:
        self._decide = decide
        self._window_seconds = window_seconds
        self._open: list[tuple[Q, asyncio.Future[A]]] | None = None

    async def ask(self, question: Q) -> A:
        while self._open is not None:
            answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
            self._open.append((question, answer))
            try:
                return await answer
            except LeaderLeftError:
                continue
        return await self._lead(question)

    async def _lead(self, question: Q) -> A:
        followers: list[tuple[Q, asyncio.Future[A]]] = []
        self._open = followers
        try:
            try:
                await asyncio.sleep(self._window_seconds)
            finally:
                self._open = None
            questions = [question, *(asked for asked, _ in followers)]
            own, *answers = await self._decide(questions)
            for (_, waiting), answer in zip(followers, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)
            return own
        finally:
            for _, waiting in followers:
                if not waiting.done():
                    waiting.set_exception(LeaderLeftError())
