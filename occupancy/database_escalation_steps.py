"""The steps of escalation in PostgreSQL: who is told after how long, for each severity."""

from collections.abc import Collection
from typing import Any

from occupancy.alarm import Severity
from occupancy.database import Connection, Pool
from occupancy.escalation import Step

FIRST = 1


async def keep_defaults(connections: Pool, firsts: Collection[Step]) -> None:
    """The settings' first steps, wherever nobody has edited them."""
    await connections.execute(
        "DELETE FROM escalation_step WHERE from_settings AND NOT severity = ANY($1)",
        [one.severity.value for one in firsts],
    )
    await connections.executemany(
        "INSERT INTO escalation_step AS s (severity, step, after_minutes, by_webhook, mail_to, "
        "from_settings, changed_by) VALUES ($1, 1, $2, $3, $4, true, 'settings') "
        "ON CONFLICT (severity, step) DO UPDATE SET after_minutes = $2, by_webhook = $3, "
        "mail_to = $4, version = s.version + 1, changed_at = now(), changed_by = 'settings' "
        "WHERE s.from_settings AND (s.after_minutes, s.by_webhook, s.mail_to) "
        "IS DISTINCT FROM ($2, $3, $4::text[])",
        [
            (one.severity.value, one.after_minutes, one.by_webhook, list(one.mail_to))
            for one in firsts
        ],
    )


async def list_steps(connections: Connection | Pool) -> list[Step]:
    """Those in force: of each severity the earliest first."""
    rows = await connections.fetch(
        "SELECT * FROM escalation_step WHERE NOT is_withdrawn AND severity = ANY($1) "
        "ORDER BY severity, step",
        list(Severity),
    )
    return [_step(row) for row in rows]


async def lock_steps(connection: Connection) -> list[Step]:
    """Those in force; nobody else changes them until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('escalation_step'))")
    return await list_steps(connection)


async def read_version(connections: Connection | Pool, severity: Severity, step: int) -> int:
    """How often it was changed, also if it is taken back now; 0 if it never was."""
    return int(
        await connections.fetchval(
            "SELECT version FROM escalation_step WHERE severity = $1 AND step = $2",
            *(severity.value, step),
        )
        or 0
    )


async def keep_step(connection: Connection, step: Step, by: str) -> None:
    """In place of what was set before."""
    await connection.execute(
        "INSERT INTO escalation_step AS s "
        "(severity, step, after_minutes, by_webhook, mail_to, changed_by) "
        "VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (severity, step) DO UPDATE SET after_minutes = $3, by_webhook = $4, "
        "mail_to = $5, changed_by = $6, from_settings = false, is_withdrawn = false, "
        "changed_at = now(), version = s.version + 1",
        *(step.severity.value, step.number, step.after_minutes, step.by_webhook),
        *(list(step.mail_to), by),
    )


async def withdraw_step(connection: Connection, severity: Severity, step: int, by: str) -> None:
    """The first one goes back to the settings, any other is over."""
    await connection.execute(
        "UPDATE escalation_step SET is_withdrawn = step > $4, from_settings = step = $4, "
        "changed_by = $3, changed_at = now(), version = version + 1 "
        "WHERE severity = $1 AND step = $2",
        *(severity.value, step, by, FIRST),
    )


def _step(row: Any) -> Step:  # noqa: ANN401  # asyncpg's record
    return Step(
        Severity(row["severity"]),
        row["step"],
        row["after_minutes"],
        row["by_webhook"],
        tuple(row["mail_to"]),
        row["from_settings"],
        row["version"],
    )
