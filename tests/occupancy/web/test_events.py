"""`/v1/stream`: real sockets, a clock that stands still, beats when the test says so."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from occupancy.web.events import MOST_IDS, PATIENCE_BEATS, SLOW_BYTES
from tests.builders import a_group, a_lot
from tests.occupancy.web.faces import Served, a_picture, served
from tests.waiting import until

WIDE = "x" * 30_000


class Event(NamedTuple):
    name: str
    event_id: str | None
    data: Any


class Reader:
    """Events of one open stream, one by one."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.roster: list[str] = []

    async def next(self) -> Event:
        """The next of what is told of lots, or a heartbeat; who there is stands in `roster`."""
        while (event := await self._next()).name == "lots":
            self.roster = event.data["ids"]
        return event

    async def _next(self) -> Event:
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self.answer.content:
                text = line.decode().rstrip("\n")
                if text:
                    name, _, value = text.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    data = msgspec.json.decode(fields["data"])
                    return Event(fields["event"], fields.get("id"), data)
        raise EOFError

    async def until_heartbeat(self) -> list[Event]:
        """The lots' events before the next heartbeat."""
        found = []
        while (event := await self.next()).name == "lot":
            found.append(event)
        return found


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        running.show("kangle", 1)
        running.show("sanda", 1)
        yield running


@asynccontextmanager
async def reading(
    shown: Served, last_event_id: str | None = None, lots: str = ""
) -> AsyncIterator[Reader]:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    query = {"lots": lots} if lots else {}
    async with shown.http.get(shown.url("/v1/stream"), headers=headers, params=query) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        yield Reader(answer)


def with_cars(cars: int) -> dict[str, Any]:
    return {"groups": (a_group(1), a_group(2, occupied=(cars, 0, 0)))}


async def test_a_reader_first_gets_the_whole_picture_and_a_heartbeat(shown: Served) -> None:
    async with reading(shown) as reader:
        opening = await reader.until_heartbeat()
    assert [event.data["id"] for event in opening] == ["kangle", "sanda"]
    assert {event.data["live"]["free"] for event in opening} == {24}


async def test_each_change_is_told_at_once_to_every_reader(shown: Served) -> None:
    async with reading(shown) as one, reading(shown) as other:
        for reader in (one, other):
            await reader.until_heartbeat()
        shown.show("kangle", 2, **with_cars(1))
        for reader in (one, other):
            event = await reader.next()
            assert (event.data["id"], event.data["live"]["free"]) == ("kangle", 29)


async def test_an_observation_that_changes_nothing_is_not_an_event(shown: Served) -> None:
    async with reading(shown) as reader:
        await reader.until_heartbeat()
        shown.clock.now_ms += 1_000
        shown.show("kangle", 2)
        shown.show("kangle", 3, **with_cars(1))
        assert (await reader.next()).data["live"]["free"] == 29


async def test_silence_is_a_change(shown: Served) -> None:
    async with reading(shown) as reader:
        await reader.until_heartbeat()
        shown.clock.now_ms += 90_000
        shown.face.showcase.let_age()
        events = [await reader.next(), await reader.next()]
    assert {event.data["status"] for event in events} == {"no_data"}
    assert {event.data["live"]["free"] for event in events} == {None}


async def test_a_heartbeat_says_when_each_lot_was_last_observed(shown: Served) -> None:
    async with reading(shown) as reader:
        await reader.until_heartbeat()
        shown.clock.now_ms += 4_000
        shown.show("sanda", 2)
        shown.face.stream.beat()
        beat = await reader.next()
    assert beat.name == "heartbeat"
    assert beat.data["observed_at"] == {
        "kangle": "2026-11-23T08:00:00.000+08:00",
        "sanda": "2026-11-23T08:00:04.000+08:00",
    }
    assert beat.data["source"] == "live"


async def test_a_reader_that_comes_back_gets_what_changed_meanwhile(shown: Served) -> None:
    async with reading(shown) as reader:
        seen = (await reader.until_heartbeat())[-1].event_id
    shown.show("sanda", 2, **with_cars(3))
    async with reading(shown, seen) as reader:
        resumed = await reader.until_heartbeat()
    assert [event.data["id"] for event in resumed] == ["sanda"]


async def test_a_reader_that_missed_nothing_gets_nothing_again(shown: Served) -> None:
    async with reading(shown) as reader:
        seen = (await reader.until_heartbeat())[-1].event_id
    async with reading(shown, seen) as reader:
        assert await reader.until_heartbeat() == []


async def test_a_reader_cut_off_amid_the_opening_gets_the_rest(shown: Served) -> None:
    async with reading(shown) as reader:
        first = await reader.next()
    async with reading(shown, first.event_id) as reader:
        rest = await reader.until_heartbeat()
    assert [event.data["id"] for event in rest] == ["sanda"]


async def test_any_worker_resumes_the_reader_of_another(shown: Served) -> None:
    async with reading(shown) as reader:
        seen = (await reader.until_heartbeat())[-1].event_id
    async with served() as other:
        other.show("kangle", 1)
        other.show("sanda", 9, **with_cars(0))
        async with reading(other, seen) as reader:
            resumed = await reader.until_heartbeat()
    assert [event.data["id"] for event in resumed] == ["sanda"]


@pytest.mark.parametrize(
    "foreign", ["", "42", "²", "9" * 5_000, "x" * 12, "kangle", "?" * 13, "-1"]
)
async def test_an_id_nobody_gave_gets_the_whole_picture(shown: Served, foreign: str) -> None:
    async with reading(shown, foreign) as reader:
        opening = await reader.until_heartbeat()
    assert [event.data["id"] for event in opening] == ["kangle", "sanda"]


async def test_who_chose_car_parks_hears_of_no_other(shown: Served) -> None:
    async with reading(shown, lots="sanda") as reader:
        (opening,) = await reader.until_heartbeat()
        assert (opening.data["id"], opening.event_id) == ("sanda", None)
        assert reader.roster == ["sanda"]
        shown.show("kangle", 2, **with_cars(1))
        shown.show("sanda", 2, **with_cars(2))
        shown.face.stream.beat()
        event = await reader.next()
        assert (event.data["id"], event.data["live"]["free"]) == ("sanda", 28)
        assert set((await reader.next()).data["observed_at"]) == {"sanda"}
    await until(lambda: shown.face.stream.readers == 0)


async def test_a_car_park_nobody_has_cannot_be_chosen(shown: Served) -> None:
    async with shown.http.get(shown.url("/v1/stream?lots=kangle,nowhere")) as answer:
        assert answer.status == 404
        assert "'nowhere'" in (await answer.json())["detail"]
    many = ",".join(f"lot{number}" for number in range(101))
    async with shown.http.get(shown.url(f"/v1/stream?lots={many}")) as answer:
        assert answer.status == 400


async def test_a_change_of_price_is_told(shown: Served) -> None:
    async with reading(shown) as reader:
        await reader.until_heartbeat()
        shown.face.showcase.price({})
        events = [await reader.next(), await reader.next()]
    assert [event.data["tariff"] for event in events] == [None, None]


async def test_head_does_not_open_a_stream(shown: Served) -> None:
    async with shown.http.head(shown.url("/v1/stream")) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert shown.face.stream.readers == 0


async def test_an_old_proxy_reads_the_stream_too(shown: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shown.port)
    writer.write(b"GET /v1/stream HTTP/1.0\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        first = await reader.readuntil(b"\n\n")
    assert b"200 OK" in head
    assert b"chunked" not in head
    assert first == b"retry: 1000\n\n"
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def stuck(shown: Served) -> AsyncIterator[socket.socket]:
    """A reader that has opened the stream and takes nothing more."""
    before = shown.face.stream.readers
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        held.connect(("127.0.0.1", shown.port))
        held.send(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: shown.face.stream.readers == before + 1)
        yield held


def bury(shown: Served) -> int:
    """Publish more than a connection takes; the number of changes."""
    last = 400
    for number in range(2, last + 1):
        shown.show("kangle", number, doubts=(f"{number} " + WIDE,))
        shown.face.stream._send_gathered()  # noqa: SLF001  # as a quarter of a second later
    return last


async def test_a_slow_reader_gets_the_latest_and_never_a_queue(shown: Served) -> None:
    async with stuck(shown) as held:
        last = bury(shown)
        (reader,) = shown.face.stream._readers  # noqa: SLF001  # what it holds is the point
        assert reader.transport.get_write_buffer_size() < SLOW_BYTES + 2 * len(WIDE)
        shown.face.stream.beat()
        assert reader.behind == {"kangle"}
        held.settimeout(0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        got = b""

        def takes() -> bytes:
            try:
                return held.recv(1_000_000)
            except BlockingIOError:
                return b""

        def drained() -> bool:
            nonlocal got
            got += takes()
            return not reader.is_slow

        def caught_up() -> bool:
            nonlocal got
            got += takes()
            return f'"{last} xxx'.encode() in got

        await until(drained)
        shown.face.stream.beat()
        await until(caught_up)
    assert got.count(b"event: lot") < last / 2


async def test_a_reader_that_takes_nothing_is_let_go(shown: Served) -> None:
    async with stuck(shown):
        bury(shown)
        async with reading(shown) as keeping_up:
            for _ in range(PATIENCE_BEATS + 1):
                await keeping_up.until_heartbeat()
                shown.face.stream.beat()
            await until(lambda: shown.face.stream.readers == 1)


async def test_a_reader_that_leaves_leaves_nothing_behind(
    shown: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with reading(shown) as reader:
            await reader.next()
        with socket.create_connection(("127.0.0.1", shown.port)) as rude:
            rude.send(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: shown.face.stream.readers > 0)
            # A reset, not a farewell.
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        shown.show("kangle", 2, **with_cars(2))
        await until(lambda: shown.face.stream.readers == 0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_shutdown_ends_every_stream(caplog: pytest.LogCaptureFixture) -> None:
    async with served([a_lot()]) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: running.face.stream.readers == 1)
    async with asyncio.timeout(5):
        assert b"event: heartbeat" in await reader.read()
    writer.close()
    await writer.wait_closed()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_number_of_readers_is_a_metric(shown: Served) -> None:
    async with reading(shown) as reader:
        await reader.next()
        async with shown.http.get(shown.url("/metrics")) as answer:
            text = await answer.text()
    assert "zhibo_stream_readers 1.0" in text
    assert 'zhibo_free_spaces{lot="kangle"} 24.0' in text


async def test_in_a_large_town_few_events_bear_an_id_and_every_one_of_them_resumes() -> None:
    names = [f"lot{number:03d}" for number in range(100)]
    async with served([a_lot(lot_id=one) for one in names]) as town:
        for one in names:
            town.show(one, 1)
        async with reading(town) as reader:
            opening = await reader.until_heartbeat()
        ids = [(place, event.event_id) for place, event in enumerate(opening) if event.event_id]
        assert len(opening) == 100
        assert len(ids) <= MOST_IDS
        assert ids[-1][0] == 99
        for place, event_id in ids:
            async with reading(town, event_id) as reader:
                rest = await reader.until_heartbeat()
            assert [event.data["id"] for event in rest] == names[place + 1 :]


async def test_in_a_large_town_an_id_is_not_most_of_what_is_told() -> None:
    names = [f"lot{number:03d}" for number in range(500)]
    async with served([a_lot(lot_id=one) for one in names]) as town:
        for one in names:
            town.show(one, 1)
        async with reading(town) as reader:
            await reader.until_heartbeat()
            pictures = [a_picture(town.lots[one], 2, **with_cars(1)) for one in names[:8]]
            town.face.showcase.take_in(pictures)
            told = [await reader.next() for _ in pictures]
    assert [event.data["id"] for event in told] == names[:8]
    assert [event.event_id is None for event in told] == [True] * 7 + [False]
