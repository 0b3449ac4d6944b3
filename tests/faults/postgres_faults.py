"""Faults of PostgreSQL: down, shut down at once, its disk full."""

import asyncio
import signal

from gateway.process import now_ms
from tests.faults.stage import Stage
from tests.faults.watch import Watch

AWAY_SECONDS = (2.0, 5.0)


async def down(stage: Stage, watch: Watch) -> int:
    return await _away(stage, watch, signal.SIGKILL)


async def shut_down_at_once(stage: Stage, watch: Watch) -> int:
    """`pg_ctl stop -m immediate`: no checkpoint, it recovers at the next start."""
    return await _away(stage, watch, signal.SIGQUIT)


async def _away(stage: Stage, watch: Watch, number: signal.Signals) -> int:
    postgres = stage.parts["postgres"]
    await postgres.end(number)
    await _live_without_history(stage, watch)
    await postgres.start()
    return now_ms()


async def disk_full(stage: Stage, watch: Watch) -> int:
    """Not a byte is free for a while. It may die of that; then it is started again."""
    stage.postgres_disk.fill()
    await _live_without_history(stage, watch)
    stage.postgres_disk.free()
    return now_ms()


async def _live_without_history(stage: Stage, watch: Watch) -> None:
    """The live picture must not feel it: its worst age is noted."""
    watch.worst_age_ms = 0
    await asyncio.sleep(stage.dice.uniform(*AWAY_SECONDS))
    stage.notes.setdefault("age of the live picture without PostgreSQL, s", []).append(
        watch.worst_age_ms / 1_000
    )
