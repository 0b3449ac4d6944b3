import asyncio
import datetime as dt

import asyncpg
import pytest

from gateway.observation import Observation
from occupancy import history
from occupancy.history import MovedOnError, Position
from tests.builders import MORNING_MS, a_group, an_observation
from tests.rows import written

START = Position(0, 0)
MINUTE_MS = 60_000


async def record(
    connections: asyncpg.Pool, *observations: Observation, behind: Position = START
) -> Position:
    return await history.record(connections, "kangle", written(*observations), behind)


async def sequences(connections: asyncpg.Pool) -> list[int]:
    rows = await connections.fetch("SELECT sequence FROM observation ORDER BY sequence")
    return [row["sequence"] for row in rows]


async def test_a_batch_moves_the_watermark_to_its_end(connections: asyncpg.Pool) -> None:
    reached = await record(connections, an_observation(1), an_observation(2))
    assert reached == Position(1, 2)
    assert await history.read_watermark(connections, "kangle") == reached
    assert await sequences(connections) == [1, 2]


async def test_a_lot_without_history_begins_at_nought(connections: asyncpg.Pool) -> None:
    assert await history.read_watermark(connections, "nowhere") == START


async def test_a_recorder_that_woke_up_late_changes_nothing(connections: asyncpg.Pool) -> None:
    await record(connections, an_observation(1))
    with pytest.raises(MovedOnError):
        await record(connections, an_observation(1))
    assert await sequences(connections) == [1]


async def test_of_two_recorders_at_once_one_writes(connections: asyncpg.Pool) -> None:
    both = await asyncio.gather(
        record(connections, an_observation(1)),
        record(connections, an_observation(1)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in both if isinstance(outcome, MovedOnError)]
    assert len(refused) == 1
    assert await sequences(connections) == [1]


async def test_each_day_gets_its_partition(connections: asyncpg.Pool) -> None:
    night = an_observation(1, observed_at_ms=MORNING_MS)
    next_day = an_observation(2, observed_at_ms=MORNING_MS + 86_400_000)
    both = written(night, next_day, recorded_at_ms=MORNING_MS + 2 * 86_400_000)
    await history.record(connections, "kangle", both, START)
    names = await connections.fetch(
        "SELECT relname FROM pg_class WHERE relname LIKE 'observation_2%' AND relkind = 'r' "
        "ORDER BY relname"
    )
    assert [row["relname"] for row in names] == ["observation_20261123", "observation_20261124"]


async def test_every_memory_a_lot_has_had_is_noted_with_its_beginning(
    connections: asyncpg.Pool,
) -> None:
    await record(connections, an_observation(1), an_observation(1, epoch=2))
    await record(connections, an_observation(2, epoch=2), behind=Position(2, 1))
    rows = await connections.fetch("SELECT epoch FROM gateway_epoch ORDER BY epoch")
    assert [row["epoch"] for row in rows] == [1, 2]


async def test_days_ahead_are_ready_before_their_midnight(connections: asyncpg.Pool) -> None:
    first = dt.date(2031, 5, 30)
    for _ in range(2):
        await history.prepare_days(connections, first, 3)
    for day in ("20310530", "20310531", "20310601"):
        assert await connections.fetchval("SELECT to_regclass($1)", f"observation_{day}")


async def test_an_impossible_time_is_kept_beside_ours_and_said(connections: asyncpg.Pool) -> None:
    await record(connections, an_observation(1, observed_at_ms=1_000))
    row = await connections.fetchrow("SELECT * FROM observation")
    assert row["observed_at"] == row["recorded_at"]
    assert row["gateway_at"].year == 1970
    assert row["doubts"] == ["the gateway's clock is impossible: the time of recording stands in"]


async def test_a_known_offset_is_taken_out(connections: asyncpg.Pool) -> None:
    late = written(an_observation(1, observed_at_ms=MORNING_MS), offset_ms=1_800_000)
    await history.record(connections, "kangle", late, START)
    row = await connections.fetchrow("SELECT observed_at - gateway_at AS off FROM observation")
    assert row["off"].total_seconds() == 1_800


async def test_a_series_tells_means_and_cars_a_step(connections: asyncpg.Pool) -> None:
    rows = [
        an_observation(n + 1, observed_at_ms=MORNING_MS + n * 1_000, entries_total=10 + n // 30)
        for n in range(120)
    ]
    await record(connections, *rows)
    points = await history.read_series(
        connections, "kangle", MORNING_MS, MORNING_MS + 2 * MINUTE_MS, 60
    )
    assert [(p.occupied, p.free, p.entries, p.exits) for p in points] == [
        (12, 24, 1, 0),
        (12, 24, 2, 0),
    ]
    assert [p.completeness for p in points] == [1, 1]


async def test_a_silent_step_is_no_data_not_a_number(connections: asyncpg.Pool) -> None:
    await record(connections, an_observation(1, observed_at_ms=MORNING_MS))
    (point,) = await history.read_series(
        connections, "kangle", MORNING_MS, MORNING_MS + MINUTE_MS, 60
    )
    assert (point.occupied, point.free, point.entries) == (None, None, None)
    assert point.completeness == pytest.approx(10 / 60, abs=1e-3)


async def test_rows_crowded_into_a_part_of_a_step_do_not_fill_the_rest(
    connections: asyncpg.Pool,
) -> None:
    crowd = [an_observation(n + 1, observed_at_ms=MORNING_MS + n * 100) for n in range(200)]
    await record(connections, *crowd)
    (point,) = await history.read_series(
        connections, "kangle", MORNING_MS, MORNING_MS + MINUTE_MS, 60
    )
    assert point.completeness == pytest.approx(20 / 60, abs=1e-3)
    assert point.occupied is None


async def test_a_silent_group_is_minus_one_in_the_row(connections: asyncpg.Pool) -> None:
    groups = (a_group(1, (1, 1, 1)), a_group(2, None))
    await record(connections, an_observation(1, groups=groups, cars_inside=None))
    row = await connections.fetchrow("SELECT group_occupied, occupied FROM observation")
    assert (row["group_occupied"], row["occupied"]) == ([3, -1], None)


async def test_a_lease_is_renewed_by_its_holder_and_refused_to_others(
    connections: asyncpg.Pool,
) -> None:
    assert await history.take_lease(connections, "kangle", "one", 60)
    assert await history.take_lease(connections, "kangle", "one", 60)
    assert not await history.take_lease(connections, "kangle", "two", 60)


async def test_a_lease_that_ran_out_is_taken_over(connections: asyncpg.Pool) -> None:
    assert await history.take_lease(connections, "kangle", "one", -1)
    assert await history.take_lease(connections, "kangle", "two", 60)
