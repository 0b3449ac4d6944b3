"""Redis as Sentinel and Cluster with the server of the wheel, and what all kinds must answer."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from gateway import stream
from gateway.observation import Observation
from gateway.process import now_ms
from gateway.redis_client import connect
from gateway.signs import SignOrder
from tests.free_port import free_port
from tests.gateway.parks import observation
from tests.gateway.valkey import Valkey, valkey
from tests.waiting import until

LOT = "small"
SLOTS = 16_384


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[list[Valkey]]:
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
                await tell(redis, "CLUSTER", "ADDSLOTSRANGE", first, last)
                await tell(redis, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            await until(lambda node=node: _knows_all(node))  # type: ignore[misc]
        yield nodes


def cluster_port() -> int:
    """The bus takes the port 10,000 above."""
    while (port := free_port()) > 55_000:
        continue
    return port


async def tell(redis: Redis, *words: str | int) -> object:
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def _knows_all(node: Valkey) -> bool:
    async with connect(node.url) as redis:
        told = await tell(redis, "CLUSTER", "INFO")
    return isinstance(told, bytes) and b"cluster_state:ok" in told


async def says_everything(redis: Redis) -> None:
    """Every command a gateway, a recorder and a sign need."""
    assert await stream.publish_now(redis, stream.NowEntry(placed(1), 5))
    assert not await stream.publish_now(redis, stream.NowEntry(placed(1), 5))
    assert await stream.publish_history(redis, (placed(1), placed(2)))
    assert not await stream.publish_history(redis, (placed(2),))
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


def placed(sequence: int) -> Observation:
    news = observation(sequence)
    return type(news)(news.lot_id, 7, sequence, sequence - 1, *(getattr(news, f) for f in _REST))


_REST = Observation.__struct_fields__[4:]


@asynccontextmanager
async def sentinel(folder: Path, primary: Valkey) -> AsyncIterator[Valkey]:
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
            seen = await tell(redis, "SENTINEL", "REPLICAS", "town")
            return bool(seen)

        await until(sees_the_replica, within_seconds=30)
        yield watcher
