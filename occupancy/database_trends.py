"""The last hours of many car parks in one question, from windows: what small lines are drawn of."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from occupancy.database import Pool
from occupancy.rollup import DAY_MS, MINUTE_MS

QUARTER_MS = 15 * MINUTE_MS
# A minute is rolled up within a few seconds of its end; until then it says nothing yet.
ROLLED_UP_AFTER_MS = 20_000


class Recent(NamedTuple):
    """One lot's last hours.

    `free` are spaces a minute, None for one that was silent for most of its time; `entries` and
    `exits` are cars of the last day from `since_ms` on, None where no history tells.
    """

    lot_id: str
    free: tuple[float | None, ...]
    entries: int | None
    exits: int | None
    since_ms: int | None


async def read_recent(
    connections: Pool, lot_ids: Sequence[str], now_ms: int, span_ms: int
) -> list[Recent]:
    """The whole minutes of the span before `now_ms`, and the flow of the quarters of a day."""
    until_ms = (now_ms - ROLLED_UP_AFTER_MS) // MINUTE_MS * MINUTE_MS
    day_ms = -((DAY_MS - now_ms) // QUARTER_MS) * QUARTER_MS
    times = (until_ms - span_ms, until_ms, day_ms, now_ms)
    rows = await connections.fetch(_RECENT, list(lot_ids), *map(_time, times))
    return [
        Recent(row["lot_id"], tuple(row["free"]), row["entries"], row["exits"], row["since_ms"])
        for row in rows
    ]


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


_RECENT = """
WITH asked AS (SELECT unnest($1::text[]) AS lot_id), minutes AS (
    SELECT lot_id, array_agg(free ORDER BY start) AS free FROM (
        SELECT asked.lot_id, minute.start, CASE WHEN w.told_ms >= 30000
               THEN round(w.free_ms::numeric / w.told_ms, 2)::float8 END AS free
        FROM asked CROSS JOIN
             generate_series($2::timestamptz, $3::timestamptz - interval '1 minute',
                             interval '1 minute') AS minute(start)
        LEFT JOIN rollup_1 w ON w.lot_id = asked.lot_id AND w.start = minute.start
             AND w.start >= $2 AND w.start < $3
    ) AS told GROUP BY lot_id
), day AS (
    SELECT lot_id, sum(entries)::bigint AS entries, sum(exits)::bigint AS exits,
           (extract(epoch FROM min(start)) * 1000)::bigint AS since_ms
    FROM rollup_15 WHERE lot_id = ANY($1) AND start >= $4 AND start < $5 GROUP BY lot_id
)
SELECT lot_id, free, entries, exits, since_ms FROM minutes LEFT JOIN day USING (lot_id)
"""
