"""Changes that planners name: what they could show beforehand, and what they brought."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from occupancy import change_desk, database_changes, database_experiments, database_sites
from occupancy.calendar import date_of, day_of
from occupancy.change_desk import NoSuchChangeError
from occupancy.database_changes import KeptChange
from occupancy.edit import BadEditError, SettledError
from occupancy.effect.change import Change, ChangeKind
from occupancy.effect.metric import OF_BLOCKS, Metric
from occupancy.experiment_results import judge_change
from occupancy.permissions import Permission
from occupancy.report.change_chart import draw_change
from occupancy.report.paper import picture_inside
from occupancy.rollup import local_day
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.experiment_view import scale_of
from occupancy.web.admin.fields import read_day, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

GUIDANCE = "/admin/guidance"
HOME = f"{GUIDANCE}/changes"
USUAL = {"kind": "sign", "metric": "refused", "before": "56", "after": "56"}


class Beside(msgspec.Struct, frozen=True):
    """Something else of the same days, from which the change cannot be told apart."""

    words: str
    path: str


class ChangesPage:
    """`/admin/guidance/changes/...`; the list itself stands beside the experiments."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        edit, new, one = Permission.EXPERIMENT, f"{HOME}/new", HOME + "/{number}"
        return [
            AdminRoute("GET", new, self.ask, edit, town_wide=True),
            AdminRoute("POST", new, self.note, edit, town_wide=True),
            AdminRoute("POST", f"{new}/preview", self.preview, edit, town_wide=True),
            AdminRoute("GET", one, self.one, Permission.SEE),
            AdminRoute("POST", f"{one}/withdraw", self.withdraw, edit, town_wide=True),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        usual = {**USUAL, "since": date_of(local_day(visit.now_ms)).isoformat()}
        return self._form(visit, 200, {**usual, **visit.restored}, {})

    async def preview(self, visit: Visit) -> web.StreamResponse:
        """What could be seen, while it is typed; wrong fields are said as well."""
        try:
            wish = wish_of(visit.form)
            detectable = await change_desk.preview(
                self._ground.connections, self._ground.showcase.lots, wish, visit.now_ms
            )
        except BadEditError as refusal:
            return visit.fragment("change_preview.html", wish=None, refusal=refusal.words)
        return visit.fragment(
            "change_preview.html",
            wish=wish,
            detectable=detectable,
            beside=await self._beside(wish, None),
            refusal="",
        )

    async def note(self, visit: Visit) -> web.StreamResponse:
        try:
            kept = await change_desk.note(
                self._ground.connections,
                self._ground.showcase.lots,
                wish_of(visit.form),
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return self._form(visit, 400, visit.form, {refusal.field: refusal.words})
        return visit.see_other(f"{HOME}/{kept.number}", done=f"第 {kept.number} 号变化已登记")

    async def one(self, visit: Visit) -> web.StreamResponse:
        return await self._one(visit, 200, "")

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        number = (await self._known(visit)).number
        try:
            await change_desk.withdraw(
                self._ground.connections,
                number,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._one(visit, 400, refusal.words)
        except (SettledError, NoSuchChangeError) as refusal:
            return await self._one(visit, 409, str(refusal))
        return visit.see_other(f"{HOME}/{number}", done="已撤销，报告不再印它")

    async def _one(self, visit: Visit, status: int, refusal: str) -> web.StreamResponse:
        kept, now_ms = await self._known(visit), visit.now_ms
        change, judged, chart = kept.change, None, None
        if change.is_over(now_ms):  # whoever looks earlier stops when he likes what he sees
            judged = await judge_change(
                self._ground.history, change.metric, change.span, change.day, now_ms
            )
            chart = draw_change(change, judged, "change")
        return visit.page(
            "change.html",
            status,
            kept=kept,
            change=change,
            judged=judged,
            chart=chart,
            picture=picture_inside(chart) if chart else "",
            scale=scale_of(judged.evidence) if judged else None,
            days_to_go=max(change.span[1] + 1 - local_day(now_ms), 0),
            dates=tuple(date_of(day) for day in (*change.span, change.day)),
            beside=await self._beside(change, kept.number),
            refusal=refusal,
        )

    async def _beside(self, change: Change, number: int | None) -> list[Beside]:
        """Other changes, experiments and openings that share its days."""
        connections = self._ground.connections
        found = [
            Beside(f"{date_of(one.change.day)} {one.change.name}", f"{HOME}/{one.number}")
            for one in await database_changes.list_changes(connections)
            if one.withdrawn_ms is None
            and one.number != number
            and change.overlaps(one.change.day, one.change.day)
        ]
        for tried in await database_experiments.list_experiments(connections):
            days = (local_day(tried.plan.from_ms), local_day(tried.plan.to_ms - 1))
            if tried.experiment.started_ms is not None and change.overlaps(*days):
                found.append(Beside(f"第 {tried.number} 号实验", f"{GUIDANCE}/{tried.number}"))
        for kept in await database_sites.list_sites(connections):
            opened = kept.site.opened_on
            if opened is not None and change.overlaps(day_of(opened), day_of(opened)):
                found.append(Beside(f"{opened} {kept.site.name} 开放", "/reports/sites"))
        return found

    async def _known(self, visit: Visit) -> KeptChange:
        number = whole_number(visit.word("number")) or 0
        kept = await database_changes.find_change(self._ground.connections, number)
        if kept is None:
            raise Problem(404, f"没有第 {number} 号变化", field="number")
        return kept

    def _form(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        return visit.page(
            "change_new.html",
            status,
            values=values,
            errors=errors,
            kinds=[(one.value, one.words) for one in ChangeKind],
            metrics=[(one.value, one.words) for one in OF_BLOCKS],
            lots=list(self._ground.short_names().items()),
        )


def wish_of(form: Mapping[str, str]) -> Change:
    """What was typed. Raises BadEditError for what is no date, no number or none of a list."""
    kind, metric = form.get("kind", ""), form.get("metric", "")
    if kind not in set(ChangeKind):
        raise BadEditError("kind", "请选择变化的类别")
    if metric not in set(Metric):
        raise BadEditError("metric", "请选择看什么指标")
    day = read_day(form, "since")
    days = {}
    for field in ("before", "after"):
        number = whole_number(form.get(field, ""))
        if number is None:
            raise BadEditError(field, f"“{form.get(field, '')[:20]}”不是天数")
        days[field] = number
    return Change(
        name=form.get("name", ""),
        kind=ChangeKind(kind),
        lot_id=form.get("lot") or None,
        place=form.get("place", ""),
        day=day,
        metric=Metric(metric),
        before_days=days["before"],
        after_days=days["after"],
    )
