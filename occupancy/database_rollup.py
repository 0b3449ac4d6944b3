"""Rollups in PostgreSQL: made from raw rows, made again with the same result, read, let go."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from occupancy.columns import Columns, stack
from occupancy.database import Connection, Pool
from occupancy.rollup import (
    DAY_MS,
    FRESH_MS,
    LEVELS_MINUTES,
    MINUTE_MS,
    TOLD_MS,
    Window,
)

_ROLLUP_LOCK = 76_110_103
SORT_MEMORY = "64MB"
DROP_SECONDS = 5.0  # recording waits for a drop that waits for a reader


class Due(NamedTuple):
    """A span of one lot's history that was written since it was rolled up."""

    number: int
    lot_id: str
    first_ms: int
    last_ms: int


class GoneError(Exception):
    """Raw rows of this time are no longer kept; `oldest_ms` is from when on they are."""

    def __init__(self, oldest_ms: int | None) -> None:
        super().__init__("raw observations of this time are no longer kept")
        self.oldest_ms = oldest_ms


class Retention(NamedTuple):
    """Days for which each kind of history is kept."""

    observations: int = 400
    minutes: int = 800
    quarters: int = 4_000


async def list_due(connections: Pool, most: int) -> list[Due]:
    rows = await connections.fetch(
        "SELECT number, lot_id, first_at, last_at FROM rollup_due ORDER BY number LIMIT $1", most
    )
    return [
        Due(row["number"], row["lot_id"], _ms(row["first_at"]), _ms(row["last_at"])) for row in rows
    ]


async def roll_up(connections: Pool, due: Sequence[Due], until_ms: int) -> None:
    """Roll up spans of one lot as far as `until_ms`; what lies behind it stays due."""
    first_ms = min(one.first_ms for one in due)
    last_ms = min(until_ms, max(one.last_ms for one in due))
    lot_id = due[0].lot_id
    async with connections.acquire() as connection, connection.transaction():
        await _begin(connection)
        await _make(connection, lot_id, first_ms, last_ms + FRESH_MS)
        successor = await connection.fetchval(_SUCCESSOR, lot_id, _time(last_ms))
        if successor is not None and _ms(successor) >= last_ms + FRESH_MS:
            # What the next row has counted since the last one is counted in its own minute.
            await _make(connection, lot_id, _ms(successor), _ms(successor))
        numbers = [one.number for one in due]
        await connection.execute(
            "DELETE FROM rollup_due WHERE number = ANY($1::bigint[]) AND last_at <= $2",
            numbers,
            _time(last_ms),
        )
        await connection.execute(
            "UPDATE rollup_due SET first_at = $2 WHERE number = ANY($1::bigint[])",
            numbers,
            _time(last_ms + 1),
        )


async def strike_off(connections: Pool, before_ms: int) -> int:
    """Forget spans whose raw rows are let go; how many."""
    struck = await connections.fetch(
        "DELETE FROM rollup_due WHERE last_at < $1 RETURNING number", _time(before_ms)
    )
    return len(struck)


async def rebuild(connections: Pool, lot_id: str, from_ms: int, to_ms: int) -> None:
    """Make the windows of a span again from its raw rows, a day at a time.

    Raises GoneError where raw rows are no longer kept: what was made of them would be lost.
    """
    oldest_ms = await find_oldest_ms(connections)
    if oldest_ms is None or from_ms < oldest_ms:
        raise GoneError(oldest_ms)
    for start_ms in range(from_ms, to_ms, DAY_MS):
        async with connections.acquire() as connection, connection.transaction():
            await _begin(connection)
            await _make(connection, lot_id, start_ms, min(start_ms + DAY_MS, to_ms) - 1)


async def _begin(connection: Connection) -> None:
    """Two that make the same windows at once would each delete what the other has not made yet.

    A day of one lot is 86,400 rows: they are sorted in memory.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ROLLUP_LOCK)
    await connection.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'")


async def _make(connection: Connection, lot_id: str, first_ms: int, last_ms: int) -> None:
    """The windows of all levels that hold any moment from `first_ms` to `last_ms`."""
    for minutes in LEVELS_MINUTES:
        step_ms = minutes * MINUTE_MS
        from_ms = first_ms // step_ms * step_ms
        to_ms = (last_ms // step_ms + 1) * step_ms
        await prepare_months(connection, f"rollup_{minutes}", from_ms, to_ms)
        span = (lot_id, _time(from_ms), _time(to_ms))
        await connection.execute(
            f"DELETE FROM rollup_{minutes} WHERE lot_id = $1 AND start >= $2 AND start < $3",  # noqa: S608 -- a number of our own
            *span,
        )
        if minutes == 1:
            await connection.execute(_MINUTES, *span, TOLD_MS, FRESH_MS)
        else:
            await connection.execute(_LONGER.format(minutes=minutes), *span)


async def prepare_months(connection: Connection, table: str, from_ms: int, to_ms: int) -> None:
    """Make the partitions of a span's months."""
    month = _time(from_ms).date().replace(day=1)
    while month <= _time(to_ms - 1).date():
        following = (month + dt.timedelta(days=32)).replace(day=1)
        name = f"{table}_{month:%Y%m}"
        if await connection.fetchval("SELECT to_regclass($1)", name) is None:
            # The names and dates are our own; DDL takes no parameters.
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} "
                f"FOR VALUES FROM ('{month} 00:00+00') TO ('{following} 00:00+00')"
            )
        month = following


async def read_windows(
    connections: Pool, lot_id: str, from_ms: int, to_ms: int, minutes: int
) -> list[Window]:
    """The windows of one level that begin in a span and have data, in order."""
    rows = await connections.fetch(
        _READ.format(minutes=minutes), lot_id, *map(_time, (from_ms, to_ms))
    )
    return [Window(row[0], row[1], minutes, *row[2:]) for row in rows]


async def read_minutes(connections: Pool, lot_id: str, from_ms: int, to_ms: int) -> Columns:
    """What estimates need of the minutes that begin in a span and have data."""
    rows = await connections.fetch(_READ_MINUTES, lot_id, *map(_time, (from_ms, to_ms)))
    return stack(1, rows)


async def find_first_start_ms(connections: Pool, lot_id: str) -> int | None:
    """The first minute with data of a lot; its hour where minutes are no longer kept."""
    first = await connections.fetchval(_FIRST, lot_id)
    return None if first is None else _ms(first)


async def find_oldest_ms(connections: Pool) -> int | None:
    """From when on windows can be made again; None: there is no raw row at all.

    0 where nothing has been let go yet. Otherwise the first day that is kept is not whole: it needs
    the last row of the day before.
    """
    names = [row["name"] for row in await connections.fetch(_PARTITIONS, "observation")]
    if not names:
        return None
    first = dt.datetime.combine(_ends(names[0]) - dt.timedelta(days=1), dt.time(), dt.UTC)
    has_older = await connections.fetchval(
        "SELECT EXISTS (SELECT FROM rollup_60 WHERE start < $1)", first
    )
    return _ms(first) + DAY_MS if has_older else 0


async def drop_old(connections: Pool, now_ms: int, keep: Retention) -> list[str]:
    """Drop the partitions that lie wholly before what is kept; their names."""
    dropped = []
    for table, days in (
        ("observation", keep.observations),
        ("rollup_1", keep.minutes),
        ("rollup_15", keep.quarters),
    ):
        oldest = _time(now_ms - days * DAY_MS).date()
        for row in await connections.fetch(_PARTITIONS, table):
            if _ends(row["name"]) <= oldest:
                await connections.execute(f"DROP TABLE {row['name']}", timeout=DROP_SECONDS)
                dropped.append(row["name"])
    return dropped


def _ends(partition: str) -> dt.date:
    """The day behind a partition's last, by its name."""
    told = partition.rpartition("_")[2]
    if len(told) == len("20260101"):
        return dt.date.fromisoformat(told) + dt.timedelta(days=1)
    first = dt.date(int(told[:4]), int(told[4:]), 1)
    return (first + dt.timedelta(days=32)).replace(day=1)


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


def _ms(at: object) -> int:
    return round(at.timestamp() * 1_000)  # type: ignore[attr-defined,no-any-return]


_PARTITIONS = """
SELECT child.relname AS name FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
WHERE parent.relname = $1 ORDER BY child.relname
"""

_FIRST = """
WITH first AS (SELECT min(start) AS hour FROM rollup_60 WHERE lot_id = $1)
SELECT coalesce((SELECT min(start) FROM rollup_1 WHERE lot_id = $1 AND start >= first.hour
                 AND start < first.hour + interval '1 hour'), first.hour) FROM first
"""

_SUCCESSOR = """
SELECT observed_at FROM observation WHERE lot_id = $1 AND observed_at > $2
ORDER BY observed_at LIMIT 1
"""

# Each row stands for the time up to the next row, at most $4 (told) or $5 (fresh) milliseconds,
# and brings the cars counted since the row before it. Rows from before the span reach into it;
# the last row before those tells what the counters said.
_MINUTES = """
INSERT INTO rollup_1
WITH reach AS (
    SELECT * FROM observation WHERE lot_id = $1 AND observed_at < $3::timestamptz
       AND observed_at >= $2::timestamptz - $5::bigint * interval '1 millisecond'
    UNION ALL
    (SELECT * FROM observation WHERE lot_id = $1
        AND observed_at < $2::timestamptz - $5::bigint * interval '1 millisecond'
     ORDER BY observed_at DESC, epoch DESC, sequence DESC LIMIT 1)
), told AS (
    SELECT round(date_part('epoch', observed_at) * 1000)::bigint AS at_ms, epoch, sequence,
           occupied, free, usable, entries_total, exits_total,
           coalesce(occupied BETWEEN 0 AND usable AND free BETWEEN 0 AND usable, false) AS is_sound
    FROM reach
), placed AS (
    SELECT *, lead(at_ms) OVER in_time AS next_ms,
           at_ms - lag(at_ms) OVER in_time > $4::bigint AS is_late,
           CASE WHEN lag(epoch) OVER in_time = epoch
                THEN entries_total - lag(entries_total) OVER in_time ELSE 0 END AS entered,
           CASE WHEN lag(epoch) OVER in_time = epoch
                THEN exits_total - lag(exits_total) OVER in_time ELSE 0 END AS gone
    FROM told WINDOW in_time AS (ORDER BY at_ms, epoch, sequence)
), spans AS (
    SELECT *, at_ms / 60000 AS own_minute, least(next_ms, at_ms + $4::bigint) AS told_until,
           least(next_ms, at_ms + $5::bigint) AS fresh_until
    FROM placed
), pieces AS (
    SELECT own_minute AS minute, is_sound, occupied, free, usable,
           least(told_until, (own_minute + 1) * 60000) - at_ms AS told_ms,
           least(fresh_until, (own_minute + 1) * 60000) - at_ms AS fresh_ms,
           true AS is_own, is_late, entered, gone
    FROM spans
    UNION ALL
    SELECT minute, is_sound, occupied, free, usable,
           greatest(least(told_until, (minute + 1) * 60000) - minute * 60000, 0),
           least(fresh_until, (minute + 1) * 60000) - minute * 60000,
           false, is_late, entered, gone
    FROM spans CROSS JOIN LATERAL
         generate_series(own_minute + 1, (fresh_until - 1) / 60000) AS minute
    WHERE fresh_until > (own_minute + 1) * 60000
), own AS (
    SELECT * FROM pieces
    WHERE minute >= extract(epoch FROM $2::timestamptz)::bigint / 60
      AND minute < extract(epoch FROM $3::timestamptz)::bigint / 60
)
SELECT $1, to_timestamp(minute * 60),
       coalesce(sum(told_ms) FILTER (WHERE is_sound), 0),
       sum(fresh_ms),
       coalesce(sum(told_ms) FILTER (WHERE NOT is_sound), 0),
       coalesce(sum(told_ms) FILTER (WHERE is_sound AND (free <= 1 OR free * 50 <= usable)), 0),
       coalesce(sum(told_ms * occupied) FILTER (WHERE is_sound), 0),
       coalesce(sum(told_ms * free) FILTER (WHERE is_sound), 0),
       coalesce(sum(told_ms * usable) FILTER (WHERE is_sound), 0),
       max(occupied) FILTER (WHERE is_sound AND told_ms > 0),
       coalesce(sum(entered) FILTER (WHERE is_own), 0),
       coalesce(sum(gone) FILTER (WHERE is_own), 0),
       coalesce(sum(entered) FILTER (WHERE is_own AND is_late), 0),
       coalesce(sum(gone) FILTER (WHERE is_own AND is_late), 0)
FROM own GROUP BY minute
"""

_COLUMNS = """
sum(told_ms)::bigint AS told_ms, sum(fresh_ms)::bigint AS fresh_ms,
sum(suspect_ms)::bigint AS suspect_ms, sum(full_ms)::bigint AS full_ms,
sum(occupied_ms)::bigint AS occupied_ms, sum(free_ms)::bigint AS free_ms,
sum(usable_ms)::bigint AS usable_ms, max(occupied_most) AS occupied_most,
sum(entries)::bigint AS entries, sum(exits)::bigint AS exits,
sum(entries_late)::bigint AS entries_late, sum(exits_late)::bigint AS exits_late
"""

_LONGER = f"""
INSERT INTO rollup_{{minutes}}
SELECT $1, date_bin('{{minutes}} minutes', start, '2000-01-01 00:00+00') AS longer, {_COLUMNS}
FROM rollup_1 WHERE lot_id = $1 AND start >= $2 AND start < $3 GROUP BY longer
"""  # noqa: S608 -- nothing of anybody else's is put in

# In the order of Window's fields: a month has a quarter of a million minutes.
_READ = """
SELECT lot_id, (extract(epoch FROM start) * 1000)::bigint, told_ms, fresh_ms, suspect_ms, full_ms,
       occupied_ms, free_ms, usable_ms, occupied_most, entries, exits, entries_late, exits_late
FROM rollup_{minutes} WHERE lot_id = $1 AND start >= $2 AND start < $3 ORDER BY start
"""

# In the order of columns.FIELDS.
_READ_MINUTES = """
SELECT (extract(epoch FROM start) * 1000)::bigint, entries, told_ms, full_ms
FROM rollup_1 WHERE lot_id = $1 AND start >= $2 AND start < $3 ORDER BY start
"""
