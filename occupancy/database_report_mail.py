"""When reports are made by themselves and to whom they go, in PostgreSQL: each mail once."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from occupancy.database import Connection, Pool
from occupancy.database_report_versions import days_and_lots
from occupancy.report.kept import Subject
from occupancy.report.period import PeriodKind
from occupancy.report.schedule import Due, Plan, Schedule

_SCHEDULE = (
    "schedule_id, kind, day, minute, lots, recipients, is_on, set_by, "
    "(extract(epoch FROM set_at) * 1000)::bigint AS set_at_ms, edit FROM report_schedule"
)


class Mailing(NamedTuple):
    """A mail that is due; `attempts` were made."""

    report_id: int
    recipient: str
    attempts: int


class Mailed(NamedTuple):
    """What became of a mail."""

    recipient: str
    attempts: int
    delivered_at_ms: int | None
    trouble: str


async def list_schedules(connections: Pool | Connection) -> list[Schedule]:
    rows = await connections.fetch(f"SELECT {_SCHEDULE} ORDER BY schedule_id")
    return [_schedule(row) for row in rows]


async def find_schedule(connection: Connection, schedule_id: int) -> Schedule | None:
    """Held until the transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {_SCHEDULE} WHERE schedule_id = $1 FOR UPDATE",
        schedule_id,
    )
    return None if row is None else _schedule(row)


async def add_schedule(connection: Connection, plan: Plan, by: str) -> int:
    added: int = await connection.fetchval(
        "INSERT INTO report_schedule (kind, day, minute, lots, recipients, is_on, set_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING schedule_id",
        *(*_plan(plan), by),
    )
    return added


async def set_schedule(connection: Connection, schedule_id: int, plan: Plan, by: str) -> None:
    await connection.execute(
        "UPDATE report_schedule SET kind = $1, day = $2, minute = $3, lots = $4, recipients = $5, "
        "is_on = $6, set_by = $7, set_at = now(), edit = edit + 1 WHERE schedule_id = $8",
        *(*_plan(plan), by, schedule_id),
    )


async def begin_run(connection: Connection, schedule: Schedule, due: Due) -> bool:
    """False where this period of this schedule was begun before."""
    began = await connection.fetchval(
        "INSERT INTO report_run (schedule_id, first_day, last_day, due_at) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true",
        *(schedule.schedule_id, due.period.first, due.period.last, _time(due.due_at_ms)),
    )
    return bool(began)


async def list_unsent_runs(connections: Pool) -> list[tuple[int, dt.date, dt.date]]:
    """Runs whose report has not been sent off: schedule, first and last day."""
    rows = await connections.fetch(
        "SELECT schedule_id, first_day, last_day FROM report_run WHERE report_id IS NULL "
        "ORDER BY due_at LIMIT 20"
    )
    return [tuple(row) for row in rows]


async def send_off(
    connection: Connection, schedule: Schedule, first: dt.date, report_id: int
) -> None:
    """The run has its report; each recipient is to get it."""
    await connection.execute(
        "UPDATE report_run SET report_id = $3 WHERE schedule_id = $1 AND first_day = $2",
        *(schedule.schedule_id, first, report_id),
    )
    await address(connection, report_id, schedule.plan.recipients)


async def address(connection: Connection, report_id: int, recipients: Sequence[str]) -> None:
    """Whoever gets this report already does not get it again."""
    await connection.execute(
        "INSERT INTO report_delivery (report_id, recipient) SELECT $1, unnest($2::text[]) "
        "ON CONFLICT DO NOTHING",
        *(report_id, list(recipients)),
    )


async def list_readers(connection: Connection, subject: Subject) -> list[str]:
    """Whoever was sent any version of this report."""
    rows = await connection.fetch(
        "SELECT DISTINCT d.recipient FROM report_delivery d "
        "JOIN report_version v USING (report_id) "
        "WHERE v.first_day = $1 AND v.last_day = $2 AND v.lots = $3 ORDER BY d.recipient",
        *days_and_lots(subject),
    )
    return [row["recipient"] for row in rows]


async def claim_mail(connections: Pool, hold_seconds: float) -> Mailing | None:
    """The next mail that is due, ours for so long."""
    row = await connections.fetchrow(
        "UPDATE report_delivery d SET attempts = attempts + 1, "
        "next_at = now() + make_interval(secs => $1) FROM ("
        "SELECT report_id, recipient FROM report_delivery "
        "WHERE delivered_at IS NULL AND next_at <= now() ORDER BY next_at "
        "FOR UPDATE SKIP LOCKED LIMIT 1) AS due "
        "WHERE d.report_id = due.report_id AND d.recipient = due.recipient "
        "RETURNING d.report_id, d.recipient, d.attempts",
        hold_seconds,
    )
    return None if row is None else Mailing(*row)


async def note_mailed(connections: Pool, mail: Mailing) -> None:
    await connections.execute(
        "UPDATE report_delivery SET delivered_at = now(), trouble = '' "
        "WHERE report_id = $1 AND recipient = $2",
        *(mail.report_id, mail.recipient),
    )


async def note_mail_trouble(
    connections: Pool, mail: Mailing, trouble: str, pause_seconds: float
) -> None:
    """To be tried again after the pause."""
    await connections.execute(
        "UPDATE report_delivery SET trouble = $3, next_at = now() + make_interval(secs => $4) "
        "WHERE report_id = $1 AND recipient = $2",
        *(mail.report_id, mail.recipient, trouble, pause_seconds),
    )


async def list_mailed(connections: Pool, report_id: int) -> list[Mailed]:
    rows = await connections.fetch(
        "SELECT recipient, attempts, (extract(epoch FROM delivered_at) * 1000)::bigint, trouble "
        "FROM report_delivery WHERE report_id = $1 ORDER BY recipient",
        report_id,
    )
    return [Mailed(*row) for row in rows]


def _plan(plan: Plan) -> tuple[object, ...]:
    lots, recipients = list(plan.lots), list(plan.recipients)
    return plan.kind.value, plan.day, plan.minute, lots, recipients, plan.is_on


def _schedule(row: Mapping[str, Any]) -> Schedule:
    plan = Plan(
        PeriodKind(row["kind"]),
        row["day"],
        row["minute"],
        tuple(row["recipients"]),
        tuple(row["lots"]),
        row["is_on"],
    )
    return Schedule(row["schedule_id"], plan, row["set_by"], row["set_at_ms"], row["edit"])


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
