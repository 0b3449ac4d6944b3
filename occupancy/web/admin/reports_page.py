"""The planners' reports: the list, one report, its versions, and what people do with them."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from markupsafe import Markup

from occupancy import (
    database_report_jobs,
    database_report_mail,
    database_report_versions,
)
from occupancy.edit import BadEditError, SettledError
from occupancy.permissions import Permission
from occupancy.report import desk
from occupancy.report.compare import compare
from occupancy.report.document import Chart, Kpi
from occupancy.report.figures import write_figure, write_number
from occupancy.report.kept import PDF, Job, JobState, KeptReport, Subject, find_changes
from occupancy.report.paper import article, with_bold
from occupancy.report.period import Period, month_of, week_of
from occupancy.report.sections import charts_of, find_chart
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.report_subject import (
    HOME,
    address_of,
    query_of,
    read_days,
    read_lots,
    read_period,
    read_subject,
    sees_subject,
    today,
)
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem
from occupancy.web.static_files import StaticFiles

MOST_LISTED = 200
MOST_JOBS = 20
_POINTS = 100


class ReportsPage:
    """`/reports/`. `static` has the style of the paper."""

    def __init__(self, ground: AdminGround, static: StaticFiles) -> None:
        self._ground = ground
        self._static = static

    def routes(self) -> list[AdminRoute]:
        one = HOME + "{period}"
        return [
            AdminRoute("GET", HOME, self.every, Permission.SEE),
            AdminRoute("GET", HOME + "open", self.go, Permission.SEE),
            AdminRoute("GET", HOME + "jobs/rows", self.job_rows, Permission.SEE),
            AdminRoute("GET", one, self.newest, Permission.SEE),
            AdminRoute("GET", one + "/progress", self.progress, Permission.SEE),
            AdminRoute("GET", one + "/compare", self.compare, Permission.SEE),
            AdminRoute("POST", one + "/again", self.again, Permission.PUBLISH_REPORT),
            AdminRoute("GET", one + r"/v{version}", self.version, Permission.SEE),
            AdminRoute(
                "POST", one + "/v{version}/publish", self.publish, Permission.PUBLISH_REPORT
            ),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        kept = await database_report_versions.list_newest(self._ground.connections, MOST_LISTED)
        now = today(visit.now_ms)
        last_month, last_week = month_of(now).previous(), week_of(now).previous()
        return visit.page(
            "reports.html",
            reports=[one for one in kept if sees_subject(visit, one.subject)],
            jobs=await self._jobs(visit),
            quick=(last_month, month_of(now), last_week),
            month=f"{last_month.first:%Y-%m}",
            today=now,
            lots=self._ground.lots_of(visit),
            address_of=address_of,
            query_of=query_of,
        )

    async def job_rows(self, visit: Visit) -> web.StreamResponse:
        """The reports that are being made, for a page that is open."""
        return visit.fragment(
            "report_jobs.html",
            jobs=await self._jobs(visit),
            address_of=address_of,
            query_of=query_of,
        )

    async def _jobs(self, visit: Visit) -> Sequence[Job]:
        jobs = await database_report_jobs.list_open(self._ground.connections, MOST_JOBS)
        return [one for one in jobs if sees_subject(visit, one.subject)]

    async def go(self, visit: Visit) -> web.StreamResponse:
        """From the fields of a form to the address of a report."""
        asked = ",".join(visit.request.query.getall("lot", []))
        subject = Subject(read_days(visit), read_lots(visit, self._ground, asked))
        return visit.see_other(address_of(subject) + query_of(subject))

    async def newest(self, visit: Visit) -> web.StreamResponse:
        """The newest version; what nobody has made yet is made now."""
        subject = read_subject(visit, self._ground)
        kept = await database_report_versions.find_report(self._ground.connections, subject)
        if kept is not None:
            return await self._show(visit, kept, {})
        job = await database_report_jobs.find_newest(self._ground.connections, subject)
        if job is None or (not job.is_open and visit.asked("retry")):
            try:
                job = await desk.ask_first(self._ground.connections, subject, visit.person.name)
            except desk.TooManyJobsError as refusal:
                raise Problem(429, str(refusal)) from None
        return self._wait(visit, subject, job)

    async def version(self, visit: Visit) -> web.StreamResponse:
        return await self._show(visit, await self._known(visit), {})

    async def progress(self, visit: Visit) -> web.StreamResponse:
        """How far it is, for the open page; when it is done the page goes there."""
        subject = read_subject(visit, self._ground)
        job = await database_report_jobs.find_newest(self._ground.connections, subject)
        if "HX-Request" not in visit.request.headers:
            if job is None or job.state is JobState.DONE:
                return visit.see_other(address_of(subject) + query_of(subject))
            return self._wait(visit, subject, job)
        if job is None or job.state is JobState.DONE:
            headers = {"HX-Redirect": address_of(subject) + query_of(subject)}
            return web.Response(headers=headers)
        return visit.fragment(
            "report_progress.html", job=job, address_of=address_of, query_of=query_of
        )

    def _wait(self, visit: Visit, subject: Subject, job: Job) -> web.StreamResponse:
        """The request is taken, the report is not there yet."""
        return visit.page(
            "report_wait.html",
            202,
            subject=subject,
            job=job,
            address_of=address_of,
            query_of=query_of,
        )

    async def again(self, visit: Visit) -> web.StreamResponse:
        subject = read_subject(visit, self._ground)
        note = visit.form.get("note", "")
        try:
            await desk.ask_again(self._ground.connections, subject, by=visit.person.name, note=note)
        except desk.TooManyJobsError as refusal:
            raise Problem(429, str(refusal)) from None
        except BadEditError as refusal:
            kept = await database_report_versions.find_report(self._ground.connections, subject)
            if kept is None:
                raise Problem(400, refusal.words, field="note") from None
            return await self._show(visit, kept, {"note": refusal.words})
        return visit.see_other(f"{address_of(subject)}/progress{query_of(subject)}")

    async def publish(self, visit: Visit) -> web.StreamResponse:
        kept = await self._known(visit)
        try:
            await desk.publish(
                self._ground.connections,
                kept,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._show(visit, kept, {refusal.field: refusal.words})
        except SettledError as refusal:
            raise Problem(409, f"{refusal}，没有改动") from None
        subject = kept.head.subject
        address = address_of(subject, kept.head.version)
        return visit.see_other(address, done="已发布", **_lots_query(subject))

    async def compare(self, visit: Visit) -> web.StreamResponse:
        """Two periods beside each other: their indicators and their pictures."""
        subject = read_subject(visit, self._ground)
        asked = visit.asked("with").strip()
        period = read_period(asked, visit.now_ms) if asked else subject.period.previous()
        other = Subject(period, subject.lots)
        connections = self._ground.connections
        ours = await database_report_versions.find_report(connections, subject)
        if ours is None:
            return visit.see_other(address_of(subject), **_lots_query(subject))
        theirs = await database_report_versions.find_report(connections, other)
        return visit.page(
            "report_compare.html",
            style=self._static.url("report.css"),
            subject=subject,
            other=other,
            ours=ours,
            theirs=theirs,
            choices=await self._choices(visit, subject),
            rows=[] if theirs is None else _compared(ours, theirs),
            sentences=[] if theirs is None else _said(ours, theirs),
            pairs=[] if theirs is None else _pairs(ours, theirs),
            address_of=address_of,
            query_of=query_of,
        )

    async def _choices(self, visit: Visit, subject: Subject) -> list[Period]:
        """What is there to compare with, and the usual two."""
        kept = await database_report_versions.list_newest(self._ground.connections, MOST_LISTED)
        usual = (subject.period.previous(), subject.period.year_before())
        there = (one.subject.period for one in kept if one.subject.lots == subject.lots)
        periods = dict.fromkeys([*usual, *there])
        return [
            one for one in periods if one != subject.period and one.first <= today(visit.now_ms)
        ]

    async def _known(self, visit: Visit) -> KeptReport:
        """Raises Problem 404."""
        subject = read_subject(visit, self._ground)
        return await get_version(self._ground, subject, visit.word("version"))

    async def _show(
        self, visit: Visit, kept: KeptReport, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        connections, head = self._ground.connections, kept.head
        subject = head.subject
        base, query = address_of(subject, head.version), query_of(subject)
        return visit.page(
            "report.html",
            400 if errors else 200,
            style=self._static.url("report.css"),
            kept=kept,
            report=kept.report,
            base=base,
            query=query,
            article=article(
                kept.report,
                lambda chart: f"{base}/charts/{chart.name}.svg{query}",
                base,
                await self._notice(kept),
                query,
            ),
            job=await database_report_jobs.find_newest(connections, subject),
            versions=await database_report_versions.list_versions(connections, subject),
            has_pdf=await database_report_versions.has_file(connections, head.report_id, PDF),
            mailed=await database_report_mail.list_mailed(connections, head.report_id),
            values=visit.form or visit.restored,
            errors=errors,
            address_of=address_of,
            query_of=query_of,
        )

    async def _notice(self, kept: KeptReport) -> str:
        """That the history is another one now than the report was made from."""
        now = await database_report_versions.read_sources(
            self._ground.connections, kept.head.subject, kept.sources.until_ms
        )
        changed = find_changes(kept.sources, now)
        names = "、".join(self._ground.name_of(lot_id) for lot_id in changed[:6])
        more = f" 等 {len(changed)} 个车场" if len(changed) > 6 else ""  # noqa: PLR2004 -- as many as one reads
        if changed:
            return (
                f"本版生成后，{names}{more}在本期内的数据有补录或更正；"
                "本版数字不变，要用新数据请生成新版本。"
            )
        if now.corrections != kept.sources.corrections:
            return "本版生成后，本期内又有人工校准；本版数字不变，要用新数据请生成新版本。"
        return ""


async def get_version(ground: AdminGround, subject: Subject, number: str) -> KeptReport:
    """Raises Problem 404."""
    wanted = whole_number(number)
    if wanted is None or wanted > _MOST_VERSION:
        raise Problem(404, f"没有第 {number[:12]} 版", field="version")
    kept = await database_report_versions.find_report(ground.connections, subject, wanted)
    if kept is None:
        raise Problem(404, f"{subject.period.title}的报告没有第 {wanted} 版", field="version")
    return kept


def _lots_query(subject: Subject) -> dict[str, str]:
    return {"lots": ",".join(subject.lots)} if subject.lots else {}


def _compared(ours: KeptReport, theirs: KeptReport) -> list[tuple[str, str, str, str]]:
    """Of each indicator that both have: name, now, then, difference."""
    then = {kpi.code: kpi for kpi in theirs.report.kpis}
    return [
        (kpi.name, _written(kpi), _written(then[kpi.code]), _difference(kpi, then[kpi.code]))
        for kpi in ours.report.kpis
        if kpi.code in then
    ]


def _said(ours: KeptReport, theirs: KeptReport) -> list[Markup]:
    return [with_bold(one) for one in compare(ours.report, theirs.report)]


def _written(kpi: Kpi) -> str:
    return f"{write_figure(kpi.value, kpi.kind, kpi.decimals)} {kpi.unit}".rstrip()


def _difference(now: Kpi, then: Kpi) -> str:
    """With an arrow; shares in points."""
    if now.value is None or then.value is None:
        return "—"
    by, unit = now.value - then.value, ""
    if now.kind == "share":
        by, unit = by * _POINTS, " 点"
    words = write_number(abs(by), now.decimals)
    if not words.strip("0.,"):
        return "持平"
    return f"{'↑' if by > 0 else '↓'} {words}{unit}"


def _pairs(ours: KeptReport, theirs: KeptReport) -> list[tuple[Chart, Chart]]:
    """The pictures that both have, by name."""
    found = ((chart, find_chart(theirs.report, chart.name)) for chart in charts_of(ours.report))
    return [(ours_, theirs_) for ours_, theirs_ in found if theirs_ is not None]


_MOST_VERSION = 10_000
