"""Promises and trips through a day: entries explain them, full car parks endanger them."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy.lot import OpeningState
from routing import promise_store
from routing.promise import minute_of
from tests.routing.town import AsNow, Town, running

HOSPITAL = "三水区人民医院"
MINUTE_MS = 60_000


@pytest.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with running(redis, forecasts=AsNow()) as made:
        yield made


async def stage(town: Town, trip_id: str) -> str:
    found = await town.trips.find(trip_id)
    assert found is not None
    return found.trip.stage.value


async def test_an_entry_at_the_right_time_explains_the_trip(town: Town, redis: Redis) -> None:
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    assert await town.trips.match_entries() == []
    town.clock.now_ms += 11 * MINUTE_MS
    town.see("kangle", 59, entries=1)
    assert await town.trips.match_entries() == [trip]
    assert await town.trips.match_entries() == []
    assert await stage(town, trip) == "arrived"
    assert (await promise_store.read(redis, ["kangle"]))["kangle"].promises == ()


async def test_an_entry_before_his_time_explains_nobody(town: Town) -> None:
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    await town.trips.match_entries()
    town.clock.now_ms += 2 * MINUTE_MS
    town.see("kangle", 55, entries=5)
    assert await town.trips.match_entries() == []
    assert await stage(town, trip) == "shown"


async def test_a_trip_nobody_explains_expires_and_its_space_is_free_again(
    town: Town, redis: Redis
) -> None:
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    town.clock.now_ms += 40 * MINUTE_MS
    assert await stage(town, trip) == "expired"
    now = minute_of(town.clock())
    assert (await promise_store.read_due(redis, ["kangle"]))["kangle"].by(now + 60, now) == 0


async def test_a_driver_whose_car_park_fills_is_among_the_endangered(town: Town) -> None:
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    assert await town.trips.list_endangered() == []
    town.see("kangle", 0)
    (found,) = await town.trips.list_endangered()
    assert found.trip.trip_id == trip
    assert found.advice is not None
    assert found.advice.zh == "到达时多半已满：有空位的可能不到1%"


async def test_a_driver_whose_car_park_closes_is_among_the_endangered(town: Town) -> None:
    await town.asked(destination=HOSPITAL)
    shut = replace(town.showcase.lots["kangle"], opening=OpeningState.CLOSED)
    town.showcase.lots["kangle"] = shut
    (found,) = await town.trips.list_endangered()
    assert found.advice is not None
    assert found.advice.zh == "已关闭"


async def test_nobody_is_endangered_where_nobody_is_under_way(town: Town) -> None:
    assert await town.trips.list_endangered() == []


async def test_my_own_promise_does_not_endanger_me(town: Town) -> None:
    town.see("kangle", 4)
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    found = await town.trips.find(trip)
    assert found is not None
    assert found.chance_now == 1.0
