"""Makes the reports that were asked for or came due, one after the other, and mails them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from gateway.process import is_cancelled
from occupancy import (
    database,
    database_report_jobs,
    database_report_mail,
    database_report_versions,
)
from occupancy.database import Pool
from occupancy.escalation import pause_seconds
from occupancy.escalation_config import EscalationSettings
from occupancy.escalation_sender import TROUBLES
from occupancy.reading import reading
from occupancy.replica import NO_REPLICA, ReplicaSettings
from occupancy.report import desk, mailing, pdf, quarters
from occupancy.report.document import Report
from occupancy.report.kept import PDF, QUARTERS, Job, Subject, settled_ms
from occupancy.report.period import make_period
from occupancy.report.quarters import Quarters
from occupancy.report.schedule import Schedule, find_due

LOOK_SECONDS = 0.5
PLAN_EVERY_MS = 10_000
HOLD_SECONDS = 60.0  # a worker that is not heard of for so long has died
TELL_SECONDS = 0.5
MOST_ATTEMPTS = 3
MAIL_SECONDS = 60.0
GATHERED = 0.7  # how much of the bar the history takes; the rest is the PDF
Say = Callable[[float], None]

log = structlog.get_logger()


class Made(NamedTuple):
    """A report without its version, and the 15-minute figures it was made from."""

    report: Report
    raw: Quarters


class CannotBeMadeError(Exception):
    """There is no such report, whoever tries again; the message says why."""


Maker = Callable[[Pool, Subject, int, Say], Awaitable[Made]]


class _TakenOverError(Exception):
    """Somebody else works on this job now."""


@dataclass
class Press:
    """One process; several may run. `clock` is UTC milliseconds."""

    connections: Pool
    clock: Callable[[], int]
    make: Maker
    mail: EscalationSettings
    history: Pool | None = None  # for the heavy reads; else `connections`
    planned_at_ms: int = field(default=0, init=False)

    async def run(self) -> None:
        """Look until cancelled; while PostgreSQL is away everything stays to be done."""
        while not is_cancelled():
            try:
                while await self.work_next():
                    pass
                await self.look_at_plans()
                await self.mail_due()
            except database.NOT_READY as trouble:
                log.info("reports wait for PostgreSQL", reason=str(trouble))
            await asyncio.sleep(LOOK_SECONDS)

    async def work_next(self) -> bool:
        """Make the next report; False when nobody waits for one.

        A job that PostgreSQL left in its midst is somebody's again once its hold runs out.
        """
        job = await database_report_jobs.claim(self.connections, HOLD_SECONDS)
        if job is None:
            return False
        if job.attempts > MOST_ATTEMPTS:
            await self._give_up(job, "生成时多次中断，请稍后再试")
            return True
        try:
            await self._make(job)
        except* CannotBeMadeError as refusals:
            await self._give_up(job, str(refusals.exceptions[0]))
        except* _TakenOverError:
            log.warning("a report was taken over", job=job.job_id)
        except* database.NOT_READY as away:
            log.info(
                "a report waits for PostgreSQL", job=job.job_id, reason=str(away.exceptions[0])
            )
        return True

    async def _give_up(self, job: Job, words: str) -> None:
        log.warning("a report cannot be made", job=job.job_id, reason=words)
        await database_report_jobs.fail(self.connections, job, words)

    async def _make(self, job: Job) -> None:
        progress = _Progress(self.connections, job)
        async with asyncio.TaskGroup() as group:
            teller = group.create_task(progress.keep_telling(), name="report progress")
            await self._make_and_keep(job, progress)
            teller.cancel()

    async def _make_and_keep(self, job: Job, progress: "_Progress") -> None:
        """History, then the report, then its PDF; all of it is kept at once or not at all."""
        progress.stage = "汇总历史数据"
        now_ms = self.clock()
        history = self.history or self.connections
        sources = await database_report_versions.read_sources(
            history, job.subject, settled_ms(job.subject.period, now_ms)
        )
        made = await self.make(
            history, job.subject, now_ms, lambda share: progress.at(share * GATHERED)
        )
        async with self.connections.acquire() as connection, connection.transaction():
            version = await database_report_versions.lock_subject(connection, job.subject)
            report = replace(made.report, version=version, note=job.note)
            progress.stage = "排版"
            progress.at(GATHERED)
            files = await asyncio.to_thread(_files, report, made.raw)
            report_id = await database_report_versions.add_version(
                connection, job.subject, report, sources, files, by=job.asked_by
            )
            progress.is_over = True
            if not await database_report_jobs.finish(connection, job, report_id):
                raise _TakenOverError
        log.info("a report is made", period=job.subject.period.slug, version=version)

    async def look_at_plans(self) -> None:
        """Begin what came due, and send off what has been made."""
        now_ms = self.clock()
        if 0 <= now_ms - self.planned_at_ms < PLAN_EVERY_MS:
            return
        schedules = await database_report_mail.list_schedules(self.connections)
        for schedule in schedules:
            due = find_due(schedule, now_ms)
            if due is not None:
                await desk.begin_due(self.connections, schedule, due)
        await self._send_off({one.schedule_id: one for one in schedules})
        self.planned_at_ms = now_ms

    async def _send_off(self, schedules: dict[int, Schedule]) -> None:
        for number, first, last in await database_report_mail.list_unsent_runs(self.connections):
            schedule = schedules[number]
            subject = Subject(make_period(first, last), schedule.plan.lots)
            await desk.send_off(self.connections, schedule, subject)

    async def mail_due(self) -> None:
        """Mail what is due, one after the other; without a mail server it stays due."""
        if self.mail.mail_server is None:
            return
        while mail := await database_report_mail.claim_mail(self.connections, MAIL_SECONDS * 2):
            try:
                async with asyncio.timeout(MAIL_SECONDS):
                    await mailing.send(self.connections, self.mail, mail)
            except TROUBLES as trouble:
                words = (str(trouble) or type(trouble).__name__)[:200]
                log.warning("a report could not be mailed", report=mail.report_id, reason=words)
                pause = pause_seconds(mail.attempts)
                await database_report_mail.note_mail_trouble(self.connections, mail, words, pause)
            else:
                await database_report_mail.note_mailed(self.connections, mail)


class _Progress:
    """How far a job is, told to PostgreSQL while it is worked on: that also keeps it ours."""

    def __init__(self, connections: Pool, job: Job) -> None:
        self._connections, self._job = connections, job
        self._share = 0.0
        self.stage = ""
        self.is_over = False

    def at(self, share: float) -> None:
        self._share = max(self._share, min(share, 1.0))

    async def keep_telling(self) -> None:
        while not is_cancelled():
            with contextlib.suppress(*database.NOT_READY):
                is_ours = await database_report_jobs.note_progress(
                    self._connections, self._job, self._share, self.stage, HOLD_SECONDS
                )
                if not is_ours and not self.is_over:
                    raise _TakenOverError
            await asyncio.sleep(TELL_SECONDS)


def _files(report: Report, raw: Quarters) -> dict[str, bytes]:
    """What is kept beside the report; without Pango there is no PDF, and the page says why."""
    packed = {QUARTERS: quarters.pack(raw)}
    try:
        return {PDF: pdf.pdf(report), **packed}
    except pdf.NoPdfError as trouble:
        log.warning("a report has no PDF", reason=str(trouble))
        return packed


async def run_press(
    connections: Pool,
    clock: Callable[[], int],
    make: Maker,
    mail: EscalationSettings,
    stopping: asyncio.Event,
    replica: ReplicaSettings = NO_REPLICA,
) -> None:
    """Run one press until `stopping`; what it is making then is made by the next one."""
    async with reading(connections, replica, clock) as history, asyncio.TaskGroup() as group:
        press = Press(connections, clock, make, mail, history.pool)
        work = group.create_task(press.run(), name="press")
        watch = group.create_task(history.keep_looking(), name="replica")
        await stopping.wait()
        work.cancel()
        watch.cancel()
