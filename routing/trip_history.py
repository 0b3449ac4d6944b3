"""Guided trips in PostgreSQL for thirty days, without a name: what was said and what came of it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database
from occupancy.effect.advice import Advice
from routing.trip import Trip

WRITE_EVERY_SECONDS = 2.0
BATCH = 500
MOST_WAITING = 20_000
KEPT_DAYS = 30
SWEEP_EVERY_MS = 3_600_000

log = structlog.get_logger()

_UPSERT = """
INSERT INTO trip (trip_id, lot_id, shown_lots, shown_at, arrives_at, expires_at, chance, promised,
                  regret_minutes, stage, changed_at, experiment, arm)
VALUES ($1, $2, $3, to_timestamp($4), to_timestamp($5), to_timestamp($6), $7, $8, $9, $10,
        to_timestamp($11), $12, $13)
ON CONFLICT (trip_id) DO UPDATE
SET lot_id = excluded.lot_id, arrives_at = excluded.arrives_at, expires_at = excluded.expires_at,
    chance = excluded.chance, promised = excluded.promised, stage = excluded.stage,
    changed_at = excluded.changed_at
WHERE trip.changed_at <= excluded.changed_at
"""
_SWEEP = "DELETE FROM trip WHERE shown_at < to_timestamp($1)"
# A trip that was replaced says nothing of whether its driver would have followed it, one without
# guidance promised nothing.
_OUTCOMES = """
SELECT lot_id, count(*) AS trips, count(*) FILTER (WHERE stage = 'chosen') AS chosen,
       count(*) FILTER (WHERE stage = 'arrived') AS arrived, sum(promised) AS promised,
       sum(chance) AS chance, sum(regret_minutes) AS regret_minutes,
       max(regret_minutes) AS regret_most
FROM trip
WHERE shown_at >= to_timestamp($1) AND expires_at < to_timestamp($2) AND stage <> 'replaced'
  AND coalesce(arm, 'guided') = 'guided'
GROUP BY lot_id
ORDER BY lot_id
"""


_ADVICE = """
SELECT shown_lots[1] AS lot_id, count(*) AS asked,
       count(*) FILTER (WHERE stage <> 'replaced') AS shown,
       count(*) FILTER (WHERE stage IN ('chosen', 'arrived')) AS chosen,
       count(*) FILTER (WHERE stage = 'arrived') AS arrived,
       count(*) FILTER (WHERE arm IN ('plain', 'held_out')) AS plain
FROM trip WHERE shown_at >= to_timestamp($1) AND shown_at < to_timestamp($2)
GROUP BY 1 ORDER BY 1
"""


class Outcome(msgspec.Struct, frozen=True):
    """A car park's trips whose time is over; `promised`, `chance` and `regret_minutes` are sums.

    `arrived` were explained by an entry; `chosen` only opened the way.
    """

    lot_id: str
    trips: int
    chosen: int
    arrived: int
    promised: float
    chance: float
    regret_minutes: float
    regret_most: float


class TripHistory:
    """Takes trips in at once and writes them soon; while PostgreSQL is away they wait."""

    def __init__(self, connections: database.Pool, clock: Callable[[], int]) -> None:
        self._connections = connections
        self._clock = clock
        self._waiting: deque[Trip] = deque(maxlen=MOST_WAITING)
        self._is_away = False
        self._swept_ms = 0

    def note(self, trip: Trip) -> None:
        """The trip began, or came further."""
        if len(self._waiting) == MOST_WAITING and not self._is_away:
            log.warning("more trips wait for PostgreSQL than are kept: the oldest go")
        self._waiting.append(trip)

    async def keep_writing(self) -> None:
        """Write until cancelled."""
        while not is_cancelled():
            try:
                await self.write()
                await self._sweep()
                self._is_away = False
            except database.NOT_READY as trouble:
                if not self._is_away:
                    log.warning("trips wait: PostgreSQL is away", reason=str(trouble))
                self._is_away = True
            await asyncio.sleep(WRITE_EVERY_SECONDS)

    async def write(self) -> int:
        """Write what waits; how many. What cannot be written goes on waiting."""
        written = 0
        while self._waiting:
            batch = [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]
            await self._connections.executemany(_UPSERT, [_row(trip) for trip in batch])
            for trip in batch:
                if self._waiting and self._waiting[0] is trip:
                    self._waiting.popleft()
            written += len(batch)
        return written

    async def advice(self, since_ms: int, now_ms: int) -> list[Advice]:
        """How far the advice of this time has come, by the car park that was shown first."""
        rows = await self._connections.fetch(_ADVICE, since_ms / 1_000, now_ms / 1_000)
        return [Advice(*row) for row in rows]

    async def _sweep(self) -> None:
        now_ms = self._clock()
        if now_ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._swept_ms = now_ms
            await self._connections.execute(_SWEEP, now_ms / 1_000 - KEPT_DAYS * 86_400)


async def read_outcomes(connections: database.Pool, since_ms: int, now_ms: int) -> list[Outcome]:
    """What became of the trips that were shown since then, by car park."""
    rows = await connections.fetch(_OUTCOMES, since_ms / 1_000, now_ms / 1_000)
    return [Outcome(*row) for row in rows]


def _row(trip: Trip) -> tuple[Any, ...]:
    return (
        trip.trip_id,
        trip.lot_id,
        list(trip.shown),
        trip.shown_at_ms / 1_000,
        trip.arrives_ms / 1_000,
        trip.expires_ms / 1_000,
        trip.chance,
        trip.promised,
        trip.regret_minutes,
        trip.stage.value,
        trip.changed_at_ms / 1_000,
        trip.experiment or None,
        None if trip.arm is None else trip.arm.value,
    )
