"""What the service does when another process is quicker, and what it is made of."""

import pytest
from redis.asyncio import Redis

from occupancy import database
from occupancy.lot_file import load_shipped
from occupancy.web.floors import Ground
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing import promise_store
from routing.config import GuidanceSettings
from routing.floor import guidance_floor
from routing.promise import Promise, minute_of
from tests.routing.town import AWAY, AsNow, Clock, Town, running

HOSPITAL = "三水区人民医院"


async def fill(town: Town, redis: Redis, lot_id: str, cars: float) -> None:
    """Another process promises nearly all of a car park, unseen by what was read before."""
    now = minute_of(town.clock())
    promise = Promise("other", cars, cars, now, now + 60)
    await promise_store.hold(redis, lot_id, promise, 1_000.0, town.clock())


@pytest.mark.parametrize("tight", [False, True])
async def test_who_gets_no_promise_is_decided_anew_or_told_so(
    redis: Redis,
    tight: bool,  # noqa: FBT001
) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        for lot_id in town.showcase.lots:
            free = 5 if tight or lot_id == "kangle" else 60
            town.see(lot_id, free)
            if free == 5:
                await fill(town, redis, lot_id, 5.4)
        answer = await town.asked(destination=HOSPITAL)
    notes = [note["code"] for note in answer["notes"]]
    assert ("not_held" in notes) == tight
    assert (answer["verdict"]["code"] == "least_bad") == tight
    assert (answer["recommendations"][0]["lot"] == "kangle") == tight


async def test_a_driver_goes_on_to_the_car_park_he_was_shown(redis: Redis) -> None:
    """Another one must save him two minutes before he is told another one."""
    async with running(redis, forecasts=AsNow()) as town:
        middle = {"wgs84": {"lat": 23.1578, "lng": 112.8927}}
        first = await town.asked(place=middle, driver="d")
        shown = first["recommendations"][0]["lot"]
        others = [one["lot"] for one in first["recommendations"][1:]]
        town.see(shown, 4)
        again = await town.asked(place=middle, driver="d", stay="PT1H")
        assert again["recommendations"][0]["lot"] == shown
        town.see(shown, 0)
        last = await town.asked(place=middle, driver="d", stay="PT3H")
        assert last["recommendations"][0]["lot"] in others


async def test_the_floor_serves_its_routes_and_names_its_loops(redis: Redis) -> None:
    async with database.pool(AWAY) as connections:
        clock = Clock()
        lots = {lot.lot_id: lot for lot in load_shipped()}
        ground = Ground(Showcase(lots, clock), TariffShelf(), connections, redis, clock)
        floor = guidance_floor(GuidanceSettings(), "https://zhibo.example/")(ground)
    assert "/v1/recommendations" in [route.path for route in floor.routes]
    assert set(floor.loops) == {
        "match entries with promises",
        "trips to PostgreSQL",
        "learn to forecast",
        "learn tolls",
        "destinations",
        "map services",
        "follow experiments",
    }
