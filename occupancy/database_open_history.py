"""The open months in PostgreSQL: published once, listed, read back."""

import datetime as dt
from typing import NamedTuple

import msgspec

from occupancy.database import Connection, Pool
from occupancy.open_month import checksum
from occupancy.open_month_files import MonthFiles

_LOCK = 76_110_130


class Published(msgspec.Struct, frozen=True):
    """One version of a month; sizes in bytes, time UTC milliseconds."""

    month: dt.date
    version: int
    made_at_ms: int
    note: str
    lines: int
    content_sha256: str
    csv_bytes: int
    csv_sha256: str
    parquet_bytes: int | None
    parquet_sha256: str | None


class OpenFile(NamedTuple):
    """One file's content and its checksum."""

    content: bytes
    sha256: str


async def list_published(connections: Pool) -> list[Published]:
    """Every version, the newest month first, its newest version first."""
    return [_published(row) for row in await connections.fetch(f"{_LIST} {_ORDER}")]


async def find_published(connections: Pool, month: dt.date, version: int) -> Published | None:
    """A version, 0: the newest one."""
    row = await connections.fetchrow(
        f"{_LIST} WHERE month = $1 AND ($2 = 0 OR version = $2) {_ORDER} LIMIT 1", month, version
    )
    return None if row is None else _published(row)


async def read_csv(connections: Pool, month: dt.date, version: int) -> bytes:
    return bytes(await connections.fetchval(_FILE.format(name="csv"), month, version))


async def read_parquet(connections: Pool, month: dt.date, version: int) -> bytes:
    return bytes(await connections.fetchval(_FILE.format(name="parquet"), month, version))


async def publish(
    connections: Pool, month: dt.date, files: MonthFiles, at: dt.datetime, note: str
) -> int | None:
    """The new version's number; None where the newest one says the same already."""
    async with connections.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        newest = await connection.fetchrow(f"{_LIST} WHERE month = $1 {_ORDER} LIMIT 1", month)
        if newest is not None and newest["content_sha256"] == files.content_sha256:
            return None
        version = 1 if newest is None else newest["version"] + 1
        await _insert(connection, month, version, files, at, note)
        return int(version)


async def _insert(
    connection: Connection,
    month: dt.date,
    version: int,
    files: MonthFiles,
    at: dt.datetime,
    note: str,
) -> None:
    parquet = files.parquet
    await connection.execute(
        "INSERT INTO open_history VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *(month, version, at, note, files.lines, files.content_sha256),
        *(files.csv, checksum(files.csv)),
        *(parquet, None if parquet is None else checksum(parquet)),
    )


async def find_first_data_ms(connections: Pool) -> int | None:
    """When the first quarter of an hour with data of any car park began."""
    at = await connections.fetchval("SELECT min(start) FROM rollup_15")
    return None if at is None else round(at.timestamp() * 1_000)


async def is_rolled_up_until(connections: Pool, end_ms: int) -> bool:
    """Whether nothing before `end_ms` still waits to be rolled up."""
    waits = await connections.fetchval(
        "SELECT EXISTS (SELECT FROM rollup_due WHERE first_at < $1)",
        dt.datetime.fromtimestamp(end_ms / 1_000, tz=dt.UTC),
    )
    return not waits


def _published(row: "dict[str, object]") -> Published:
    told = dict(row)
    made_at: dt.datetime = told.pop("made_at")  # type: ignore[assignment]
    return Published(made_at_ms=round(made_at.timestamp() * 1_000), **told)  # type: ignore[arg-type]


_LIST = (
    "SELECT month, version, made_at, note, lines, content_sha256, octet_length(csv) AS csv_bytes, "
    "csv_sha256, octet_length(parquet) AS parquet_bytes, parquet_sha256 FROM open_history"
)
_ORDER = "ORDER BY month DESC, version DESC"
_FILE = "SELECT {name} FROM open_history WHERE month = $1 AND version = $2"
