"""PostgreSQL: the pool, migrations, facts of the car parks."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files

import asyncpg
import msgspec
import structlog

from occupancy.lot import Lot

Pool = asyncpg.Pool
Connection = asyncpg.Connection
WEB_ROLE = "zhibo_web"
POOL_SIZE = 6
COMMAND_SECONDS = 30.0
_MIGRATION_LOCK = 76_110_101
_WEB_RIGHTS = files("occupancy") / "migrations" / "web_role.sql"
_FILE = re.compile(r"^(\d{4})_\w+\.sql$")

# What a lost or stopped server looks like to asyncpg.
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its protocol, when the server is killed in mid-answer
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.InsufficientResourcesError,
)
# It answers, but has not been migrated yet.
NOT_READY = (*UNREACHABLE, asyncpg.UndefinedTableError)

# A replica cancels what keeps it from following the primary, and may not have a new table yet.
FAILED_ON_REPLICA = (*NOT_READY, asyncpg.SerializationError)

log = structlog.get_logger()


class NoSuchDatabaseError(Exception):
    """The server answers, but has no such database."""


class NewerDatabaseError(Exception):
    """The data was written by a newer version of the service; run that one."""


@asynccontextmanager
async def pool(url: str, role: str = "") -> AsyncIterator[asyncpg.Pool]:
    """Connections to use until the block ends; the server need not be there yet.

    With a `role` they may only what that role may.
    """

    async def become(connection: asyncpg.Connection) -> None:
        if await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"SET ROLE {role}")
        else:
            log.warning("the database has no such role: its owner's rights are used", role=role)

    made = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=POOL_SIZE,
        command_timeout=COMMAND_SECONDS,
        init=become if role else None,
        reset=_leave,
    )
    async with made as connections:
        yield connections


async def _leave(_: asyncpg.Connection) -> None:
    """What is given back needs no question to the server: nobody sets what outlives a transaction.

    The driver rolls back by itself what was left open.
    """


async def migrate(url: str) -> int:
    """Bring the database to this version; how many steps it took. Raises NewerDatabaseError."""
    connection = await asyncpg.connect(url)
    try:
        # Two that migrate at once: the second waits and finds nothing to do.
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_version "
            "(number integer PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now())"
        )
        rows = await connection.fetch("SELECT number FROM schema_version")
        steps = await _apply(connection, {row["number"] for row in rows})
        await connection.execute(_WEB_RIGHTS.read_text(encoding="utf-8"))
        return steps
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, done: set[int]) -> int:
    steps = migrations()
    if newer := sorted(done - {number for number, _, _ in steps}):
        raise NewerDatabaseError(
            f"the database has migration {newer[-1]:04d}, this version ends at "
            f"{steps[-1][0]:04d}: run the newer version, or set another ZHIBO_DATA"
        )
    open_steps = [step for step in steps if step[0] not in done]
    for number, name, sql in open_steps:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(
                "INSERT INTO schema_version (number, name) VALUES ($1, $2)", number, name
            )
    return len(open_steps)


def migrations() -> list[tuple[int, str, str]]:
    """Number, name and SQL of every migration, in order."""
    found = [f for f in (files("occupancy") / "migrations").iterdir() if _FILE.match(f.name)]
    return sorted((int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in found)


async def read_schema_version(url: str) -> int:
    """The newest migration this database has had, 0 for none. Raises NoSuchDatabaseError."""
    try:
        connection = await asyncpg.connect(url, timeout=COMMAND_SECONDS)
    except asyncpg.InvalidCatalogNameError:
        raise NoSuchDatabaseError(url) from None
    try:
        return int(await connection.fetchval("SELECT max(number) FROM schema_version") or 0)
    except asyncpg.UndefinedTableError:
        return 0
    finally:
        await connection.close()


async def seed_lots(connections: asyncpg.Pool, lots: Sequence[Lot]) -> None:
    """Write the car parks that are not there yet; what operators edited stays."""
    await connections.executemany(
        "INSERT INTO lot (lot_id, facts) VALUES ($1, $2::jsonb) ON CONFLICT DO NOTHING",
        [(lot.lot_id, msgspec.json.encode(lot).decode()) for lot in lots],
    )


async def list_lots(connections: asyncpg.Pool) -> list[Lot]:
    """The car parks that are live for everybody."""
    rows = await connections.fetch("SELECT facts FROM lot WHERE stage = 'live' ORDER BY lot_id")
    return [msgspec.json.decode(row["facts"], type=Lot) for row in rows]


async def find_lots_changed_ms(connections: asyncpg.Pool) -> int | None:
    """When a car park's facts last changed, UTC milliseconds; None while there is none."""
    at = await connections.fetchval("SELECT max(changed_at) FROM lot")
    return None if at is None else round(at.timestamp() * 1_000)
