import asyncio
from datetime import date

import asyncpg
import msgspec
import pytest

from occupancy import database, database_forecast, database_tariffs, history
from occupancy.calendar import DayType
from occupancy.database_forecast import Learned
from occupancy.history import Position
from occupancy.lot import Lot
from routing.forecast import ForecastBasis, Forecasts
from routing.forecast_child import LearningFailedError, Task, learn_apart
from routing.forecast_loop import LEARN_EVERY_MS, LEASE, ForecastLearning
from routing.forecast_model import QUARTER_MS, Model, usual_rate
from tests.builders import a_group, a_lot, an_observation
from tests.routing.forecast_pasts import MONDAY
from tests.rows import written
from tests.waiting import until

DAYS = 3
START_MS = MONDAY * 86_400_000 - 8 * 3_600_000
NOW_MS = START_MS + DAYS * 86_400_000 + 6 * 3_600_000


async def live_through(connections: asyncpg.Pool, taken: int) -> None:
    """A row a quarter for some days, the same share taken all day."""
    rows = [
        an_observation(
            number + 1,
            observed_at_ms=START_MS + number * QUARTER_MS - 1_000,
            groups=(a_group(1, occupied=(6, 6, taken - 12)),),
            cars_inside=None,
            entries_total=number * 5,
            exits_total=number * 4,
        )
        for number in range(DAYS * 96 + 24)
    ]
    await history.record(
        connections, "kangle", written(*rows, recorded_at_ms=NOW_MS), Position(0, 0)
    )


def learning(
    connections: asyncpg.Pool, lot: Lot, now_ms: list[int], holder: str = "one"
) -> tuple[Forecasts, ForecastLearning]:
    forecasts = Forecasts([lot])
    made = ForecastLearning(forecasts, [lot.lot_id], connections, lambda: now_ms[0], holder)
    return forecasts, made


async def test_quarters_are_as_they_began(connections: asyncpg.Pool) -> None:
    await live_through(connections, 15)
    first, *_ = rows = await database_forecast.read_quarters(
        connections, "kangle", START_MS, START_MS + 86_400_000
    )
    assert len(rows) == 96
    assert first == (START_MS, 1, 15, 3, 0, 0)
    assert rows[7].entries_total == 35


async def test_silent_quarters_are_left_out(connections: asyncpg.Pool) -> None:
    await live_through(connections, 15)
    end_ms = NOW_MS + 10 * QUARTER_MS
    rows = await database_forecast.read_quarters(connections, "kangle", NOW_MS, end_ms)
    assert rows == []
    assert await database_forecast.find_first_ms(connections, "kangle") == START_MS - 1_000
    assert await database_forecast.find_first_ms(connections, "nowhere") is None


async def test_what_is_learned_is_in_force_and_kept(connections: asyncpg.Pool) -> None:
    lot = a_lot()
    await live_through(connections, 15)
    forecasts, made = learning(connections, lot, [NOW_MS])
    await made.look()
    assert usual_rate(forecasts.model.lots["kangle"], NOW_MS) == pytest.approx(15 / 18, abs=0.01)
    unseen = forecasts.expect("kangle", NOW_MS, NOW_MS)
    assert unseen.basis is ForecastBasis.PROFILE
    stored = await database_forecast.read_model(connections)
    assert stored is not None
    assert msgspec.msgpack.decode(stored, type=Model) == forecasts.model


async def test_another_process_takes_it_up_without_learning(connections: asyncpg.Pool) -> None:
    lot = a_lot()
    await live_through(connections, 15)
    forecasts, made = learning(connections, lot, [NOW_MS])
    await made.look()
    others, other = learning(connections, lot, [NOW_MS + 60_000], "two")
    await other.look()
    assert others.model == forecasts.model


async def test_while_one_learns_another_does_not(connections: asyncpg.Pool) -> None:
    await live_through(connections, 15)
    assert await history.take_lease(connections, LEASE, "somebody else", 60)
    forecasts, made = learning(connections, a_lot(), [NOW_MS])
    await made.look()
    assert forecasts.model.learned_at_ms == 0


async def test_an_hour_later_it_learns_what_came_since(connections: asyncpg.Pool) -> None:
    lot, now = a_lot(), [NOW_MS]
    await live_through(connections, 15)
    forecasts, made = learning(connections, lot, now)
    await made.look()
    now[0] += LEARN_EVERY_MS - 1
    await made.look()
    assert forecasts.model.learned_at_ms == NOW_MS
    now[0] += 1
    await made.look()
    assert forecasts.model.learned_at_ms == NOW_MS + LEARN_EVERY_MS


async def test_a_day_that_becomes_a_holiday_is_learned_at_once_and_once(
    connections: asyncpg.Pool,
) -> None:
    lot, now = a_lot(), [NOW_MS]
    await live_through(connections, 15)
    forecasts, made = learning(connections, lot, now)
    await made.look()
    others, other = learning(connections, lot, now)
    await other.look()
    await database_tariffs.override_day(
        connections, date(2026, 11, 30), DayType.PUBLIC_HOLIDAY, reason="活动", changed_by="wang"
    )
    now[0] += 60_000
    await made.look()
    assert forecasts.model.learned_at_ms == now[0]
    now[0] += 60_000
    await other.look()
    await made.look()
    assert others.model.learned_at_ms == forecasts.model.learned_at_ms == NOW_MS + 60_000


async def test_a_model_of_another_version_is_learned_anew(connections: asyncpg.Pool) -> None:
    await live_through(connections, 15)
    foreign = msgspec.msgpack.encode({"a": 1})
    await database_forecast.write_model(connections, Learned(NOW_MS - 1, 0), foreign)
    forecasts, made = learning(connections, a_lot(), [NOW_MS])
    await made.look()
    assert forecasts.model.learned_at_ms == NOW_MS


async def test_an_older_model_does_not_replace_a_newer_one(connections: asyncpg.Pool) -> None:
    await database_forecast.write_model(connections, Learned(2_000, 0), b"new")
    await database_forecast.write_model(connections, Learned(1_000, 0), b"old")
    assert await database_forecast.read_model(connections) == b"new"
    assert await database_forecast.read_learned(connections) == Learned(2_000, 0)


async def test_while_postgresql_is_away_the_loop_waits_and_ends_when_told() -> None:
    async with database.pool("postgresql://nobody@127.0.0.1:9/nothing") as away:
        forecasts, made = learning(away, a_lot(), [NOW_MS])
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.keep_learning())
            await asyncio.sleep(0)
            task.cancel()
            await until(task.done)
        assert forecasts.model.learned_at_ms == 0


async def test_a_process_that_learns_nothing_is_said_and_not_believed() -> None:
    nonsense = Task({"kangle": []}, first_day=0, days=-1, kinds=[], now_ms=0)
    with pytest.raises(LearningFailedError, match="ended with 1"):
        await learn_apart(nonsense)
