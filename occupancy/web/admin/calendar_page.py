"""Holidays and make-up workdays: a year on one page, several days at once, taken back as one."""

import datetime as dt
from collections.abc import Mapping

from aiohttp import web

from occupancy import calendar_desk, database_audit
from occupancy.calendar import DayType
from occupancy.calendar_desk import CHANGED, NoSuchChangeError
from occupancy.calendar_year import BadDaysError, DayChange, YearDay
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError, StaleEditError
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.formats import SHANGHAI
from occupancy.web.problems import Problem

FIRST_YEAR, LAST_YEAR = 2020, 2099
CHANGES = 10
AS_PUBLISHED = "published"


class CalendarPage:
    """`/admin/calendar/{year}`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        one = "/admin/calendar/{year}"
        return [
            AdminRoute("GET", "/admin/calendar", self.this_year, Permission.SEE),
            AdminRoute("GET", one, self.year, Permission.SEE),
            AdminRoute("POST", one, self.change, Permission.EDIT_CALENDAR, town_wide=True),
            AdminRoute("POST", one + "/undo", self.undo, Permission.EDIT_CALENDAR, town_wide=True),
        ]

    async def this_year(self, visit: Visit) -> web.StreamResponse:
        year = dt.datetime.fromtimestamp(visit.now_ms / 1_000, tz=SHANGHAI).year
        return visit.see_other(f"/admin/calendar/{year}")

    async def year(self, visit: Visit) -> web.StreamResponse:
        return await self._page(visit, 200, visit.restored, {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        form, days = visit.form, await self._days(visit)
        try:
            await calendar_desk.change_days(
                self._ground.connections,
                changes_of(form, days),
                by=visit.person.name,
                reason=form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except (BadEditError, BadDaysError, StaleEditError) as refusal:
            status, errors = _said_of(refusal)
            return await self._page(visit, status, form, errors)
        self._desk.tell_all()
        return visit.see_other(visit.path, done="日历已修改，收费和预测几秒内跟上")

    async def undo(self, visit: Visit) -> web.StreamResponse:
        number = whole_number(visit.form.get("number", "")) or 0
        try:
            await calendar_desk.undo_change(
                self._ground.connections,
                number,
                by=visit.person.name,
                reason=f"撤销 #{number}",
                now_ms=visit.now_ms,
            )
        except (BadEditError, BadDaysError, StaleEditError, NoSuchChangeError) as refusal:
            status, errors = _said_of(refusal)
            return await self._page(visit, status, {}, errors)
        self._desk.tell_all()
        return visit.see_other(visit.path.removesuffix("/undo"), done="已撤销")

    async def _page(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        days = await self._days(visit)
        months: dict[int, list[YearDay]] = {}
        for one in days:
            months.setdefault(one.day.month, []).append(one)
        changes = await database_audit.list_newest(
            self._ground.connections, CHANGES, Wanted(action=CHANGED)
        )
        return visit.page(
            "calendar.html",
            status,
            months=months,
            year=days[0].day.year,
            changes=changes,
            values=values,
            chosen=set(values.get("days", "").split()),
            errors=errors,
            day_types=DayType,
        )

    async def _days(self, visit: Visit) -> tuple[YearDay, ...]:
        year = whole_number(visit.word("year")) or 0
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise Problem(404, f"日历只有 {FIRST_YEAR} 到 {LAST_YEAR} 年", field="year")
        return await calendar_desk.read_year(self._ground.connections, year)


def changes_of(form: Mapping[str, str], days: tuple[YearDay, ...]) -> list[DayChange]:
    """What was chosen, against the days as they were seen. Raises BadEditError."""
    known = {one.day.isoformat(): one for one in days}
    seen = dict(pair.split("=", 1) for pair in form.get("seen", "").split() if "=" in pair)
    wanted = form.get("day_type", "")
    if wanted != AS_PUBLISHED and wanted not in set(DayType):
        raise BadEditError("day_type", "请选择改成什么")
    chosen = form.get("days", "").split()
    if not chosen:
        raise BadEditError("days", "请先在日历上选日子")
    if unknown := [day for day in chosen if day not in known]:
        raise BadEditError("days", f"{unknown[0][:20]} 不在这一年")
    to = None if wanted == AS_PUBLISHED else DayType(wanted)
    return [
        DayChange(known[day].day, to, DayType(seen[day]) if seen.get(day) in set(DayType) else None)
        for day in chosen
    ]


def _said_of(refusal: Exception) -> tuple[int, dict[str, str]]:
    if isinstance(refusal, BadEditError):
        return 400, {refusal.field: refusal.words}
    if isinstance(refusal, BadDaysError):
        told = "；".join(f"{one.day.isoformat()} {one.words}" for one in refusal.remarks[:5])
        return 400, {"days": told}
    if isinstance(refusal, StaleEditError):
        return 409, {"conflict": "别人刚刚改过其中的日子：页面上已是他的版本，请核对后再提交"}
    return 409, {"conflict": str(refusal)}
