"""The live picture in a real server."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from gateway.redis_client import connect
from occupancy import snapshot
from occupancy.live import LiveOccupancy
from tests.builders import a_lot
from tests.gateway.redis_kinds import cluster
from tests.occupancy.web.faces import a_picture

KANGLE, SANDA = a_lot(), a_lot(lot_id="sanda")


async def test_the_newest_picture_wins_whoever_writes_it(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    assert await snapshot.write(redis, run_id, a_picture(KANGLE, 2))
    assert not await snapshot.write(redis, run_id, a_picture(KANGLE, 2))
    assert not await snapshot.write(redis, run_id, a_picture(KANGLE, 1))
    assert await snapshot.read_all(redis, ["kangle"]) == [a_picture(KANGLE, 2)]


async def test_a_picture_of_another_servers_life_is_not_believed(redis: Redis) -> None:
    await snapshot.write(redis, "an earlier run", a_picture(KANGLE, 9))
    assert await snapshot.read_all(redis, ["kangle"]) == []
    run_id = await snapshot.read_run_id(redis)
    assert await snapshot.write(redis, run_id, a_picture(KANGLE, 3))


async def test_a_picture_that_cannot_be_read_does_not_hide_the_others(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    await snapshot.write(redis, run_id, a_picture(SANDA, 1))
    held = {"run": run_id, "epoch": "1", "sequence": "1", "picture": b"\xc1 not a picture"}
    await redis.hset(snapshot.picture_key("kangle"), mapping=held)  # type: ignore[arg-type]
    assert await snapshot.read_all(redis, ["kangle", "sanda"]) == [a_picture(SANDA, 1)]


async def test_a_follower_hears_all_then_each_change_and_survives_noise(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    await snapshot.write(redis, run_id, a_picture(SANDA, 1))
    first, sequences = None, []
    async with asyncio.timeout(20):
        async for pictures in snapshot.follow(redis, ["kangle", "sanda"]):
            if first is None:
                first = pictures
                await redis.publish(snapshot.CHANNEL, b"noise")
                await redis.publish(snapshot.CHANNEL, msgspec.msgpack.encode(["noise"]))
                for sequence in (5, 6, 7):
                    await snapshot.write(redis, run_id, a_picture(KANGLE, sequence))
            sequences += [p.sequence for p in pictures if p.lot_id == "kangle"]
            if 7 in sequences:
                break
    assert first == [a_picture(SANDA, 1)]


async def test_a_follower_ends_although_somebody_swallowed_its_cancellation(redis: Redis) -> None:
    async def follow() -> list[object]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # as wait_for does before Python 3.12
            await asyncio.sleep(0)
        return [pictures async for pictures in snapshot.follow(redis, ["kangle"])]

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        following = group.create_task(follow(), name="follow")
    assert following.result() == []


async def test_a_follower_hears_nothing_of_a_picture_that_came_late(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    async with redis.pubsub() as heard:
        await heard.subscribe(snapshot.CHANNEL)
        assert (await heard.get_message(timeout=10))["type"] == "subscribe"
        for sequences in ((5, 1), (4, 2), (3, 2), (6, 3)):
            pictures = zip((KANGLE, SANDA), sequences, strict=True)
            await snapshot.write_all(redis, run_id, [a_picture(lot, n) for lot, n in pictures])
        told = [await heard.get_message(timeout=10) for _ in range(3)]
    heard_of = [msgspec.msgpack.decode(one["data"], type=list[LiveOccupancy]) for one in told]
    assert [[one.sequence for one in some] for some in heard_of] == [[5, 1], [2], [6, 3]]


async def test_a_cluster_takes_many_pictures_at_once_and_tells_them_together(
    tmp_path: Path,
) -> None:
    lots = [a_lot(lot_id=f"lot{number}") for number in range(9)]
    async with cluster(tmp_path) as nodes:
        places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        async with (
            connect(f"redis+cluster://{places}") as redis,
            connect(nodes[0].url) as node,
            node.pubsub() as heard,
        ):
            await heard.subscribe(snapshot.CHANNEL)
            assert (await heard.get_message(timeout=10))["type"] == "subscribe"
            written = await snapshot.write_all(redis, "run", [a_picture(lot) for lot in lots])
            told = await heard.get_message(timeout=10)
    assert written == len(lots)
    assert len(msgspec.msgpack.decode(told["data"])) == len(lots)


async def test_what_one_client_of_a_cluster_writes_another_one_believes(tmp_path: Path) -> None:
    async with cluster(tmp_path) as nodes:
        first, second = (f"redis+cluster://127.0.0.1:{node.port}" for node in nodes[:2])
        async with connect(first) as writer, connect(second) as reader:
            run_id = await snapshot.read_run_id(writer)
            assert await snapshot.write(writer, run_id, a_picture(KANGLE, 2))
            assert await snapshot.read_all(reader, ["kangle"]) == [a_picture(KANGLE, 2)]
