"""One URL for every kind of Redis: the same commands, nothing repeated unasked."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway import stream
from gateway.redis_client import MOST_CONNECTIONS, connect
from gateway.settings import BadSettingError
from tests.faults.proxy import Mode, link_to
from tests.gateway.redis_kinds import LOT, SLOTS, cluster, placed, says_everything, sentinel
from tests.gateway.valkey import Valkey, valkey
from tests.waiting import until

APART = ("kangle", "sanda", "zhanqian")  # on a cluster of three each lies on another server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1", "is none of redis://host:port"),
        ("", "is none of redis://host:port"),
        ("redis://127.0.0.1:port", "ZHIBO_REDIS_URL='redis://127.0.0.1:port'"),
        ("redis+sentinel://127.0.0.1:1", "lacks the service name"),
        ("redis+sentinel://127.0.0.1:x/main", "is not host:port"),
        ("redis+cluster://", "names no host"),
    ],
)
def test_a_url_of_no_known_form_is_refused_with_the_forms(url: str, words: str) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_REDIS_URL") as refusal:
        connect(url)
    assert words in str(refusal.value)


def test_a_refused_url_does_not_tell_its_password() -> None:
    with pytest.raises(BadSettingError) as refusal:
        connect("redis+sentinel://gateway:secret@127.0.0.1:1")
    assert "secret" not in str(refusal.value)
    assert "127.0.0.1:1" in str(refusal.value)


async def test_a_command_whose_reply_was_lost_is_not_repeated(tmp_path: Path) -> None:
    async with (
        valkey(tmp_path / "v") as server,
        link_to("127.0.0.1", server.port) as link,
        connect(f"redis://127.0.0.1:{link.port}") as through,
        connect(server.url) as redis,
    ):
        await through.ping()
        link.become(Mode.SWALLOW_REPLY)
        with pytest.raises((RedisError, OSError)):
            await through.incr("times")
        assert await redis.get("times") == b"1"


async def test_a_connection_that_was_reset_says_so_in_one_way(tmp_path: Path) -> None:
    async with (
        valkey(tmp_path / "v") as server,
        link_to("127.0.0.1", server.port) as link,
        connect(f"redis://127.0.0.1:{link.port}") as through,
    ):
        for _ in range(20):
            link.become(Mode.PASS)
            await through.ping()
            asyncio.get_running_loop().call_soon(link.become, Mode.REFUSE)
            with pytest.raises((RedisConnectionError, RedisTimeoutError, OSError)):  # noqa: PT012
                while True:
                    await through.ping()


async def test_a_single_server_takes_it_all(redis: Redis) -> None:
    await says_everything(redis)


async def test_a_cluster_of_three_takes_it_all(tmp_path: Path) -> None:
    async with cluster(tmp_path) as nodes:
        places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        async with connect(f"redis+cluster://{places}") as redis:
            await says_everything(redis)
            for lot_id in ("kangle", "zhanqian", "sanda"):
                await stream.ask_again(redis, lot_id, 7, 1)
                known = await stream.read_acknowledged(redis, lot_id)
                assert known == stream.Acknowledgement(7, 1, send_again=True)


async def test_a_cluster_tells_of_car_parks_that_lie_apart(tmp_path: Path) -> None:
    async with cluster(tmp_path) as nodes, connect(f"redis+cluster://{_place(nodes)}") as redis:
        await stream.publish_now(redis, _newest("sanda"))
        await stream.publish_now(redis, _newest("zhanqian"))
        told = await stream.read_now(redis, dict.fromkeys(APART, "0-0"), 1)
        assert [lot_id for lot_id, _, _ in told] == ["sanda", "zhanqian"]
        after = {"kangle": "0-0", **{lot_id: place for lot_id, place, _ in told}}
        assert await stream.read_now(redis, after, 1) == []
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(stream.read_now(redis, after, 10_000), name="reader")
            await stream.publish_now(redis, _newest("kangle"))
        assert [lot_id for lot_id, _, _ in waiting.result()] == ["kangle"]


async def test_a_cluster_that_lost_a_part_says_so_as_any_server_does(tmp_path: Path) -> None:
    async with cluster(tmp_path) as nodes, connect(f"redis+cluster://{_place(nodes)}") as redis:
        await stream.publish_now(redis, _newest("kangle"))
        await nodes[key_slot(stream.now_key("kangle").encode()) * len(nodes) // SLOTS].kill()
        with pytest.raises((RedisError, OSError)):
            await stream.publish_now(redis, _newest("kangle"))
        with pytest.raises((RedisError, OSError)):
            await stream.read_now(redis, dict.fromkeys(APART, "0-0"), 1)


def _place(nodes: Sequence[Valkey]) -> str:
    return ",".join(f"127.0.0.1:{node.port}" for node in nodes)


def _newest(lot_id: str) -> stream.NowEntry:
    return stream.NowEntry(msgspec.structs.replace(placed(1), lot_id=lot_id), 5)


async def test_behind_sentinel_the_client_follows_a_fail_over(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(valkey(tmp_path / "first"))
        follows = ("--replicaof", "127.0.0.1", str(first.port))
        second = await stack.enter_async_context(valkey(tmp_path / "second", follows))
        watcher = await stack.enter_async_context(sentinel(tmp_path / "sentinel", first))
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watcher.port}/town"
        redis = await stack.enter_async_context(connect(url))
        await says_everything(redis)
        await first.kill()

        async def is_served_again() -> bool:
            try:
                await stream.publish_now(redis, stream.NowEntry(placed(3), 5))
            except (RedisError, OSError, TimeoutError):
                return False
            return True

        await until(is_served_again, within_seconds=60)
        async with connect(second.url) as promoted:
            held = await stream.read_held(promoted, LOT)
        assert held.now == (7, 3)


async def test_who_finds_every_connection_in_use_waits_and_is_not_refused(redis_url: str) -> None:
    async with connect(redis_url) as client:
        await client.set("x", "1")
        answers = await asyncio.gather(*(client.get("x") for _ in range(4 * MOST_CONNECTIONS)))
        assert answers == [b"1"] * (4 * MOST_CONNECTIONS)
        assert int((await client.info("clients"))["connected_clients"]) <= 2 * MOST_CONNECTIONS
