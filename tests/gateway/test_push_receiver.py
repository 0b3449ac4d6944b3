"""The push receiver whole: real HTTP, real outboxes, a real Valkey."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateway.listening import CannotListenError
from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from gateway.push_config import Sender, load_push_config, load_senders
from gateway.push_dialect import Money, load_dialect
from gateway.push_ledger import PushPark
from gateway.push_message import sign
from gateway.push_receiver import ReceiverSettings, run_receiver
from gateway.refusal_log import LINES_A_MINUTE
from gateway.settings import BadSettingError
from tests.gateway.full_disk import no_file_grows_beyond
from tests.rows import published
from tests.waiting import until

DIALECT = load_dialect("common")
SENDERS = [
    Sender(PushPark(lot, code, "common", {"all": 100}), DIALECT, f"the secret of {lot}".encode())
    for lot, code in (("mall", "P-1"), ("clinic", "P-2"))
]
MALL, CLINIC = SENDERS
PRICED = replace(
    MALL,
    dialect=msgspec.structs.replace(
        DIALECT,
        money=Money.YUAN,
        records=msgspec.structs.replace(DIALECT.records, fee="fee"),
    ),
)
NO_HEADERS: Mapping[str, str] = {}
Answer = tuple[int, dict[str, Any]]


class Gate:
    """A gate system that knows where to push."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self.port = port
        self._http, self._url, self._posts = http, f"http://127.0.0.1:{port}", 0

    async def push(self, sender: Sender, secret: bytes = b"", **more: object) -> Answer:
        self._posts += 1
        code = sender.park.park_code
        post = {"parkCode": code, "timestamp": now_ms(), "nonce": f"{monotonic_seconds()}", **more}
        body = msgspec.json.encode(post)
        return await self.send(
            code, body, sign(DIALECT.signature, secret or sender.secret, body, {})
        )

    async def send(
        self, code: str, body: bytes, signature: str, more: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        headers = {"X-Signature": signature, **more}
        url = f"{self._url}/push/{code}"
        async with self._http.post(url, data=io.BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json()

    async def metrics(self) -> str:
        async with self._http.get(f"{self._url}/metrics") as answer:
            return await answer.text()


def _entries(*numbers: int) -> list[dict[str, object]]:
    return [
        {"recordNo": f"r{n}", "direction": "in", "time": now_ms(), "plateNo": "粤E12345"}
        for n in numbers
    ]


@asynccontextmanager
async def receiving(
    redis_url: str, folder: Path, senders: list[Sender] = SENDERS
) -> AsyncIterator[Gate]:
    stopping = asyncio.Event()
    ports: list[int] = []
    settings = ReceiverSettings("127.0.0.1", 0, redis_url, folder)
    async with asyncio.TaskGroup() as group:
        group.create_task(
            run_receiver(senders, settings, now_ms, monotonic_seconds, stopping, ports.append),
            name="receiver",
        )
        await until(lambda: ports != [])
        async with aiohttp.ClientSession() as http:
            yield Gate(http, ports[0])
        stopping.set()


def _totals(folder: Path, lot: str) -> tuple[int, int]:
    """Entries counted, and records remembered."""
    outbox = Outbox(folder / f"{lot}.sqlite", now_ms())
    newest, numbers = outbox.newest(), len(outbox.pushed())
    outbox.close()
    return newest.entries_total if newest else 0, numbers


async def test_what_was_answered_is_kept_once_also_across_a_restart(
    redis_url: str, tmp_path: Path
) -> None:
    async with receiving(redis_url, tmp_path) as gate:
        assert await gate.push(MALL, records=_entries(1, 2)) == (200, {"counted": 2, "repeated": 0})
        assert (await gate.push(MALL, records=_entries(2, 3)))[1] == {"counted": 1, "repeated": 1}
    async with receiving(redis_url, tmp_path) as gate:
        assert (await gate.push(MALL, records=_entries(3, 1)))[1] == {"counted": 0, "repeated": 2}
    assert _totals(tmp_path, "mall") == (3, 3)
    assert _totals(tmp_path, "clinic") == (0, 0)


async def test_no_plate_reaches_the_disk_or_the_log(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plate = "粤E12345"
    numbered = {**_entries(1)[0], "recordNo": plate}
    async with receiving(redis_url, tmp_path) as gate:
        assert (await gate.push(MALL, nonce=plate, records=[numbered]))[0] == 200
        assert (await gate.push(MALL, nonce=plate, records=[numbered]))[0] == 409
        assert (await gate.send(plate, b"{}", plate))[0] == 404
        for file in tmp_path.iterdir():
            assert plate.encode() not in file.read_bytes()
    for file in tmp_path.iterdir():
        assert plate.encode() not in file.read_bytes()
    assert plate not in "".join(capfd.readouterr())


async def test_counts_and_records_reach_redis_as_a_gateways_do(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with receiving(redis_url, tmp_path) as gate:
        await gate.push(MALL, totalSpaces=100, freeSpaces=60)
        await gate.push(MALL, records=_entries(1))

        async def arrived() -> bool:
            rows = await published(redis, "mall")
            return bool(rows) and rows[-1].entries_total == 1 and rows[-1].occupied == 40

        await until(arrived)


async def test_a_refusal_names_the_field_is_counted_and_touches_nobody(
    redis_url: str, tmp_path: Path
) -> None:
    async with receiving(redis_url, tmp_path) as gate:
        status, said = await gate.push(MALL, CLINIC.secret, records=_entries(1))
        assert (status, said["error"], said["field"]) == (401, "signature", "X-Signature")
        status, said = await gate.push(MALL, parkCode="P-2", records=_entries(1))
        assert (status, said["error"], said["field"]) == (404, "unknown_park", "parkCode")
        for strange in ("é" * 64, "\udcff\udcfe"):
            status, said = await gate.send("P-1", b"{}", strange)
            assert (status, said["error"], said["field"]) == (401, "signature", "X-Signature")
        status, said = await gate.send("P-9", b"{}", "")
        assert (status, said["park"], said["field"]) == (404, "P-9", "park_code")
        assert (await gate.push(MALL, totalSpaces=100, freeSpaces=101))[0] == 422
        counted = await gate.metrics()
    assert 'zhibo_push_refused_total{lot="mall",why="signature"} 3.0' in counted
    assert 'zhibo_push_refused_total{lot="",why="unknown_park"} 1.0' in counted
    assert _totals(tmp_path, "mall") == _totals(tmp_path, "clinic") == (0, 0)


async def test_each_kind_of_bad_post_is_counted_and_the_other_car_park_goes_on(
    redis_url: str, tmp_path: Path
) -> None:
    late = now_ms() - 8 * 86_400_000
    ahead = [{"recordNo": "r9", "direction": "in", "time": now_ms() + 3_600_000}]
    posts: list[tuple[str, str, dict[str, Any]]] = [
        ("time", "timestamp", {"timestamp": now_ms() - 3_600_000}),
        ("time", "timestamp", {"timestamp": now_ms() + 3_600_000}),
        ("time", "time", {"records": [{"recordNo": "r", "direction": "in", "time": late}]}),
        ("time", "time", {"records": ahead}),
        ("count", "freeSpaces", {"totalSpaces": 100, "freeSpaces": 101}),
        ("count", "freeSpaces", {"totalSpaces": 100, "freeSpaces": -1}),
        ("count", "totalSpaces", {"totalSpaces": 90, "freeSpaces": 10}),
        ("malformed", "direction", {"records": [{**_entries(1)[0], "direction": "up"}]}),
        ("malformed", "recordNo", {"records": [{**_entries(1)[0], "recordNo": "r\0"}]}),
        ("malformed", "nonce", {"nonce": True}),
        ("too_large", "body", {"more": "x" * (1 << 20)}),
    ]
    async with receiving(redis_url, tmp_path) as gate:
        for kind, field, post in posts:
            status, said = await gate.push(MALL, **post)
            assert 400 <= status < 500, post
            assert (said["error"], said["park"], said["field"]) == (kind, "P-1", field), post
        assert (await gate.push(CLINIC, records=_entries(1)))[0] == 200
        counted = await gate.metrics()
    for kind, times in (("time", 4), ("count", 3), ("malformed", 3), ("too_large", 1)):
        assert f'zhibo_push_refused_total{{lot="mall",why="{kind}"}} {times}.0' in counted
    assert 'zhibo_push_refused_total{lot="clinic"' not in counted
    assert _totals(tmp_path, "mall") == (0, 0)
    assert _totals(tmp_path, "clinic") == (1, 1)


async def test_fees_are_added_up_once_in_fen_and_kept_nowhere(
    redis_url: str, tmp_path: Path
) -> None:
    exits = [{"recordNo": "r1", "direction": "out", "time": now_ms(), "fee": "12.50"}]
    async with receiving(redis_url, tmp_path, [PRICED]) as gate:
        for _ in range(2):
            assert (await gate.push(PRICED, records=exits))[0] == 200
        assert 'zhibo_push_fees_fen_total{lot="mall"} 1250.0' in await gate.metrics()


async def test_the_same_bytes_sent_again_are_refused(redis_url: str, tmp_path: Path) -> None:
    post = {"parkCode": "P-1", "timestamp": now_ms(), "nonce": "once", "records": _entries(1)}
    body = msgspec.json.encode(post)
    signature = sign(DIALECT.signature, MALL.secret, body, {})
    async with receiving(redis_url, tmp_path) as gate:
        assert (await gate.send("P-1", body, signature))[0] == 200
        assert (await gate.send("P-1", body, signature))[0] == 409
    async with receiving(redis_url, tmp_path) as gate:
        assert (await gate.send("P-1", body, signature))[0] == 409


async def test_a_body_in_another_coding_is_refused_as_such(redis_url: str, tmp_path: Path) -> None:
    async with receiving(redis_url, tmp_path) as gate:
        status, said = await gate.send("P-1", b"{}", "", {"Content-Encoding": "gzip"})
        assert (status, said["park"], said["field"]) == (400, "P-1", "Content-Encoding")
        assert (await gate.push(MALL, records=_entries(1)))[0] == 200


async def test_a_flood_of_bad_posts_leaves_ten_lines_and_their_number(
    redis_url: str, tmp_path: Path
) -> None:
    with capture_logs() as lines:
        async with receiving(redis_url, tmp_path) as gate:
            for _ in range(LINES_A_MINUTE + 5):
                assert (await gate.push(MALL, b"another secret than agreed"))[0] == 401
            assert (await gate.push(CLINIC, b"another secret than agreed"))[0] == 401
    told = [line for line in lines if line["event"] == "a post was refused"]
    assert [line["lot"] for line in told] == ["mall"] * LINES_A_MINUTE + ["clinic"]
    assert [line["untold"] for line in lines if "untold" in line] == [5]


async def test_a_taken_port_is_named_with_a_way_out(redis_url: str, tmp_path: Path) -> None:
    words = "^port: .* is taken: another receiver runs there: stop it, or give this one another"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ReceiverSettings("127.0.0.1", taken.getsockname()[1], redis_url, tmp_path)
        with pytest.RaisesGroup(pytest.RaisesExc(CannotListenError, match=words)):
            await run_receiver(SENDERS, settings, now_ms, monotonic_seconds, asyncio.Event())


async def test_what_a_full_disk_did_not_take_is_asked_for_again_and_then_counted(
    redis_url: str, tmp_path: Path
) -> None:
    post = {"parkCode": "P-1", "timestamp": now_ms(), "nonce": "once"}
    body = msgspec.json.encode({**post, "records": _entries(*range(900))})
    signature = sign(DIALECT.signature, MALL.secret, body, {})
    async with receiving(redis_url, tmp_path) as gate:
        with no_file_grows_beyond(4_096):
            assert (await gate.send("P-1", body, signature))[0] == 503
        status, said = await gate.send("P-1", body, signature)
        assert (status, said["counted"] + said["repeated"]) == (200, 900)
    entries, numbers = _totals(tmp_path, "mall")
    assert (entries, numbers) == (900, 900)


GOOD = '[[park]]\nlot_id = "a"\npark_code = "P"\ndialect = "common"\nbays_by_area = { all = 9 }\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("=", "push.toml: "),
        (GOOD + GOOD, "a lot_id stands twice"),
        (GOOD.replace("9", "0"), "a: bays_by_area needs"),
        ("port = 99999\n" + GOOD, "push.toml: port: 99999 must lie between 1 and 65535"),
        ("port = 0\n" + GOOD, "port: 0 must lie"),
        (GOOD.replace('park_code = "P"\n', ""), "park_code"),
    ],
)
def test_a_bad_file_is_refused(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "push.toml"
    path.write_text(content)
    with pytest.raises(BadSettingError, match=words):
        load_push_config(path)


def test_a_sender_needs_a_known_dialect_and_a_long_secret(tmp_path: Path) -> None:
    path = tmp_path / "push.toml"
    with pytest.raises(BadSettingError, match="No such file"):
        load_push_config(path)
    path.write_text(GOOD)
    config = load_push_config(path)
    with pytest.raises(BadSettingError, match="No such file"):
        load_senders(config, tmp_path)
    (tmp_path / "a").write_text("short")
    with pytest.raises(BadSettingError, match="fewer than 16 bytes"):
        load_senders(config, tmp_path)
    (tmp_path / "a").write_text("long enough a secret")
    assert load_senders(config, tmp_path)[0].secret == b"long enough a secret"
    path.write_text(GOOD.replace("common", "nobodys"))
    with pytest.raises(BadSettingError, match="a: there is no dialect 'nobodys'"):
        load_senders(load_push_config(path), tmp_path)
