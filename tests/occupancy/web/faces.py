"""The real application in memory: PostgreSQL is away, pictures and time are given by the test."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web
from redis.asyncio import Redis

from occupancy import database
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot
from occupancy.sign_faces import TownSign
from occupancy.web.rate_limit import RateLimits
from occupancy.web.routes import Route
from occupancy.web.server import ALONE, Behind, Face, make_face
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from tests.builders import MORNING_MS, a_lot, an_observation

AWAY = "postgresql://nobody@/nothing?host=/nowhere"
SIGN = TownSign("junction-north", "kangle", ("kangle", "sanda"))


Above = Callable[[Showcase, TariffShelf], list[Route]]


def no_floor(_: Showcase, __: TariffShelf) -> list[Route]:
    return []


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = MORNING_MS

    def __call__(self) -> int:
        return self.now_ms


def two_lots() -> list[Lot]:
    return [a_lot(), a_lot(lot_id="sanda", name="三达路立体停车场", short_name="三达路")]


def a_picture(
    lot: Lot,
    sequence: int = 1,
    *,
    at_ms: int = MORNING_MS,
    before: LiveOccupancy | None = None,
    **news: Any,  # noqa: ANN401
) -> LiveOccupancy:
    """What the recorder would make of an observation of this lot."""
    seen = an_observation(sequence, lot_id=lot.lot_id, observed_at_ms=at_ms, **news)
    return fold(before, lot, Received(seen, at_ms, at_ms))


@dataclass(frozen=True)
class Served:
    """A running application on a port of its own."""

    face: Face
    clock: Clock
    port: int
    http: aiohttp.ClientSession
    runner: web.AppRunner

    @property
    def lots(self) -> dict[str, Lot]:
        return self.face.showcase.lots

    def show(self, lot_id: str, sequence: int, **news: Any) -> None:  # noqa: ANN401
        """Let a lot say something, now."""
        picture = a_picture(self.lots[lot_id], sequence, at_ms=self.clock.now_ms, **news)
        self.face.showcase.take_in([picture])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def get(self, path: str, status: int = 200, **headers: str) -> Any:  # noqa: ANN401
        """The JSON at `path`, which must answer with `status`."""
        async with self.http.get(self.url(path), headers=headers) as answer:
            assert answer.status == status, (path, answer.status, await answer.text())
            return await answer.json(content_type=None)


@asynccontextmanager
async def served(
    lots: Iterable[Lot] | None = None,
    signs: Iterable[TownSign] = (),
    connections: asyncpg.Pool | None = None,
    above: Above = no_floor,
    redis: Redis | None = None,
    proxies: str = "",
    reads: int = 1_000_000,
    beside: Behind = ALONE,
) -> AsyncIterator[Served]:
    clock = Clock()
    facts = {lot.lot_id: lot for lot in (two_lots() if lots is None else lots)}
    async with database.pool(AWAY) as away, aiohttp.ClientSession() as http:
        limits = RateLimits(clock, reads, reads)
        behind = replace(beside, redis=redis, limits=limits, proxies=proxies)
        face = make_face(facts, tuple(signs), connections or away, clock, above, behind)
        runner = web.AppRunner(face.app, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield Served(face, clock, runner.addresses[0][1], http, runner)
        finally:
            await runner.cleanup()
