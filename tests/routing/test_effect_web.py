from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from occupancy import database
from occupancy.database import Pool
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing import effect_web
from routing.effect_web import EffectPages
from routing.trip import Trip, arrive, choose, give_way
from routing.trip_history import TripHistory
from tests.occupancy.web.faces import AWAY, Served, served
from tests.routing.test_trip import NOW_MS, a_trip

LATER_MS = NOW_MS + 3_600_000


@asynccontextmanager
async def asked(connections: Pool) -> AsyncIterator[Served]:
    def build(_: Showcase, __: TariffShelf) -> list[Route]:
        return EffectPages(connections, lambda: LATER_MS).routes()

    async with served(above=build) as running:
        yield running


async def written(connections: Pool, *trips: Trip) -> None:
    history = TripHistory(connections, lambda: NOW_MS)
    for number, trip in enumerate(trips):
        history.note(replace(trip, trip_id=f"t{number}"))
    await history.write()


async def test_what_became_of_trips_is_told_altogether_and_by_car_park(connections: Pool) -> None:
    await written(
        connections,
        arrive(a_trip(), NOW_MS),
        replace(a_trip(), regret_minutes=3.0),
        choose(a_trip(), "sanda", NOW_MS),
        give_way(a_trip(), NOW_MS),
    )
    async with asked(connections) as running:
        told = await running.get("/v1/guidance?days=1")
    assert {k: told["all"][k] for k in ("trips", "chosen", "arrived", "followed", "promised")} == {
        "trips": 3,
        "chosen": 1,
        "arrived": 1,
        "followed": 0.333,
        "promised": 0.6,
    }
    assert (told["all"]["regret_minutes"], told["all"]["regret_most_minutes"]) == (1.0, 3.0)
    assert told["all"]["chance_said"] == 0.833
    assert {lot: one["trips"] for lot, one in told["lots"].items()} == {"kangle": 2, "sanda": 1}


async def test_where_nobody_was_guided_nothing_is_claimed(connections: Pool) -> None:
    async with asked(connections) as running:
        told = await running.get("/v1/guidance")
        assert (told["all"]["trips"], told["all"]["followed"], told["lots"]) == (0, None, {})
        problem = await running.get("/v1/guidance?days=31", status=400)
        assert problem["field"] == "days"


async def test_a_database_that_hangs_is_not_waited_for(
    connections: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect_web, "DATABASE_SECONDS", 0.2)
    async with connections.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE trip IN ACCESS EXCLUSIVE MODE")
        async with asked(connections) as running:
            problem = await running.get("/v1/guidance", status=503)
    assert "PostgreSQL" in problem["detail"]


async def test_without_postgresql_it_is_said() -> None:
    async with database.pool(AWAY) as nowhere, asked(nowhere) as running:
        problem = await running.get("/v1/guidance", status=503)
        assert "PostgreSQL" in problem["detail"]
