import asyncio
from typing import Any

import structlog
from msgspec.structs import replace

from occupancy import database
from routing.trip import arrive, choose, give_way
from routing.trip_history import KEPT_DAYS, MOST_WAITING, Outcome, TripHistory, read_outcomes
from tests.routing.test_trip import NOW_MS, a_trip
from tests.waiting import until

LATER_MS = NOW_MS + 3_600_000


async def rows(connections: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 -- asyncpg has no types
    found = await connections.fetch("SELECT trip_id, lot_id, stage FROM trip ORDER BY trip_id")
    return [tuple(row) for row in found]


async def test_a_trip_is_written_and_written_on(connections: Any) -> None:  # noqa: ANN401
    history = TripHistory(connections, lambda: NOW_MS)
    history.note(a_trip())
    history.note(choose(a_trip(), "sanda", NOW_MS + 5))
    assert await history.write() == 2
    assert await rows(connections) == [("t1", "sanda", "chosen")]
    history.note(a_trip())
    assert await history.write() == 1
    assert await rows(connections) == [("t1", "sanda", "chosen")]


async def test_what_became_of_trips_is_counted_without_those_replaced(
    connections: Any,  # noqa: ANN401
) -> None:
    history = TripHistory(connections, lambda: NOW_MS)
    history.note(a_trip())
    history.note(arrive(replace(a_trip(), trip_id="t2"), NOW_MS))
    history.note(give_way(replace(a_trip(), trip_id="t3"), NOW_MS))
    await history.write()
    expected = [Outcome("kangle", 2, 0, 1, 1.2, 1.8, 0.0, 0.0)]
    assert await read_outcomes(connections, NOW_MS - 1_000, LATER_MS) == expected
    assert await read_outcomes(connections, NOW_MS - 1_000, NOW_MS) == []
    assert await read_outcomes(connections, NOW_MS + 1_000, LATER_MS) == []


async def test_after_thirty_days_a_trip_is_gone(connections: Any) -> None:  # noqa: ANN401
    now_ms = NOW_MS + KEPT_DAYS * 86_400_000 + 3_600_001
    history = TripHistory(connections, lambda: now_ms)
    history.note(a_trip())
    history.note(replace(a_trip(), trip_id="young", shown_at_ms=now_ms))

    async def is_swept() -> bool:
        return [row[0] for row in await rows(connections)] == ["young"]

    async with asyncio.TaskGroup() as group:
        task = group.create_task(history.keep_writing())
        await until(is_swept)
        task.cancel()


async def test_while_postgresql_is_away_trips_wait_and_it_is_said_once() -> None:
    with structlog.testing.capture_logs() as said:
        async with database.pool("postgresql://nobody@/nothing?host=/nowhere") as away:
            history = TripHistory(away, lambda: NOW_MS)
            for number in range(MOST_WAITING + 1):
                history.note(replace(a_trip(), trip_id=str(number)))
            async with asyncio.TaskGroup() as group:
                task = group.create_task(history.keep_writing())
                await until(lambda: len(said) > 1)
                task.cancel()
    assert [entry["event"] for entry in said] == [
        "more trips wait for PostgreSQL than are kept: the oldest go",
        "trips wait: PostgreSQL is away",
    ]
