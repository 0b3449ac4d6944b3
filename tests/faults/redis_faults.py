"""Faults of Redis: away for an hour, wiped, streams deleted, back with a part of its log."""

import asyncio
import shutil
import sys

from gateway import stream
from gateway.process import monotonic_seconds, now_ms
from occupancy import snapshot
from tests.faults.proxy import Mode
from tests.faults.stage import FASTEST, Stage
from tests.faults.watch import Watch
from tests.waiting import until

HOUR_SECONDS = 3_600
BACKLOG_SECONDS = 120.0


async def hour_away(stage: Stage, watch: Watch) -> int:
    """An hour of the town's time without Redis, then everything at once.

    The town runs at 120 times its speed for 30 s; meanwhile each outbox is fed as many rows as an
    hour at one a second brings, for gateways are asked in real time.
    """
    mode = stage.dice.choice((Mode.REFUSE, Mode.BLACK_HOLE))
    for link in stage.redis_links():
        link.become(mode)
    await stage.set_speed(FASTEST)
    over = monotonic_seconds() + HOUR_SECONDS / FASTEST
    for lot_id in stage.lots:
        await _feed(stage, lot_id)
    await asyncio.sleep(max(0, over - monotonic_seconds()))
    await stage.set_speed(stage.speed)
    for link in stage.redis_links():
        link.become(Mode.PASS)
    healed_at_ms = now_ms()
    fresh_seconds = await watch.until_fresh(healed_at_ms)
    watch.worst_age_ms = 0
    await _until_recorded(stage, healed_at_ms)
    stage.notes.setdefault("hour away: fresh again, s", []).append(fresh_seconds)
    stage.notes.setdefault("hour away: worst age while catching up, s", []).append(
        watch.worst_age_ms / 1_000
    )
    stage.notes.setdefault("hour away: backlog gone, s", []).append(
        (now_ms() - healed_at_ms) / 1_000
    )
    return now_ms()


async def _feed(stage: Stage, lot_id: str) -> None:
    gateway = stage.parts[f"gateway-{lot_id}"]
    await gateway.end()
    words = ("-m", "tests.faults.feed_outbox", str(stage.outbox(lot_id)), str(HOUR_SECONDS))
    feeding = await asyncio.create_subprocess_exec(*stage.outboxes.inside((sys.executable, *words)))
    assert await feeding.wait() == 0
    await gateway.start()


async def _until_recorded(stage: Stage, healed_at_ms: int) -> None:
    """Everything that was in the outboxes when Redis came back is in PostgreSQL."""
    newest = {lot_id: await _newest_said(stage, lot_id) for lot_id in stage.lots}

    async def is_recorded() -> bool:
        reached = await stage.watermarks()
        return bool(reached) and all(reached[lot] >= place for lot, place in newest.items())

    spent_seconds = (now_ms() - healed_at_ms) / 1_000
    await until(is_recorded, within_seconds=BACKLOG_SECONDS - spent_seconds)


async def _newest_said(stage: Stage, lot_id: str) -> tuple[int, int]:
    newest = await stream.read_top(stage.redis, stream.now_key(lot_id))
    assert newest is not None
    return newest


async def wiped(stage: Stage, _: Watch) -> int:
    """All keys at once, or the server with everything it had on disk."""
    if stage.dice.random() < 0.5:
        await stage.redis.flushall()
        return now_ms()
    redis = stage.parts["redis"]
    await redis.end()
    shutil.rmtree(stage.folder / "redis" / "appendonlydir")
    await redis.start()
    return now_ms()


async def streams_deleted(stage: Stage, _: Watch) -> int:
    """Some keys of some car parks."""
    for lot_id in stage.lots:
        keys = (
            stream.observations_key(lot_id),
            stream.now_key(lot_id),
            stream.recorded_key(lot_id),
            snapshot.picture_key(lot_id),
        )
        for key in keys:
            if stage.dice.random() < 0.5:
                await stage.redis.delete(key)
    return now_ms()


async def log_cut(stage: Stage, _: Watch) -> int:
    """The server dies, its log ends at any byte; it comes back, dies and comes back once more."""
    redis = stage.parts["redis"]
    await redis.end()
    logs = sorted((stage.folder / "redis" / "appendonlydir").glob("*.incr.aof"))
    with logs[-1].open("r+b") as log:
        log.truncate(stage.dice.randrange(logs[-1].stat().st_size + 1))
    await redis.start()
    await asyncio.sleep(stage.dice.uniform(0, 2))
    await redis.end()
    await redis.start()
    return now_ms()
