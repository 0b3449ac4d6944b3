"""The rules by which alarms are raised, per town or car park, and planned quiet windows."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from occupancy import (
    alarm_desk,
    alarm_rules,
    database_alarm_desk,
    database_alarm_rules,
    database_escalation_steps,
)
from occupancy.alarm import RULES, SERVICE_WIDE, AlarmKind, Rule, Severity
from occupancy.alarm_rules import RuleChange
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.escalation import MOST_STEPS
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import (
    conflict_words,
    local_field,
    local_moment,
    sent_version,
    whole_number,
)
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

NUMBERS = ("threshold", "hysteresis", "raise_after_seconds", "clear_after_seconds")
HOUR_MS = 3_600_000


class AlarmRulesPage:
    """`/admin/rules` and `/admin/quiet`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        rules, quiet, edit = "/admin/rules", "/admin/quiet", Permission.EDIT_RULES
        return [
            AdminRoute("GET", rules, self.every, Permission.SEE),
            AdminRoute("GET", rules + "/{kind}", self.ask, edit, town_wide=True),
            AdminRoute("POST", rules + "/{kind}", self.change, edit, town_wide=True),
            AdminRoute("GET", rules + "/{kind}/{lot}", self.ask, edit, lot="lot"),
            AdminRoute("POST", rules + "/{kind}/{lot}", self.change, edit, lot="lot"),
            AdminRoute("POST", rules + "/{kind}/{lot}/withdraw", self.withdraw, edit, lot="lot"),
            AdminRoute("GET", quiet, self.quiet, Permission.SEE),
            AdminRoute("POST", quiet, self.keep_quiet, Permission.CLOSE),
            AdminRoute("POST", quiet + "/{number}/end", self.end_quiet, Permission.CLOSE),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        connections = self._ground.connections
        book = await database_alarm_rules.read_rules(connections)
        lots = {
            (lot_id, kind): rule
            for (lot_id, kind), rule in book.lots.items()
            if visit.sees(lot_id) and kind not in SERVICE_WIDE
        }
        return visit.page(
            "rules.html",
            rules=msgspec.structs.replace(book, lots=lots),
            shipped=RULES,
            service_wide=SERVICE_WIDE,
            steps=await database_escalation_steps.list_steps(connections),
            most_steps=MOST_STEPS,
        )

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, 200, visit.restored, {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        kind, lot_id, form = _kind(visit), self._lot(visit), visit.form
        try:
            await alarm_rules.change_rule(
                self._ground.connections,
                kind,
                change_of(form),
                version=sent_version(form),
                by=visit.person.name,
                reason=form.get("reason", ""),
                lot_id=lot_id,
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            return await self._form(visit, 409, form, {"conflict": conflict_words(refusal.theirs)})
        self._desk.tell_all()
        return visit.see_other("/admin/rules", done="规则已修改，几秒内生效")

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        """The town's rule holds again at this car park."""
        kind, lot_id, form = _kind(visit), self._lot(visit), visit.form
        try:
            await alarm_rules.withdraw_rule(
                self._ground.connections,
                kind,
                lot_id,
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
        self._desk.tell_all()
        return visit.see_other("/admin/rules", done="已恢复按全区规则执行，几秒内生效")

    async def quiet(self, visit: Visit) -> web.StreamResponse:
        return await self._quiet(visit, 200, dict(visit.restored), {})

    async def keep_quiet(self, visit: Visit) -> web.StreamResponse:
        form = visit.form
        lot_id = form.get("lot", "")
        if not lot_id:
            return await self._quiet(visit, 400, form, {"lot": "请选择车场"})
        lot = self._ground.known(visit, lot_id)
        visit.person.require(Permission.CLOSE, lot_id)
        try:
            await alarm_desk.keep_quiet(
                self._ground.connections,
                lot,
                _kinds(form),
                from_ms=_moment(form, "from"),
                until_ms=_moment(form, "until"),
                by=visit.person.name,
                reason=form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._quiet(visit, 400, form, {refusal.field: refusal.words})
        self._desk.tell_all()
        return visit.see_other("/admin/quiet", done="静默时段已设好")

    async def end_quiet(self, visit: Visit) -> web.StreamResponse:
        number = whole_number(visit.word("number")) or 0
        windows = await database_alarm_desk.list_quiet_windows(self._ground.connections)
        for window in windows:
            if window.number == number:
                visit.person.require(Permission.CLOSE, window.lot_id)
        try:
            await alarm_desk.end_quiet(
                self._ground.connections, number, by=visit.person.name, reason="提前结束"
            )
        except SettledError as refusal:
            return await self._quiet(visit, 409, {}, {"end": str(refusal)})
        self._desk.tell_all()
        return visit.see_other("/admin/quiet", done="静默时段已结束")

    async def _form(
        self, visit: Visit, status: int, typed: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        kind, lot_id, connections = _kind(visit), self._lot(visit), self._ground.connections
        book = await database_alarm_rules.read_rules(connections)
        kept = await database_alarm_rules.find_rule(connections, kind, lot_id)
        return visit.page(
            "rule.html",
            status,
            kind=kind,
            lot_id=lot_id,
            kept=kept,
            otherwise=book.town[kind] if lot_id else RULES[kind],
            is_service_wide=kind in SERVICE_WIDE,
            lots=self._ground.lots_of(visit),
            own_lots={lot for lot, one in book.lots if one is kind},
            values=typed or _as_form(kept.rule),
            errors=errors,
        )

    def _lot(self, visit: Visit) -> str:
        """The car park of the address, if it names one."""
        if "lot" in visit.request.match_info:
            if _kind(visit) in SERVICE_WIDE:
                raise Problem(404, "这种告警不属于任何车场，只有全区规则", field="kind")
            return self._ground.known(visit, visit.word("lot")).lot_id
        return database_alarm_rules.TOWN

    async def _quiet(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        windows = await database_alarm_desk.list_quiet_windows(self._ground.connections)
        begins = {
            "from": local_field(visit.now_ms),
            "until": local_field(visit.now_ms + HOUR_MS),
        }
        return visit.page(
            "quiet.html",
            status,
            kinds=[kind for kind in AlarmKind if kind not in SERVICE_WIDE],
            windows=[one for one in windows if visit.sees(one.lot_id)],
            lots=self._ground.lots_of(visit),
            values={**begins, **values},
            errors=errors,
        )


def change_of(form: Mapping[str, str]) -> RuleChange:
    """What was typed. Raises BadEditError for what is no number."""
    told = {}
    for name in NUMBERS:
        raw = form.get(name, "").strip()
        try:
            told[name] = float(raw)
        except ValueError:
            raise BadEditError(name, f"“{raw[:20]}”不是数字") from None
    severity = form.get("severity", "")
    if severity not in set(Severity):
        raise BadEditError("severity", "请选择级别")
    return RuleChange(**told, is_on=form.get("is_on") == "yes", severity=Severity(severity))


def _kind(visit: Visit) -> AlarmKind:
    name = visit.word("kind")
    if name not in set(AlarmKind):
        raise Problem(404, f"没有 {name[:40]} 这种告警", field="kind")
    return AlarmKind(name)


def _kinds(form: Mapping[str, str]) -> tuple[str, ...]:
    kinds = tuple(form.get("kinds", "").split())
    if unknown := [kind for kind in kinds if kind not in set(AlarmKind)]:
        raise BadEditError("kinds", f"没有 {unknown[0][:40]} 这种告警")
    if SERVICE_WIDE & set(kinds):
        raise BadEditError("kinds", "服务本身的告警不属于任何车场，不能按车场静默；可以确认或暂缓")
    return kinds


def _moment(form: Mapping[str, str], name: str) -> int:
    at_ms = local_moment(form.get(name, ""))
    if at_ms is None:
        raise BadEditError(name, "请填写时间")
    return at_ms


def _as_form(rule: Rule) -> dict[str, str]:
    numbers = {name: f"{getattr(rule, name):g}" for name in NUMBERS}
    return {**numbers, "is_on": "yes" if rule.is_on else "", "severity": rule.severity.value}
