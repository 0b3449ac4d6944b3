"""Which alarms must be told outside, and what came of it, in PostgreSQL."""

from collections.abc import Mapping, Sequence

from occupancy.alarm import AlarmKind, Severity
from occupancy.database import Pool
from occupancy.database_alarm_desk import QUIET
from occupancy.escalation import Channel, Due

# An alarm that lasts and that nobody has seen, put off or planned.
_WAITS = (
    "a.cleared_at IS NULL AND a.acknowledged_at IS NULL "
    f"AND coalesce(a.snoozed_until <= now(), true) AND NOT {QUIET}"
)


async def list_due(
    connections: Pool, minutes: Mapping[Severity, int], channels: Sequence[Channel]
) -> list[Due]:
    """Alarms that last, that nobody has seen, put off or planned, and that were not told yet."""
    rows = await connections.fetch(
        "SELECT a.*, c.channel, coalesce(e.attempts, 0) AS attempts FROM alarm a "  # noqa: S608  # ours
        "CROSS JOIN unnest($1::text[]) AS c(channel) "
        "JOIN unnest($2::text[], $3::int[]) AS m(severity, minutes) ON m.severity = a.severity "
        "LEFT JOIN escalation e ON e.alarm_id = a.alarm_id AND e.channel = c.channel "
        f"WHERE {_WAITS} AND a.raised_at <= now() - make_interval(mins => m.minutes) "
        "AND e.delivered_at IS NULL "
        "AND coalesce(e.next_at <= now(), true) ORDER BY a.alarm_id LIMIT 50",
        [channel.value for channel in channels],
        [severity.value for severity in minutes],
        list(minutes.values()),
    )
    kinds = {kind.value for kind in AlarmKind}
    return [
        Due(
            row["alarm_id"],
            Channel(row["channel"]),
            AlarmKind(row["kind"]),
            row["lot_id"],
            row["subject"],
            Severity(row["severity"]),
            row["words"],
            round(row["raised_at"].timestamp() * 1_000),
            row["attempts"],
        )
        for row in rows
        if row["kind"] in kinds
    ]


async def claim(connections: Pool, due: Due, hold_seconds: float) -> bool:
    """Count an attempt and keep others from making it meanwhile.

    False if it is not due any more: acknowledged since it was listed, or another one's turn.
    """
    claimed = await connections.fetchval(
        "INSERT INTO escalation (alarm_id, channel, attempts, next_at) "  # noqa: S608  # ours
        "SELECT a.alarm_id, $2, 1, now() + make_interval(secs => $3) FROM alarm a "
        f"WHERE a.alarm_id = $1 AND {_WAITS} "
        "ON CONFLICT (alarm_id, channel) DO UPDATE "
        "SET attempts = escalation.attempts + 1, next_at = excluded.next_at "
        "WHERE escalation.delivered_at IS NULL AND escalation.next_at <= now() RETURNING true",
        *(due.alarm_id, due.channel.value, hold_seconds),
    )
    return bool(claimed)


async def note_delivered(connections: Pool, due: Due) -> None:
    await connections.execute(
        "UPDATE escalation SET delivered_at = now(), trouble = '' "
        "WHERE alarm_id = $1 AND channel = $2",
        *(due.alarm_id, due.channel.value),
    )


async def note_trouble(connections: Pool, due: Due, trouble: str, pause_seconds: float) -> None:
    """To be tried again after the pause."""
    await connections.execute(
        "UPDATE escalation SET trouble = $3, next_at = now() + make_interval(secs => $4) "
        "WHERE alarm_id = $1 AND channel = $2",
        *(due.alarm_id, due.channel.value, trouble, pause_seconds),
    )


async def list_told(connections: Pool, alarm_id: int) -> list[tuple[str, int, bool, str]]:
    """Of one alarm: channel, attempts, whether it was delivered, the last trouble."""
    rows = await connections.fetch(
        "SELECT channel, attempts, delivered_at, trouble FROM escalation WHERE alarm_id = $1 "
        "ORDER BY channel",
        alarm_id,
    )
    return [
        (row["channel"], row["attempts"], row["delivered_at"] is not None, row["trouble"])
        for row in rows
    ]
