"""The alarms: what waits for somebody, what lasts, what was; one or many dealt with at once."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from occupancy import (
    alarm_desk,
    database_alarm_desk,
    database_audit,
    database_escalation,
    database_users,
)
from occupancy.alarm import SERVICE_WIDE, Severity
from occupancy.database_alarm_desk import AlarmFilter, DeskAlarm
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError, StaleEditError
from occupancy.permissions import ROLES, Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import local_field, local_moment, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

PAGE, TRAIL = 100, 50
HOUR_MS = 3_600_000
_RANK = {severity: place for place, severity in enumerate(Severity)}


class AlarmsPage:
    """`/admin/alarms`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        home, one = "/admin/alarms", "/admin/alarms/{alarm}"
        return [
            AdminRoute("GET", home, self.every, Permission.SEE),
            AdminRoute("GET", home + "/rows", self.rows, Permission.SEE),
            AdminRoute("POST", home, self.deal, Permission.ACKNOWLEDGE),
            AdminRoute("GET", one, self.one, Permission.SEE),
            AdminRoute("POST", one, self.deal_with_one, Permission.ACKNOWLEDGE),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        return await self._list(visit, 200, {})

    async def rows(self, visit: Visit) -> web.StreamResponse:
        alarms, older = await self._alarms(visit)
        return visit.fragment("alarm_rows.html", alarms=alarms, older=older)

    async def deal(self, visit: Visit) -> web.StreamResponse:
        """All that are ticked, or the one whose button was pressed; all or none."""
        try:
            done = await self._deal(visit, _picks(visit.form))
        except BadEditError as refusal:
            return await self._list(visit, 400, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            return await self._list(visit, 409, {"conflict": _conflict(refusal.theirs)})
        return visit.see_other("/admin/alarms", done=done)

    async def one(self, visit: Visit) -> web.StreamResponse:
        return await self._one(visit, 200, dict(visit.restored), {})

    async def deal_with_one(self, visit: Visit) -> web.StreamResponse:
        alarm = await self._alarm(visit)
        picks = {alarm.alarm_id: whole_number(visit.form.get("version", "")) or 0}
        try:
            done = await self._deal(visit, picks)
        except BadEditError as refusal:
            return await self._one(visit, 400, visit.form, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            words = {"conflict": _conflict(refusal.theirs)}
            return await self._one(visit, 409, visit.form, words)
        return visit.see_other(visit.path, done=done)

    async def _deal(self, visit: Visit, picks: Mapping[int, int]) -> str:
        """What was done, in words. Raises BadEditError, StaleEditError, ForbiddenError."""
        await self._require_his(visit, picks)
        form, by, connections = visit.form, visit.person.name, self._ground.connections
        deed, note = form.get("deed", ""), form.get("note", "")
        if deed == "acknowledge" or deed.startswith("acknowledge-"):
            await alarm_desk.acknowledge(connections, picks, by=by, note=note, now_ms=visit.now_ms)
            done = f"已确认 {len(picks)} 条告警"
        elif deed == "assign":
            await alarm_desk.assign(connections, picks, to=form.get("to", ""), by=by, reason=note)
            done = f"已指派 {len(picks)} 条告警"
        elif deed == "snooze":
            until_ms = local_moment(form.get("until", ""))
            if until_ms is None:
                raise BadEditError("until", "请填写暂缓到什么时候")
            await alarm_desk.snooze(
                connections, picks, until_ms=until_ms, by=by, reason=note, now_ms=visit.now_ms
            )
            done = f"已暂缓 {len(picks)} 条告警"
        elif deed == "comment" and len(picks) == 1:
            await alarm_desk.comment(connections, *picks, by=by, words=note)
            done = "备注已保存"
        else:
            raise BadEditError("deed", "请选择要做什么")
        self._desk.tell_all()
        return done

    async def _require_his(self, visit: Visit, picks: Mapping[int, int]) -> None:
        found = await database_alarm_desk.find_alarms(self._ground.connections, picks)
        for alarm in found.values():
            visit.person.require(Permission.ACKNOWLEDGE, alarm.lot_id)

    async def _alarms(self, visit: Visit) -> tuple[list[DeskAlarm], str]:
        wanted = _wanted(visit)
        found = await database_alarm_desk.list_alarms(self._ground.connections, wanted, PAGE + 1)
        shown = found[:PAGE]
        older = _older(wanted, shown[-1].alarm_id) if len(found) > PAGE else ""
        if wanted.is_open:
            shown = sorted(shown, key=lambda a: _place(a, visit.now_ms))
        return shown, older

    async def _list(
        self, visit: Visit, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        alarms, older = await self._alarms(visit)
        return visit.page(
            "alarms.html",
            status,
            alarms=alarms,
            older=older,
            wanted=_wanted(visit),
            lots=self._ground.lots_of(visit),
            errors=errors,
            values={"until": local_field(visit.now_ms + HOUR_MS), **visit.form},
            people=await self._people(),
            query=visit.request.query_string,
        )

    async def _one(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        alarm, connections = await self._alarm(visit), self._ground.connections
        trail = await database_audit.list_newest(
            connections, TRAIL, Wanted(subject=f"alarm {alarm.alarm_id}")
        )
        return visit.page(
            "alarm.html",
            status,
            alarm=alarm,
            service_wide=SERVICE_WIDE,
            values={"until": local_field(visit.now_ms + HOUR_MS), **values},
            errors=errors,
            people=await self._people(),
            comments=await database_alarm_desk.list_comments(connections, alarm.alarm_id),
            told=await database_escalation.list_told(connections, alarm.alarm_id),
            deeds=trail,
        )

    async def _alarm(self, visit: Visit) -> DeskAlarm:
        number = whole_number(visit.word("alarm")) or 0
        found = await database_alarm_desk.find_alarms(self._ground.connections, [number])
        alarm = found.get(number)
        if alarm is None or not visit.sees(alarm.lot_id):
            raise Problem(404, f"没有第 {visit.word('alarm')[:20]} 号告警", field="alarm")
        if visit.request.method == "POST":
            visit.person.require(Permission.ACKNOWLEDGE, alarm.lot_id)
        return alarm

    async def _people(self) -> list[str]:
        """Who can take care of an alarm."""
        return [
            one.name
            for one in await database_users.list_operators(self._ground.connections)
            if not one.is_locked and Permission.ACKNOWLEDGE in ROLES[one.role]
        ]


def _wanted(visit: Visit) -> AlarmFilter:
    return AlarmFilter(
        visit.asked("past") != "1",
        visit.person.lots,
        visit.asked("lot"),
        visit.asked("kind"),
        visit.asked("severity"),
        visit.asked("text").strip()[:60],
        whole_number(visit.asked("before")),
    )


def _older(wanted: AlarmFilter, before: int) -> str:
    told = {
        "past": "" if wanted.is_open else "1",
        "lot": wanted.lot_id,
        "kind": wanted.kind,
        "severity": wanted.severity,
        "text": wanted.text,
    }
    return urlencode({**{name: word for name, word in told.items() if word}, "before": before})


def _place(alarm: DeskAlarm, now_ms: int) -> tuple[bool, bool, int, int]:
    """What waits first, what lasts before what is over, the graver and the newer before."""
    return (
        not alarm.waits(now_ms),
        not alarm.is_active,
        _RANK[alarm.severity],
        -alarm.raised_at_ms,
    )


def _picks(form: Mapping[str, str]) -> dict[int, int]:
    """`12:3` is alarm 12 as version 3; the button of one row goes before the ticks."""
    own = form.get("deed", "").partition("acknowledge-")[2]
    picked = [own] if own else form.get("alarms", "").split()
    pairs = [one.partition(":") for one in picked]
    return {whole_number(a) or 0: whole_number(v) or 0 for a, _, v in pairs}


def _conflict(theirs: object) -> str:
    if not isinstance(theirs, DeskAlarm):
        return "这条告警已经不在了，请刷新"
    who = theirs.acknowledged_by or theirs.assigned_to or "别人"
    facts = msgspec.json.encode(theirs.facts()).decode()
    return f"第 {theirs.alarm_id} 号告警刚刚被 {who} 处理过（{facts}），没有改动，请核对后再提交"
