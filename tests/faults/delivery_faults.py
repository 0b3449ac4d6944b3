"""Faults of delivery: the same observations again, and later ones before earlier ones."""

import asyncio
import signal
from typing import Any

import msgspec

from gateway import stream
from gateway.history_rows import decode_rows
from gateway.process import now_ms
from tests.faults.stage import Stage
from tests.faults.watch import Watch

GATHER_SECONDS = 2.5


async def again_and_reordered(stage: Stage, _: Watch) -> int:
    """While everybody who writes or reads stands still, the streams are dealt anew."""
    for recorder in stage.recorders():
        recorder.send(signal.SIGSTOP)
    await asyncio.sleep(GATHER_SECONDS)
    for gateway in stage.gateways():
        gateway.send(signal.SIGSTOP)
    for lot_id in stage.lots:
        await _deal_observations(stage, stream.observations_key(lot_id))
        await _deal_now(stage, stream.now_key(lot_id))
    for part in (*stage.gateways(), *stage.recorders()):
        part.send(signal.SIGCONT)
    return now_ms()


async def _deal_observations(stage: Stage, key: str) -> None:
    """Each entry gets the rows of another one, and some of them a second one's, too."""
    entries: Any = await stage.redis.xrange(key)
    batches = [decode_rows(fields[b"r"]) for _, fields in entries]
    stage.dice.shuffle(batches)
    await stage.redis.delete(key)
    for (entry_id, _), batch in zip(entries, batches, strict=True):
        twice = (*batch, *stage.dice.choice(batches)) if stage.dice.random() < 0.5 else batch
        await stage.redis.xadd(key, {"r": msgspec.msgpack.encode(twice)}, id=entry_id)


async def _deal_now(stage: Stage, key: str) -> None:
    entries: Any = await stage.redis.xrange(key)
    said = [fields for _, fields in entries]
    dealt = [*said[len(said) // 2 :], *said]  # the later half first, and then again in its place
    stage.dice.shuffle(dealt)
    await stage.redis.delete(key)
    for (entry_id, _), fields in zip(entries, dealt, strict=False):
        await stage.redis.xadd(key, fields, id=entry_id)
