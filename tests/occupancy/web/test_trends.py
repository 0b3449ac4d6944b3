"""The last hours on the big screen, from real history."""

import asyncio

import pytest

from occupancy import database_rollup
from occupancy.database import Pool
from occupancy.history import Position, record
from occupancy.web.trend import Trend
from occupancy.web.trends import SPAN_MS, Trends
from tests.builders import MORNING_MS, an_observation
from tests.rows import written
from tests.waiting import until


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "暂无走势"),
        (12, "近 12 分钟"),
        (60, "近 1 小时"),
        (90, "近 1.5 小时"),
        (180, "近 3 小时"),
    ],
)
def test_a_trend_says_how_far_back_it_goes(minutes: int, words: str) -> None:
    assert Trend((1.0,) * minutes).span == words


def test_a_day_that_is_not_whole_says_how_long_it_was_counted() -> None:
    assert Trend(entries_day=9).counted(MORNING_MS) == "24 时"
    for minutes, words in ((0, "0 分"), (59, "59 分"), (60, "1 时"), (1_400, "23 时")):
        short = Trend(flow_since_ms=MORNING_MS - minutes * 60_000)
        assert short.counted(MORNING_MS) == words


async def test_a_trend_begins_where_the_history_does(connections: Pool) -> None:
    start_ms = MORNING_MS + SPAN_MS - 180_000
    rows = [
        an_observation(n, observed_at_ms=start_ms + n * 1_000, entries_total=10 + n)
        for n in range(120)
    ]
    copied = written(*rows, recorded_at_ms=start_ms + 120_000)
    await record(connections, "kangle", copied, Position(0, 0))
    due = await database_rollup.list_due(connections, 10)
    await database_rollup.roll_up(connections, due, MORNING_MS + SPAN_MS)
    trends = Trends(connections, lambda: MORNING_MS + SPAN_MS)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(trends.keep_fresh(["kangle", "sanda"]), name="trends")
        await until(lambda: bool(trends.of("kangle").free))
        reading.cancel()
    assert trends.of("kangle") == Trend(
        (24.0, 24.0), entries_day=119, exits_day=0, flow_since_ms=start_ms - 12 * 60_000
    )
    assert trends.of("sanda") == Trend()
