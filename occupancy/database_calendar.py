"""The operators' calendar in PostgreSQL: days that are other than published, with who said so."""

from datetime import date

from occupancy.calendar import DayType
from occupancy.calendar_year import Override
from occupancy.database import Connection, Pool


async def lock_calendar(connection: Connection) -> None:
    """Nobody else changes it until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('calendar_override'))")


async def read_overrides(
    connections: Connection | Pool, first: date, last: date
) -> dict[date, Override]:
    rows = await connections.fetch(
        "SELECT * FROM calendar_override WHERE day BETWEEN $1 AND $2 ORDER BY day", first, last
    )
    return {
        row["day"]: Override(
            DayType(row["day_type"]),
            row["reason"],
            row["changed_by"],
            round(row["changed_at"].timestamp() * 1_000),
        )
        for row in rows
    }


async def write_override(
    connection: Connection, day: date, day_type: DayType | None, *, by: str, reason: str
) -> None:
    """None: the day is again as published."""
    if day_type is None:
        await connection.execute("DELETE FROM calendar_override WHERE day = $1", day)
        return
    await connection.execute(
        "INSERT INTO calendar_override (day, day_type, reason, changed_by) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (day) DO UPDATE SET day_type = excluded.day_type, "
        "reason = excluded.reason, changed_by = excluded.changed_by, changed_at = now()",
        *(day, day_type.value, reason, by),
    )
