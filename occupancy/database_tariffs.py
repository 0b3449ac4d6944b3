"""PostgreSQL: published tariff versions, which never change, and the operator's calendar."""

from collections.abc import Iterable
from datetime import date, datetime

import asyncpg
import msgspec

from occupancy.calendar import DayType, day_of
from occupancy.database import Connection, Pool
from occupancy.tariff import Tariff
from occupancy.tariff_check import BadTariffError, Severity, check_versions, require_sound
from occupancy.tariff_draft import Published

FROM_FILES = "tariffs/*.toml"


class VersionExistsError(Exception):
    """This version of the tariff is published already; publish the next one."""


# A withdrawn version is kept and shown, but never priced.
_VERSIONS = """SELECT v.tariff FROM tariff_version v WHERE NOT EXISTS (
    SELECT FROM tariff_withdrawal w WHERE (w.tariff_id, w.version) = (v.tariff_id, v.version))"""
_IN_ORDER = "ORDER BY v.tariff_id, v.version"


class Withdrawn(msgspec.Struct, frozen=True):
    """Who took a version back before it came into force, and why."""

    by: str
    at_ms: int
    reason: str


class Version(msgspec.Struct, frozen=True):
    """A published version and what became of it."""

    tariff: Tariff
    published_by: str
    published_at_ms: int
    withdrawn: Withdrawn | None = None


async def seed_tariffs(connections: asyncpg.Pool, tariffs: Iterable[Tariff]) -> None:
    """Publish the tariffs that have no version yet; what operators published stays."""
    await connections.executemany(
        "INSERT INTO tariff_version (tariff_id, version, tariff, published_by) "
        "SELECT $1, $2, $3::jsonb, $4 "
        "WHERE NOT EXISTS (SELECT FROM tariff_version WHERE tariff_id = $1) "
        "ON CONFLICT DO NOTHING",
        [(*_row(tariff), FROM_FILES) for tariff in tariffs],
    )


async def publish_tariff(connections: asyncpg.Pool, tariff: Tariff, published_by: str) -> None:
    """Raises BadTariffError if it breaks a rule or does not fit the others, VersionExistsError."""
    require_sound(tariff)
    async with connections.acquire() as connection, connection.transaction():
        published = await lock_published(connection, tariff.tariff_id)
        if await is_published(connection, tariff.tariff_id, tariff.version):
            raise VersionExistsError(f"{tariff.tariff_id} version {tariff.version}")
        findings = check_versions([*published.versions, tariff])
        if errors := [found for found in findings if found.severity is Severity.ERROR]:
            raise BadTariffError(errors)
        await add_version(connection, tariff, published_by)


async def add_version(connection: Connection, tariff: Tariff, published_by: str) -> None:
    """Publish what was checked behind `lock_published`."""
    await connection.execute(
        "INSERT INTO tariff_version (tariff_id, version, tariff, published_by) "
        "VALUES ($1, $2, $3::jsonb, $4)",
        *_row(tariff),
        published_by,
    )


async def withdraw_version(
    connection: Connection, tariff: Tariff, withdrawn_by: str, reason: str
) -> None:
    """Take back what was checked behind `lock_published`."""
    await connection.execute(
        "INSERT INTO tariff_withdrawal (tariff_id, version, withdrawn_by, reason) "
        "VALUES ($1, $2, $3, $4)",
        *(tariff.tariff_id, tariff.version, withdrawn_by, reason),
    )


async def lock_published(connection: Connection, tariff_id: str) -> Published:
    """What there is of a tariff; nobody else publishes it until the transaction ends."""
    # Two approvers at once: the second one's check sees the first one's version.
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtext('tariff_version'), hashtext($1))", tariff_id
    )
    return await read_published(connection, tariff_id)


async def read_published(connection: Connection | Pool, tariff_id: str) -> Published:
    rows = await connection.fetch(f"{_VERSIONS} AND v.tariff_id = $1 {_IN_ORDER}", tariff_id)
    last = await connection.fetchval(
        "SELECT max(version) FROM tariff_version WHERE tariff_id = $1", tariff_id
    )
    return Published(tariff_id, tuple(_tariff(row) for row in rows), last or 0)


async def is_published(connection: Connection | Pool, tariff_id: str, version: int) -> bool:
    """Whether this number was given, also to a version that was withdrawn."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM tariff_version WHERE tariff_id = $1 AND version = $2",
            *(tariff_id, version),
        )
    )


async def list_tariffs(connections: asyncpg.Pool) -> list[Tariff]:
    """Every version of every tariff, without those that were withdrawn."""
    return [_tariff(row) for row in await connections.fetch(f"{_VERSIONS} {_IN_ORDER}")]


async def list_versions(connections: Pool, tariff_id: str) -> list[Version]:
    """Every version with who published and who withdrew it; the newest first."""
    rows = await connections.fetch(
        "SELECT v.*, w.withdrawn_by, w.withdrawn_at, w.reason FROM tariff_version v "
        "LEFT JOIN tariff_withdrawal w USING (tariff_id, version) "
        "WHERE v.tariff_id = $1 ORDER BY v.version DESC",
        tariff_id,
    )
    return [_version(row) for row in rows]


async def read_revisions(connections: Connection | Pool) -> dict[str, int]:
    """How often `tariffs` and `calendar` were changed."""
    rows = await connections.fetch("SELECT thing, number FROM revision")
    return {row["thing"]: row["number"] for row in rows}


async def override_day(
    connections: asyncpg.Pool, date_: date, day_type: DayType, *, reason: str, changed_by: str
) -> None:
    await connections.execute(
        "INSERT INTO calendar_override (day, day_type, reason, changed_by) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (day) DO UPDATE SET day_type = excluded.day_type, "
        "reason = excluded.reason, changed_by = excluded.changed_by, changed_at = now()",
        date_,
        day_type.value,
        reason,
        changed_by,
    )


async def list_overrides(connections: asyncpg.Pool) -> dict[int, DayType]:
    """The operator's day types by day number (occupancy.calendar)."""
    rows = await connections.fetch("SELECT day, day_type FROM calendar_override")
    return {day_of(row["day"]): DayType(row["day_type"]) for row in rows}


def _row(tariff: Tariff) -> tuple[str, int, str]:
    return tariff.tariff_id, tariff.version, msgspec.json.encode(tariff).decode()


def _version(row: asyncpg.Record) -> Version:
    withdrawn = None
    if row["withdrawn_at"] is not None:
        withdrawn = Withdrawn(row["withdrawn_by"], _ms(row["withdrawn_at"]), row["reason"])
    return Version(_tariff(row), row["published_by"], _ms(row["published_at"]), withdrawn)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)


def _tariff(row: asyncpg.Record) -> Tariff:
    return msgspec.json.decode(row["tariff"], type=Tariff)
