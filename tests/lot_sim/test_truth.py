import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lot_sim.field import Field
from lot_sim.truth import EVENTS_MOST, Truth
from tests.lot_sim.serve import Clock, paced, standing
from tests.lot_sim.towns import HOUR_MS, small_field

SWITCH = {"lot": "small", "device": "small-g1", "fault": "group_jammed", "on": True}


@asynccontextmanager
async def truth_of(field: Field) -> AsyncIterator[TestClient[Any, Any]]:
    app = Truth(field, standing(field)).app()
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_truth_names_everything_that_is_really_there() -> None:
    field = small_field()
    field.town.run_until(field.town.now_ms + 3 * HOUR_MS)
    async with truth_of(field) as client:
        answer = await (await client.get("/truth")).json()
    (lot,) = answer["lots"]
    town_lot = field.town.lots[0]
    assert answer["simulated_at"] == "2026-11-23T15:00:00.000+08:00"
    assert (answer["seed"], answer["speed"], answer["faults_preset"]) == ("1", 0.0, "none")
    assert (lot["lot_id"], lot["bays"]) == ("small", 10)
    assert lot["occupied"] == sum(m.stored for m in town_lot.machines)
    assert lot["entries"] == lot["lanes"][0]["crossings"] > 0
    assert lot["lanes"][0]["counter"] == (65_530 + lot["entries"]) % 65_536
    assert [level["bays"] for level in lot["levels"]] == [4, 6]
    assert [group["bays"] for group in lot["groups"]] == [5, 5]
    assert lot["signs"][0]["lines"][0] == {"face": "blank", "number": 0, "text": ""}
    assert lot["active_faults"] == []


async def test_the_truth_is_of_the_moment_it_is_asked_for() -> None:
    field = small_field()
    clock = Clock()
    app = Truth(field, paced(field, 60.0, clock)).app()
    async with TestClient(TestServer(app)) as client:
        clock.at_seconds = 60
        answer = await (await client.get("/truth")).json()
    assert answer["simulated_ms"] == field.town.start_ms + HOUR_MS


async def test_a_fault_is_switched_on_and_off() -> None:
    field = small_field()
    async with truth_of(field) as client:
        for is_on, out_of_service in ((True, 5), (False, 0)):
            reply = await client.post("/faults", json={**SWITCH, "on": is_on})
            assert reply.status == 200
            (lot,) = (await (await client.get("/truth")).json())["lots"]
            assert lot["out_of_service"] == out_of_service
            names = [(f["device"], f["fault"]) for f in lot["active_faults"]]
            assert names == ([("small-g1", "group_jammed")] if is_on else [])


@pytest.mark.parametrize(
    ("change", "field_name", "listed"),
    [
        ({"lot": "big"}, "lot", "small"),
        ({"device": "small-g9"}, "device", "small-g1"),
        ({"fault": "stuck_loop"}, "fault", "group_jammed"),
    ],
)
async def test_a_bad_name_is_answered_with_the_names_that_exist(
    change: dict[str, str], field_name: str, listed: str
) -> None:
    async with truth_of(small_field()) as client:
        reply = await client.post("/faults", json={**SWITCH, **change})
        problem = await reply.json()
    assert reply.status == 422
    assert reply.content_type == "application/problem+json"
    assert problem["field"] == field_name
    assert listed in problem["known"]
    assert change[field_name] in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field_name"),
    [
        (b'{"lot":"small","device":"small-g1","fault":"busy","on":1}', "on"),
        (b'{"lot":"small","device":"small-g1","on":true}', "fault"),
        (b'{"lot":"small","device":"small-g1","fault":"busy","on":true,"x":1}', "x"),
        (b"[]", "body"),
        (b"\xff\xfe{", "body"),
        (b"", "body"),
        (b'{"lot":"\xff"}', "body"),
    ],
)
async def test_a_bad_body_is_answered_with_the_field(body: bytes, field_name: str) -> None:
    async with truth_of(small_field()) as client:
        reply = await client.post("/faults", data=body)
        problem = await reply.json()
    assert (reply.status, problem["status"]) == (400, 400)
    assert problem["field"] == field_name


async def test_a_body_without_end_is_refused() -> None:
    async with truth_of(small_field()) as client:
        assert (await client.post("/faults", data=b"x" * 50_000)).status == 413


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    field = small_field()
    app = Truth(field, standing(field), body_seconds=0.05).app()
    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"POST /faults HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_all_faults_and_devices_are_listed() -> None:
    field = small_field()
    field.switch("small", "small-in", "stuck_loop", on=True)
    async with truth_of(field) as client:
        answer = await (await client.get("/faults")).json()
    assert {"late_replies", "stuck_loop"} <= {fault["fault"] for fault in answer["faults"]}
    (lane,) = (device for device in answer["devices"] if device["device"] == "small-in")
    assert (lane["role"], lane["on"]) == ("lane", ["stuck_loop"])
    assert "group_jammed" not in lane["faults"]


async def test_the_town_can_be_stopped_and_goes_on_from_there() -> None:
    field = small_field()
    clock = Clock()
    seen = []
    async with TestClient(TestServer(Truth(field, paced(field, 60.0, clock)).app())) as client:
        for speed in (0, 10, 0):
            clock.at_seconds += 60
            assert (await client.post("/clock", json={"speed": speed})).status == 200
            clock.at_seconds += 60
            answer = await (await client.get("/truth")).json()
            seen.append((answer["speed"], (answer["simulated_ms"] - field.town.start_ms) / 60_000))
    assert seen == [(0, 60), (10, 70), (0, 80)]


@pytest.mark.parametrize("speed", [-1, 1_001, "fast", None])
async def test_an_impossible_speed_is_refused(speed: object) -> None:
    async with truth_of(small_field()) as client:
        reply = await client.post("/clock", json={"speed": speed})
        assert (reply.status, (await reply.json())["field"]) == (400, "speed")


async def test_events_are_read_on_from_the_last_one_seen() -> None:
    field = small_field()
    field.town.run_until(field.town.now_ms + 6 * HOUR_MS)
    async with truth_of(field) as client:
        first = await (await client.get("/truth/events")).json()
        middle = first["events"][4]["number"]
        rest = await (await client.get(f"/truth/events?after={middle}")).json()
        beyond = await (await client.get("/truth/events?after=99999999999999999999999")).json()
    assert first["last"] == field.crossings_total == first["events"][-1]["number"] < EVENTS_MOST
    assert rest["events"] == first["events"][5:]
    assert beyond["events"] == []
    assert set(first["events"][0]) == {
        "number", "lot_id", "lane", "direction", "at", "at_ms", "total",
    }  # fmt: skip


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", ""])
async def test_a_bad_event_number_is_named(after: str) -> None:
    async with truth_of(small_field()) as client:
        reply = await client.get("/truth/events", params={"after": after})
        problem = await reply.json()
    assert reply.status == 400
    assert problem["field"] == "after"
