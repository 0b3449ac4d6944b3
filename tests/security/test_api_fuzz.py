"""Whatever is asked of the documented API, the service does not fail over it."""

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.web.floors import Ground
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing.config import GuidanceSettings
from routing.floor import guidance_floor
from tests.browser.stage import SIGNS
from tests.occupancy.web.faces import Clock, served
from tests.security.api_fuzz import fuzz

EXAMPLES = 2  # an operation and way; `python -m tests.security.api_fuzz` asks for more


@pytest.mark.timeout(300)
async def test_no_documented_request_brings_a_5xx(connections: asyncpg.Pool, redis: Redis) -> None:
    clock = Clock()

    def above(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
        ground = Ground(showcase, shelf, connections, redis, clock)
        return list(guidance_floor(GuidanceSettings(), "https://zhibo.example/")(ground).routes)

    async with served(None, SIGNS, connections, above, redis) as service:
        for lot_id in service.lots:
            service.show(lot_id, 1)
        found = await asyncio.to_thread(fuzz, service.url(""), EXAMPLES)
    assert found == []
