"""The web service as a whole, on a real port, with real Redis and PostgreSQL or without."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from gateway.settings import BadSettingError
from occupancy import snapshot
from occupancy.database import Pool, seed_lots
from occupancy.lot_file import load_shipped
from occupancy.web import bodies, server
from occupancy.web.config import WebSettings
from tests.builders import MORNING_MS, a_lot
from tests.free_port import free_port
from tests.occupancy.web.faces import AWAY, Clock, a_picture
from tests.waiting import until

NOWHERE = "unix:///nowhere/redis.sock"


def settings(redis_url: str = NOWHERE, postgres_url: str = AWAY, port: int = 0) -> WebSettings:
    return WebSettings(
        host="127.0.0.1",
        port=port or free_port(),
        workers=1,
        public_url="",
        redis_url=redis_url,
        postgres_url=postgres_url,
    )


class Running:
    """A service under test and a way to ask it."""

    def __init__(self, port: int, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.port, self.clock, self.http = port, clock, http
        self.base = f"http://127.0.0.1:{port}"

    async def ask(self, path: str) -> tuple[int, Any]:
        try:
            async with self.http.get(self.base + path) as answer:
                return answer.status, await answer.json(content_type=None)
        except aiohttp.ClientConnectorError:
            return 0, None


@asynccontextmanager
async def running(chosen: WebSettings) -> AsyncIterator[Running]:
    clock, stopping = Clock(), asyncio.Event()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        group.create_task(server.run_web(chosen, (), clock, stopping), name="web")
        made = Running(chosen.port, clock, http)

        async def answers() -> bool:
            return (await made.ask("/healthz"))[0] == 200

        await until(answers)
        try:
            yield made
        finally:
            stopping.set()


async def test_it_is_ready_once_every_lot_was_heard(
    redis: Redis, redis_url: str, postgres_url: str, connections: Pool
) -> None:
    lots = [a_lot(), a_lot(lot_id="sanda", short_name="三达路")]
    await connections.execute("DELETE FROM lot")
    await seed_lots(connections, lots)
    run_id = await snapshot.read_run_id(redis)
    async with running(settings(redis_url, postgres_url)) as service:
        status, problem = await service.ask("/readyz")
        assert status == 503
        await snapshot.write(redis, run_id, a_picture(lots[0]))

        async def only_one_is_missing() -> bool:
            return bool((await service.ask("/readyz"))[1].get("choices") == ["sanda"])

        await until(only_one_is_missing)
        await snapshot.write(redis, run_id, a_picture(lots[1]))

        async def is_ready() -> bool:
            return (await service.ask("/readyz"))[0] == 200

        await until(is_ready)
        _, shown = await service.ask("/v1/lots")
        assert [lot["live"]["free"] for lot in shown["lots"]] == [24, 24]
    assert problem["detail"]


async def test_a_picture_in_redis_is_there_at_the_start_and_then_followed(
    redis: Redis, redis_url: str
) -> None:
    lots = {lot.lot_id: lot for lot in load_shipped()}
    run_id = await snapshot.read_run_id(redis)
    await snapshot.write(redis, run_id, a_picture(lots["kangle"], 1))
    async with running(settings(redis_url)) as service:

        async def entries() -> int | None:
            flow = (await service.ask("/v1/lots/kangle"))[1]["flow"]
            return None if flow is None else int(flow["entries_total"])

        async def is_primed() -> bool:
            return await entries() == 10

        await until(is_primed)
        await snapshot.write(redis, run_id, a_picture(lots["kangle"], 2, entries_total=11))

        async def has_followed() -> bool:
            return await entries() == 11

        await until(has_followed)


async def test_without_any_server_it_answers_and_says_what_is_missing() -> None:
    async with running(settings()) as service:
        status, problem = await service.ask("/readyz")
        assert status == 503
        assert "Redis is away" in problem["detail"] or "not heard yet" in problem["detail"]
        status, lots = await service.ask("/v1/lots")
        assert (status, len(lots["lots"])) == (200, 5)
        assert {lot["status"] for lot in lots["lots"]} == {"no_data"}
        assert sum(lot["live"]["capacity"] for lot in lots["lots"]) == 889


async def test_a_taken_port_is_named_with_its_setting_and_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadSettingError, match=rf"ZHIBO_PORT={port}: .*another ZHIBO_PORT"):
            await server.run_web(settings(port=port), (), lambda: MORNING_MS, asyncio.Event())


async def test_requests_that_never_end_are_closed_and_nobody_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    beginnings = (
        b"",
        b"GET /v1/lots HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    )
    async with running(settings()) as service:
        half_open = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(100)]
        for number, (_, writer) in enumerate(half_open):
            writer.write(beginnings[number % len(beginnings)])
        assert (await service.ask("/v1/lots"))[0] == 200
        async with asyncio.timeout(8):  # aiohttp would linger for ten more
            for reader, writer in half_open:
                await reader.read()
                writer.close()


async def test_it_stops_at_once_while_streams_are_open() -> None:
    chosen = settings()
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        async with running(chosen) as service:
            stream = await http.get(service.base + "/v1/stream")
            await stream.content.readline()
        stream.close()
