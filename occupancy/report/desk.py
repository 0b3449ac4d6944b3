"""What people do with reports: ask for one, publish a version, set when one is sent; audited."""

from occupancy import (
    database_audit,
    database_report_jobs,
    database_report_mail,
    database_report_versions,
)
from occupancy.audit import Entry
from occupancy.database import Connection, Pool
from occupancy.edit import BadEditError, SettledError, StaleEditError, require_reason
from occupancy.report.kept import Job, KeptReport, Subject
from occupancy.report.schedule import Due, Plan, Schedule

MOST_OPEN = 6
_FIRST = "首次生成"


class TooManyJobsError(Exception):
    """This person waits for many reports already; the message says how many."""


async def ask_first(connections: Pool, subject: Subject, by: str) -> Job:
    """The first version of what nobody has made yet. Raises TooManyJobsError."""
    await _require_patience(connections, by)
    return await database_report_jobs.ask(connections, subject, _FIRST, by)


async def ask_again(connections: Pool, subject: Subject, *, by: str, note: str) -> Job:
    """A new version beside the old ones; its note says why. Raises BadEditError."""
    why = require_reason(note)
    await _require_patience(connections, by)
    async with connections.acquire() as connection, connection.transaction():
        job = await database_report_jobs.ask(connection, subject, why, by)
        await _record(connection, "correct_report", subject, by, why, {"job": job.job_id})
    return job


async def publish(connections: Pool, kept: KeptReport, *, by: str, reason: str) -> None:
    """Stand for a version. Whoever was mailed an older one gets it, too.

    Raises BadEditError, SettledError.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        await _publish(connection, kept, by, why)


async def _publish(connection: Connection, kept: KeptReport, by: str, why: str) -> None:
    subject, number = kept.head.subject, kept.head.report_id
    if not await database_report_versions.add_publication(connection, number, by, why):
        raise SettledError(f"第 {kept.head.version} 版已经发布")
    readers = await database_report_mail.list_readers(connection, subject)
    await database_report_mail.address(connection, number, readers)
    after = {"version": kept.head.version, "sha256": kept.head.sha256.hex()}
    await _record(connection, "publish_report", subject, by, why, after)


async def add_plan(connections: Pool, plan: Plan, *, by: str, reason: str) -> int:
    """Raises BadEditError."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        number = await database_report_mail.add_schedule(connection, plan, by)
        entry = Entry(by, "plan_report", f"report schedule {number}", why, after=plan)
        await database_audit.append(connection, entry)
    return number


async def set_plan(
    connections: Pool, number: int, plan: Plan, *, edit: int, by: str, reason: str
) -> None:
    """Raises BadEditError, StaleEditError (both plans)."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        found = await database_report_mail.find_schedule(connection, number)
        if found is None:
            raise BadEditError("schedule", f"没有 {number} 号发送计划")
        if found.edit != edit:
            raise StaleEditError(plan, found.plan)
        await database_report_mail.set_schedule(connection, number, plan, by)
        entry = Entry(
            by, "plan_report", f"report schedule {number}", why, before=found.plan, after=plan
        )
        await database_audit.append(connection, entry)


async def begin_due(connections: Pool, schedule: Schedule, due: Due) -> None:
    """Have the report of a period that came due made, unless somebody had it made already."""
    subject = Subject(due.period, schedule.plan.lots)
    async with connections.acquire() as connection, connection.transaction():
        began = await database_report_mail.begin_run(connection, schedule, due)
        if began and await _find_whole(connection, subject) is None:
            await database_report_jobs.ask(connection, subject, "按计划生成", _planner(schedule))


async def send_off(connections: Pool, schedule: Schedule, subject: Subject) -> None:
    """Publish a report that is made in the name of whoever set the plan, and address it."""
    async with connections.acquire() as connection, connection.transaction():
        kept = await _find_whole(connection, subject)
        if kept is None:
            return
        if kept.head.published_at_ms is None:
            why = f"按 {schedule.schedule_id} 号发送计划发布"
            await _publish(connection, kept, _planner(schedule), why)
        await database_report_mail.send_off(
            connection, schedule, subject.period.first, kept.head.report_id
        )


async def _find_whole(connection: Connection, subject: Subject) -> KeptReport | None:
    """The newest version, if it was made after its period had ended."""
    kept = await database_report_versions.find_report(connection, subject)
    return None if kept is None or kept.report.is_partial else kept


def _planner(schedule: Schedule) -> str:
    return schedule.set_by


async def _require_patience(connections: Pool, by: str) -> None:
    waiting = await database_report_jobs.count_open(connections, by)
    if waiting >= MOST_OPEN:
        raise TooManyJobsError(f"已有 {waiting} 份报告在为你生成，请等它们完成")


async def _record(
    connection: Connection,
    action: str,
    subject: Subject,
    by: str,
    why: str,
    after: dict[str, object],
) -> None:
    lot_id = subject.lots[0] if len(subject.lots) == 1 else ""
    told = {"lots": list(subject.lots), **after}
    entry = Entry(by, action, f"report {subject.period.slug}", why, lot_id, after=told)
    await database_audit.append(connection, entry)
