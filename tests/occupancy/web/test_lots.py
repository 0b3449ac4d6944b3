"""`/v1/lots` and its relatives, over real HTTP."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest

from occupancy.history import Position, record
from occupancy.lot import OpeningState
from occupancy.web import prepared
from tests.builders import MORNING_MS, a_group, a_lot, an_observation
from tests.occupancy.web.faces import Served, served
from tests.rows import written
from tests.waiting import until


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        yield running


async def test_every_lot_is_there_with_what_the_contract_names(shown: Served) -> None:
    shown.show("kangle", 1)
    lots = (await shown.get("/v1/lots"))["lots"]
    assert [lot["id"] for lot in lots] == ["kangle", "sanda"]
    kangle = lots[0]
    live = kangle["live"]
    assert (live["capacity"], live["usable"], live["occupied"], live["free"]) == (36, 36, 12, 24)
    assert (live["out_of_service"], live["trend"], live["quality"]) == (0, "unknown", "counted")
    assert live["observed_at"] == "2026-11-23T08:00:00.000+08:00"
    assert kangle["status"] == "open"
    assert kangle["place"]["wgs84"] == {"lat": 23.1569, "lng": 112.8902}
    assert kangle["place"]["gcj02"] != kangle["place"]["wgs84"]
    assert kangle["tariff"]["free_period"]
    assert set(kangle["navigation"]) == {"amap", "tencent", "baidu", "wechat"}


async def test_a_lot_nobody_has_heard_of_yet_has_no_numbers(shown: Served) -> None:
    lot = await shown.get("/v1/lots/sanda")
    assert (lot["status"], lot["live"]["free"], lot["live"]["observed_at"]) == (
        "no_data",
        None,
        None,
    )
    assert lot["live"]["capacity"] == 36


async def test_one_lot_has_levels_groups_and_devices(shown: Served) -> None:
    shown.show("kangle", 1)
    lot = await shown.get("/v1/lots/kangle")
    assert [(level["level"], level["occupied"], level["free"]) for level in lot["levels"]] == [
        (1, 6, 6),
        (2, 4, 8),
        (3, 2, 10),
    ]
    assert [(group["id"], group["free"]) for group in lot["groups"]] == [("g1", 12), ("g2", 12)]
    assert lot["flow"] == {"entries_total": 10, "exits_total": 5}


async def test_numbers_vanish_after_ninety_seconds_of_silence(shown: Served) -> None:
    shown.show("kangle", 1)
    assert (await shown.get("/v1/lots"))["lots"][0]["live"]["free"] == 24
    shown.clock.now_ms += 89_999
    assert (await shown.get("/v1/lots"))["lots"][0]["live"]["free"] == 24
    shown.clock.now_ms += 1
    lot = (await shown.get("/v1/lots"))["lots"][0]
    assert (lot["live"]["free"], lot["live"]["usable"], lot["live"]["quality"]) == (
        None,
        None,
        "stale",
    )
    assert lot["status"] == "no_data"
    assert lot["live"]["observed_at"] == "2026-11-23T08:00:00.000+08:00"
    whole = await shown.get("/v1/lots/kangle")
    assert {level["free"] for level in whole["levels"]} == {None}
    assert {group["state"] for group in whole["groups"]} == {"silent"}


async def test_numbers_that_cannot_be_are_not_told(shown: Served) -> None:
    shown.show("kangle", 1, groups=(a_group(1), a_group(2, bays_by_level=(6, 6, 9))))
    lot = await shown.get("/v1/lots/kangle")
    assert (lot["status"], lot["live"]["quality"], lot["live"]["free"]) == (
        "no_data",
        "suspect",
        None,
    )
    assert lot["live"]["doubts"] == ["the devices have 39 bays, the lot 36"]
    assert {group["state"] for group in lot["groups"]} == {"working"}


async def test_a_known_tag_gets_no_body(shown: Served) -> None:
    shown.show("kangle", 1)
    async with shown.http.get(shown.url("/v1/lots")) as first:
        tag = first.headers["ETag"]
    assert tag.startswith('"')
    for known in (tag, f'"other", {tag}', "*"):
        headers = {"If-None-Match": known}
        async with shown.http.get(shown.url("/v1/lots"), headers=headers) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert again.headers["ETag"] == tag
    shown.show("kangle", 2, groups=(a_group(1), a_group(2, occupied=(0, 0, 0))))
    async with shown.http.get(shown.url("/v1/lots"), headers={"If-None-Match": tag}) as changed:
        assert changed.status == 200
        assert changed.headers["ETag"] != tag


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, br", "gzip"), ("*", "gzip"), ("gzip;q=0", None), ("br", None), ("GZIP;q=0.5", "gzip")],
)
async def test_packed_for_those_who_take_it(
    shown: Served, accepts: str, coding: str | None
) -> None:
    headers = {"Accept-Encoding": accepts}
    url = shown.url("/v1/lots")
    async with shown.http.get(url, headers=headers) as answer:
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        packed = (await answer.json())["lots"], answer.headers["ETag"]
    async with shown.http.get(url, headers={"Accept-Encoding": "identity"}) as plain:
        assert (await plain.json())["lots"] == packed[0]
        # A strong tag names bytes: packed ones are others.
        assert (plain.headers["ETag"] == packed[1]) == (coding is None)


async def test_the_packed_bytes_are_the_plain_ones(shown: Served) -> None:
    prepared = shown.face.showcase.lot_list()
    assert gzip.decompress(prepared.packed.body) == prepared.plain.body


async def test_a_reader_that_asks_on_without_reading_has_to_wait(shown: Served) -> None:
    """Ten thousand requests sent at once must not become ninety megabytes of answers."""
    asked = 10_000
    assert shown.runner.server is not None
    before = shown.runner.server.requests_count
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        greedy.connect(("127.0.0.1", shown.port))
        greedy.settimeout(0)
        request = b"GET /v1/lots HTTP/1.1\r\nHost: x\r\n\r\n"
        left = request * asked
        answered = [before]

        def has_settled() -> bool:
            nonlocal left
            with contextlib.suppress(BlockingIOError):
                left = left[greedy.send(left) :]
            assert shown.runner.server is not None
            answered.append(shown.runner.server.requests_count)
            return len(answered) > 50 and answered[-1] == answered[-30] > before

        await until(has_settled)
        assert answered[-1] - before < asked / 2
        assert (await shown.get("/v1/lots"))["lots"]


async def test_a_reader_that_takes_nothing_at_all_is_let_go(
    shown: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "TAKEN_WITHIN_SECONDS", 0.05)
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stuck.connect(("127.0.0.1", shown.port))
        stuck.settimeout(0)
        request = b"GET /v1/lots HTTP/1.1\r\nHost: x\r\n\r\n"

        def is_cut_off() -> bool:
            try:
                stuck.send(request * 100)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            return False

        await until(is_cut_off)


async def test_a_closed_connection_is_no_error(shown: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shown.port)
    writer.write(b"GET /v1/lots HTTP/1.0\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert b"Connection: close" in answer
    writer.close()
    await writer.wait_closed()


async def test_head_answers_as_get_without_the_body(shown: Served) -> None:
    async with shown.http.head(shown.url("/v1/lots")) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 100
        assert answer.headers["ETag"]


async def test_an_unknown_lot_is_answered_with_those_there_are(shown: Served) -> None:
    for path in ("/v1/lots/kanggle", "/v1/lots/%00", "/v1/lots/kangl%C3"):
        problem = await shown.get(path, status=404)
        assert problem["choices"] == ["kangle", "sanda"]
        assert problem["field"] == "lot_id"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("from=yesterday", "from"),
        ("from=2026-11-23T08:00:00", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("from=2026-11-23T08:00:00Z&to=2026-11-23T07:00:00Z", "to"),
        ("step=often", "step"),
        ("step=P", "step"),
        ("step=PT", "step"),
        ("step=PT0S", "step"),
        ("step=PT1S", "step"),
        ("step=P99999999999999999999D", "step"),
        ("step=PT5M&step=PT6M", "step"),
        ("step=%ff", "step"),
    ],
)
async def test_a_wrong_question_names_its_field(shown: Served, query: str, field: str) -> None:
    problem = await shown.get(f"/v1/lots/kangle/history?{query}", status=400)
    assert problem["field"] == field
    assert problem["detail"]


async def test_history_is_away_with_postgres_and_says_so(shown: Served) -> None:
    async with shown.http.get(shown.url("/v1/lots/kangle/history")) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert "live numbers are not affected" in (await answer.json(content_type=None))["detail"]


async def test_history_is_a_series_whose_gaps_stay_gaps(connections: asyncpg.Pool) -> None:
    seen = [an_observation(n, observed_at_ms=MORNING_MS + n * 1_000) for n in range(60)]
    await record(connections, "kangle", written(*seen), Position(0, 0))
    span = "from=2026-11-23T08:00:00%2B08:00&to=2026-11-23T08:02:00+08:00"
    async with served(connections=connections) as running:
        series = await running.get(f"/v1/lots/kangle/history?{span}&step=PT1M")
    assert (series["lot"], series["step_seconds"]) == ("kangle", 60)
    assert [(p["at"], p["occupied"], p["free"], p["completeness"]) for p in series["points"]] == [
        ("2026-11-23T08:00:00.000+08:00", 12.0, 24.0, 1.0),
        ("2026-11-23T08:01:00.000+08:00", None, None, 0.0),
    ]


async def test_a_closed_lot_is_closed_also_when_it_is_silent() -> None:
    async with served([a_lot(opening=OpeningState.CLOSED)]) as running:
        running.show("kangle", 1)
        assert (await running.get("/v1/lots/kangle"))["status"] == "closed"
        running.clock.now_ms += 90_000
        assert (await running.get("/v1/lots/kangle"))["status"] == "closed"
