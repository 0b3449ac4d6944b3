"""Answers a vital sign's query from the recorded windows: the first time, and again to compare."""

import asyncio

from occupancy.calendar import Calendar
from occupancy.database import Pool
from occupancy.database_rollup import read_windows
from occupancy.indicator import Indicator
from occupancy.observed import Facts, Observed, observe
from occupancy.refused import estimate
from occupancy.vital_signs import LotPast, VitalQuery, work_out

QUARTER, MINUTE = 15, 1


async def answer(connections: Pool, query: VitalQuery) -> tuple[Indicator, ...]:
    """Reads the windows of the query's car parks and works its figures out."""
    return work_out(query, [await read_past(connections, query, one) for one in query.lots])


async def read_past(connections: Pool, query: VitalQuery, facts: Facts) -> LotPast:
    """What one car park brings to a query; who was refused is estimated on a thread."""
    quarters = await _observed(connections, query, facts, query.from_ms, QUARTER)
    if query.refused_from_ms is None:
        return LotPast(quarters)
    minutes = await _observed(connections, query, facts, query.refused_from_ms, MINUTE)
    refusals = await asyncio.to_thread(estimate, minutes, Calendar(query.overrides))
    return LotPast(quarters, refusals)


async def _observed(
    connections: Pool, query: VitalQuery, facts: Facts, from_ms: int, minutes: int
) -> Observed:
    windows = await read_windows(connections, facts.lot_id, from_ms, query.until_ms, minutes)
    return observe(facts, windows, from_ms, query.until_ms, minutes)
