"""Redis is away: drivers are answered all the same, and told what is missing."""

from collections.abc import AsyncIterator

import pytest

from gateway.redis_client import connect
from routing.config import GuidanceSettings
from routing.patience import LEFT_ALONE_MS, AwayError, Patience
from tests.routing.test_promise import NOW, NOW_MS, a_promise
from tests.routing.town import AsNow, Clock, Town, running

HOSPITAL = "三水区人民医院"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with (
        connect("unix:///nowhere/valkey.sock") as redis,
        running(redis, forecasts=AsNow()) as made,
    ):
        yield made


async def test_a_driver_is_answered_and_told_what_is_missing(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, driver="d1")
    assert answer["recommendations"][0]["lot"] == "kangle"
    assert "promises_away" in [note["code"] for note in answer["notes"]]


async def test_this_process_still_spreads_its_own_drivers(town: Town) -> None:
    town.see("kangle", 6)
    first = [(await town.asked(destination=HOSPITAL))["recommendations"][0] for _ in range(12)]
    assert {one["lot"] for one in first} > {"kangle"}


async def test_links_lead_on_and_trips_say_that_they_are_away(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL)
    path = f"/v1/trips/{answer['trip']}"
    async with town.client.get(f"{path}/open/kangle/amap", allow_redirects=False) as reply:
        assert reply.status == 302
    async with town.client.get(path) as reply:
        assert reply.status == 503
    async with town.client.post(f"{path}/chosen", json={"lot": "kangle"}) as reply:
        assert reply.status == 503


async def test_promises_of_this_process_expire_and_are_not_doubled(town: Town) -> None:
    desk = town.guidance.desk
    town.clock.now_ms = NOW_MS
    assert await desk.hold("kangle", a_promise("a", 0.6), 1.0) == 0.6
    assert await desk.hold("kangle", a_promise("a", 0.6), 1.0) == 0.6
    assert await desk.hold("kangle", a_promise("b", 0.6), 1.0) == pytest.approx(0.4)
    assert await desk.hold("kangle", a_promise("c", 0.6), 1.0) == 0
    await desk.release("kangle", "b")
    held = await desk.read(["kangle"])
    assert not held.is_shared
    assert held.due["kangle"].by(NOW + 60, NOW) == 0.6
    later = a_promise("d", begins=60)
    town.clock.now_ms += 40 * 60_000
    assert await desk.hold("kangle", later, 1.0) == 0.6
    assert list((await desk.read(["kangle"])).due["kangle"].cars.values()) == [0.6]


async def test_after_a_failure_redis_is_left_alone_for_a_moment() -> None:
    clock, asked = Clock(), 0
    patience = Patience(clock)

    async def answer() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise TimeoutError
        return asked

    for _ in range(2):
        with pytest.raises(AwayError):
            await patience.ask(answer)
    assert asked == 1
    clock.now_ms += LEFT_ALONE_MS
    assert await patience.ask(answer) == 2
    assert await patience.ask(answer) == 3


async def test_a_same_answer_can_be_switched_off(town: Town) -> None:
    assert GuidanceSettings(same_answer_ms=0).same_answer_ms == 0
    one = await town.asked(destination=HOSPITAL, driver="d1")
    assert (await town.asked(destination=HOSPITAL, driver="d1"))["trip"] != one["trip"]
