"""How late this machine wakes a process that does nothing else, beside a benchmark on lateness."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop

STEP_SECONDS = 0.005


@contextmanager
def running() -> Iterator["BareTimer"]:
    """A child process that sleeps and wakes until it is asked."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_timer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        yield BareTimer(child)


class BareTimer:
    """The child, from outside."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child

    def late_p99_ms(self) -> float:
        """End it and take its figure."""
        answer, _ = self._child.communicate()
        return float(answer)


async def _sleep_and_wake(late_ms: list[float]) -> None:
    while True:
        due = time.monotonic() + STEP_SECONDS
        await asyncio.sleep(STEP_SECONDS)
        late_ms.append((time.monotonic() - due) * 1_000)


async def _until_stdin_ends() -> list[float]:
    late_ms: list[float] = []
    async with asyncio.TaskGroup() as group:
        sleeper = group.create_task(_sleep_and_wake(late_ms), name="sleeper")
        await asyncio.to_thread(sys.stdin.read)
        sleeper.cancel()
    return late_ms


if __name__ == "__main__":
    print(statistics.quantiles(uvloop.run(_until_stdin_ends()), n=100)[98])
