"""Child processes that live and die with us: started together, restarted alone, ended together."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from gateway.process import monotonic_seconds

LOG_BYTES_KEPT = 10_000_000
RESTART_SECONDS = (0.2, 1.0, 5.0, 15.0)
SETTLED_SECONDS = 60.0
STOP_SECONDS = 20.0

log = structlog.get_logger()


REFUSED = 2  # the exit code of a process that was given something it cannot use


class ChildRefusedError(Exception):
    """A part cannot run with what it was given; starting it again would not help."""


@dataclass(frozen=True)
class Child:
    """One process and how to end it; its output goes to `log_folder/NAME.log`."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log_folder: Path
    stop_signal: signal.Signals = signal.SIGTERM

    async def start(self) -> asyncio.subprocess.Process:
        with ExitStack() as stack:
            output = stack.enter_context(self._open_log())
            return await asyncio.create_subprocess_exec(
                *self.command,
                env=dict(self.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C on the terminal reaches only us; we end the children in order.
                start_new_session=True,
            )

    def last_words(self) -> str:
        """The last line it wrote."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else f"exit code {REFUSED}"

    @property
    def log_path(self) -> Path:
        return self.log_folder / f"{self.name}.log"

    def _open_log(self) -> BinaryIO:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_KEPT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return self.log_path.open("ab")


async def keep_running(child: Child, stopping: asyncio.Event) -> None:
    """Run one child until `stopping`, starting it again whenever it dies by itself.

    Raises ChildRefusedError when it says that it cannot use what it was given.
    """
    deaths = 0
    while not stopping.is_set():
        started_at = monotonic_seconds()
        process = await child.start()
        try:
            if await _ended_before(process, stopping):
                if process.returncode == REFUSED:
                    raise ChildRefusedError(f"{child.name}: {child.last_words()}")
                if monotonic_seconds() - started_at > SETTLED_SECONDS:
                    deaths = 0
                pause_seconds = RESTART_SECONDS[min(deaths, len(RESTART_SECONDS) - 1)]
                deaths += 1
                log.warning(
                    "a part died and is started again",
                    part=child.name,
                    exit_code=process.returncode,
                    log=str(child.log_path),
                    pause_seconds=pause_seconds,
                )
                await _pause(pause_seconds, stopping)
        finally:
            await end(process, child.stop_signal)


async def end(process: asyncio.subprocess.Process, stop_signal: signal.Signals) -> None:
    """Ask a process to stop; after `STOP_SECONDS` end it."""
    if process.returncode is not None:
        return
    process.send_signal(stop_signal)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _ended_before(process: asyncio.subprocess.Process, stopping: asyncio.Event) -> bool:
    """True when the process ended first, False when we are stopping."""
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(process.wait(), name="child ended")
        stop = group.create_task(stopping.wait(), name="stopping")
        await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
        by_itself = ended.done()
        ended.cancel()
        stop.cancel()
    return by_itself


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
