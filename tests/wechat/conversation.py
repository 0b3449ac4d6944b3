"""A whole account in memory: town, guidance, Redis, the account's server and WeChat's API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg
from aiohttp import web
from redis.asyncio import Redis

from occupancy import database
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.floors import Floor, Ground
from occupancy.web.routes import Route
from occupancy.web.server import Face, make_face
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing.config import GuidanceSettings
from routing.destination_shelf import DestinationShelf
from routing.floor import Guided
from routing.forecast import Forecasts
from routing.gathering import Forecaster
from routing.guided_trips import GuidedTrips
from routing.service import Guidance
from routing.ways import StraightLine
from tests.occupancy.web.faces import Clock
from tests.routing.town import AWAY, picture
from tests.wechat.account_server import CITIZEN, AccountServer, Heard, calling
from tests.wechat.stage import settings_with
from tests.wechat.stand_in import SECRET, StandIn, standing_in
from wechat.floor import account_floor
from wechat.once import ANSWER_SECONDS

URL = "https://zhibo.example"


@dataclass
class Account:
    """What a test holds in its hands."""

    server: AccountServer
    api: StandIn
    clock: Clock
    face: Face
    floor: Floor
    redis: Redis
    sequence: int = 0
    entered: dict[str, int] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def lots(self) -> dict[str, Lot]:
        return self.face.showcase.lots

    @property
    def now(self) -> AccountServer:
        """The account's server at the town's time."""
        return self.server.but(now_ms=self.clock.now_ms)

    def see(self, lot_id: str, free: int) -> None:
        self.sequence += 1
        self.entered[lot_id] = 0
        self.face.showcase.take_in([picture(self.lots[lot_id], free, self)])  # type: ignore[arg-type]

    async def say(self, content: str, by: str = CITIZEN) -> str:
        """What a citizen reads after he typed this."""
        return (await self.now.text(content, msg_id=next(self._numbers), by=by)).text

    async def send(self, kind: str, **fields: Any) -> Heard:  # noqa: ANN401
        return await self.now.message(kind, msg_id=next(self._numbers), **fields)

    async def happen(self, event: str, **fields: Any) -> Heard:  # noqa: ANN401
        self.clock.now_ms += 1_000
        return await self.now.event(event, **fields)


@asynccontextmanager
async def talking(
    redis: Redis,
    connections: asyncpg.Pool | None = None,
    forecasts: Forecaster | None = None,
    answer_seconds: float = ANSWER_SECONDS,
    **settings: str,
) -> AsyncIterator[Account]:
    """Five car parks with 60 free spaces each; the loops of the floor run."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(standing_in())
        pool = connections or await stack.enter_async_context(database.pool(AWAY))
        told = settings_with(SECRET=SECRET, API=api.address, **settings)
        floors: list[Floor] = []

        def above(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
            shelf.take(shipped_tariffs(), {})
            guidance = Guidance(
                showcase,
                shelf,
                redis,
                forecasts or Forecasts(showcase.lots.values()),
                StraightLine(),
                GuidanceSettings(),
            )
            guided = Guided(guidance, GuidedTrips(guidance, redis), DestinationShelf())
            ground = Ground(showcase, shelf, pool, redis, clock)
            floors.append(account_floor(told, URL, answer_seconds)(ground, guided))
            return list(floors[0].routes)

        face = make_face({lot.lot_id: lot for lot in load_shipped()}, (), pool, clock, above)
        runner = web.AppRunner(face.app, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/wechat"
        server = await stack.enter_async_context(calling(address))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(loop(), name=name) for name, loop in floors[0].loops.items()]
        account = Account(server, api, clock, face, floors[0], redis)
        for lot_id in account.lots:
            account.see(lot_id, 60)
        yield account
        for task in tasks:
            task.cancel()
        assert api.wrong == []
