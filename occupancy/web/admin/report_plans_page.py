"""When reports are made by themselves and to whom they are mailed, set by planners."""

from collections.abc import Mapping, Sequence

import msgspec
from aiohttp import web

from occupancy import database_report_mail
from occupancy.edit import BadEditError, StaleEditError
from occupancy.permissions import Permission
from occupancy.report import desk
from occupancy.report.schedule import Plan, Schedule, next_due_ms, read_plan
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import conflict_words, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.report_subject import read_lots
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

PLANS = "/reports/schedule"
_NEW: Mapping[str, str] = {"kind": "month", "day": "2", "clock": "06:00", "is_on": "1"}


class Shown(msgspec.Struct, frozen=True):
    """A plan as its form shows it; `next` is when it is due, None while it is off."""

    number: int
    values: Mapping[str, str]
    errors: Mapping[str, str]
    edit: int
    set_by: str
    set_at_ms: int
    next: int | None


class ReportPlansPage:
    """`/reports/schedule`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", PLANS, self.every, Permission.PUBLISH_REPORT),
            AdminRoute("POST", PLANS, self.add, Permission.PUBLISH_REPORT),
            AdminRoute("POST", PLANS + "/{number}", self.change, Permission.PUBLISH_REPORT),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        return await self._page(visit, 200, visit.restored or _NEW, {})

    async def add(self, visit: Visit) -> web.StreamResponse:
        try:
            plan = self._plan(visit)
            await desk.add_plan(
                self._ground.connections,
                plan,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._page(visit, 400, visit.form, {refusal.field: refusal.words})
        return visit.see_other(PLANS, done="发送计划已新增")

    async def change(self, visit: Visit) -> web.StreamResponse:
        number = whole_number(visit.word("number"))
        schedules = await database_report_mail.list_schedules(self._ground.connections)
        if number is None or number not in {one.schedule_id for one in schedules}:
            raise Problem(404, f"没有 {visit.word('number')[:12]} 号发送计划", field="number")
        try:
            plan = self._plan(visit)
            await desk.set_plan(
                self._ground.connections,
                number,
                plan,
                edit=whole_number(visit.form.get("edit", "")) or 0,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._page(visit, 400, _NEW, {refusal.field: refusal.words}, number)
        except StaleEditError as refusal:
            words = {"conflict": conflict_words(refusal.theirs)}
            return await self._page(visit, 409, _NEW, words, number)
        return visit.see_other(PLANS, done="发送计划已保存")

    def _plan(self, visit: Visit) -> Plan:
        """Raises BadEditError, Problem 404."""
        raw = visit.form.get("lots", "").replace("，", ",").replace(" ", "")
        return read_plan(dict(visit.form), read_lots(visit, self._ground, raw))

    async def _page(
        self,
        visit: Visit,
        status: int,
        values: Mapping[str, str],
        errors: Mapping[str, str],
        wrong: int = 0,
    ) -> web.StreamResponse:
        """`wrong` is the plan whose form is shown with what is wrong with it; 0 the new one."""
        schedules = await database_report_mail.list_schedules(self._ground.connections)
        return visit.page(
            "report_plans.html",
            status,
            plans=_shown(schedules, visit, errors, wrong),
            values=values,
            errors={} if wrong else errors,
        )


def _shown(
    schedules: Sequence[Schedule], visit: Visit, errors: Mapping[str, str], wrong: int
) -> list[Shown]:
    return [
        Shown(
            one.schedule_id,
            visit.form if one.schedule_id == wrong else _as_form(one.plan),
            errors if one.schedule_id == wrong else {},
            one.edit,
            one.set_by,
            one.set_at_ms,
            next_due_ms(one.plan, visit.now_ms) if one.plan.is_on else None,
        )
        for one in schedules
        if all(visit.sees(lot_id) for lot_id in one.plan.lots)
    ]


def _as_form(plan: Plan) -> dict[str, str]:
    return {
        "kind": plan.kind.value,
        "day": str(plan.day),
        "clock": plan.clock,
        "lots": ",".join(plan.lots),
        "recipients": "\n".join(plan.recipients),
        "is_on": "1" if plan.is_on else "",
    }
