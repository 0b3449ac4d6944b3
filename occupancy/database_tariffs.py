"""PostgreSQL: published tariff versions, which never change, and the operator's calendar."""

from collections.abc import Iterable
from datetime import date

import asyncpg
import msgspec

from occupancy.calendar import DayType, day_of
from occupancy.tariff import Tariff
from occupancy.tariff_check import BadTariffError, Severity, check_versions, require_sound

FROM_FILES = "tariffs/*.toml"


class VersionExistsError(Exception):
    """This version of the tariff is published already; publish the next one."""


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
        # Two approvers at once: the second one's check sees the first one's version.
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('tariff_version'), hashtext($1))",
            tariff.tariff_id,
        )
        rows = await connection.fetch(
            "SELECT tariff FROM tariff_version WHERE tariff_id = $1", tariff.tariff_id
        )
        published = [_tariff(row) for row in rows]
        if any(one.version == tariff.version for one in published):
            raise VersionExistsError(f"{tariff.tariff_id} version {tariff.version}")
        findings = check_versions([*published, tariff])
        if errors := [found for found in findings if found.severity is Severity.ERROR]:
            raise BadTariffError(errors)
        await connection.execute(
            "INSERT INTO tariff_version (tariff_id, version, tariff, published_by) "
            "VALUES ($1, $2, $3::jsonb, $4)",
            *_row(tariff),
            published_by,
        )


async def list_tariffs(connections: asyncpg.Pool) -> list[Tariff]:
    """Every version of every tariff."""
    rows = await connections.fetch("SELECT tariff FROM tariff_version ORDER BY tariff_id, version")
    return [_tariff(row) for row in rows]


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


def _tariff(row: asyncpg.Record) -> Tariff:
    return msgspec.json.decode(row["tariff"], type=Tariff)
