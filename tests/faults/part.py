"""One process of the stage: started, killed and stopped by its pid, never by its name."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.children import Child

START_SECONDS = 60.0


@dataclass
class Part:
    """`process` is None while it is meant to be down; `deaths` are ends that nobody asked for."""

    child: Child
    answers: Callable[[], Awaitable[bool]] | None = None
    process: asyncio.subprocess.Process | None = None
    deaths: list[str] = field(default_factory=list)
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        return self.child.name

    async def start(self) -> None:
        """Start it, if it does not run, and wait until it answers."""
        async with self._changing:
            if self.process is None:
                self.process = await self._started()

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it with this signal, and wait until it is gone."""
        async with self._changing:
            if self.process is not None:
                process, self.process = self.process, None
                await _end(process, number)

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.is_running:
            _send(self.process, number)

    async def mourn(self) -> None:
        """Note an end that nobody asked for, and start again as any supervisor would."""
        async with self._changing:
            if self.process is None or self.is_running:
                return
            self.deaths.append(f"{self.process.returncode}: {self.last_words()}")
            self.process = await self._started()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def last_words(self) -> str:
        lines = self.child.log_path.read_text(errors="replace").splitlines()
        return f"{self.name}: {' / '.join(lines[-3:])}"

    async def _started(self) -> asyncio.subprocess.Process:
        """Once more if it ends before it answers: a killed server may be in its own way."""
        process = await self.child.start()
        try:
            async with asyncio.timeout(START_SECONDS):
                while self.answers is not None and not await self.answers():
                    if process.returncode is not None:
                        process = await self.child.start()
                    await asyncio.sleep(0.05)
        except BaseException:
            await _end(process, signal.SIGKILL)
            raise
        return process


async def _end(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        _send(process, number)
        _send(process, signal.SIGCONT)  # a stopped one would never hear of it
    async with asyncio.timeout(START_SECONDS):
        await process.wait()


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Past Popen, which would reap a dead one before asyncio does."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
