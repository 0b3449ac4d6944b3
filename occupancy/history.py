"""History in PostgreSQL: written in order and once behind a watermark, read as series."""

import datetime as dt
import io
from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from occupancy.copy_rows import TABLE_COLUMNS, Written
from occupancy.database import Pool
from occupancy.series import TOLD_SECONDS, FlowCount, HistoryPoint, step_point

_PARTITION_LOCK = 76_110_102


class Position(NamedTuple):
    """A place in the order of one car park."""

    epoch: int
    sequence: int


class MovedOnError(Exception):
    """Somebody else recorded this car park meanwhile: read again behind the new watermark."""


async def read_watermark(connections: Pool, lot_id: str) -> Position:
    row = await connections.fetchrow(
        "SELECT epoch, sequence FROM watermark WHERE lot_id = $1", lot_id
    )
    return Position(0, 0) if row is None else Position(row["epoch"], row["sequence"])


async def list_watermarks(connections: Pool) -> dict[str, Position]:
    """How far each car park's history is written."""
    rows = await connections.fetch("SELECT lot_id, epoch, sequence FROM watermark")
    return {row["lot_id"]: Position(row["epoch"], row["sequence"]) for row in rows}


async def record(connections: Pool, lot_id: str, written: Written, behind: Position) -> Position:
    """Copy rows and move the watermark in one transaction. Raises MovedOnError."""
    last = Position(written.epoch, written.sequence)
    async with connections.acquire() as connection:
        await _make_partitions(connection, written.days)
        async with connection.transaction():
            await _lock_watermark(connection, lot_id, behind)
            await connection.copy_to_table(
                "observation",
                source=io.BytesIO(written.payload),
                columns=TABLE_COLUMNS,
                format="binary",
            )
            if last.epoch != behind.epoch:
                await _note_epochs(connection, lot_id, written.epochs)
            await connection.execute(
                "UPDATE watermark SET epoch = $2, sequence = $3, moved_at = now() "
                "WHERE lot_id = $1",
                lot_id,
                *last,
            )
            await connection.execute(
                "INSERT INTO rollup_due (lot_id, first_at, last_at) VALUES ($1, $2, $3)",
                lot_id,
                _time(written.first_ms),
                _time(written.last_ms),
            )
    return last


async def _note_epochs(connection: asyncpg.Connection, lot_id: str, epochs: Iterable[int]) -> None:
    """Which memories a car park's history comes from, and since when."""
    await connection.executemany(
        "INSERT INTO gateway_epoch (lot_id, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(lot_id, epoch) for epoch in epochs],
    )


async def _lock_watermark(connection: asyncpg.Connection, lot_id: str, behind: Position) -> None:
    await connection.execute(
        "INSERT INTO watermark (lot_id) VALUES ($1) ON CONFLICT DO NOTHING", lot_id
    )
    row = await connection.fetchrow(
        "SELECT epoch, sequence FROM watermark WHERE lot_id = $1 FOR UPDATE", lot_id
    )
    if Position(row["epoch"], row["sequence"]) != behind:
        raise MovedOnError(lot_id)


def day_of(at_ms: int) -> dt.date:
    """The day whose partition holds this moment."""
    return _time(at_ms).date()


async def prepare_days(connections: Pool, first: dt.date, days: int) -> None:
    """Make the partitions of some days ahead: midnight must not wait for a table."""
    async with connections.acquire() as connection:
        await _make_partitions(connection, [first + dt.timedelta(days=n) for n in range(days)])


async def _make_partitions(connection: asyncpg.Connection, days: Iterable[dt.date]) -> None:
    for day in sorted(days):
        name = f"observation_{day:%Y%m%d}"
        if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
            continue
        until = day + dt.timedelta(days=1)
        async with connection.transaction():
            # Five car parks reach midnight together: one makes the partition, the others wait.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _PARTITION_LOCK)
            # The names and dates are our own; DDL takes no parameters.
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF observation "
                f"FOR VALUES FROM ('{day} 00:00+00') TO ('{until} 00:00+00')"
            )


async def take_lease(connections: Pool, lot_id: str, holder: str, seconds: float) -> bool:
    """Take or renew the lease by PostgreSQL's clock; False while another one holds it."""
    taken = await connections.fetchval(
        "INSERT INTO lease VALUES ($1, $2, now() + $3 * interval '1 second') "
        "ON CONFLICT (lot_id) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until "
        "WHERE lease.holder = EXCLUDED.holder OR lease.until < now() RETURNING true",
        lot_id,
        holder,
        seconds,
    )
    return bool(taken)


async def read_series(
    connections: Pool, lot_id: str, from_ms: int, to_ms: int, step_seconds: int
) -> list[HistoryPoint]:
    """The steps from `from_ms` on; occupied and free are means over the rows of a step."""
    rows = await connections.fetch(
        _SERIES, lot_id, _time(from_ms), _time(to_ms), step_seconds, TOLD_SECONDS
    )
    return [
        step_point(
            start_ms=int(row["start"].timestamp() * 1_000),
            told_seconds=row["spells"] * TOLD_SECONDS,
            step_seconds=step_seconds,
            occupied=_float(row["occupied"]),
            free=_float(row["free"]),
            cars=FlowCount(row["entries"], row["exits"]),
        )
        for row in rows
    ]


# The cars of a step came since the last row of the step before; a new epoch counts from nought.
_SERIES = """
WITH steps AS (
    SELECT step.start,
           count(DISTINCT floor(extract(epoch FROM o.observed_at) / $5)) AS spells,
           avg(o.occupied) AS occupied, avg(o.free) AS free, max(o.epoch) AS epoch,
           min(o.entries_total) AS entries_first, max(o.entries_total) AS entries_last,
           min(o.exits_total) AS exits_first, max(o.exits_total) AS exits_last
    FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 microsecond',
                         $4 * interval '1 second') AS step(start)
    LEFT JOIN observation o ON o.lot_id = $1 AND o.observed_at >= step.start
         AND o.observed_at < step.start + $4 * interval '1 second'
         AND o.observed_at >= $2 AND o.observed_at < $3
    GROUP BY step.start
)
SELECT start, spells, occupied, free,
       entries_last - CASE WHEN lag(epoch) OVER in_time = epoch
                      THEN lag(entries_last) OVER in_time ELSE entries_first END AS entries,
       exits_last - CASE WHEN lag(epoch) OVER in_time = epoch
                    THEN lag(exits_last) OVER in_time ELSE exits_first END AS exits
FROM steps WINDOW in_time AS (ORDER BY start) ORDER BY start
"""


def _float(mean: object) -> float | None:
    return None if mean is None else float(mean)  # type: ignore[arg-type]


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
