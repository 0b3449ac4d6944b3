"""Promises and trips through a day: entries explain them, full car parks endanger them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from gateway.redis_client import connect
from occupancy.lot import OpeningState
from routing import promise_store
from routing.promise import minute_of
from routing.trip import Stage, Trip
from tests.routing.town import AsNow, Town, running
from tests.waiting import until

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


async def test_entries_are_matched_all_the_time_and_without_redis_later(town: Town) -> None:
    trip = (await town.asked(destination=HOSPITAL))["trip"]
    await town.trips.match_entries()
    town.clock.now_ms += 11 * MINUTE_MS
    town.see("kangle", 59, entries=1)

    async def has_arrived() -> bool:
        return await stage(town, trip) == "arrived"

    async with asyncio.TaskGroup() as group:
        task = group.create_task(town.trips.keep_matching())
        await until(has_arrived)
        task.cancel()


async def test_matching_goes_on_while_redis_is_away() -> None:
    async with (
        connect("unix:///nowhere/valkey.sock") as away,
        running(away, forecasts=AsNow()) as town,
        asyncio.TaskGroup() as group,
    ):
        task = group.create_task(town.trips.keep_matching())
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()


async def test_of_two_processes_one_tells_of_an_arrival(redis: Redis) -> None:
    told: list[Trip] = []
    async with (
        running(redis, forecasts=AsNow(), tell=told.append) as one,
        running(redis, forecasts=AsNow(), tell=told.append) as two,
    ):
        await one.asked(destination=HOSPITAL)
        await one.trips.match_entries()
        for town in (one, two):
            town.clock.now_ms += 11 * MINUTE_MS
            town.see("kangle", 59, entries=1)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(town.trips.match_entries()) for town in (one, two)]
    assert sorted(len(task.result()) for task in tasks) == [0, 1]
    assert [trip.stage for trip in told] == [Stage.SHOWN, Stage.ARRIVED]
