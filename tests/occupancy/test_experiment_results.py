"""Results are made of recorded history: of whole blocks, of drivers, of before and after."""

import datetime as dt

import asyncpg
import pytest
from msgspec.structs import replace

from occupancy import database_experiments, experiment_desk
from occupancy.effect.experiment import Arm
from occupancy.effect.metric import OF_BLOCKS, Metric
from occupancy.experiment_desk import Wish
from occupancy.experiment_results import (
    days_of,
    judge_change,
    judge_experiment,
    read_detectable,
    read_totals,
    run_blocks,
)
from occupancy.observed import Span
from occupancy.rollup import DAY_MS, date_start_ms, day_start_ms, local_day
from tests.recorded_month import record_month

OCTOBER_MS = date_start_ms(dt.date(2026, 10, 1))
NOVEMBER_MS = date_start_ms(dt.date(2026, 11, 1))
LATER_MS = NOVEMBER_MS + DAY_MS


async def test_district_totals_are_those_of_the_car_parks_together(
    connections: asyncpg.Pool,
) -> None:
    await record_month(connections)
    days = {n: Span(OCTOBER_MS + n * DAY_MS, OCTOBER_MS + (n + 1) * DAY_MS) for n in range(31)}
    found = {metric: await read_totals(connections, metric, days, LATER_MS) for metric in OF_BLOCKS}
    full = await connections.fetch(
        "SELECT (extract(epoch FROM start) * 1000)::bigint AS at, full_ms FROM rollup_15"
    )
    wanted = dict.fromkeys(days, 0.0)
    for row in full:
        day = (row["at"] - OCTOBER_MS) // DAY_MS
        if day in wanted:
            wanted[day] += row["full_ms"] / 60_000
    saturated = found[Metric.SATURATED_MINUTES]
    assert len(saturated) >= 29
    for day, value in saturated.items():
        assert value == pytest.approx(wanted[day], rel=0.12)
    assert sum(found[Metric.REFUSED].values()) > 0
    assert all(0 < value <= 1 for value in found[Metric.FOUND].values())
    assert all(0 < value <= 1 for value in found[Metric.BALANCE].values())
    # A block that has not ended, or of which nothing was told, is not there.
    future = {0: Span(LATER_MS, LATER_MS + DAY_MS), 1: Span(OCTOBER_MS - DAY_MS, OCTOBER_MS)}
    assert await read_totals(connections, Metric.BALANCE, future, LATER_MS) == {}
    assert await read_totals(connections, Metric.BALANCE, {0: future[0]}, LATER_MS) == {}


async def test_an_experiment_over_recorded_days_is_judged_with_its_words(
    connections: asyncpg.Pool,
) -> None:
    await record_month(connections)
    first = local_day(OCTOBER_MS) + 2
    planned_ms = day_start_ms(first) - DAY_MS
    kept = await experiment_desk.plan(
        connections,
        Wish(Metric.SATURATED_MINUTES, 120, first, 28),
        by="li",
        reason="x",
        now_ms=planned_ms,
    )
    assert run_blocks(kept, LATER_MS) == {}
    late = kept.plan.from_ms + DAY_MS
    await experiment_desk.start(connections, kept.number, by="li", reason="x", now_ms=late)
    running = await database_experiments.find_experiment(connections, kept.number)
    assert running is not None
    blocks = run_blocks(running, LATER_MS)
    assert min(blocks) == 12  # those before the start were not as drawn
    assert run_blocks(running, late + 3 * 3_600_000).keys() == {12}
    judged = await judge_experiment(connections, running, LATER_MS)
    assert judged.blocks.effect is not None
    assert judged.blocks.blocks > 200
    assert "满位时长" in judged.blocks.words
    assert "每边至少要 30 位" in judged.drivers.words
    assert judged.counted == {}
    least = await read_detectable(connections, replace(kept.plan, from_ms=NOVEMBER_MS), LATER_MS)
    assert least is not None
    assert least > 0


async def test_before_and_after_needs_days_on_both_sides(connections: asyncpg.Pool) -> None:
    await record_month(connections)
    span = days_of(OCTOBER_MS, NOVEMBER_MS)
    middle = local_day(OCTOBER_MS) + 15
    found = await judge_change(connections, Metric.SATURATED_MINUTES, span, middle, LATER_MS)
    assert found.evidence.effect is None
    assert "前后各要至少 21 天" in found.evidence.words


async def test_drivers_are_counted_by_arm(connections: asyncpg.Pool) -> None:
    insert = (
        "INSERT INTO trip (trip_id, lot_id, shown_lots, shown_at, arrives_at, expires_at, chance, "
        "promised, regret_minutes, stage, changed_at, experiment, arm) VALUES "
        "($1, $2, '{kangle,sanda}', now(), now(), now() - interval '1 hour', 1, 0, 0, $3, now(), "
        "7, $4)"
    )
    for number, (lot, stage, arm) in enumerate(
        [
            ("kangle", "chosen", "guided"),
            ("sanda", "chosen", "guided"),
            ("kangle", "replaced", "guided"),
            ("kangle", "arrived", "guided"),
            ("kangle", "shown", "held_out"),
        ]
    ):
        await connections.execute(insert, str(number), lot, stage, arm)
    now_ms = int(await connections.fetchval("SELECT extract(epoch FROM now()) * 1000"))
    found = await database_experiments.read_drivers(connections, 7, now_ms)
    guided = found[Arm.GUIDED]
    assert (guided.chose_first.shown, guided.chose_first.did, guided.asked_again.did) == (4, 2, 1)
    assert found[Arm.HELD_OUT].chose_first.did == 0
    assert await database_experiments.read_drivers(connections, 8, now_ms) == {}
