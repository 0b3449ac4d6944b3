"""Vital signs reach the command centre signed, tried again, and each state of a span once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
import msgspec
import pytest
from aiohttp import web

from gateway.settings import BadSettingError
from occupancy import database_vitals
from occupancy.escalation import DELIVERY, SIGNATURE, sign
from occupancy.observed import Facts
from occupancy.vital_config import PushSettings, load_settings
from occupancy.vital_pusher import VitalPusher
from occupancy.vital_signs import DISTRICT, QUARTER_MS, Grain, congestion_now, query_of
from tests.builders import MORNING_MS

KEY = "of the centre"
FACTS = [Facts("kangle", 36)]


class Heard(NamedTuple):
    """What the command centre got."""

    delivery: str
    signature: str
    body: bytes


class Centre:
    """A command centre that answers as it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[Heard] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = request.headers
        self.heard.append(Heard(headers[DELIVERY], headers[SIGNATURE], await request.read()))
        return web.Response(status=self.status)


@asynccontextmanager
async def centre() -> AsyncIterator[tuple[Centre, str]]:
    stand_in, app = Centre(), web.Application()
    app.router.add_post("/vitals", stand_in.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield stand_in, f"http://127.0.0.1:{runner.addresses[0][1]}/vitals"
    finally:
        await runner.cleanup()


async def kept(
    connections: asyncpg.Pool, subject: str, from_ms: int, *, at_ms: int, cars: float | None = None
) -> None:
    query = query_of(subject, Grain.QUARTER, from_ms, from_ms + QUARTER_MS, FACTS, {})
    figure = msgspec.structs.replace(congestion_now(), value=cars, reason="")
    await database_vitals.add(connections, query, (figure,), at_ms)


async def a_quarter(connections: asyncpg.Pool, index: float = 3.0) -> int:
    """One span of a car park and the district; when it was kept."""
    at_ms = MORNING_MS + QUARTER_MS + 60_000
    await kept(connections, "kangle", MORNING_MS, at_ms=at_ms, cars=index)
    await kept(connections, DISTRICT, MORNING_MS, at_ms=at_ms, cars=index)
    return at_ms


async def test_a_span_is_pushed_once_with_a_signature_that_holds(
    connections: asyncpg.Pool,
) -> None:
    now_ms = await a_quarter(connections)
    async with centre() as (heard, address):
        pusher = VitalPusher(connections, lambda: now_ms, "one", PushSettings(address, KEY))
        await pusher.look()
        await pusher.look()
    (only,) = heard.heard
    assert only.signature == sign(only.body, KEY)
    told = msgspec.json.decode(only.body)
    assert (told["grain"], told["from"]) == ("quarter", "2026-11-23T08:00:00+08:00")
    assert {(one["subject"], one["value"], one["band"]) for one in told["figures"]} == {
        ("kangle", 3.0, "基本畅通"),
        ("district", 3.0, "基本畅通"),
    }


async def test_what_was_not_taken_is_tried_again_under_the_same_name(
    connections: asyncpg.Pool,
) -> None:
    now_ms = [await a_quarter(connections)]
    async with centre() as (heard, address):
        pusher = VitalPusher(connections, lambda: now_ms[0], "one", PushSettings(address, KEY))
        heard.status = 500
        await pusher.look()
        await pusher.look()
        assert len(heard.heard) == 1
        heard.status = 200
        now_ms[0] += 11_000
        await pusher.look()
        await pusher.look()
    first, second = heard.heard
    assert first == second
    assert await connections.fetchval("SELECT attempts FROM vital_push") == 2


async def test_a_corrected_span_is_told_again_and_a_half_one_not_yet(
    connections: asyncpg.Pool,
) -> None:
    at_ms = MORNING_MS + QUARTER_MS + 60_000
    await kept(connections, "kangle", MORNING_MS, at_ms=at_ms, cars=1.0)
    async with centre() as (heard, address):
        pusher = VitalPusher(connections, lambda: at_ms, "one", PushSettings(address, KEY))
        await pusher.look()
        assert heard.heard == []
        await kept(connections, DISTRICT, MORNING_MS, at_ms=at_ms, cars=1.0)
        await pusher.look()
        await kept(connections, "kangle", MORNING_MS, at_ms=at_ms, cars=2.0)
        await pusher.look()
    assert len({one.delivery for one in heard.heard}) == len(heard.heard) == 2


async def test_what_was_worked_out_long_afterwards_is_not_pushed(
    connections: asyncpg.Pool,
) -> None:
    at_ms = MORNING_MS + 5 * 3_600_000
    await kept(connections, DISTRICT, MORNING_MS, at_ms=at_ms, cars=1.0)
    async with centre() as (heard, address):
        settings = PushSettings(address, KEY)
        await VitalPusher(connections, lambda: at_ms, "one", settings).look()
    assert heard.heard == []


async def test_two_pushers_at_once_tell_it_once(connections: asyncpg.Pool) -> None:
    now_ms = await a_quarter(connections)
    async with centre() as (heard, address):
        settings = PushSettings(address, KEY)
        for name in ("one", "two"):
            await VitalPusher(connections, lambda: now_ms, name, settings).look()
    assert len(heard.heard) == 1


def test_an_address_without_a_key_or_in_the_clear_is_refused() -> None:
    with pytest.raises(BadSettingError, match="SECRET"):
        load_settings({"ZHIBO_VITALS_WEBHOOK": "https://centre.example.cn/v"})
    with pytest.raises(BadSettingError, match="https://"):
        load_settings(
            {
                "ZHIBO_VITALS_WEBHOOK": "http://centre.example.cn/v",
                "ZHIBO_VITALS_WEBHOOK_SECRET": "x",
            }
        )
    assert load_settings({}) == PushSettings()
