"""Lists as files: CSV for programs, XLSX for people; streamed, with the filter of their page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from occupancy import (
    database_alarm_desk,
    database_corrections,
    database_tariffs,
    database_users,
    export,
    export_lists,
)
from occupancy.database_alarm_desk import AlarmFilter
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError
from occupancy.explore import Part, Subject, plan_steps
from occupancy.export_cells import Column, Kind, Row
from occupancy.permissions import Permission
from occupancy.web.admin import words
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import local_field, local_moment, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

MONTH_MS = 30 * 86_400_000
ALARMS_A_TIME = 1_000
CHECKS = 4_000  # ten years of nights
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK = 64 * 1024
Rows = Callable[[Visit], Awaitable[AsyncIterator[Row]]]

DEVICES = (Column("停车场"), Column("设备"), Column("状态"), Column("最近应答"), Column("说明"))
QUALITY = (
    Column("停车场"),
    Column("可信度"),
    Column("计数器", Kind.NUMBER),
    Column("机组", Kind.NUMBER),
    Column("漂移", Kind.NUMBER),
    Column("疑点"),
)
TRUTH = (
    Column("停车场"),
    Column("核对时间", Kind.MOMENT),
    Column("核对人"),
    Column("计数器", Kind.NUMBER),
    Column("机组", Kind.NUMBER),
    Column("人工校准", Kind.NUMBER),
    Column("漂移", Kind.NUMBER),
    Column("较上次", Kind.NUMBER),
)
USERS = (Column("用户名"), Column("角色"), Column("车场"), Column("二次验证"), Column("状态"))
ALARMS = (
    Column("序号", Kind.NUMBER),
    Column("停车场"),
    Column("类别"),
    Column("级别"),
    Column("对象"),
    Column("内容"),
    Column("发生", Kind.MOMENT),
    Column("恢复", Kind.MOMENT),
    Column("确认", Kind.MOMENT),
    Column("确认人"),
    Column("备注"),
    Column("负责人"),
)


@dataclass(frozen=True)
class Exportable:
    """A list: its columns, how its rows are had, and what it takes to see it."""

    title: str
    columns: Sequence[Column]
    rows: Rows
    needs: Permission


class ExportsPage:
    """`/admin/exports`, and each list as `/admin/exports/{name}.csv` and `.xlsx`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground
        self._lists: Mapping[str, Exportable] = {
            "history": Exportable(
                "历史余位（15 分钟）", export_lists.EXPLORED, self._history, Permission.SEE
            ),
            "alarms": Exportable("告警", ALARMS, self._alarms, Permission.SEE),
            "devices": Exportable("设备", DEVICES, self._devices, Permission.SEE),
            "quality": Exportable("数据质量", QUALITY, self._quality, Permission.SEE),
            "truth": Exportable("对账", TRUTH, self._truth, Permission.SEE),
            "tariffs": Exportable("收费标准", export_lists.VERSIONS, self._tariffs, Permission.SEE),
            "users": Exportable("用户与角色", USERS, self._users, Permission.MANAGE_USERS),
            "audit": Exportable("操作日志", export_lists.AUDIT, self._audit, Permission.SEE_AUDIT),
        }

    def routes(self) -> list[AdminRoute]:
        home = "/admin/exports"
        return [
            AdminRoute("GET", home, self.page, Permission.EXPORT),
            AdminRoute("GET", home + "/{list}.csv", self.as_csv, Permission.EXPORT),
            AdminRoute("GET", home + "/{list}.xlsx", self.as_xlsx, Permission.EXPORT),
        ]

    async def page(self, visit: Visit) -> web.StreamResponse:
        lists = {name: one for name, one in self._lists.items() if visit.may(one.needs)}
        return visit.page(
            "exports.html",
            lists=lists,
            lots=self._ground.lots_of(visit),
            begins=local_field(visit.now_ms - MONTH_MS),
            ends=local_field(visit.now_ms),
        )

    async def as_csv(self, visit: Visit) -> web.StreamResponse:
        wanted = self._wanted(visit)
        rows = await _checked(wanted, visit)
        response = web.StreamResponse(headers=_headers(visit, "csv", "text/csv; charset=utf-8"))
        await response.prepare(visit.request)
        async for chunk in export.write_csv(wanted.columns, rows):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def as_xlsx(self, visit: Visit) -> web.StreamResponse:
        wanted = self._wanted(visit)
        rows = await _checked(wanted, visit)
        async with export.xlsx_file(wanted.title, wanted.columns, rows) as path:
            response = web.StreamResponse(headers=_headers(visit, "xlsx", XLSX))
            response.content_length = path.stat().st_size
            await response.prepare(visit.request)
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    await response.write(chunk)
            await response.write_eof()
        return response

    def _wanted(self, visit: Visit) -> Exportable:
        """Raises Problem 404, ForbiddenError."""
        wanted = self._lists.get(visit.word("list"))
        if wanted is None:
            raise Problem(404, f"没有 {visit.word('list')[:40]} 这个列表", field="list")
        visit.person.require(wanted.needs)
        return wanted

    async def _history(self, visit: Visit) -> AsyncIterator[Row]:
        """Each of the chosen car parks, a row a quarter of an hour. Raises BadEditError."""
        from_ms, to_ms = _moment(visit, "from"), _moment(visit, "to")
        plan = plan_steps(from_ms, to_ms, visit.now_ms, 900)
        lot_id = visit.asked("lot")
        if lot_id:
            self._ground.known(visit, lot_id)
        lots = [lot for lot in self._ground.lots_of(visit) if lot_id in ("", lot.id)]
        subjects = {Subject(lot.id, Part.LOT): lot.name for lot in lots}
        return export_lists.explored_rows(self._ground.history, subjects, plan)

    async def _alarms(self, visit: Visit) -> AsyncIterator[Row]:
        return self._every_alarm(
            AlarmFilter(
                is_open=visit.asked("open") == "1",
                lots=visit.person.lots,
                lot_id=visit.asked("lot"),
                kind=visit.asked("kind"),
                severity=visit.asked("severity"),
                text=visit.asked("text"),
            )
        )

    async def _every_alarm(self, wanted: AlarmFilter) -> AsyncIterator[Row]:
        names = self._ground.short_names()
        while True:
            found = await database_alarm_desk.list_alarms(
                self._ground.connections, wanted, ALARMS_A_TIME
            )
            for one in found:
                yield (
                    *(one.alarm_id, names.get(one.lot_id, one.lot_id), words.ALARM[one.kind]),
                    *(words.SEVERITY[one.severity], one.subject, one.words, one.raised_at_ms),
                    *(one.cleared_at_ms, one.acknowledged_at_ms, one.acknowledged_by),
                    *(one.note, one.assigned_to),
                )
            if len(found) < ALARMS_A_TIME:
                return
            wanted = AlarmFilter(
                wanted.is_open,
                *(wanted.lots, wanted.lot_id, wanted.kind, wanted.severity, wanted.text),
                found[-1].alarm_id,
            )

    async def _devices(self, visit: Visit) -> AsyncIterator[Row]:
        wanted = visit.asked("state")
        return export.every(
            (lot.short_name, one.id, words.DEVICE[one.state], one.last_answer_at, one.note)
            for lot in self._ground.lots_of(visit)
            for one in lot.devices
            if not wanted or one.state == wanted
        )

    async def _quality(self, visit: Visit) -> AsyncIterator[Row]:
        return export.every(
            (
                *(lot.short_name, words.QUALITY[lot.live.quality]),
                *(
                    (None, None, None)
                    if lot.counters is None
                    else (
                        lot.counters.cars_by_counters,
                        lot.counters.cars_by_machines,
                        lot.counters.drift_cars,
                    )
                ),
                "；".join(lot.live.doubts),
            )
            for lot in self._ground.lots_of(visit)
        )

    async def _truth(self, visit: Visit) -> AsyncIterator[Row]:
        return self._every_check([lot.id for lot in self._ground.lots_of(visit)])

    async def _every_check(self, lot_ids: Sequence[str]) -> AsyncIterator[Row]:
        names = self._ground.short_names()
        for lot_id in lot_ids:
            for one in await database_corrections.list_checks(
                self._ground.connections, lot_id, CHECKS
            ):
                yield (
                    *(names[lot_id], one.checked_at_ms, one.asked_by),
                    *(one.cars_by_counters, one.cars_by_machines, one.unseen_cars),
                    *(one.drift_cars, one.drift_since_last_cars),
                )

    async def _tariffs(self, visit: Visit) -> AsyncIterator[Row]:
        lots = self._ground.showcase.lots.values()
        wanted = sorted({lot.tariff_id for lot in lots if visit.sees(lot.lot_id)})
        found = [
            one
            for tariff_id in wanted
            for one in await database_tariffs.list_versions(self._ground.connections, tariff_id)
        ]
        return export.every(export_lists.version_rows(found))

    async def _users(self, _visit: Visit) -> AsyncIterator[Row]:
        names = self._ground.short_names()
        return export.every(
            (
                *(one.name, words.ROLES[one.role]),
                "、".join(names.get(lot_id, lot_id) for lot_id in one.lots) or "全部",
                "未设置" if one.totp_secret is None else "已设置",
                "停用" if one.is_locked else "正常",
            )
            for one in await database_users.list_operators(self._ground.connections)
        )

    async def _audit(self, visit: Visit) -> AsyncIterator[Row]:
        wanted = Wanted(
            visit.asked("subject"),
            visit.asked("who"),
            visit.asked("action"),
            visit.person.lots,
            whole_number(visit.asked("before")),
        )
        return export_lists.audit_rows(self._ground.connections, wanted)


async def _checked(wanted: Exportable, visit: Visit) -> AsyncIterator[Row]:
    """The rows; what was asked wrongly is said before the first byte is sent."""
    try:
        return await wanted.rows(visit)
    except BadEditError as refusal:
        raise Problem(400, refusal.words, field=refusal.field) from None


def _moment(visit: Visit, name: str) -> int:
    at_ms = local_moment(visit.asked(name))
    if at_ms is None:
        raise BadEditError(
            name, f"{name}={visit.asked(name)[:20]}: 请填写时间，如 2026-11-01T00:00"
        )
    return at_ms


def _headers(visit: Visit, ending: str, content_type: str) -> dict[str, str]:
    name = f"zhibo-{visit.word('list')}.{ending}"
    return {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
