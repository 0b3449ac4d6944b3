"""Keeps the vital signs up: each quarter of an hour, each day, each month, once they are over."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database, database_tariffs, database_vitals, history
from occupancy.database_observed import read_facts
from occupancy.database_open_history import find_first_data_ms, is_rolled_up_until
from occupancy.observed import Facts, Span
from occupancy.open_history_keeping import month_at
from occupancy.report.period import month_of
from occupancy.rollup import DAY_MS, day_start_ms, local_day
from occupancy.vital_answering import read_past
from occupancy.vital_signs import (
    DISTRICT,
    QUARTER_MS,
    Grain,
    LotPast,
    VitalQuery,
    query_of,
    work_out,
)

LOOK_SECONDS = 20.0
LEASE_SECONDS = 600.0
LEASE_NAME = "*vitals"  # no car park's name may begin so
WAIT_FOR_ROLLUPS_MS = 600_000
QUARTERS_BACK = 96
MONTHS_BACK = 13
YEAR_DAYS = 364  # the same weekday a year before
KEEP_QUARTERS_DAYS = 40
LOOK_AGAIN_MS = DAY_MS
LATE_DAYS = 3
GONE_DAYS = 62  # a car park that was removed still counts in the month that is worked out last

log = structlog.get_logger()


@dataclass
class VitalKeeper:
    """The loop of whoever holds the lease. `clock` is UTC milliseconds."""

    connections: database.Pool
    clock: Callable[[], int]
    name: str
    looked_again_at_ms: int = 0
    facts: list[Facts] = field(default_factory=list)

    async def run(self) -> None:
        """Look until cancelled; while PostgreSQL is away what is missing stays missing."""
        while not is_cancelled():
            try:
                if await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS):
                    await self.look()
            except database.NOT_READY as trouble:
                log.info("vital signs wait for PostgreSQL", reason=str(trouble))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Work out what is over and was not worked out; once a day what may have come late."""
        first_ms = await find_first_data_ms(self.connections)
        now_ms = self.clock()
        if first_ms is None:
            return
        self.facts = await read_facts(self.connections, now_ms, now_ms - GONE_DAYS * DAY_MS)
        await self._keep(Grain.QUARTER, await self._missing(Grain.QUARTER, _quarters(now_ms)))
        await self._keep(Grain.DAY, await self._missing(Grain.DAY, _days(now_ms, first_ms)))
        await self._keep(Grain.MONTH, await self._missing(Grain.MONTH, _months(now_ms, first_ms)))
        if now_ms - self.looked_again_at_ms >= LOOK_AGAIN_MS:
            self.looked_again_at_ms = now_ms
            await self._look_again(now_ms, first_ms)

    async def _look_again(self, now_ms: int, first_ms: int) -> None:
        """The last days and the last month, in case something came late; old quarters go."""
        today = local_day(now_ms)
        days = [_day(today - back) for back in range(1, LATE_DAYS + 1)]
        await self._keep(Grain.DAY, [one for one in days if one.until_ms > first_ms])
        await self._keep(Grain.MONTH, _months(now_ms, first_ms)[-1:])
        await database_vitals.drop_quarters(self.connections, now_ms - KEEP_QUARTERS_DAYS * DAY_MS)

    async def _missing(self, grain: Grain, spans: Iterable[Span]) -> list[Span]:
        """Those that are not there, once their windows are rolled up or late for it."""
        wanted = list(spans)
        if not wanted:
            return []
        known = await database_vitals.list_starts(
            self.connections, grain, DISTRICT, min(one.from_ms for one in wanted)
        )
        return [
            one
            for one in wanted
            if one.from_ms not in known
            and (
                self.clock() >= one.until_ms + WAIT_FOR_ROLLUPS_MS
                or await is_rolled_up_until(self.connections, one.until_ms)
            )
        ]

    async def _keep(self, grain: Grain, spans: Iterable[Span]) -> None:
        """Each car park first: whoever finds the district's has them all."""
        overrides = await database_tariffs.list_overrides(self.connections)
        for span in spans:
            heard = [one for one in self.facts if (one.opened_ms or span.until_ms) < span.until_ms]
            if heard:
                whole = query_of(DISTRICT, grain, span.from_ms, span.until_ms, heard, overrides)
                pasts = [await read_past(self.connections, whole, one) for one in whole.lots]
                for facts, past in zip(whole.lots, pasts, strict=True):
                    single = msgspec.structs.replace(whole, subject=facts.lot_id, lots=(facts,))
                    await self._add(single, [past])
                await self._add(whole, pasts)
            await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS)

    async def _add(self, query: VitalQuery, pasts: Sequence[LotPast]) -> None:
        figures = work_out(query, pasts)
        await database_vitals.add(self.connections, query, figures, self.clock())


def _quarters(now_ms: int) -> list[Span]:
    """Those of the last 24 hours that are over."""
    end_ms = now_ms // QUARTER_MS * QUARTER_MS
    starts = range(end_ms - QUARTERS_BACK * QUARTER_MS, end_ms, QUARTER_MS)
    return [Span(at, at + QUARTER_MS) for at in starts]


def _days(now_ms: int, first_ms: int) -> list[Span]:
    """Yesterday, and the days it is compared with."""
    yesterday = local_day(now_ms) - 1
    days = (yesterday - 1 - YEAR_DAYS, yesterday - YEAR_DAYS, yesterday - 1, yesterday)
    return [_day(day) for day in days if day_start_ms(day + 1) > first_ms]


def _day(day: int) -> Span:
    return Span(day_start_ms(day), day_start_ms(day + 1))


def _months(now_ms: int, first_ms: int) -> list[Span]:
    """The last thirteen that are over, the oldest first, from the first with data on."""
    month, found = month_at(now_ms), []
    for _ in range(MONTHS_BACK):
        month = month_of(month.first - dt.timedelta(days=1))
        if month.end_ms > first_ms:
            found.append(Span(month.start_ms, month.end_ms))
    return found[::-1]
