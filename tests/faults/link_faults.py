"""Faults of the network: loss, delay, half-open, resets in a command, replies that never come."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.process import now_ms
from tests.faults.proxy import Link, Mode
from tests.faults.stage import Stage
from tests.faults.watch import Watch

STEADY_SECONDS = {Mode.LOSS: 3.0, Mode.DELAY: 5.0, Mode.BLACK_HOLE: 6.5}
BURSTS = 5


def on_redis(mode: Mode) -> Callable[[Stage, Watch], Awaitable[int]]:
    async def fault(stage: Stage, _: Watch) -> int:
        return await _misbehave(stage, stage.redis_links(), mode)

    return fault


def on_postgres(mode: Mode) -> Callable[[Stage, Watch], Awaitable[int]]:
    async def fault(stage: Stage, _: Watch) -> int:
        return await _misbehave(stage, [stage.links["postgres"]], mode)

    return fault


async def _misbehave(stage: Stage, links: Sequence[Link], mode: Mode) -> int:
    try:
        if mode in STEADY_SECONDS:
            _become(links, mode)
            await asyncio.sleep(STEADY_SECONDS[mode])
        else:
            await _in_bursts(stage, links, mode)
    finally:
        _become(links, Mode.PASS)
    return now_ms()


async def _in_bursts(stage: Stage, links: Sequence[Link], mode: Mode) -> None:
    """Now and then, so that work is under way each time."""
    for _ in range(BURSTS):
        _become(links, mode)
        await asyncio.sleep(stage.dice.uniform(0.05, 0.3))
        _become(links, Mode.PASS)
        await asyncio.sleep(stage.dice.uniform(0.2, 0.7))


def _become(links: Sequence[Link], mode: Mode) -> None:
    for link in links:
        link.become(mode)
