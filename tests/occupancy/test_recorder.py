import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway import stream
from gateway.history_rows import rows_of
from gateway.observation import Observation
from occupancy import database, history, snapshot
from occupancy.copy_rows import contiguous
from occupancy.database import Pool
from occupancy.live import LiveOccupancy, Quality, Received, Status, fold
from occupancy.recorder import Recorder, run_recorder
from occupancy.sign_faces import TownSign
from tests.builders import MORNING_MS, a_lot, an_observation
from tests.rows import plain_rows
from tests.waiting import until

SIGN = TownSign("junction", "kangle", ("kangle", "elsewhere"))


def clock() -> int:
    return MORNING_MS + 10_000


@asynccontextmanager
async def recording(redis: Redis, connections: Pool, name: str = "one") -> AsyncIterator[Recorder]:
    recorder = Recorder(redis, connections, {"kangle": a_lot()}, [SIGN], clock, name)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(recorder.run(), name="recorder")
        yield recorder
        work.cancel()


async def publish(redis: Redis, *observations: Observation) -> None:
    await stream.publish_now(redis, stream.NowEntry(observations[-1], clock()))
    await stream.publish_history(redis, observations)


async def recorded(connections: Pool) -> list[int]:
    rows = await connections.fetch("SELECT sequence FROM observation ORDER BY sequence")
    return [row["sequence"] for row in rows]


def has_recorded(connections: Pool, *sequences: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await recorded(connections) == list(sequences)

    return holds


async def test_the_newest_observation_becomes_the_picture(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1), an_observation(2))
        await until(lambda: holds_picture(redis, 2))


async def holds_picture(redis: Redis, sequence: int) -> bool:
    pictures = await snapshot.read_all(redis, ["kangle"])
    return [picture.sequence for picture in pictures] == [sequence]


async def test_history_is_recorded_acknowledged_and_trimmed(
    redis: Redis, connections: Pool
) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1))
        await publish(redis, an_observation(2), an_observation(3))
        await until(has_recorded(connections, 1, 2, 3))

        async def is_acknowledged() -> bool:
            told = await stream.read_acknowledged(redis, "kangle")
            return told == stream.Acknowledgement(1, 3)

        await until(is_acknowledged)
        assert await redis.xlen(stream.observations_key("kangle")) == 1


async def test_a_wiped_server_is_told_at_once_what_is_recorded(
    redis: Redis, connections: Pool
) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1), an_observation(2))
        await until(has_recorded(connections, 1, 2))
    await redis.flushdb()
    async with recording(redis, connections, "two"):

        async def is_told() -> bool:
            told = await stream.read_acknowledged(redis, "kangle")
            return told == stream.Acknowledgement(1, 2)

        await until(is_told)


async def test_a_batch_sent_twice_is_recorded_once(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1), an_observation(2))
        await until(has_recorded(connections, 1, 2))
        await redis.delete(stream.observations_key("kangle"))
        await publish(redis, an_observation(1), an_observation(2), an_observation(3))
        await until(has_recorded(connections, 1, 2, 3))


async def test_nothing_is_recorded_over_a_hole_and_the_gateway_is_asked_again(
    redis: Redis, connections: Pool
) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1))
        await until(has_recorded(connections, 1))
        await publish(redis, an_observation(3))

        async def is_asked() -> bool:
            told = await stream.read_acknowledged(redis, "kangle")
            return told == stream.Acknowledgement(1, 1, send_again=True)

        await until(is_asked)
        assert await recorded(connections) == [1]
        await stream.begin_again(redis, "kangle")
        await publish(redis, an_observation(2), an_observation(3))
        await until(has_recorded(connections, 1, 2, 3))


async def test_thinned_snapshots_are_no_hole(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1), an_observation(5, previous_sequence=1))
        await until(has_recorded(connections, 1, 5))


async def test_an_entry_nobody_can_read_is_set_aside_with_its_reason(
    redis: Redis, connections: Pool
) -> None:
    await redis.xadd(stream.observations_key("kangle"), {b"o": b"\xc1 not a batch"}, id="1-1")
    async with recording(redis, connections):

        async def is_aside() -> bool:
            return bool(await redis.xlen(stream.unreadable_key("kangle")))

        await until(is_aside)
    entries: Any = await redis.xrange(stream.unreadable_key("kangle"))
    ((_, fields), *_) = entries
    assert fields[b"entry"] == b"1-1"
    assert fields[b"reason"]


async def test_two_recorders_write_every_row_once(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections, "one"), recording(redis, connections, "two"):
        for sequence in range(1, 30):
            await publish(redis, an_observation(sequence))
        await until(has_recorded(connections, *range(1, 30)))


async def test_a_dead_recorders_lots_are_taken_over(redis: Redis, connections: Pool) -> None:
    await history.take_lease(connections, "kangle", "dead", 0.5)
    await publish(redis, an_observation(1))
    async with recording(redis, connections):
        await until(has_recorded(connections, 1), within_seconds=10)


async def test_pictures_come_back_after_redis_was_wiped(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1))
        await until(lambda: holds_picture(redis, 1))
        await redis.flushall()
        await publish(redis, an_observation(2))
        await until(lambda: holds_picture(redis, 2))


async def test_signs_at_junctions_are_told_what_to_show(redis: Redis, connections: Pool) -> None:
    async with recording(redis, connections):
        await publish(redis, an_observation(1))

        async def shows_free() -> bool:
            faces = await stream.read_faces(redis, "kangle")
            return bool(faces) and faces["junction"].lines == ("24", "—")

        await until(shows_free)


async def test_a_recorder_waits_for_the_database_and_stops_when_told(
    redis: Redis, postgres_url: str
) -> None:
    stopping = asyncio.Event()
    stopping.set()
    await run_recorder(redis, postgres_url, [], clock, stopping)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(1, 1, 0), (1, 2, 1)], [1, 2]),
        ([(1, 2, 1)], []),
        ([(1, 1, 0), (1, 3, 2)], [1]),
        ([(1, 1, 0), (1, 7, 1)], [1, 7]),
        ([(1, 1, 0), (2, 1, 0), (2, 2, 1)], [1, 1, 2]),
        ([(1, 1, 0), (2, 5, 4)], [1]),
    ],
)
def test_a_run_is_unbroken(places: list[tuple[int, int, int]], expected: list[int]) -> None:
    observations = [an_observation(s, epoch=e, previous_sequence=p) for e, s, p in places]
    run, has_hole = contiguous(rows_of(observations), 0, 0)
    assert [row.sequence for row in plain_rows(run)] == expected
    assert has_hole == (len(expected) < len(places))


async def test_an_older_picture_never_replaces_a_newer_one(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    assert await snapshot.write(redis, run_id, a_picture(2))
    assert not await snapshot.write(redis, run_id, a_picture(1))
    assert not await snapshot.write(redis, run_id, a_picture(2))
    assert await holds_picture(redis, 2)


async def test_a_picture_of_another_server_process_is_not_believed(redis: Redis) -> None:
    assert await snapshot.write(redis, "the server before", a_picture(9))
    assert await snapshot.read_all(redis, ["kangle"]) == []
    assert await snapshot.write(redis, await snapshot.read_run_id(redis), a_picture(1))
    assert await holds_picture(redis, 1)


async def test_a_follower_gets_all_pictures_then_each_change(redis: Redis) -> None:
    run_id = await snapshot.read_run_id(redis)
    await snapshot.write(redis, run_id, a_picture(1))
    seen: list[int] = []
    async with asyncio.timeout(10):
        async for pictures in snapshot.follow(redis, ["kangle"]):
            seen += [picture.sequence for picture in pictures]
            if len(seen) == 2:
                break
            await snapshot.write(redis, run_id, a_picture(2))
    assert seen == [1, 2]


def a_picture(sequence: int) -> LiveOccupancy:

    observation = an_observation(sequence)
    picture = fold(None, a_lot(), Received(observation, clock(), clock()))
    assert picture.quality is Quality.COUNTED
    assert picture.status is Status.OPEN
    return picture


async def test_a_lot_that_is_edited_stays_edited(connections: Pool) -> None:
    await database.seed_lots(connections, [a_lot(name="old")])
    await database.seed_lots(connections, [a_lot(name="new")])
    assert [lot.name for lot in await database.list_lots(connections)] == ["old"]
