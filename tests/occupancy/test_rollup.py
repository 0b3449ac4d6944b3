"""Rollups are what a slow look at every second of the raw rows says, however they were made."""

import asyncio
import datetime as dt
import random
from typing import NamedTuple

import asyncpg
import pytest

from gateway.observation import Observation
from occupancy import database_rollup, history
from occupancy.database_rollup import GoneError, Retention, read_windows
from occupancy.history import Position
from occupancy.rollup import (
    DAY_MS,
    LEVELS_MINUTES,
    MINUTE_MS,
    Window,
    date_start_ms,
    day_start_ms,
    fill,
    join,
    lengthen,
    local_day,
    local_hour,
)
from tests.builders import MORNING_MS, a_group, an_observation
from tests.rows import written

HOUR_MS = 3_600_000
START = Position(0, 0)


class Said(NamedTuple):
    """One thing a gateway says, in whole seconds after the one before."""

    pause_seconds: int
    cars: int
    entered: int
    gone: int
    is_reset: bool
    is_silent: bool


def told(story: list[Said], from_ms: int = MORNING_MS + 55_000) -> list[Observation]:
    """A gateway's rows: gaps, memories that begin anew, silent machines, more cars than bays."""
    rows, at_ms, epoch, sequence, entries, exits = [], from_ms, 1, 0, 10, 5
    for said in story:
        at_ms += said.pause_seconds * 1_000
        if said.is_reset:
            epoch, sequence, entries, exits = epoch + 1, 0, 0, 0
        sequence, entries, exits = sequence + 1, entries + said.entered, exits + said.gone
        cars = (said.cars, 0, 0) if said.cars <= 18 else (18, said.cars - 18, 0)
        groups = (
            a_group(1, (cars[0], 0, 0)),
            a_group(2, None if said.is_silent else (cars[1], 0, 0)),
        )
        rows.append(
            an_observation(
                sequence,
                epoch=epoch,
                observed_at_ms=at_ms,
                entries_total=entries,
                exits_total=exits,
                groups=groups,
                cars_inside=None,
            )
        )
    return rows


async def record(connections: asyncpg.Pool, rows: list[Observation]) -> None:
    """Each row as a batch of its own, so that each is due by itself."""
    behind = await history.read_watermark(connections, "kangle")
    late = written(*rows, recorded_at_ms=rows[-1].observed_at_ms + HOUR_MS)
    await history.record(connections, "kangle", late, behind)


async def roll_all(connections: asyncpg.Pool) -> None:
    due = await database_rollup.list_due(connections, 100)
    if due:
        await database_rollup.roll_up(connections, due, MORNING_MS + 40 * DAY_MS)


async def windows(connections: asyncpg.Pool, minutes: int) -> list[Window]:
    return await read_windows(connections, "kangle", 0, MORNING_MS + 40 * DAY_MS, minutes)


# Second by second, by the row that is newest then: nothing in it is like the way that is tested.
BY_SECONDS = """
SELECT s, o.at, o.occupied, o.free, o.usable FROM generate_series($1::bigint, $2::bigint) AS s
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM observed_at)::bigint AS at, occupied, free, usable
    FROM observation WHERE observed_at <= to_timestamp(s)
    ORDER BY observed_at DESC, epoch DESC, sequence DESC LIMIT 1
) AS o
"""


async def slowly(connections: asyncpg.Pool, from_ms: int, to_ms: int) -> dict[int, Window]:
    """Minute by minute what each second of a span says."""
    rows = await connections.fetch(BY_SECONDS, from_ms // 1_000, to_ms // 1_000 - 1)
    minutes: dict[int, dict[str, int]] = {}
    for row in rows:
        age = row["s"] - row["at"]
        if age >= 90:
            continue
        sums = minutes.setdefault(row["s"] // 60 * MINUTE_MS, dict.fromkeys(NUMBERS, 0))
        sums["fresh_ms"] += 1_000
        if age >= 10:
            continue
        if row["occupied"] is None or not 0 <= row["occupied"] <= row["usable"]:
            sums["suspect_ms"] += 1_000
            continue
        sums["told_ms"] += 1_000
        for name in ("occupied", "free", "usable"):
            sums[f"{name}_ms"] += row[name] * 1_000
        if row["free"] <= max(1.0, 0.02 * row["usable"]):
            sums["full_ms"] += 1_000
    return {at: Window("kangle", at, 1, **sums) for at, sums in minutes.items()}


NUMBERS = ("told_ms", "fresh_ms", "suspect_ms", "full_ms", "occupied_ms", "free_ms", "usable_ms")


async def clean(connections: asyncpg.Pool) -> None:
    await connections.execute(
        "TRUNCATE observation, rollup_1, rollup_15, rollup_60, rollup_due, watermark"
    )


STORIES_OF_CI = 25


async def test_minutes_are_what_every_second_says(connections: asyncpg.Pool) -> None:
    for story in stories(STORIES_OF_CI):
        await clean(connections)
        rows = told(story)
        await record(connections, rows)
        await roll_all(connections)
        made = {one.start_ms: one for one in await windows(connections, 1)}
        first_ms = rows[0].observed_at_ms // MINUTE_MS * MINUTE_MS
        expected = await slowly(connections, first_ms, rows[-1].observed_at_ms + 3 * MINUTE_MS)
        assert {at: numbers(one) for at, one in made.items() if any(numbers(one))} == {
            at: numbers(one) for at, one in expected.items()
        }


# Totals only rise within an epoch: its highest and lowest tell its cars.
_FLOW = """
SELECT sum(entries)::bigint, sum(exits)::bigint FROM (
    SELECT max(entries_total) - min(entries_total) AS entries,
           max(exits_total) - min(exits_total) AS exits FROM observation GROUP BY epoch
) AS by_epoch
"""


async def test_every_car_is_counted_once_and_only_once(connections: asyncpg.Pool) -> None:
    for story in stories(STORIES_OF_CI):
        await clean(connections)
        await record(connections, told(story))
        await roll_all(connections)
        by_epoch = await connections.fetchrow(_FLOW)
        for minutes in LEVELS_MINUTES:
            made = await windows(connections, minutes)
            assert sum(one.entries for one in made) == by_epoch[0]
            assert sum(one.exits for one in made) == by_epoch[1]


async def test_bit_by_bit_in_any_order_is_the_same_as_all_at_once(
    connections: asyncpg.Pool,
) -> None:
    for number, story in enumerate(stories(STORIES_OF_CI)):
        await clean(connections)
        rows = told(story)
        for cut in range(0, len(rows), 7):
            await record(connections, rows[cut : cut + 7])
            if (cut + number) % 2:
                await roll_all(connections)
        await roll_all(connections)
        bit_by_bit = [await windows(connections, minutes) for minutes in LEVELS_MINUTES]
        for level in LEVELS_MINUTES:
            await connections.execute(f"TRUNCATE rollup_{level}")
        day_ms = day_start_ms(local_day(rows[0].observed_at_ms))
        last_ms = rows[-1].observed_at_ms + HOUR_MS
        await database_rollup.rebuild(connections, "kangle", day_ms, last_ms)
        assert [await windows(connections, minutes) for minutes in LEVELS_MINUTES] == bit_by_bit


async def test_what_comes_late_is_put_where_it_belongs(connections: asyncpg.Pool) -> None:
    early = [an_observation(n, observed_at_ms=MORNING_MS + n * 1_000) for n in range(1, 200)]
    later = an_observation(
        200, observed_at_ms=MORNING_MS + 2 * HOUR_MS, entries_total=60, exits_total=5
    )
    await record(connections, [*early, later])
    await roll_all(connections)
    first = await windows(connections, 1)
    # What an outbox sent on after its link came back: earlier moments, recorded later.
    await connections.execute(
        "INSERT INTO observation SELECT lot_id, epoch, 150 + n, to_timestamp($1 + n), gateway_at, "
        "recorded_at, occupied, free, usable, out_of_service, 30, 5, lane_totals, group_occupied, "
        "basis, doubts FROM observation, generate_series(1, 60) AS n WHERE sequence = 199",
        MORNING_MS // 1_000 + 3_600,
    )
    await connections.execute(
        "INSERT INTO rollup_due (lot_id, first_at, last_at) VALUES "
        "('kangle', to_timestamp($1 + 1), to_timestamp($1 + 60))",
        MORNING_MS // 1_000 + 3_600,
    )
    await roll_all(connections)
    made = await windows(connections, 1)
    assert sum(one.entries for one in made) == sum(one.entries for one in first) == 50
    by_minute = {one.start_ms: one for one in made}
    assert by_minute[MORNING_MS + HOUR_MS].entries == 20
    assert by_minute[MORNING_MS + 2 * HOUR_MS].entries == 30


async def test_cars_counted_in_silence_are_said_to_be_late(connections: asyncpg.Pool) -> None:
    rows = [
        an_observation(1, observed_at_ms=MORNING_MS),
        an_observation(2, observed_at_ms=MORNING_MS + 5_000, entries_total=12),
        an_observation(3, observed_at_ms=MORNING_MS + HOUR_MS, entries_total=52),
    ]
    await record(connections, rows)
    await roll_all(connections)
    first, *_, last = await windows(connections, 60)
    assert (first.entries, first.entries_late) == (2, 0)
    assert (last.entries, last.entries_late) == (40, 40)


async def test_a_window_in_which_nobody_spoke_has_no_row_and_no_number(
    connections: asyncpg.Pool,
) -> None:
    rows = [an_observation(n, observed_at_ms=MORNING_MS + n * 20 * MINUTE_MS) for n in (1, 2)]
    await record(connections, rows)
    await roll_all(connections)
    made = fill(await windows(connections, 1), "kangle", MORNING_MS, MORNING_MS + HOUR_MS, 1)
    silent = made[30]
    assert (silent.occupied, silent.free, silent.usable, silent.occupancy) == (None,) * 4
    assert (silent.completeness, silent.stale_share) == (0, 1)
    assert len(made) == 60


async def test_a_partition_goes_when_its_time_is_over_and_not_a_day_before(
    connections: asyncpg.Pool,
) -> None:
    rows = [an_observation(n, observed_at_ms=MORNING_MS + n * DAY_MS) for n in range(4)]
    await record(connections, rows)
    await roll_all(connections)
    keep = Retention(observations=2, minutes=2, quarters=60)
    now_ms = MORNING_MS + 3 * DAY_MS
    assert await database_rollup.drop_old(connections, now_ms, keep) == ["observation_20261123"]
    in_december = MORNING_MS + 15 * DAY_MS
    dropped = await database_rollup.drop_old(connections, in_december, keep)
    assert "rollup_1_202611" in dropped
    assert "rollup_15_202611" not in dropped
    assert await windows(connections, 1) == []
    assert len(await windows(connections, 15)) == len(rows)


async def test_a_long_span_is_taken_in_parts(connections: asyncpg.Pool) -> None:
    rows = [an_observation(n, observed_at_ms=MORNING_MS + n * HOUR_MS) for n in range(30)]
    await record(connections, rows)
    (due,) = await database_rollup.list_due(connections, 10)
    await database_rollup.roll_up(connections, [due], MORNING_MS + 10 * HOUR_MS)
    (rest,) = await database_rollup.list_due(connections, 10)
    assert (rest.first_ms, rest.last_ms) == (MORNING_MS + 10 * HOUR_MS + 1, due.last_ms)
    await database_rollup.roll_up(connections, [rest], MORNING_MS + DAY_MS * 2)
    assert await database_rollup.list_due(connections, 10) == []
    assert len(await windows(connections, 60)) == len(rows)


async def test_what_can_no_longer_be_made_again_is_not_destroyed(
    connections: asyncpg.Pool,
) -> None:
    rows = [an_observation(n + 1, observed_at_ms=MORNING_MS + n * DAY_MS) for n in range(4)]
    with pytest.raises(GoneError):
        await database_rollup.rebuild(connections, "kangle", MORNING_MS, MORNING_MS + DAY_MS)
    await record(connections, rows)
    await roll_all(connections)
    before = await windows(connections, 60)
    await database_rollup.drop_old(connections, MORNING_MS + 3 * DAY_MS, Retention(2, 800, 4_000))
    with pytest.raises(GoneError) as gone:
        await database_rollup.rebuild(connections, "kangle", MORNING_MS, MORNING_MS + 4 * DAY_MS)
    oldest_ms = gone.value.oldest_ms
    assert oldest_ms is not None
    await database_rollup.rebuild(connections, "kangle", oldest_ms, MORNING_MS + 4 * DAY_MS)
    assert await windows(connections, 60) == before


async def test_a_span_whose_rows_are_let_go_is_no_longer_due(connections: asyncpg.Pool) -> None:
    await record(connections, [an_observation(1)])
    assert await database_rollup.strike_off(connections, MORNING_MS) == 0
    assert await database_rollup.strike_off(connections, MORNING_MS + DAY_MS) == 1
    assert await database_rollup.list_due(connections, 10) == []


def test_a_local_day_begins_at_its_midnight() -> None:
    date = dt.date(2026, 11, 23)
    midnight_ms = date_start_ms(date)
    assert midnight_ms == MORNING_MS - 8 * HOUR_MS
    assert local_day(midnight_ms) == local_day(midnight_ms - 1) + 1
    assert (local_hour(midnight_ms), local_hour(midnight_ms - 1)) == (0, 23)
    assert day_start_ms(local_day(MORNING_MS)) == midnight_ms


def test_longer_windows_are_sums_of_shorter_ones() -> None:
    minutes = [
        Window(
            "kangle", MORNING_MS + n * MINUTE_MS, 1, told_ms=60_000, occupied_ms=n, occupied_most=n
        )
        for n in range(30)
    ]
    first, second = lengthen(minutes, 15)
    assert (first.minutes, first.told_ms, first.occupied_most) == (15, 900_000, 14)
    assert second == join(minutes[15:], MORNING_MS + 15 * MINUTE_MS, 15)
    assert join([Window("kangle", 0, 1)], 0, 15).occupied_most is None
    assert first.length_ms == 900_000


def numbers(window: Window) -> tuple[int, ...]:
    return tuple(getattr(window, name) for name in NUMBERS)


def stories(count: int) -> list[list[Said]]:
    """Random stories by a fixed seed: a database and Hypothesis's own loop do not go together."""
    pick = random.Random(8)  # noqa: S311
    return [
        [
            Said(
                pick.choice([0, 1, 1, 1, 2, 5, 9, 10, 11, 40, 89, 90, 91, 200, 4_000]),
                pick.choice([0, 3, 12, 17, 18, 34, 35, 36, 37]),
                pick.choice([0, 0, 1, 3]),
                pick.choice([0, 0, 1, 2]),
                pick.random() < 0.1,
                pick.random() < 0.1,
            )
            for _ in range(pick.randint(1, 40))
        ]
        for _ in range(count)
    ]


@pytest.mark.parametrize("minutes", LEVELS_MINUTES)
async def test_two_that_roll_up_at_once_make_it_once(
    connections: asyncpg.Pool, minutes: int
) -> None:
    await record(connections, told(stories(1)[0]))
    due = await database_rollup.list_due(connections, 10)
    await asyncio.gather(
        *(database_rollup.roll_up(connections, due, MORNING_MS * 2) for _ in range(3))
    )
    made = await windows(connections, minutes)
    assert len({one.start_ms for one in made}) == len(made)
    assert await database_rollup.list_due(connections, 10) == []
