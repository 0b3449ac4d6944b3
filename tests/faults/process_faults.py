"""Faults of our own processes: killed, stopped for a while, two that believe the same."""

import asyncio
import contextlib
import signal

from gateway.process import monotonic_seconds, now_ms
from tests.faults.part import Part
from tests.faults.stage import Stage
from tests.faults.watch import Watch
from tests.waiting import until

KINDS = ("gateway", "recorder", "redis", "postgres", "web")
STOPPED_SECONDS = 30.0
TAKEN_OVER = "recorder stopped: the other goes on after, s"
BOTH_BELIEVE_SECONDS = 4.0


async def kill(stage: Stage, _: Watch) -> int:
    """`kill -9` of any part but the field, and up again after a moment; each kind as often."""
    part = _pick(stage)
    await part.end(signal.SIGKILL)
    await asyncio.sleep(stage.dice.uniform(0, 1))
    healed_at_ms = now_ms()
    await part.start()
    return healed_at_ms


def _pick(stage: Stage) -> Part:
    fewest = min(stage.kills[kind] for kind in KINDS)
    kind = stage.dice.choice([kind for kind in KINDS if stage.kills[kind] == fewest])
    stage.kills[kind] += 1
    stage.struck = kind
    names = [name for name in sorted(stage.parts) if name.startswith(kind)]
    return stage.parts[stage.dice.choice(names)]


async def recorder_stopped(stage: Stage, _: Watch) -> int:
    """One recorder sleeps for longer than its lease, and goes on as if nothing had been."""
    recorder = stage.dice.choice(stage.recorders())
    recorder.send(signal.SIGSTOP)
    over = monotonic_seconds() + STOPPED_SECONDS
    taken_over_seconds = await _until_taken_over(stage)
    stage.notes.setdefault(TAKEN_OVER, []).append(taken_over_seconds)
    await asyncio.sleep(max(0, over - monotonic_seconds()))
    recorder.send(signal.SIGCONT)
    return now_ms()


async def _until_taken_over(stage: Stage) -> float:
    """Seconds until every car park is recorded on, at most as long as the recorder sleeps."""
    begun, before = monotonic_seconds(), await stage.watermarks()

    async def goes_on() -> bool:
        reached = await stage.watermarks()
        return bool(reached) and all(reached[lot] > before.get(lot, (0, 0)) for lot in stage.lots)

    with contextlib.suppress(TimeoutError):
        await until(goes_on, within_seconds=STOPPED_SECONDS)
    return monotonic_seconds() - begun


async def two_recorders_believe(stage: Stage, _: Watch) -> int:
    """Every lease ends all the time, so both recorders take every car park."""
    until_seconds = monotonic_seconds() + BOTH_BELIEVE_SECONDS
    while monotonic_seconds() < until_seconds:
        await stage.fetch("UPDATE lease SET until = now() - interval '1 second'")
        await asyncio.sleep(0.05)
    return now_ms()
