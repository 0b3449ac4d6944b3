"""What signs showed beside what was true, minute by minute, summed up in PostgreSQL."""

import datetime as dt
from typing import NamedTuple

from gateway.signs import FULL
from occupancy.database import Pool
from occupancy.observed import LEAST_TOLD
from occupancy.rollup import MINUTE_MS
from occupancy.sign_truth import FULL_SPACES, NEAR_SHARE, NEAR_SPACES


class LineAsked(NamedTuple):
    """A line of a sign, from 1, and the car park whose free spaces it shows."""

    sign_id: str
    line: int
    lot_id: str


class LineMinutes(NamedTuple):
    """Minutes of a span; what each means stands at occupancy.report.facts.SignLine."""

    minutes: int
    judged: int
    wrong: int
    free_while_full: int
    stale_number: int
    unknown: int


async def list_sign_ids(connections: Pool, from_ms: int, to_ms: int) -> list[tuple[str, str, int]]:
    """Signs that said or were told anything: id, car park that drives it, lines."""
    rows = await connections.fetch(
        "SELECT sign_id, min(lot_id) AS lot_id, max(cardinality(desired)) AS lines "
        "FROM sign_proof WHERE at >= $1 AND at < $2 GROUP BY sign_id ORDER BY sign_id",
        *(_time(from_ms), _time(to_ms)),
    )
    return [(row["sign_id"], row["lot_id"], row["lines"]) for row in rows]


async def count_minutes(
    connections: Pool, asked: LineAsked, from_ms: int, to_ms: int
) -> LineMinutes:
    row = await connections.fetchrow(
        _MINUTES,
        *(asked.sign_id, asked.line, asked.lot_id, _time(from_ms), _time(to_ms)),
        *(FULL, NEAR_SPACES, NEAR_SHARE, FULL_SPACES, LEAST_TOLD * MINUTE_MS),
    )
    return LineMinutes(*row.values())


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


# What held at the beginning of the span counts on into it. A minute belongs to what the sign said
# as it began. One that was told for less than half of its time has no truth; one in which nobody
# had a fresh number is stale.
_MINUTES = """
WITH said AS (
    (SELECT at, reported FROM sign_proof WHERE sign_id = $1 AND at <= $4
     ORDER BY at DESC LIMIT 1)
    UNION ALL
    SELECT at, reported FROM sign_proof WHERE sign_id = $1 AND at > $4 AND at < $5
), spans AS (
    SELECT greatest(at, $4) AS from_at, lead(at, 1, $5) OVER (ORDER BY at) AS to_at,
           reported[$2::int] AS shown
    FROM said
), minutes AS (
    SELECT minute, s.shown,
           CASE WHEN s.shown ~ '^[0-9]{1,5}$' THEN s.shown::int WHEN s.shown = $6 THEN 0 END AS free
    FROM spans s CROSS JOIN LATERAL generate_series(
        date_bin('1 minute', s.from_at + interval '59.999 seconds', '2000-01-01 00:00+00'),
        s.to_at - interval '1 microsecond', interval '1 minute') AS minute
), judged AS (
    SELECT m.shown, m.free, 1 - coalesce(r.fresh_ms, 0) / 60000.0 AS stale_share,
           m.free IS NOT NULL AND coalesce(r.told_ms, 0) >= $10::float8 AS is_judged,
           r.free_ms::float8 / nullif(r.told_ms, 0) AS truth,
           $8::float8 * r.usable_ms / nullif(r.told_ms, 0) AS few, r.full_ms = r.told_ms AS is_full
    FROM minutes m LEFT JOIN rollup_1 r ON r.lot_id = $3 AND r.start = m.minute
)
SELECT count(*), count(*) FILTER (WHERE is_judged),
       count(*) FILTER (WHERE is_judged AND abs(free - truth) > greatest($7::float8, few)),
       count(*) FILTER (WHERE is_judged AND is_full AND free > greatest($9::float8, few)),
       round(coalesce(sum(stale_share) FILTER (WHERE free IS NOT NULL), 0))::bigint,
       count(*) FILTER (WHERE shown IS NULL)
FROM judged
"""
