"""Rollups follow history by themselves, and days are made again by command."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from structlog.testing import capture_logs

from occupancy import database, database_rollup, rollup_keeping
from occupancy.database_rollup import Retention
from occupancy.rollup import DAY_MS
from occupancy.rollup_keeping import NothingToRebuildError, RollupKeeper, rebuild_days
from tests.builders import MORNING_MS, an_observation
from tests.occupancy.test_rollup import record, windows
from tests.occupancy.web.faces import AWAY
from tests.waiting import until

DAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup_keeping, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(rollup_keeping, "DROP_EVERY_MS", 0)


@asynccontextmanager
async def keeping(connections: asyncpg.Pool, now_ms: int, keep: Retention) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        keeper = RollupKeeper(connections, lambda: now_ms, "one", keep)
        work = group.create_task(keeper.run(), name="rollups")
        yield
        work.cancel()


async def test_windows_follow_what_is_recorded(connections: asyncpg.Pool) -> None:
    async with keeping(connections, MORNING_MS + 3 * DAY_MS, Retention()):
        for n in range(3):
            at_ms = MORNING_MS + n * DAY_MS
            await record(connections, [an_observation(n + 1, observed_at_ms=at_ms)])

            async def has_windows(count: int = n + 1) -> bool:
                return len(await windows(connections, 60)) == count

            await until(has_windows)
    assert [one.start_ms for one in await windows(connections, 60)] == [
        MORNING_MS + n * DAY_MS for n in range(3)
    ]


async def test_a_backlog_of_days_is_taken_day_by_day(connections: asyncpg.Pool) -> None:
    rows = [an_observation(n + 1, observed_at_ms=MORNING_MS + n * DAY_MS // 2) for n in range(9)]
    await record(connections, rows)

    async def is_done() -> bool:
        return await database_rollup.list_due(connections, 10) == []

    async with keeping(connections, MORNING_MS + 5 * DAY_MS, Retention()):
        await until(is_done)
    assert len(await windows(connections, 60)) == len(rows)


async def test_what_is_older_than_is_kept_goes_and_is_not_rolled_up(
    connections: asyncpg.Pool,
) -> None:
    await record(connections, [an_observation(1)])

    async def is_gone() -> bool:
        return await database_rollup.find_oldest_ms(connections) is None

    async with keeping(connections, MORNING_MS + 50 * DAY_MS, Retention(observations=40)):
        await until(is_gone)
    assert await windows(connections, 60) == []
    assert await database_rollup.list_due(connections, 10) == []


async def test_without_postgresql_the_keeper_waits() -> None:
    with capture_logs() as logs:
        async with database.pool(AWAY) as away, keeping(away, MORNING_MS, Retention()):
            await until(lambda: len(logs) > 1)
    assert {log["event"] for log in logs} == {"rollups wait for PostgreSQL"}


async def test_days_are_made_again_and_said(connections: asyncpg.Pool) -> None:
    await record(connections, [an_observation(1)])
    said: list[str] = []
    await rebuild_days(connections, ["kangle"], DAY, DAY, said.append)
    assert len(await windows(connections, 1)) == 2
    assert said == ["kangle 2026-11-23 is rolled up again"]


async def test_days_that_cannot_be_made_again_are_refused_in_words(
    connections: asyncpg.Pool,
) -> None:
    with pytest.raises(NothingToRebuildError, match="no observation is recorded"):
        await rebuild_days(connections, ["kangle"], DAY, DAY, print)
    with pytest.raises(NothingToRebuildError, match="before"):
        await rebuild_days(connections, ["kangle"], DAY, DAY - dt.timedelta(days=1), print)
    rows = [an_observation(n + 1, observed_at_ms=MORNING_MS + n * DAY_MS) for n in range(4)]
    await record(connections, rows)
    await rebuild_days(connections, ["kangle"], DAY, DAY + dt.timedelta(days=3), print)
    now_ms = MORNING_MS + 3 * DAY_MS
    await database_rollup.drop_old(connections, now_ms, Retention(observations=2))
    with pytest.raises(NothingToRebuildError, match="from 2026-11-25 00:00 UTC on"):
        await rebuild_days(connections, ["kangle"], DAY, DAY, print)
