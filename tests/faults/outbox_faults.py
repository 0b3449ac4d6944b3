"""Faults of an outbox: its disk full and freed, its file torn; and clocks that are set."""

import asyncio

from gateway.process import now_ms
from tests.faults import stepped_clock
from tests.faults.proxy import Mode
from tests.faults.stage import Stage
from tests.faults.watch import Watch

FULL_SECONDS = (2.0, 5.0)
STEPPED_SECONDS = (2.0, 4.0)
LATE_SECONDS = 9.0
HOUR_MS = 3_600_000
WAL_HEADER_BYTES, FRAME_HEADER_BYTES, PAGE_BYTES = 32, 24, 4_096


async def disk_full(stage: Stage, _: Watch) -> int:
    """Not a byte is free for any gateway; one of them is killed meanwhile."""
    stage.outboxes.fill()
    await asyncio.sleep(stage.dice.uniform(*FULL_SECONDS))
    gateway = stage.dice.choice(stage.gateways())
    await gateway.end()
    await gateway.start()
    await asyncio.sleep(stage.dice.uniform(*FULL_SECONDS))
    stage.outboxes.free()
    return now_ms()


async def torn_page(stage: Stage, _: Watch) -> int:
    """A power cut: the last page of the log was being written, or had only been promised."""
    lot_id = stage.dice.choice(stage.lots)
    gateway = stage.parts[f"gateway-{lot_id}"]
    await gateway.end()
    log = stage.outboxes.seen(f"{lot_id}.sqlite-wal")
    frame_bytes = FRAME_HEADER_BYTES + PAGE_BYTES
    with log.open("r+b") as torn:
        pages = (log.stat().st_size - WAL_HEADER_BYTES) // frame_bytes
        if pages > 0:
            start = WAL_HEADER_BYTES + (pages - 1) * frame_bytes
            torn.seek(start)
            last = torn.read(frame_bytes)
            torn.seek(start if stage.dice.random() < 0.5 else start + frame_bytes)
            torn.write(last[: stage.dice.randrange(FRAME_HEADER_BYTES, frame_bytes)])
            torn.write(stage.dice.randbytes(64))
    healed_at_ms = now_ms()
    await gateway.start()
    return healed_at_ms


async def clock_steps(stage: Stage, _: Watch) -> int:
    """Every gateway's clock is set an hour forth, two back, and right again.

    Meanwhile the recorders hear late: a delay must not pass for an error of the clock.
    """
    for wrong_by_ms in (HOUR_MS, -HOUR_MS, 0):
        stepped_clock.step(stage.clock_file, wrong_by_ms)
        await asyncio.sleep(stage.dice.uniform(*STEPPED_SECONDS))
        stage.links["redis-recorders"].become(Mode.DELAY)
        await asyncio.sleep(LATE_SECONDS)
        stage.links["redis-recorders"].become(Mode.PASS)
    return now_ms()
