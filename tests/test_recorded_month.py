"""The past that tests look back on is what the real rooms would have made of it."""

import datetime as dt

import asyncpg

from occupancy import database_rollup
from occupancy.database_rollup import read_windows
from occupancy.rollup import DAY_MS, LEVELS_MINUTES
from tests.recorded_month import OCTOBER, Past, october, record_month, record_period
from tests.recorded_story import HOUR_MS, Closure, Gap


async def test_windows_are_what_the_rollup_makes_of_the_raw_rows(
    connections: asyncpg.Pool,
) -> None:
    start_ms, end_ms = Past(days=1).span
    past = Past(
        days=1,
        raw_days=1,
        gaps=(Gap("kangle", start_ms + HOUR_MS, start_ms + HOUR_MS + 95_000),),
        closures=(Closure("zhongshan", 40, start_ms + 10 * HOUR_MS, start_ms + 12 * HOUR_MS),),
        resets={"sanda": (start_ms + 9 * HOUR_MS,)},
        opened={"huochezhan": start_ms + 6 * HOUR_MS},
    )
    told = await record_period(connections, past)
    for lot_id in told.stories:
        for minutes in LEVELS_MINUTES:
            written = await read_windows(connections, lot_id, start_ms, end_ms, minutes)
            first_ms = written[0].start_ms
            await database_rollup.rebuild(connections, lot_id, first_ms, end_ms)
            made = await read_windows(connections, lot_id, start_ms, end_ms, minutes)
            assert made == written


async def test_a_month_has_full_evenings_gaps_and_a_closed_group(
    connections: asyncpg.Pool,
) -> None:
    told = await record_month(connections)
    start_ms, end_ms = october().span
    hours = {
        lot_id: await read_windows(connections, lot_id, start_ms, end_ms, 60)
        for lot_id in told.stories
    }
    assert {lot_id: len(windows) for lot_id, windows in hours.items()} == {
        "kangle": 744,
        "zhanqian": 744,
        "sanda": 744 - 5,  # the sixth hour has the last 80 seconds of what was told before
        "zhongshan": 744,
        "huochezhan": 744,
    }
    assert sum(one.full_ms for one in hours["zhongshan"]) > 10 * HOUR_MS
    assert min(one.usable or 0 for one in hours["zhanqian"]) == 216 - 18
    assert told.refused("zhongshan") > 100
    assert await connections.fetchval("SELECT count(*) FROM truth_check") == 5 * 31
    assert await connections.fetchval("SELECT count(*) FROM correction") > 0


async def test_the_same_seed_is_the_same_past_and_another_is_not(
    connections: asyncpg.Pool,
) -> None:
    past = Past(first=OCTOBER + dt.timedelta(days=40), days=1, raw_days=0)
    first = await record_period(connections, past)
    span = (past.span[0], past.span[0] + DAY_MS)
    once = await read_windows(connections, "kangle", *span, 15)
    await connections.execute("TRUNCATE rollup_1, rollup_15, rollup_60, truth_check")
    again = await record_period(connections, past)
    assert await read_windows(connections, "kangle", *span, 15) == once
    assert again.stories["kangle"].entered_ms == first.stories["kangle"].entered_ms
