"""Which alarms must be told outside, and what came of it, in PostgreSQL."""

from collections.abc import Sequence
from typing import NamedTuple

from occupancy.alarm import AlarmKind, Severity
from occupancy.database import Pool
from occupancy.database_alarm_desk import QUIET
from occupancy.escalation import Channel, Due

# An alarm that lasts and that nobody has seen, put off or planned.
_WAITS = (
    "a.cleared_at IS NULL AND a.acknowledged_at IS NULL "
    f"AND coalesce(a.snoozed_until <= now(), true) AND NOT {QUIET}"
)

# Whoever put it off, or planned work, begins the wait anew when that is over.
_WAITS_SINCE = (
    "greatest(a.raised_at, a.snoozed_until, (SELECT max(least(w.until_at, w.ended_at)) "
    "FROM quiet_window w WHERE w.lot_id = a.lot_id AND (w.kinds = '{}' OR a.kind = ANY(w.kinds)) "
    "AND least(w.until_at, w.ended_at) <= now()))"
)
_IS_MEANT = (
    "s.severity = a.severity AND NOT s.is_withdrawn AND CASE c.channel "
    f"WHEN '{Channel.WEBHOOK.value}' THEN s.by_webhook ELSE s.mail_to <> '{{}}' END"
)


class Told(NamedTuple):
    """How one step was told by one channel."""

    step: int
    channel: str
    attempts: int
    is_delivered: bool
    trouble: str


async def list_due(connections: Pool, channels: Sequence[Channel]) -> list[Due]:
    """Alarms that last, that nobody has seen, put off or planned, and that were not told yet."""
    rows = await connections.fetch(
        "SELECT a.*, c.channel, s.step, s.mail_to, coalesce(e.attempts, 0) AS attempts "  # noqa: S608  # ours
        "FROM alarm a CROSS JOIN unnest($1::text[]) AS c(channel) "
        f"JOIN escalation_step s ON {_IS_MEANT} "
        "LEFT JOIN escalation e "
        "ON e.alarm_id = a.alarm_id AND e.step = s.step AND e.channel = c.channel "
        f"WHERE {_WAITS} AND {_WAITS_SINCE} <= now() - make_interval(mins => s.after_minutes) "
        "AND e.delivered_at IS NULL "
        "AND coalesce(e.next_at <= now(), true) ORDER BY a.alarm_id, s.step LIMIT 50",
        [channel.value for channel in channels],
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
            row["step"],
            tuple(row["mail_to"]),
        )
        for row in rows
        if row["kind"] in kinds
    ]


async def claim(connections: Pool, due: Due, hold_seconds: float) -> bool:
    """Count an attempt and keep others from making it meanwhile.

    False if it is not due any more: acknowledged since it was listed, or another one's turn.
    """
    claimed = await connections.fetchval(
        "INSERT INTO escalation (alarm_id, step, channel, attempts, next_at) "  # noqa: S608  # ours
        "SELECT a.alarm_id, $2, $3, 1, now() + make_interval(secs => $4) FROM alarm a "
        f"WHERE a.alarm_id = $1 AND {_WAITS} "
        "ON CONFLICT (alarm_id, step, channel) DO UPDATE "
        "SET attempts = escalation.attempts + 1, next_at = excluded.next_at "
        "WHERE escalation.delivered_at IS NULL AND escalation.next_at <= now() RETURNING true",
        *(due.alarm_id, due.step, due.channel.value, hold_seconds),
    )
    return bool(claimed)


async def note_delivered(connections: Pool, due: Due) -> None:
    await connections.execute(
        "UPDATE escalation SET delivered_at = now(), trouble = '' "
        "WHERE alarm_id = $1 AND step = $2 AND channel = $3",
        *(due.alarm_id, due.step, due.channel.value),
    )


async def note_trouble(connections: Pool, due: Due, trouble: str, pause_seconds: float) -> None:
    """To be tried again after the pause."""
    await connections.execute(
        "UPDATE escalation SET trouble = $4, next_at = now() + make_interval(secs => $5) "
        "WHERE alarm_id = $1 AND step = $2 AND channel = $3",
        *(due.alarm_id, due.step, due.channel.value, trouble, pause_seconds),
    )


async def list_told(connections: Pool, alarm_id: int) -> list[Told]:
    """Of one alarm, the earliest step first."""
    rows = await connections.fetch(
        "SELECT step, channel, attempts, delivered_at IS NOT NULL, trouble FROM escalation "
        "WHERE alarm_id = $1 ORDER BY step, channel",
        alarm_id,
    )
    return [Told(*row) for row in rows]
