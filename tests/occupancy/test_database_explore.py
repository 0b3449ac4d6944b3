"""Against a real PostgreSQL: lots, groups and lanes, raw and by quarters, beside a week before."""

import asyncpg
import pytest

from gateway.observation import Direction, LaneReading, Observation
from occupancy import database, history
from occupancy.database_explore import explore, read_shape
from occupancy.edit import BadEditError
from occupancy.explore import Part, Plan, Subject, plan_steps
from occupancy.history import Position
from tests.builders import MORNING_MS, a_group, an_observation
from tests.rows import written

MINUTE, QUARTER, WEEK = 60_000, 900_000, 7 * 86_400_000
LOT = Subject("kangle")


def at(sequence: int, ms: int, taken: int, entries: int) -> Observation:
    """`taken` cars in the first group, none known of the second; a car in comes by lane one."""
    return an_observation(
        sequence,
        observed_at_ms=ms,
        groups=(a_group(1, occupied=(taken, 0, 0)), a_group(2, occupied=None)),
        cars_inside=taken,
        cars_on_pallets=None,
        entries_total=entries,
        lanes=(
            LaneReading("kangle-in", Direction.ENTRY, entries, ms),
            LaneReading("kangle-out", Direction.EXIT, 5, ms),
        ),
    )


async def record(pool: asyncpg.Pool, *rows: Observation) -> None:
    batch = written(*rows, recorded_at_ms=rows[-1].observed_at_ms + 1_000)
    await history.record(pool, "kangle", batch, Position(0, 0))


async def two_weeks(pool: asyncpg.Pool) -> None:
    """Two minutes of every second, then quarters, and the same with fewer cars a week before."""
    starts = [(MORNING_MS - WEEK, 2), (MORNING_MS, 6)]
    rows: list[Observation] = []
    entries = 0
    for start, taken in starts:
        offsets = [*range(-1_000, 2 * MINUTE, 1_000), *range(QUARTER - 1_000, 9 * QUARTER, QUARTER)]
        for offset in offsets:
            entries += 1
            rows.append(at(len(rows) + 1, start + offset, taken, entries))
    await record(pool, *rows)


async def test_a_lot_is_told_raw_beside_the_week_before_with_its_gap(
    connections: asyncpg.Pool, postgres_url: str
) -> None:
    await two_weeks(connections)
    plan = plan_steps(MORNING_MS, MORNING_MS + 4 * MINUTE, MORNING_MS + WEEK, 60)
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        found = await explore(web, LOT, plan, weeks_back=1)
    assert found.is_raw
    assert found.step_seconds == 60
    assert list(found.now.times_ms) == list(range(MORNING_MS, MORNING_MS + 4 * MINUTE, MINUTE))
    assert list(found.now.entries) == [59, 60, None, None]
    assert list(found.now.completeness) == [1, 1, 0, 0]
    assert found.before is not None
    assert found.before.times_ms[0] == MORNING_MS - WEEK
    assert list(found.before.entries) == [59, 60, None, None]
    assert list(found.now.occupied) == [6, 6, None, None]
    assert list(found.before.occupied) == [2, 2, None, None]


@pytest.mark.parametrize(("step", "count"), [(60, 2), (900, 8), (3_600, 2)])
async def test_a_group_is_told_by_its_own_cars(
    connections: asyncpg.Pool, step: int, count: int
) -> None:
    await two_weeks(connections)
    plan = Plan(MORNING_MS, MORNING_MS + count * step * 1_000, step)
    group = await explore(connections, Subject("kangle", Part.GROUP, 1), plan, 1)
    assert group.now.occupied == (6,) * count
    assert group.before is not None
    assert group.before.occupied == (2,) * count
    assert set(group.now.entries) == set(group.now.free) == {None}
    silent = await explore(connections, Subject("kangle", Part.GROUP, 2), plan)
    assert (set(silent.now.occupied), silent.before) == ({None}, None)


async def test_a_lane_is_told_by_the_cars_through_it(connections: asyncpg.Pool) -> None:
    await two_weeks(connections)
    plan = Plan(MORNING_MS, MORNING_MS + 4 * QUARTER, 900)
    entry = await explore(connections, Subject("kangle", Part.LANE, 1), plan)
    assert list(entry.now.entries) == [120, 1, 1, 1]
    away = await explore(connections, Subject("kangle", Part.LANE, 2), plan)
    assert list(away.now.entries) == [0, 0, 0, 0]
    assert set(away.now.occupied) == {None}


async def test_a_lot_by_quarters_has_a_gap_where_nothing_was_told(
    connections: asyncpg.Pool,
) -> None:
    whole = [
        an_observation(
            number + 1, observed_at_ms=MORNING_MS + place * QUARTER - 1_000, entries_total=place
        )
        for number, place in enumerate((0, 1, 3, 4))
    ]
    await record(connections, *whole)
    plan = plan_steps(MORNING_MS, MORNING_MS + 4 * QUARTER, MORNING_MS + WEEK, 900)
    found = await explore(connections, LOT, plan)
    assert list(found.now.occupied) == [12, 12, None, 12]
    assert list(found.now.free) == [24, 24, None, 24]
    assert list(found.now.entries) == [1, None, None, 1]


async def test_what_is_not_there_is_refused_with_what_is(connections: asyncpg.Pool) -> None:
    plan = Plan(MORNING_MS, MORNING_MS + 4 * QUARTER, 900)
    assert await read_shape(connections, "kangle") == (0, 0)
    await two_weeks(connections)
    assert await read_shape(connections, "kangle") == (2, 2)
    for part, place in ((Part.GROUP, 3), (Part.LANE, 0)):
        with pytest.raises(BadEditError, match="可选 1 到 2") as refused:
            await explore(connections, Subject("kangle", part, place), plan)
        assert refused.value.field == "place"


async def test_a_lot_without_history_is_all_gap(connections: asyncpg.Pool) -> None:
    plan = Plan(MORNING_MS, MORNING_MS + 4 * QUARTER, 900)
    assert set((await explore(connections, LOT, plan)).now.occupied) == {None}
