"""One URL for every kind of Redis: the same commands, nothing repeated unasked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway import stream
from gateway.observation import Observation
from gateway.process import now_ms
from gateway.redis_client import MOST_CONNECTIONS, connect
from gateway.settings import BadSettingError
from gateway.signs import SignOrder
from tests.faults.proxy import Mode, link_to
from tests.gateway.parks import observation
from tests.gateway.valkey import Valkey, free_port, valkey
from tests.waiting import until

LOT = "small"
SLOTS = 16_384


def _placed(sequence: int) -> Observation:
    news = observation(sequence)
    return type(news)(news.lot_id, 7, sequence, sequence - 1, *(getattr(news, f) for f in _REST))


_REST = Observation.__struct_fields__[4:]


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


@asynccontextmanager
async def _cluster(folder: Path) -> AsyncIterator[list[Valkey]]:
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                valkey(folder / str(number), ("--cluster-enabled", "yes"), cluster_port())
            )
            for number in range(3)
        ]
        for number, node in enumerate(nodes):
            async with connect(node.url) as redis:
                first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                await _tell(redis, "CLUSTER", "ADDSLOTSRANGE", first, last)
                await _tell(redis, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            await until(lambda node=node: _knows_all(node))  # type: ignore[misc]
        yield nodes


def cluster_port() -> int:
    """The bus takes the port 10,000 above."""
    while (port := free_port()) > 55_000:
        continue
    return port


async def _tell(redis: Redis, *words: str | int) -> object:
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def _knows_all(node: Valkey) -> bool:
    async with connect(node.url) as redis:
        told = await _tell(redis, "CLUSTER", "INFO")
    return isinstance(told, bytes) and b"cluster_state:ok" in told


async def says_everything(redis: Redis) -> None:
    """Every command a gateway, a recorder and a sign need."""
    assert await stream.publish_now(redis, stream.NowEntry(_placed(1), 5))
    assert not await stream.publish_now(redis, stream.NowEntry(_placed(1), 5))
    assert await stream.publish_history(redis, (_placed(1), _placed(2)))
    assert not await stream.publish_history(redis, (_placed(2),))
    assert abs(await stream.read_clock(redis) - now_ms()) < 60_000
    ((lot_id, _, now),) = await stream.read_now(redis, {LOT: "0-0"}, 1)
    assert (lot_id, now.observation.sequence, now.made_at_ms) == (LOT, 1, 5)
    held = await stream.read_held(redis, LOT)
    assert (held.observations, held.now, held.recorded) == ((7, 2), (7, 1), None)
    assert len(await stream.read_history(redis, LOT, "0-0", 10)) == 1
    await stream.acknowledge(redis, LOT, 7, 2)
    assert await stream.read_acknowledged(redis, LOT) == stream.Acknowledgement(7, 2)
    await stream.order_faces(redis, LOT, [SignOrder("junction", ("1",), 3)])
    assert (await stream.read_faces(redis, LOT))["junction"].number == 3
    await stream.begin_again(redis, LOT)
    assert (await stream.read_held(redis, LOT)).observations is None


async def test_a_single_server_takes_it_all(redis: Redis) -> None:
    await says_everything(redis)


async def test_a_cluster_of_three_takes_it_all(tmp_path: Path) -> None:
    async with _cluster(tmp_path) as nodes:
        places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        async with connect(f"redis+cluster://{places}") as redis:
            await says_everything(redis)
            for lot_id in ("kangle", "zhanqian", "sanda"):
                await stream.ask_again(redis, lot_id, 7, 1)
                known = await stream.read_acknowledged(redis, lot_id)
                assert known == stream.Acknowledgement(7, 1, send_again=True)


async def test_behind_sentinel_the_client_follows_a_fail_over(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(valkey(tmp_path / "first"))
        follows = ("--replicaof", "127.0.0.1", str(first.port))
        second = await stack.enter_async_context(valkey(tmp_path / "second", follows))
        watcher = await stack.enter_async_context(_sentinel(tmp_path / "sentinel", first))
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watcher.port}/town"
        redis = await stack.enter_async_context(connect(url))
        await says_everything(redis)
        await first.kill()

        async def is_served_again() -> bool:
            try:
                await stream.publish_now(redis, stream.NowEntry(_placed(3), 5))
            except (RedisError, OSError, TimeoutError):
                return False
            return True

        await until(is_served_again, within_seconds=60)
        async with connect(second.url) as promoted:
            held = await stream.read_held(promoted, LOT)
        assert held.now == (7, 3)


@asynccontextmanager
async def _sentinel(folder: Path, primary: Valkey) -> AsyncIterator[Valkey]:
    folder.mkdir()
    told = folder / "sentinel.conf"
    told.write_text(
        f"sentinel monitor town 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds town 500\n"
        "sentinel failover-timeout town 5000\n",
        encoding="ascii",
    )
    async with (
        valkey(folder, ("--sentinel",), config=told) as watcher,
        connect(watcher.url) as redis,
    ):

        async def sees_the_replica() -> bool:
            seen = await _tell(redis, "SENTINEL", "REPLICAS", "town")
            return bool(seen)

        await until(sees_the_replica, within_seconds=30)
        yield watcher


async def test_who_finds_every_connection_in_use_waits_and_is_not_refused(redis_url: str) -> None:
    async with connect(redis_url) as client:
        await client.set("x", "1")
        answers = await asyncio.gather(*(client.get("x") for _ in range(4 * MOST_CONNECTIONS)))
        assert answers == [b"1"] * (4 * MOST_CONNECTIONS)
        assert int((await client.info("clients"))["connected_clients"]) <= 2 * MOST_CONNECTIONS
