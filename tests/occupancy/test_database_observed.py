"""Car parks' pasts come from PostgreSQL with what must be known to judge them."""

import asyncpg

from occupancy import (
    balance,
    congestion,
    found_space,
    refused,
    space_gap,
    vitals,
)
from occupancy.calendar import Calendar
from occupancy.database_observed import read_facts, read_observed, read_with_refused
from occupancy.observed import Span
from occupancy.rollup import DAY_MS
from tests.recorded_month import october, record_month


async def test_a_recorded_month_gives_every_figure(connections: asyncpg.Pool) -> None:
    told = await record_month(connections)
    span = Span(*october().span)
    quarters, minutes = {}, {}
    for facts in await read_facts(connections, span.until_ms):
        quarters[facts.lot_id] = await read_observed(connections, facts, span, 15, span.until_ms)
        minutes[facts.lot_id] = await read_observed(connections, facts, span, 1, span.until_ms)
    lots = list(quarters.values())
    refusals = {lot: refused.estimate(one, Calendar()) for lot, one in minutes.items()}
    stays = {lot: congestion.mean_stay_derived(one).value for lot, one in quarters.items()}
    gaps = space_gap.find_gaps(
        [space_gap.GapLot(one, refusals[lot], stays[lot] or 0.0) for lot, one in quarters.items()],
        space_gap.neighbours_of([one.facts for one in lots], most_metres=1_000),
    )
    figures = [
        congestion.turnover(*lots),
        congestion.mean_stay_derived(*lots),
        congestion.time_occupancy(*lots),
        congestion.mean_occupancy(*lots),
        congestion.peak_saturation(*lots),
        congestion.peak_hour_saturation(*lots),
        congestion.saturated_minutes(*lots),
        congestion.full_time_share(*lots),
        congestion.target_share(*lots),
        congestion.data_access_rate(*lots),
        found_space.found_space([(minutes[lot], refusals[lot]) for lot in minutes]),
        balance.balance(*lots),
        vitals.congestion_index(*((one, refusals[lot]) for lot, one in quarters.items())),
        *(one.transferable for one in gaps.values()),
        *(one.net for one in gaps.values()),
        *(one.net_spaces for one in gaps.values()),
    ]
    assert [(one.code, one.reason) for one in figures if one.value is None] == []
    for lot in ("zhongshan", "huochezhan", "zhanqian"):
        one = refusals[lot].indicator
        assert (one.low or 0) <= told.refused(lot) <= (one.high or 0)
    truth = told.refused("zhongshan")
    estimated = refusals["zhongshan"].indicator.value
    assert estimated is not None
    assert 0.75 * truth < estimated < 1.25 * truth
    await windows_tell_the_refused(connections, span, estimated)


async def windows_tell_the_refused(connections: asyncpg.Pool, span: Span, estimated: float) -> None:
    """Whoever asks for whichever span: a window's estimate is the same, and sums are those."""
    calendar, now_ms = Calendar(), span.until_ms
    (facts,) = [one for one in await read_facts(connections, now_ms) if one.lot_id == "zhongshan"]
    month = {
        minutes: await read_with_refused(connections, facts, span, minutes, calendar, now_ms)
        for minutes in (1, 15, 60)
    }
    for told in month.values():
        assert abs(sum(one.refused for _, one in told) - estimated) < 1e-6
        assert all(one.low <= one.refused <= one.high for _, one in told)
    day = Span(span.from_ms + 20 * DAY_MS, span.from_ms + 21 * DAY_MS)
    of_day = await read_with_refused(connections, facts, day, 60, calendar, now_ms)
    assert of_day == [pair for pair in month[60] if day.from_ms <= pair[0].start_ms < day.until_ms]
