"""The steps of escalation: who outside is told of an alarm, and after how long."""

from collections.abc import Mapping

from aiohttp import web

from occupancy import database_escalation_steps, escalation_desk
from occupancy.alarm import Severity
from occupancy.database_escalation_steps import FIRST
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.escalation import MOST_STEPS, Step
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import conflict_words, sent_version, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

LIST = "/admin/rules"


class EscalationPage:
    """`/admin/escalation/{severity}/{step}`; the list of steps is on the rules' page."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        one, edit = "/admin/escalation/{severity}/{step}", Permission.EDIT_RULES
        return [
            AdminRoute("GET", one, self.ask, edit, town_wide=True),
            AdminRoute("POST", one, self.change, edit, town_wide=True),
            AdminRoute("POST", one + "/withdraw", self.withdraw, edit, town_wide=True),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, 200, visit.restored, {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        severity, number = _place(visit)
        form = visit.form
        try:
            await escalation_desk.change_step(
                self._ground.connections,
                step_of(form, severity, number),
                version=sent_version(form),
                by=visit.person.name,
                reason=form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            return await self._form(visit, 409, form, {"conflict": conflict_words(refusal.theirs)})
        return visit.see_other(LIST, done="通知步骤已修改，几秒内生效")

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        severity, number = _place(visit)
        form = visit.form
        try:
            await escalation_desk.withdraw_step(
                self._ground.connections,
                severity,
                number,
                version=sent_version(form),
                by=visit.person.name,
                reason=form.get("withdraw_reason", ""),
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, {f"withdraw_{refusal.field}": refusal.words})
        except StaleEditError as refusal:
            return await self._form(visit, 409, form, {"conflict": conflict_words(refusal.theirs)})
        except SettledError as refusal:
            return await self._form(visit, 409, form, {"conflict": str(refusal)})
        return visit.see_other(LIST, done="通知步骤已撤销")

    async def _form(
        self, visit: Visit, status: int, typed: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        severity, number = _place(visit)
        connections = self._ground.connections
        steps = await database_escalation_steps.list_steps(connections)
        kept = escalation_desk.find_step(steps, severity, number)
        return visit.page(
            "escalation_step.html",
            status,
            severity=severity,
            number=number,
            kept=kept,
            version=await database_escalation_steps.read_version(connections, severity, number),
            values=typed or _as_form(kept),
            errors=errors,
        )


def step_of(form: Mapping[str, str], severity: Severity, number: int) -> Step:
    """What was typed. Raises BadEditError."""
    minutes = whole_number(form.get("after_minutes", "").strip())
    if minutes is None:
        raise BadEditError("after_minutes", "请填写整数的分钟数，如 15")
    addresses = tuple(dict.fromkeys(form.get("mail_to", "").replace(",", "\n").split()))
    return Step(severity, number, minutes, form.get("by_webhook") == "yes", addresses)


def _place(visit: Visit) -> tuple[Severity, int]:
    """The step of the address."""
    name, number = visit.word("severity"), whole_number(visit.word("step"))
    if name not in set(Severity):
        raise Problem(404, f"没有 {name[:40]} 这个级别", field="severity")
    if number is None or not FIRST <= number <= MOST_STEPS:
        raise Problem(404, f"步骤是 {FIRST} 到 {MOST_STEPS}", field="step")
    return Severity(name), number


def _as_form(step: Step | None) -> dict[str, str]:
    if step is None:
        return {"by_webhook": "yes"}
    return {
        "after_minutes": str(step.after_minutes),
        "by_webhook": "yes" if step.by_webhook else "",
        "mail_to": "\n".join(step.mail_to),
    }
