"""The edge of every process: the clock, signals, logging, and the parent's death."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TextIO, cast

import structlog
import uvloop

from gateway.address import hide_passwords

HAND_OVER = signal.SIGUSR1  # stop, and a successor comes at once
_PR_SET_PDEATHSIG = 1


def now_ms() -> int:
    """The wall clock in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def monotonic_seconds() -> float:
    """A clock that only runs forward, for durations."""
    return time.monotonic()


class _Patient:
    """Writes to a descriptor and loses what it cannot: a full disk under a log must not end us.

    Nothing is kept in a buffer, which could not be emptied at the end either.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode(errors="backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """There is never anything left to write."""


def configure_logging(process_name: str, level: str = "info") -> None:
    """One JSON object a line on stderr when it is piped, coloured words on a terminal."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _without_passwords,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Patient(sys.stderr.fileno()))),
    )
    structlog.contextvars.bind_contextvars(process=process_name)


def _without_passwords(
    _: object, __: str, said: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whatever is logged, tracebacks of others too: no address in it shows its password."""
    return {
        name: hide_passwords(value) if isinstance(value, str) else value
        for name, value in said.items()
    }


def die_with_parent(signal_number: signal.Signals = signal.SIGTERM) -> None:
    """Ask Linux to send us `signal_number` when the parent dies; elsewhere do nothing."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal_number))
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal_number)


# The collector looks for cycles after so many new objects, and after so many looks at the elder
# ones. Hundreds of car parks make Python's 700 a look each few milliseconds, for next to nothing:
# what we make anew is data, which has no cycles.
COLLECT_AFTER = (20_000, 20, 20)


def is_cancelled() -> bool:
    """Whether the current task was asked to end.

    Before Python 3.12 `asyncio.wait_for`, which asyncpg, redis and pymodbus use, may swallow a
    cancellation that comes together with the answer; the task's own count remembers it. A loop
    that runs for ever asks here once a turn.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def run(
    main: Callable[[asyncio.Event], Awaitable[None]], handed_over: asyncio.Event | None = None
) -> None:
    """Run `main(stopping)` on uvloop; SIGINT and SIGTERM set `stopping`, and main returns.

    Who gives `handed_over` has it set before `stopping` when the signal was HAND_OVER.
    """
    gc.set_threshold(*COLLECT_AFTER)

    async def with_signals() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        if handed_over is not None:
            loop.add_signal_handler(HAND_OVER, _set_all, handed_over, stopping)
        await main(stopping)

    uvloop.run(with_signals())


def _set_all(*events: asyncio.Event) -> None:
    for event in events:
        event.set()
