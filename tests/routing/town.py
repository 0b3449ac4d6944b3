"""The five car parks with live pictures and real Redis, behind the real web application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from occupancy import database
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.web.routes import Route
from occupancy.web.server import make_face
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing.config import GuidanceSettings
from routing.destination import Destination
from routing.forecast import Forecasts
from routing.gathering import Forecaster
from routing.guided_trips import GuidedTrips
from routing.service import Guidance
from routing.trip import Trip
from routing.ways import StraightLine
from routing.web import Recommendations
from tests.builders import MORNING_MS, a_group, an_observation
from tests.routing.drivers import HOSPITAL, Expected

AWAY = "postgresql://nobody@/nothing?host=/nowhere"
PLACES = (
    Destination("hospital", "三水区人民医院", "any", HOSPITAL),
    Destination("north", "三水北站", "any", HOSPITAL),
    Destination("station", "三水火车站", "any", HOSPITAL),
)


class FewDestinations:
    """Finds by the whole name, or several by a part of it."""

    async def look_up(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        return self.find(words)

    def find(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        best = next((found for found in PLACES if found.name == words), None)
        return best, [found for found in PLACES if words in found.name]


class AsNow:
    """Expects of every car park what it has now."""

    def __init__(self) -> None:
        self._free: dict[str, int] = {}

    def see(self, picture: LiveOccupancy) -> None:
        self._free[picture.lot_id] = picture.free or 0

    def expect(self, lot_id: str, _: int, __: int) -> Expected:
        return Expected(self._free[lot_id])


@dataclass
class Clock:
    """Time as the test says it."""

    now_ms: int = MORNING_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Town:
    """What a test holds in its hands."""

    clock: Clock
    showcase: Showcase
    guidance: Guidance
    trips: GuidedTrips
    client: TestClient[Any, Any]
    entered: dict[str, int] = field(default_factory=dict)
    sequence: int = 0

    def see(self, lot_id: str, free: int, entries: int = 0) -> None:
        """The car park has so many free spaces now, after so many more entries."""
        self.sequence += 1
        self.entered[lot_id] = self.entered.get(lot_id, 0) + entries
        lot = self.showcase.lots[lot_id]
        self.showcase.take_in([picture(lot, free, self)])

    async def ask(self, **body: object) -> tuple[int, Any]:
        async with self.client.post("/v1/recommendations", json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def asked(self, **body: object) -> Any:  # noqa: ANN401 -- JSON
        status, document = await self.ask(**body)
        assert status == 200, document
        return document


def picture(lot: Lot, free: int, town: Town) -> LiveOccupancy:
    taken, groups = lot.capacity - free, []
    for number, group in enumerate(lot.groups, start=1):
        levels = []
        for bays in group.bays_by_level:
            levels.append(min(taken, bays))
            taken -= levels[-1]
        groups.append(
            a_group(
                number,
                group_id=group.group_id,
                bays_by_level=group.bays_by_level,
                occupied_by_level=tuple(levels),
            )
        )
    news = an_observation(
        town.sequence,
        lot_id=lot.lot_id,
        observed_at_ms=town.clock(),
        groups=tuple(groups),
        cars_inside=None,
        entries_total=100 + town.entered[lot.lot_id],
        exits_total=50,
    )
    return fold(None, lot, Received(news, town.clock(), town.clock()))


@asynccontextmanager
async def running(
    redis: Redis,
    settings: GuidanceSettings | None = None,
    lots: Sequence[Lot] = (),
    forecasts: Forecaster | None = None,
    tell: Callable[[Trip], None] = lambda _: None,
) -> AsyncIterator[Town]:
    clock = Clock()
    made: list[tuple[Showcase, Guidance, GuidedTrips]] = []

    async with database.pool(AWAY) as connections:

        def above(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
            guidance = Guidance(
                showcase,
                shelf,
                redis,
                forecasts or Forecasts(showcase.lots.values()),
                StraightLine(),
                settings or GuidanceSettings(),
                tell,
            )
            trips = GuidedTrips(guidance, redis)
            made.append((showcase, guidance, trips))
            return Recommendations(guidance, trips, FewDestinations(), "https://zhibo").routes()

        known = {lot.lot_id: lot for lot in lots or load_shipped()}
        face = make_face(known, (), connections, clock, above)
        async with TestClient(TestServer(face.app)) as client:
            town = Town(clock, *made[0], client)
            for lot_id in known:
                town.see(lot_id, 60)
            yield town
