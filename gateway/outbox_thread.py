"""The outbox on a thread of its own: an fsync must not hold up the polls."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.observation import Observation
from gateway.outbox import Memory, Outbox

T = TypeVar("T")


class OutboxThread:
    """The same words as Outbox, to await. One thread, so that transactions never interleave."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    @property
    def path(self) -> Path:
        return self._outbox.path

    @property
    def epoch(self) -> int:
        return self._outbox.epoch

    @property
    def sequence(self) -> int:
        return self._outbox.sequence

    @property
    def recorded(self) -> int:
        return self._outbox.recorded

    async def append(
        self,
        observation: Observation,
        memory: Memory,
        *,
        counts: bool,
        pushed: Sequence[tuple[str, int]] = (),
        heard: Sequence[tuple[str, int]] = (),
    ) -> Observation:
        return await self._do(
            lambda: self._outbox.append(
                observation, memory, counts=counts, pushed=pushed, heard=heard
            )
        )

    async def forget_heard(self, before_ms: int) -> None:
        await self._do(lambda: self._outbox.forget_heard(before_ms))

    async def forget_pushed(self, before_ms: int) -> list[str]:
        return await self._do(lambda: self._outbox.forget_pushed(before_ms))

    async def read_after(self, sequence: int, limit: int) -> tuple[Observation, ...]:
        return await self._do(lambda: self._outbox.read_after(sequence, limit))

    async def note_recorded(self, sequence: int) -> None:
        await self._do(lambda: self._outbox.note_recorded(sequence))

    async def note_published(self) -> None:
        await self._do(self._outbox.note_published)

    async def bear_again(self, now_ms: int, above: int) -> None:
        await self._do(lambda: self._outbox.bear_again(now_ms, above))

    async def leave_epoch(self, now_ms: int, above: int) -> None:
        await self._do(lambda: self._outbox.leave_epoch(now_ms, above))

    async def is_published(self) -> bool:
        return await self._do(lambda: self._outbox.is_published)

    async def is_nearly_full(self) -> bool:
        return await self._do(self._outbox.is_nearly_full)

    def close(self) -> None:
        self._thread.shutdown()
        self._outbox.close()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
