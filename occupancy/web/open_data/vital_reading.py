"""Reads vital signs for those who show them: the newest, what they stand beside, and series."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from occupancy import database, database_vitals
from occupancy.observed import Span
from occupancy.report.period import month_of
from occupancy.rollup import day_start_ms, local_day
from occupancy.vital_signs import DISTRICT, QUARTER_MS, Grain, Vital
from occupancy.web.open_data.vital_view import (
    Key,
    VitalPoint,
    VitalSign,
    compared_with,
    local_date,
    series_of,
    signs_of,
)
from occupancy.web.problems import Problem
from occupancy.web.showcase import Showcase

PATIENCE_SECONDS = 10.0
QUARTERS, DAYS, MONTHS = 96, 31, 13
T = TypeVar("T")


class SeriesSpan(StrEnum):
    """How far back a series goes."""

    DAY = "24h"
    DAYS = "31d"
    YEAR = "13m"

    @property
    def grain(self) -> Grain:
        return _GRAINS[self]


_GRAINS = {
    SeriesSpan.DAY: Grain.QUARTER,
    SeriesSpan.DAYS: Grain.DAY,
    SeriesSpan.YEAR: Grain.MONTH,
}


class VitalReading:
    """What there is in PostgreSQL, with names and ages from the live pictures."""

    def __init__(self, showcase: Showcase, connections: database.Pool) -> None:
        self._showcase = showcase
        self._connections = connections

    @property
    def names(self) -> Mapping[str, str]:
        return {lot.lot_id: lot.name for lot in self._showcase.lots.values()}

    @property
    def subjects(self) -> tuple[str, ...]:
        return (DISTRICT, *self._showcase.lots)

    async def newest(self, grain: Grain) -> list[VitalSign]:
        """Raises Problem 503 while PostgreSQL is away."""
        vitals = await self.ask(lambda: database_vitals.list_newest(self._connections, grain))
        known = [one for one in vitals if one.query.subject in self.subjects]
        beside = await self.ask(lambda: self._beside(grain, known))
        return signs_of(known, beside, self.names, self._ages())

    async def series(
        self, subjects: Sequence[str], code: str, span: SeriesSpan
    ) -> list[list[VitalPoint]]:
        """One of each subject, in their order."""
        grain = span.grain
        spans = self._spans(span)
        vitals = await self.ask(
            lambda: database_vitals.list_spans(
                self._connections, grain, subjects, spans[0].from_ms, spans[-1].until_ms
            )
        )
        return [series_of(vitals, subject, code, spans) for subject in subjects]

    async def ask(self, read: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await read()
        except database.NOT_READY:
            detail = "the history database is away; live numbers are not affected"
            raise Problem(503, detail) from None

    async def _beside(self, grain: Grain, vitals: Sequence[Vital]) -> dict[Key, Vital]:
        starts = {at for one in vitals for at in compared_with(grain, one.query.from_ms)}
        found = [
            one
            for at in sorted(starts)
            for one in await database_vitals.list_spans(self._connections, grain, (), at, at + 1)
        ]
        return {(one.query.subject, one.query.from_ms): one for one in found}

    def _ages(self) -> dict[str, float | None]:
        """Seconds since each car park was observed; the district's is that of its eldest."""
        now_ms = self._showcase.now_ms()
        pictures = self._showcase.pictures
        ages: dict[str, float | None] = {
            lot_id: (now_ms - pictures[lot_id].observed_at_ms) / 1_000
            if lot_id in pictures
            else None
            for lot_id in self._showcase.lots
        }
        known = [age for age in ages.values() if age is not None]
        return {**ages, DISTRICT: max(known) if len(known) == len(ages) and known else None}

    def _spans(self, span: SeriesSpan) -> list[Span]:
        now_ms = self._showcase.now_ms()
        if span is SeriesSpan.DAY:
            end_ms = now_ms // QUARTER_MS * QUARTER_MS
            starts = range(end_ms - QUARTERS * QUARTER_MS, end_ms, QUARTER_MS)
            return [Span(at, at + QUARTER_MS) for at in starts]
        if span is SeriesSpan.DAYS:
            today = local_day(now_ms)
            days = range(today - DAYS, today)
            return [Span(day_start_ms(day), day_start_ms(day + 1)) for day in days]
        month, found = month_of(local_date(now_ms)), []
        for _ in range(MONTHS):
            month = month.previous()
            found.append(Span(month.start_ms, month.end_ms))
        return found[::-1]
