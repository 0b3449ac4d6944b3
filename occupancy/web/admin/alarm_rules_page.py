"""The rules by which alarms are raised, and the windows in which they wait for nobody."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from occupancy import alarm_desk, alarm_rules, database_alarm_desk, database_alarms
from occupancy.alarm import RULES, AlarmKind, Rule
from occupancy.alarm_rules import RuleChange
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import local_field, local_moment, whole_number
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
        rules, one, quiet = "/admin/rules", "/admin/rules/{kind}", "/admin/quiet"
        return [
            AdminRoute("GET", rules, self.every, Permission.SEE),
            AdminRoute("GET", one, self.ask, Permission.EDIT_RULES, town_wide=True),
            AdminRoute("POST", one, self.change, Permission.EDIT_RULES, town_wide=True),
            AdminRoute("GET", quiet, self.quiet, Permission.SEE),
            AdminRoute("POST", quiet, self.keep_quiet, Permission.CLOSE),
            AdminRoute("POST", quiet + "/{number}/end", self.end_quiet, Permission.CLOSE),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        rules = await database_alarms.read_rules(self._ground.connections)
        return visit.page("rules.html", rules=rules, shipped=RULES)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, 200, visit.restored, {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        kind, form = _kind(visit), visit.form
        try:
            await alarm_rules.change_rule(
                self._ground.connections,
                kind,
                change_of(form),
                version=whole_number(form.get("version", "")) or 0,
                by=visit.person.name,
                reason=form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            words = f"别人刚刚改成了 {_as_words(refusal.theirs)}；没有改动，请核对后再提交"
            return await self._form(visit, 409, form, {"conflict": words})
        self._desk.tell_all()
        return visit.see_other("/admin/rules", done="规则已修改，几秒内生效")

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
        kind, connections = _kind(visit), self._ground.connections
        rule = (await database_alarms.read_rules(connections))[kind]
        version = (await database_alarms.read_versions(connections))[kind]
        return visit.page(
            "rule.html",
            status,
            kind=kind,
            rule=rule,
            shipped=RULES[kind],
            values=typed or _as_form(rule),
            version=version,
            errors=errors,
        )

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
    return RuleChange(**told, is_on=form.get("is_on") == "yes")


def _kind(visit: Visit) -> AlarmKind:
    name = visit.word("kind")
    if name not in set(AlarmKind):
        raise Problem(404, f"没有 {name[:40]} 这种告警", field="kind")
    return AlarmKind(name)


def _kinds(form: Mapping[str, str]) -> tuple[str, ...]:
    kinds = tuple(form.get("kinds", "").split())
    if unknown := [kind for kind in kinds if kind not in set(AlarmKind)]:
        raise BadEditError("kinds", f"没有 {unknown[0][:40]} 这种告警")
    return kinds


def _moment(form: Mapping[str, str], name: str) -> int:
    at_ms = local_moment(form.get(name, ""))
    if at_ms is None:
        raise BadEditError(name, "请填写时间")
    return at_ms


def _as_form(rule: Rule) -> dict[str, str]:
    numbers = {name: f"{getattr(rule, name):g}" for name in NUMBERS}
    return {**numbers, "is_on": "yes" if rule.is_on else ""}


def _as_words(theirs: object) -> str:
    return msgspec.json.encode(theirs).decode()
