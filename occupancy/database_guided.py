"""Guided trips for those who look back: how many were proposed, chosen, and came, by car park."""

import datetime as dt
from typing import NamedTuple

from occupancy.database import Pool


class TripCount(NamedTuple):
    """Of the trips shown in a span that are over; `arrived` were explained by an entry."""

    lot_id: str
    shown: int
    chosen: int
    arrived: int


async def count_trips(connections: Pool, from_ms: int, to_ms: int, now_ms: int) -> list[TripCount]:
    rows = await connections.fetch(_COUNTS, *map(_time, (from_ms, to_ms, now_ms)))
    return [TripCount(*row.values()) for row in rows]


async def find_oldest_ms(connections: Pool) -> int | None:
    """From when on trips are kept; None: there is none."""
    oldest = await connections.fetchval("SELECT min(shown_at) FROM trip")
    return None if oldest is None else round(oldest.timestamp() * 1_000)


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


# A trip that was replaced says nothing of whether its driver would have followed it.
_COUNTS = """
SELECT lot_id, count(*) AS shown,
       count(*) FILTER (WHERE stage IN ('chosen', 'arrived')) AS chosen,
       count(*) FILTER (WHERE stage = 'arrived') AS arrived
FROM trip
WHERE shown_at >= $1 AND shown_at < $2 AND expires_at < $3 AND stage <> 'replaced'
GROUP BY lot_id ORDER BY lot_id
"""
