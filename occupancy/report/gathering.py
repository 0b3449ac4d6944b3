"""Reads everything a report is made of from PostgreSQL: windows of 15 minutes, never raw rows.

Where a car park was full the minutes, too: whoever found no space is estimated from them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from occupancy import (
    database_alarms,
    database_corrections,
    database_guided,
    database_lots,
    database_reports,
    database_restrictions,
    database_rollup,
    database_sign_truth,
    database_sites,
    database_tariffs,
)
from occupancy.columns import Columns, join, spans_apart
from occupancy.database import Pool
from occupancy.database_restrictions import KeptRestriction
from occupancy.database_sign_truth import LineAsked
from occupancy.lot import Lot
from occupancy.lot_stage import Stage, StagedLot
from occupancy.observed import Span
from occupancy.report.facts import (
    CitizenCount,
    CountedAgain,
    GuidedTrips,
    ReportFacts,
    SignLine,
    Windows,
)
from occupancy.report.gathering_effects import read_changes, read_evidence, read_openings
from occupancy.report.period import Period
from occupancy.restriction import Extent, Restriction
from occupancy.rollup import Window
from occupancy.sign_faces import TownSign

QUARTER = 15
MOST_ALARMS = 5_000
_AT_ONCE = 3  # connections of the pool that one report takes


class NoSuchLotError(Exception):
    """A report was asked of a car park that is not there."""

    def __init__(self, lot_id: str) -> None:
        self.lot_id = lot_id
        super().__init__(f"没有 {lot_id[:40]} 这个车场")


def silent(_: float) -> None:
    """Nobody wants to know how far it is."""


async def gather(
    connections: Pool,
    period: Period,
    lots: tuple[str, ...],
    now_ms: int,
    say: Callable[[float], None] = silent,
    signs: Sequence[TownSign] = (),
) -> ReportFacts:
    """Of these car parks, of all where none is named. `say` is told how far it is, 0 to 1.

    `signs` name the car parks of signs with several lines; those with one show their own.
    Raises NoSuchLotError.
    """
    staged = await database_lots.list_staged(connections)
    chosen = _choose(staged, lots, period.start_ms)
    lot_ids = [lot.lot_id for lot in chosen]
    before, year = period.previous(), period.year_before()
    quarters = await _read(connections, lot_ids, period)
    say(0.4)
    previous = await _read(connections, lot_ids, before)
    say(0.55)
    year_before = await _read(connections, lot_ids, year)
    say(0.6)
    minutes = await _minutes(
        connections, [(period, quarters), (before, previous), (year, year_before)]
    )
    say(0.7)
    until_ms = min(period.end_ms, now_ms)
    span = (period.start_ms, max(until_ms, period.start_ms))
    sign_lines = await _sign_lines(connections, lot_ids, signs, span)
    say(0.9)
    alarms = await database_alarms.list_between(connections, *span, MOST_ALARMS)
    sites = tuple(kept.site for kept in await database_sites.list_sites(connections))
    facts = ReportFacts(
        period=period,
        generated_at_ms=now_ms,
        lots=tuple(chosen),
        quarters=quarters,
        previous=previous,
        year_before=year_before,
        minutes=minutes,
        first_data_ms=_counted_from(staged, await _first_data(connections, lot_ids)),
        overrides=await database_tariffs.list_overrides(connections),
        tariffs=tuple(await database_tariffs.list_tariffs(connections)),
        restrictions=(
            *(
                _as_it_held(one)
                for one in await database_restrictions.list_between(
                    connections, year.start_ms, span[1]
                )
                if one.restriction.lot_id in lot_ids
            ),
            *(gone for gone in map(_as_closed, staged) if gone and gone.lot_id in lot_ids),
        ),
        checks=tuple(
            one
            for one in await database_corrections.list_checks_between(connections, *span)
            if one.lot_id in lot_ids
        ),
        corrections=await _corrections(connections, lot_ids, span),
        alarms=tuple(one.alarm for one in alarms if one.alarm.key.lot_id in lot_ids),
        alarms_left_out=len(alarms) == MOST_ALARMS,
        sign_lines=sign_lines,
        trips=await _trips(connections, lot_ids, span, now_ms),
        trips_since_ms=await database_guided.find_oldest_ms(connections) or 0,
        citizen_counts=tuple(
            CitizenCount(*one)
            for one in await database_reports.count_reports(connections, *span)
            if one[0] in lot_ids
        ),
        sites=sites,
        evidence=await read_evidence(connections, period, now_ms),
        openings=await read_openings(connections, sites, period, now_ms),
        changes=await read_changes(connections, period, now_ms),
        is_sample=any(lot.placeholders for lot in chosen),
    )
    say(1.0)
    return facts


def _choose(staged: Sequence[StagedLot], wanted: Sequence[str], from_ms: int) -> list[Lot]:
    """All that were live in the period; by name also one that had been removed before."""
    by_id = {one.lot.lot_id: one.lot for one in staged if one.stage is not Stage.JOINING}
    known = [one.lot for one in staged if one.was_live_after(from_ms)]
    for lot_id in wanted:
        if lot_id not in by_id:
            raise NoSuchLotError(lot_id)
    return [by_id[lot_id] for lot_id in dict.fromkeys(wanted)] if wanted else list(known)


async def _read(connections: Pool, lot_ids: Sequence[str], period: Period) -> Windows:
    """A few car parks at a time: while one is unpacked, PostgreSQL looks for the next."""
    gate = asyncio.Semaphore(_AT_ONCE)
    span = (period.start_ms, period.end_ms)

    async def one(lot_id: str) -> Sequence[Window]:
        async with gate:
            return await database_rollup.read_windows(connections, lot_id, *span, QUARTER)

    async with asyncio.TaskGroup() as group:
        tasks = {
            lot_id: group.create_task(one(lot_id), name=f"report windows of {lot_id}")
            for lot_id in lot_ids
        }
    return {lot_id: task.result() for lot_id, task in tasks.items()}


async def _minutes(
    connections: Pool, periods: Sequence[tuple[Period, Windows]]
) -> dict[str, Columns]:
    """Of the car parks that were full in a period, of all of it."""
    spans: dict[str, list[Span]] = {}
    for period, windows in periods:
        for lot_id, told in windows.items():
            if any(one.full_ms for one in told):
                spans.setdefault(lot_id, []).append(Span(period.start_ms, period.end_ms))
    return {
        lot_id: join(
            [
                await database_rollup.read_minutes(connections, lot_id, *span)
                for span in spans_apart(wanted)
            ]
        )
        for lot_id, wanted in spans.items()
    }


async def _first_data(connections: Pool, lot_ids: Iterable[str]) -> dict[str, int]:
    found = {
        lot_id: await database_rollup.find_first_start_ms(connections, lot_id) for lot_id in lot_ids
    }
    return {lot_id: at_ms for lot_id, at_ms in found.items() if at_ms is not None}


def _as_it_held(kept: KeptRestriction) -> Restriction:
    """One that was ended early ends then."""
    ends = [at for at in (kept.restriction.until_ms, kept.ended_at_ms) if at is not None]
    return msgspec.structs.replace(kept.restriction, until_ms=min(ends, default=None))


def _as_closed(staged: StagedLot) -> Restriction | None:
    """A car park that was removed takes no cars from then on; None for all others."""
    if staged.removed_ms is None:
        return None
    return Restriction(0, staged.lot.lot_id, Extent.LOT, staged.removed_ms, None, "已退出接入")


def _counted_from(staged: Sequence[StagedLot], first_ms: Mapping[str, int]) -> dict[str, int]:
    """Since when each counts: what was heard while it joined is left out."""
    live = {one.lot.lot_id: one.live_ms or 0 for one in staged}
    return {lot_id: max(at, live.get(lot_id, 0)) for lot_id, at in first_ms.items()}


async def _corrections(
    connections: Pool, lot_ids: Sequence[str], span: tuple[int, int]
) -> tuple[CountedAgain, ...]:
    made = await database_corrections.list_made_between(connections, *span)
    return tuple(
        CountedAgain(one.lot_id, one.at_ms, one.cars_inside, one.cars_by_counters)
        for one in made
        if one.lot_id in lot_ids
    )


async def _trips(
    connections: Pool, lot_ids: Sequence[str], span: tuple[int, int], now_ms: int
) -> tuple[GuidedTrips, ...]:
    counted = await database_guided.count_trips(connections, *span, now_ms)
    return tuple(GuidedTrips(*one) for one in counted if one.lot_id in lot_ids)


async def _sign_lines(
    connections: Pool,
    lot_ids: Sequence[str],
    signs: Sequence[TownSign],
    span: tuple[int, int],
) -> tuple[SignLine, ...]:
    known = {sign.sign_id: sign for sign in signs}
    found = []
    for sign_id, driven_by, lines in await database_sign_truth.list_sign_ids(connections, *span):
        sign = known.get(sign_id) or _alone(sign_id, driven_by, lines)
        for line, lot_id in enumerate(sign.lot_ids, start=1):
            if lot_id not in lot_ids:
                continue
            asked = LineAsked(sign_id, line, lot_id)
            minutes = await database_sign_truth.count_minutes(connections, asked, *span)
            found.append(SignLine(*asked, sign.at_entrance, *minutes))
    return tuple(found)


def _alone(sign_id: str, driven_by: str, lines: int) -> TownSign:
    """A sign nobody described: with one line it shows its own car park, else nobody knows what."""
    lot_ids = (driven_by,) if lines == 1 else ()
    return TownSign(sign_id, driven_by, lot_ids, at_entrance=True)
