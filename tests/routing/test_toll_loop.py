import asyncio

import asyncpg
import pytest

from occupancy import database, database_tariffs, history
from occupancy.calendar import DayType, date_of
from occupancy.database_forecast import QUARTER_MS, QuarterRow
from occupancy.history import Position
from occupancy.tariff_clock import DAY_MINUTES, local_minute, utc_ms
from routing.toll_loop import LEARN_EVERY_MS, TollLearning, flow_of
from routing.tolls import QUARTERS, TollTable
from tests.builders import MORNING_MS, a_group, a_lot, an_observation
from tests.rows import written
from tests.waiting import until

TODAY = local_minute(MORNING_MS) // DAY_MINUTES  # a Monday
FRIDAY_MS = utc_ms((TODAY - 3) * DAY_MINUTES)


async def a_full_friday(connections: asyncpg.Pool) -> None:
    """From ten to noon five cars a quarter come to a lot that is nearly full."""
    rows, entered = [], 0
    for number in range(QUARTERS + 1):
        rows.append(
            an_observation(
                number + 1,
                observed_at_ms=FRIDAY_MS + number * QUARTER_MS - 1_000,
                groups=(a_group(1, occupied=(6, 6, 4)), a_group(2, occupied=(6, 6, 2))),
                cars_inside=None,
                entries_total=entered,
                exits_total=entered,
            )
        )
        entered += 9 if 40 <= number < 48 else 0
    await history.record(
        connections, "kangle", written(*rows, recorded_at_ms=MORNING_MS), Position(0, 0)
    )


def learning(connections: database.Pool, now_ms: list[int]) -> tuple[list[TollTable], TollLearning]:
    taken: list[TollTable] = []
    lots = {"kangle": a_lot()}
    return taken, TollLearning(lots, connections, lambda: now_ms[0], taken.append)


async def test_the_rush_of_the_last_workday_prices_todays(connections: asyncpg.Pool) -> None:
    await a_full_friday(connections)
    taken, tolls = learning(connections, [MORNING_MS])
    await tolls.look()
    (table,) = taken
    assert table.day == TODAY
    ten = utc_ms(TODAY * DAY_MINUTES) + 10 * 3_600_000
    assert table("kangle", ten, ten + 3 * 3_600_000) > 5
    assert table("kangle", ten - 8 * 3_600_000, ten - 7 * 3_600_000) == pytest.approx(0, abs=0.1)


async def test_a_day_that_becomes_a_holiday_is_priced_anew(connections: asyncpg.Pool) -> None:
    await a_full_friday(connections)
    taken, tolls = learning(connections, [MORNING_MS])
    await tolls.look()
    await database_tariffs.override_day(
        connections, date_of(TODAY), DayType.PUBLIC_HOLIDAY, reason="活动", changed_by="wang"
    )
    await tolls.look()
    await tolls.look()
    ten = utc_ms(TODAY * DAY_MINUTES) + 10 * 3_600_000
    prices = [table("kangle", ten, ten + 3 * 3_600_000) for table in taken]
    assert len(prices) == 2
    assert prices[0] > 5
    assert prices[1] == pytest.approx(0, abs=0.1)


async def test_tolls_are_learned_again_after_hours_and_on_a_new_day(
    connections: asyncpg.Pool,
) -> None:
    now_ms = [MORNING_MS]
    taken, tolls = learning(connections, now_ms)
    for ahead_ms, times in (
        (0, 1),
        (0, 1),
        (LEARN_EVERY_MS - 1, 1),
        (LEARN_EVERY_MS, 2),
        (20 * 3_600_000, 3),
    ):
        now_ms[0] = MORNING_MS + ahead_ms
        await tolls.look()
        assert len(taken) == times
    assert [table.day - TODAY for table in taken] == [0, 0, 1]


async def test_learning_waits_while_postgresql_is_away(connections: asyncpg.Pool) -> None:
    async with (
        database.pool("postgresql://nobody@/nothing?host=/nowhere") as away,
        asyncio.TaskGroup() as group,
    ):
        _, waits = learning(away, [MORNING_MS])
        taken, learns = learning(connections, [MORNING_MS])
        tasks = [group.create_task(one.keep_learning()) for one in (waits, learns)]
        await until(lambda: bool(taken))
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()


def test_cars_are_counted_between_two_rows_of_one_epoch() -> None:
    rows = [
        QuarterRow(number * QUARTER_MS, epoch, 10, 26, total, 0)
        for number, epoch, total in ((0, 1, 5), (1, 1, 9), (2, 2, 1), (4, 2, 7), (5, 2, 8))
    ]
    flow = flow_of(rows, 0)
    assert flow.entries[:6] == (4, None, None, None, 1, None)
    assert flow.occupied[:6] == (10, 10, 10, None, 10, 10)
    assert len(flow.free) == len(flow.entries) == QUARTERS
