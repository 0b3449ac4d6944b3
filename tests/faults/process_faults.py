"""Faults of our own processes: killed, stopped for a while, two that believe the same."""

import asyncio
import signal

from gateway.process import monotonic_seconds, now_ms
from tests.faults.stage import Stage
from tests.faults.watch import Watch

STOPPED_SECONDS = 30.0
BOTH_BELIEVE_SECONDS = 4.0


async def kill(stage: Stage, _: Watch) -> int:
    """`kill -9` of any part but the field, and up again after a moment."""
    killed = stage.dice.choice([name for name in sorted(stage.parts) if name != "sim"])
    part = stage.parts[killed]
    await part.end(signal.SIGKILL)
    await asyncio.sleep(stage.dice.uniform(0, 1))
    healed_at_ms = now_ms()
    await part.start()
    return healed_at_ms


async def recorder_stopped(stage: Stage, _: Watch) -> int:
    """One recorder sleeps for longer than its lease, and goes on as if nothing had been."""
    recorder = stage.dice.choice(stage.recorders())
    recorder.send(signal.SIGSTOP)
    await asyncio.sleep(STOPPED_SECONDS)
    recorder.send(signal.SIGCONT)
    return now_ms()


async def two_recorders_believe(stage: Stage, _: Watch) -> int:
    """Every lease ends all the time, so both recorders take every car park."""
    until_seconds = monotonic_seconds() + BOTH_BELIEVE_SECONDS
    while monotonic_seconds() < until_seconds:
        await stage.fetch("UPDATE lease SET until = now() - interval '1 second'")
        await asyncio.sleep(0.05)
    return now_ms()
