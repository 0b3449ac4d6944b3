"""History in PostgreSQL for those who explore it: rows of a lot, a machine group or a lane."""

import datetime as dt
from typing import NamedTuple

from occupancy.database import Pool
from occupancy.edit import BadEditError
from occupancy.explore import (
    Curve,
    Explored,
    Part,
    Plan,
    RawStep,
    Sample,
    Subject,
    curve_of_rows,
    curve_of_samples,
    require_weeks,
)
from occupancy.series import TOLD_SECONDS

SAMPLE_SECONDS = 60  # a gateway speaks every second: an older row is no sample of a moment


class Shape(NamedTuple):
    """How many machine groups and lanes a car park told of last."""

    groups: int
    lanes: int


async def explore(connections: Pool, subject: Subject, plan: Plan, weeks_back: int = 0) -> Explored:
    """The period, beside the same weekdays before if weeks are named. Raises BadEditError."""
    require_weeks(weeks_back)
    await _require_there(connections, subject)
    now = await read_curve(connections, subject, plan)
    before = None
    if weeks_back:
        before = await read_curve(connections, subject, plan.earlier(weeks_back))
    return Explored(subject, plan.step_seconds, plan.is_raw, now, before)


async def read_curve(connections: Pool, subject: Subject, plan: Plan) -> Curve:
    if plan.is_raw:
        rows = await connections.fetch(
            _STEPS,
            *(subject.lot_id, _time(plan.from_ms), _time(plan.to_ms)),
            *(subject.part.value, subject.place, plan.step_seconds, TOLD_SECONDS),
        )
        return curve_of_rows(plan, [RawStep(*row.values()) for row in rows])
    rows = await connections.fetch(
        _SAMPLES,
        *(subject.lot_id, _time(plan.from_ms), _time(plan.to_ms)),
        *(subject.part.value, subject.place, SAMPLE_SECONDS),
    )
    return curve_of_samples(plan, [Sample(*row.values()) for row in rows])


async def read_shape(connections: Pool, lot_id: str) -> Shape:
    """What there is to explore; noughts before the first row."""
    row = await connections.fetchrow(
        "SELECT cardinality(group_occupied) AS groups, cardinality(lane_totals) AS lanes "
        "FROM observation WHERE lot_id = $1 ORDER BY observed_at DESC LIMIT 1",
        lot_id,
    )
    return Shape(0, 0) if row is None else Shape(row["groups"], row["lanes"])


async def _require_there(connections: Pool, subject: Subject) -> None:
    if subject.part is Part.LOT:
        return
    shape = await read_shape(connections, subject.lot_id)
    many = shape.groups if subject.part is Part.GROUP else shape.lanes
    if not 1 <= subject.place <= many:
        raise BadEditError("place", f"编号 {subject.place} 不存在，可选 1 到 {many}")


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


# A silent group is -1 in its row; a row of another shape has nothing at this place.
_STEPS = """
WITH told AS (
    SELECT observed_at, epoch,
           CASE $4 WHEN 'lot' THEN occupied
                   WHEN 'group' THEN nullif(group_occupied[$5::int], -1) END AS occupied,
           CASE $4 WHEN 'lot' THEN free END AS free,
           CASE $4 WHEN 'lot' THEN entries_total
                   WHEN 'lane' THEN lane_totals[$5::int] END AS entries,
           CASE $4 WHEN 'lot' THEN exits_total END AS exits
    FROM observation WHERE lot_id = $1 AND observed_at >= $2 AND observed_at < $3
)
SELECT floor(extract(epoch FROM observed_at - $2) / $6)::int AS number,
       count(DISTINCT floor(extract(epoch FROM observed_at) / $7)) AS spells,
       avg(occupied)::float8 AS occupied, avg(free)::float8 AS free, min(epoch), max(epoch),
       min(entries), max(entries), min(exits), max(exits)
FROM told WHERE coalesce(occupied, entries) IS NOT NULL
GROUP BY number ORDER BY number
"""

# A row by the index for each quarter, rather than all rows of all quarters; the end's tells flows.
_SAMPLES = """
SELECT (extract(epoch FROM quarter.start) * 1000)::bigint AS at_ms, o.epoch,
       CASE $4 WHEN 'lot' THEN o.occupied
               WHEN 'group' THEN nullif(o.group_occupied[$5::int], -1) END AS occupied,
       CASE $4 WHEN 'lot' THEN o.free END AS free,
       CASE $4 WHEN 'lot' THEN o.entries_total
               WHEN 'lane' THEN o.lane_totals[$5::int] END AS entries_total,
       CASE $4 WHEN 'lot' THEN o.exits_total END AS exits_total
FROM generate_series($2::timestamptz, $3::timestamptz, interval '15 minutes') AS quarter(start)
CROSS JOIN LATERAL (
    SELECT epoch, occupied, free, entries_total, exits_total, lane_totals, group_occupied
    FROM observation
    WHERE lot_id = $1 AND observed_at <= quarter.start
      AND observed_at > quarter.start - $6 * interval '1 second'
    ORDER BY observed_at DESC LIMIT 1
) AS o ORDER BY quarter.start
"""
