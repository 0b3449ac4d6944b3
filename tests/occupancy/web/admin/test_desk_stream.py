"""`/admin/stream`: what changes together comes together, and nobody listens longer than he may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Role
from occupancy.web.admin.desk_stream import DeskStream
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.occupancy.web.test_events import Reader, with_cars
from tests.waiting import until


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        for lot_id in ("kangle", "sanda"):
            running.served.show(lot_id, 1)
        yield running


def stream_of(office: Desk) -> DeskStream:
    assert office.served.face.admin is not None
    return office.served.face.admin.desk


@asynccontextmanager
async def listening(browser: Browser) -> AsyncIterator[Reader]:
    """A reader that has heard the opening."""
    address = browser.desk.served.url("/admin/stream")
    async with browser.http.get(address) as answer:
        assert answer.status == 200
        reader = Reader(answer)
        await reader.until_heartbeat()
        yield reader


async def test_of_many_changes_in_a_moment_the_first_and_the_last_are_told(office: Desk) -> None:
    async with listening(await office.at_work("li", Role.OPERATOR)) as reader:
        for number in range(2, 10):
            office.served.show("kangle", number, **with_cars(number % 7))
        told = [(await reader.next()).data["live"]["free"] for _ in range(2)]
        office.served.show("sanda", 2, **with_cars(1))
        following = await reader.next()
    assert told == [28, 28]
    assert following.data["id"] == "sanda"


async def test_what_waits_to_be_told_is_resumed_by_who_comes_back_before_it(office: Desk) -> None:
    browser = await office.at_work("li", Role.OPERATOR)
    async with listening(browser) as reader:
        office.served.show("kangle", 2, **with_cars(1))
        office.served.show("sanda", 2, **with_cars(1))
        seen = (await reader.next()).event_id
    headers = {"Last-Event-ID": seen or ""}
    async with browser.http.get(office.served.url("/admin/stream"), headers=headers) as answer:
        resumed = await Reader(answer).until_heartbeat()
    assert [event.data["id"] for event in resumed] == ["sanda"]


async def test_a_heartbeat_never_speaks_of_a_number_that_was_not_told(office: Desk) -> None:
    async with listening(await office.at_work("li", Role.OPERATOR)) as reader:
        for number in (2, 3):
            office.served.show("kangle", number, **with_cars(number))
        stream_of(office).stream.beat()
        names = [(await reader.next()).name for _ in range(3)]
    assert names == ["lot", "lot", "heartbeat"]


async def test_who_logs_out_hears_nothing_more_and_the_others_go_on(office: Desk) -> None:
    leaving, staying = [await office.at_work(name, Role.OPERATOR) for name in ("li", "wang")]
    async with listening(staying) as reader, listening(leaving) as ending:
        await leaving.post("/admin/logout", {"csrf": await leaving.token()})
        await stream_of(office).end_the_dead()
        with pytest.raises((EOFError, aiohttp.ClientError)):
            await ending.next()
        await until(lambda: stream_of(office).stream.readers == 1)
        office.served.show("kangle", 2, **with_cars(1))
        assert (await reader.next()).data["id"] == "kangle"


async def test_who_is_locked_hears_nothing_more(office: Desk) -> None:
    async with listening(await office.at_work("li", Role.OPERATOR)):
        await stream_of(office).end_the_dead()
        assert stream_of(office).stream.readers == 1
        await office.connections.execute("UPDATE operator SET is_locked = true")
        await stream_of(office).end_the_dead()
        await until(lambda: stream_of(office).stream.readers == 0)
