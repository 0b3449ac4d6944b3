"""The way to Redis: everything in order, once, whatever the server forgets or refuses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from gateway import stream
from gateway.outbox import Memory, Outbox, OutboxFullError
from gateway.outbox_thread import OutboxThread
from gateway.process import monotonic_seconds
from gateway.redis_client import connect
from gateway.uplink import BATCH_OBSERVATIONS, DisplacedError, Uplink, kind_of
from tests.faults.proxy import Mode, link_to
from tests.gateway.parks import NOW_MS, observation
from tests.gateway.valkey import valkey
from tests.rows import Row, published
from tests.waiting import until

LOT = "small"


def clock() -> int:
    return NOW_MS


@dataclass
class Sender:
    """An outbox and its uplink at work."""

    outbox: OutboxThread
    uplink: Uplink

    async def write(self, rows: int = 1) -> None:
        for _ in range(rows):
            news = observation(self.outbox.sequence + 1)
            self.uplink.tell(await self.outbox.append(news, Memory(), counts=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.sqlite"


@asynccontextmanager
async def sending(path: Path, redis: Redis, rows: int = 0) -> AsyncIterator[Sender]:
    """An uplink at work; `rows` are in the outbox before it begins."""
    outbox = Outbox(path, NOW_MS)
    for _ in range(rows):
        outbox.append(observation(outbox.sequence + 1), Memory(), counts=True)
    thread = OutboxThread(outbox)
    uplink = Uplink(thread, outbox.newest(), redis, LOT, clock, monotonic_seconds)
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(uplink.run(), name="uplink")
            yield Sender(thread, uplink)
            work.cancel()
    finally:
        thread.close()


async def history(redis: Redis) -> list[Row]:
    return await published(redis, LOT)


async def sequences(redis: Redis) -> list[int]:
    return [one.sequence for one in await history(redis)]


def holds(redis: Redis, *expected: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await sequences(redis) == list(expected)

    return look


async def newest_said(redis: Redis) -> int:
    entries = await stream.read_now(redis, {LOT: "0-0"}, 1)
    return entries[-1][2].observation.sequence if entries else 0


def has_said(redis: Redis, sequence: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await newest_said(redis) == sequence

    return look


async def test_everything_arrives_in_order_and_the_newest_is_said(path: Path, redis: Redis) -> None:
    async with sending(path, redis) as sender:
        await sender.write(3)
        await until(holds(redis, 1, 2, 3))
        await sender.write()
        await until(holds(redis, 1, 2, 3, 4))
        assert [one.entries_total for one in await history(redis)] == [1, 2, 3, 4]
        await until(has_said(redis, 4))
        assert sender.uplink.is_connected
        assert sender.uplink.backlog == 0


async def test_the_newest_tells_by_how_much_our_clock_is_wrong(path: Path, redis: Redis) -> None:
    async with sending(path, redis) as sender:
        before_ms = await stream.read_clock(redis)
        await sender.write()
        await until(has_said(redis, 1))
        after_ms = await stream.read_clock(redis)
    ((_, _, said),) = await stream.read_now(redis, {LOT: "0-0"}, 1)
    assert said.made_at_ms == NOW_MS
    assert said.server_made_at_ms is not None
    # The server counts on between asking it and saying: early by the answer's way at most.
    assert before_ms - 1_000 < said.server_made_at_ms <= after_ms


async def test_a_backlog_arrives_in_batches_behind_the_newest(path: Path, redis: Redis) -> None:
    rows = BATCH_OBSERVATIONS * 3 + 10
    commands: list[str] = []

    def seen(command: str) -> None:
        commands.append(command)

    async def watch(started: asyncio.Event) -> None:
        async with redis.monitor() as monitor:
            started.set()
            async for command in monitor.listen():
                seen(command["command"])

    started = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch(started), name="watch")
        await started.wait()
        async with sending(path, redis, rows):
            await until(holds(redis, *range(1, rows + 1)))
        watching.cancel()
    added = [command.split()[1] for command in commands if command.startswith("XADD")]
    assert added == [stream.now_key(LOT), *[stream.observations_key(LOT)] * 4]


async def test_a_restarted_gateway_goes_on_from_what_the_server_holds(
    path: Path, redis: Redis
) -> None:
    async with sending(path, redis, 3):
        await until(holds(redis, 1, 2, 3))
    async with sending(path, redis, 2):
        await until(holds(redis, 1, 2, 3, 4, 5))
    entries = await stream.read_history(redis, LOT, "0-0", 100)
    assert len(entries) == 2


async def test_what_is_recorded_is_not_sent_to_a_server_that_lost_all(
    path: Path, redis: Redis
) -> None:
    async with sending(path, redis, 5) as sender:
        await until(holds(redis, 1, 2, 3, 4, 5))
        await redis.flushall()
        await stream.acknowledge(redis, LOT, sender.outbox.epoch, 3)
        await until(holds(redis, 4, 5))
        assert sender.outbox.recorded == 3


async def test_a_server_that_was_wiped_unseen_is_filled_again(path: Path, redis: Redis) -> None:
    async with sending(path, redis, 5):
        await until(holds(redis, 1, 2, 3, 4, 5))
        await redis.flushall()
        await until(holds(redis, 1, 2, 3, 4, 5))
        await until(has_said(redis, 5))


async def test_a_server_whose_log_was_cut_gets_what_was_cut_off(path: Path, redis: Redis) -> None:
    async with sending(path, redis, 5) as sender:
        await until(holds(redis, 1, 2, 3, 4, 5))
        epoch = sender.outbox.epoch
        first_two = tuple(
            msgspec.structs.replace(observation(n), epoch=epoch, sequence=n) for n in (1, 2)
        )
        async with redis.pipeline(transaction=True) as cut:
            await cut.delete(stream.observations_key(LOT))
            await stream.publish_history(cut, first_two)
            await cut.execute()
        await until(holds(redis, 1, 2, 3, 4, 5))


async def test_a_server_that_restarted_empty_is_filled_again(path: Path, tmp_path: Path) -> None:
    async with (
        valkey(tmp_path / "v") as server,
        connect(server.url) as redis,
        sending(path, redis, 3) as sender,
    ):
        await until(holds(redis, 1, 2, 3))
        await server.kill()
        await sender.write(2)
        await until(lambda: not sender.uplink.is_connected)
        await server.start()
        await until(lambda: sender.uplink.is_connected)
        async with connect(server.url) as fresh:
            await until(holds(fresh, 1, 2, 3, 4, 5))
            await until(has_said(fresh, 5))


async def test_a_hole_the_recorder_found_is_filled_from_behind_the_record(
    path: Path, redis: Redis
) -> None:
    async with sending(path, redis, 5) as sender:
        await until(holds(redis, 1, 2, 3, 4, 5))
        await redis.delete(stream.observations_key(LOT))
        last = (await stream.read_now(redis, {LOT: "0-0"}, 1))[-1][2].observation
        await stream.publish_history(redis, (last,))
        await stream.ask_again(redis, LOT, sender.outbox.epoch, 2)
        await until(holds(redis, 3, 4, 5))
        entries = await stream.read_history(redis, LOT, "0-0", 100)
        # the mark stands until the recorder moves on: it must not be taken for another hole
        asked = sender.uplink.asked
        await until(lambda: sender.uplink.asked > asked + 1)
        assert await stream.read_history(redis, LOT, "0-0", 100) == entries


async def test_a_younger_epoch_of_a_lost_outbox_is_outgrown_by_a_new_one(
    path: Path, redis: Redis
) -> None:
    elder = 1 << 60
    await redis.xadd(stream.now_key(LOT), {b"o": b"x"}, id=f"{elder}-7")
    async with sending(path, redis, 3) as sender:
        await until(holds(redis, 1, 2, 3))
        assert sender.outbox.epoch > elder
        assert {one.epoch for one in await history(redis)} == {sender.outbox.epoch}


async def test_two_gateways_of_one_car_park_are_told_and_the_elder_keeps_silent(
    path: Path, redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sending(path, redis, 2) as elder:
        await until(holds(redis, 1, 2))
        async with sending(tmp_path / "other.sqlite", redis, 2) as younger:
            await until(lambda: elder.uplink.trouble != "")
            await elder.write()
            await younger.write()
            await until(lambda: younger.uplink.backlog == 0)
            said = {one.epoch for one in await history(redis) if one.sequence == 3}
            assert said == {younger.outbox.epoch}

            async def has_said_so() -> bool:
                displaced = await stream.read_displaced(redis, LOT)
                return displaced is not None and displaced[0] == elder.outbox.epoch

            await until(has_said_so)
    told = capsys.readouterr().out
    assert "another gateway speaks for this car park" in told
    assert "move" in told


async def test_an_outbox_that_is_an_old_copy_begins_an_epoch_of_its_own(
    path: Path, redis: Redis, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    async with sending(path, redis, 2):
        await until(holds(redis, 1, 2))
    copy.write_bytes(path.read_bytes())
    async with sending(path, redis, 3) as sender:
        await until(holds(redis, 1, 2, 3, 4, 5))
        epoch = sender.outbox.epoch
    async with sending(copy, redis) as sender:
        await until(lambda: sender.outbox.epoch > epoch)
        await sender.write(2)
        await until(lambda: sender.uplink.backlog == 0)
        *_, third, fourth = await history(redis)
        assert (third.epoch, third.sequence, third.previous_sequence) == (
            sender.outbox.epoch,
            3,
            0,
        )
        assert fourth.previous_sequence == 3


async def test_a_server_that_refuses_writes_is_not_called_away(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with valkey(tmp_path / "v") as server, connect(server.url) as redis:
        await redis.config_set("maxmemory", "1")
        async with sending(path, redis, 3) as sender:
            await until(lambda: sender.uplink.trouble != "")
            assert sender.uplink.trouble == "Redis refuses writes"
            await redis.config_set("maxmemory", "0")
            await until(holds(redis, 1, 2, 3))
            await until(lambda: sender.uplink.trouble == "")
    told = capsys.readouterr().out
    assert told.count("Redis refuses writes") == 1
    assert "Redis takes observations again" in told


def test_refusing_being_away_and_being_displaced_are_told_apart() -> None:
    assert kind_of(ReadOnlyError("You can't write")) == "Redis refuses writes"
    assert kind_of(RedisConnectionError("gone")) == "Redis is away"
    assert kind_of(TimeoutError()) == "Redis is away"
    assert kind_of(DisplacedError()) == "another gateway speaks for this car park"
    assert kind_of(OutboxFullError()) == "the outbox takes no more"


@pytest.mark.parametrize(
    "weather", [Mode.SWALLOW_REPLY, Mode.CUT_COMMAND, Mode.REFUSE, Mode.LOSS], ids=str
)
async def test_whatever_the_link_does_each_observation_arrives_once_in_order(
    path: Path, tmp_path: Path, weather: Mode
) -> None:
    async with (
        valkey(tmp_path / "v") as server,
        link_to("127.0.0.1", server.port) as link,
        connect(f"redis://127.0.0.1:{link.port}") as through,
        connect(server.url) as redis,
        sending(path, through, 5) as sender,
    ):
        await until(holds(redis, 1, 2, 3, 4, 5))
        for _ in range(3):
            link.become(weather)
            await sender.write(3)
            await until(lambda: not sender.uplink.is_connected or weather is Mode.LOSS)
            link.become(Mode.PASS)
            await until(holds(redis, *range(1, sender.outbox.sequence + 1)))
        assert [one.entries_total for one in await history(redis)] == list(range(1, 15))
