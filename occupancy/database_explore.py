"""History in PostgreSQL for those who explore it: of a lot, or of any part or device of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.observation import DeviceState
from occupancy import database_parts
from occupancy.database import Pool
from occupancy.edit import BadEditError
from occupancy.explore import (
    LOOK_SECONDS,
    Answered,
    Curve,
    Explored,
    Part,
    Plan,
    RawStep,
    Sample,
    Subject,
    curve_of_rows,
    curve_of_samples,
    curve_of_spans,
    require_weeks,
)
from occupancy.series import TOLD_SECONDS

LEVEL_SAMPLE_SECONDS = 90  # they are looked at once a minute, give or take
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
    if subject.part is Part.DEVICE:
        return await _read_device(connections, subject, plan)
    if subject.part is Part.LEVEL:
        return await _read_level(connections, subject, plan)
    return await _read_history(connections, subject, plan)


async def _read_device(connections: Pool, subject: Subject, plan: Plan) -> Curve:
    spans = await database_parts.list_spans(
        connections, subject.lot_id, subject.name, plan.from_ms, plan.to_ms
    )
    online = DeviceState.ONLINE
    return curve_of_spans(
        plan, [Answered(one.from_ms, one.until_ms, one.state is online) for one in spans]
    )


async def _read_level(connections: Pool, subject: Subject, plan: Plan) -> Curve:
    """A sample stands for its minute; nothing is told of cars that come and go."""
    period = (subject.lot_id, _time(plan.from_ms), _time(plan.to_ms), subject.place)
    if plan.is_raw:
        rows = await connections.fetch(_LEVEL_STEPS, *period, plan.step_seconds)
        return curve_of_rows(plan, [_level_step(row) for row in rows])
    rows = await connections.fetch(_LEVEL_SAMPLES, *period, LEVEL_SAMPLE_SECONDS)
    return curve_of_samples(plan, [Sample(*row.values()) for row in rows])


async def _read_history(connections: Pool, subject: Subject, plan: Plan) -> Curve:
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
    if subject.part is Part.DEVICE:
        devices = await database_parts.list_devices(connections, subject.lot_id)
        if subject.name not in devices:
            known = "、".join(devices) or "还没有"
            raise BadEditError("part", f"没有设备 {subject.name[:40]} 的记录；可选：{known}")
        return
    if subject.part is Part.LEVEL:
        levels = await database_parts.count_levels(connections, subject.lot_id)
        if not 1 <= subject.place <= levels:
            raise BadEditError("place", f"编号 {subject.place} 不存在，可选 1 到 {levels}")
        return
    shape = await read_shape(connections, subject.lot_id)
    many = shape.groups if subject.part is Part.GROUP else shape.lanes
    if not 1 <= subject.place <= many:
        raise BadEditError("place", f"编号 {subject.place} 不存在，可选 1 到 {many}")


def _level_step(row: Mapping[str, Any]) -> RawStep:
    """Cars that come and go are not told of a level."""
    spells = row["samples"] * LOOK_SECONDS // TOLD_SECONDS
    return RawStep(
        number=row["number"],
        spells=spells,
        occupied=row["occupied"],
        free=row["free"],
        epoch_first=0,
        epoch=0,
        entries_first=None,
        entries_last=None,
        exits_first=None,
        exits_last=None,
    )


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

# An element that is not there is null, like that of a level whose machines were silent.
_LEVEL_STEPS = """
SELECT floor(extract(epoch FROM at - $2) / $5)::int AS number, count(occupied[$4::int]) AS samples,
       avg(occupied[$4::int])::float8 AS occupied, avg(free[$4::int])::float8 AS free
FROM level_sample WHERE lot_id = $1 AND at >= $2 AND at < $3
GROUP BY number HAVING count(occupied[$4::int]) > 0 ORDER BY number
"""

_LEVEL_SAMPLES = """
SELECT (extract(epoch FROM quarter.start) * 1000)::bigint AS at_ms, 0::bigint AS epoch,
       told.occupied[$4::int] AS occupied, told.free[$4::int] AS free,
       NULL AS entries_total, NULL AS exits_total
FROM generate_series($2::timestamptz, $3::timestamptz, interval '15 minutes') AS quarter(start)
CROSS JOIN LATERAL (
    SELECT occupied, free FROM level_sample
    WHERE lot_id = $1 AND at <= quarter.start AND at > quarter.start - $5 * interval '1 second'
    ORDER BY at DESC LIMIT 1
) AS told ORDER BY quarter.start
"""
