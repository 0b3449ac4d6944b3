"""Calibrating: what was counted against what the system has; asked again where it is much."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from occupancy import database_audit, database_corrections
from occupancy.audit import Recorded
from occupancy.correction import Count
from occupancy.database_audit import Wanted
from occupancy.live import LiveOccupancy, Quality, as_seen_at
from occupancy.permissions import Permission
from occupancy.web.admin import undo
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import find_reason_flaw, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit

MUCH_CARS, MUCH_SHARE = 10, 0.1
HISTORY = 10


class Standing(msgspec.Struct, frozen=True):
    """What the system has of one car park now; None where it does not know."""

    system: int | None
    seen: int | None
    capacity: int
    drift: int | None
    number: int
    is_live: bool


class Calibration:
    """`/admin/calibrate`, one page a car park."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        one = "/admin/calibrate/{lot}"
        return [
            AdminRoute("GET", "/admin/calibrate", self.choose, Permission.CALIBRATE),
            AdminRoute("GET", one, self.ask, Permission.CALIBRATE, lot="lot"),
            AdminRoute("POST", one, self.calibrate, Permission.CALIBRATE, lot="lot"),
            AdminRoute("POST", one + "/undo", self.take_back, Permission.CALIBRATE, lot="lot"),
        ]

    async def choose(self, visit: Visit) -> web.StreamResponse:
        lots = [
            lot for lot in self._ground.lots_of(visit) if visit.may(Permission.CALIBRATE, lot.id)
        ]
        return visit.page("calibrate_choose.html", lots=lots)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, 200, dict(visit.restored), {})

    async def calibrate(self, visit: Visit) -> web.StreamResponse:
        """A record is added; the gateway, the signs and all readers follow within seconds."""
        picture = self._picture(visit)
        errors = find_errors(visit.form, self._standing(visit))
        if errors or picture is None:
            return await self._form(visit, 409 if "known" in errors else 400, visit.form, errors)
        counted = int(visit.form["counted"])
        if is_much(counted, self._standing(visit)) and visit.form.get("sure") != "yes":
            return await self._form(visit, 200, visit.form, {}, asks_again=True)
        reason = visit.form["reason"].strip()
        await self._add(visit, picture, counted, reason)
        return visit.see_other(visit.path, done="校准已记录，诱导屏和各页面几秒内更新")

    async def take_back(self, visit: Visit) -> web.StreamResponse:
        """The count as if nobody had counted: a record of its own, the history stays."""
        picture = self._picture(visit)
        newest = await self._newest(visit)
        if picture is None or picture.cars_inside is None or newest is None:
            return await self._form(visit, 409, {}, {"undo": "现在没有实时数据，不能撤销"})
        if not undo.is_open(newest, visit.now_ms):
            return await self._form(visit, 409, {}, {"undo": "已超过 10 分钟，请重新校准"})
        shift = undo.shift_of(newest)
        counted = picture.cars_inside - shift
        if not 0 <= counted <= picture.capacity:
            words = f"撤销后将是 {counted} 辆，不在 0 到 {picture.capacity} 之间；请重新盘点"
            return await self._form(visit, 409, {}, {"undo": words})
        await self._add(visit, picture, counted, undo.reason_of(newest))
        return visit.see_other(visit.path.removesuffix("/undo"), done="校准已撤销")

    async def _add(self, visit: Visit, picture: LiveOccupancy, counted: int, reason: str) -> None:
        count = Count(counted, reason, visit.person.name, visit.now_ms)
        await database_corrections.add_correction(self._ground.connections, picture, count)
        self._desk.tell_all()

    async def _form(
        self,
        visit: Visit,
        status: int,
        values: Mapping[str, str],
        errors: Mapping[str, str],
        *,
        asks_again: bool = False,
    ) -> web.StreamResponse:
        lot = self._ground.known(visit, visit.word("lot"))
        newest = await self._newest(visit)
        standing = self._standing(visit)
        return visit.page(
            "calibrate.html",
            status,
            lot=lot,
            standing=standing,
            values={**values, "known": str(standing.number)},
            errors=errors,
            asks_again=asks_again,
            newest=newest,
            can_undo=newest is not None and undo.is_open(newest, visit.now_ms),
            much=max(MUCH_CARS, round(MUCH_SHARE * (standing.system or 0))),
            history=await self._records(visit, HISTORY),
        )

    async def _newest(self, visit: Visit) -> Recorded | None:
        return next(iter(await self._records(visit, 1)), None)

    async def _records(self, visit: Visit, most: int) -> list[Recorded]:
        wanted = Wanted(subject=f"lot {visit.word('lot')}", action="calibrate")
        return await database_audit.list_newest(self._ground.connections, most, wanted)

    def _picture(self, visit: Visit) -> LiveOccupancy | None:
        lot = self._ground.known(visit, visit.word("lot"))
        picture = self._ground.showcase.pictures.get(lot.lot_id)
        return None if picture is None else as_seen_at(picture, visit.now_ms)

    def _standing(self, visit: Visit) -> Standing:
        lot = self._ground.known(visit, visit.word("lot"))
        picture = self._picture(visit)
        if picture is None:
            return Standing(None, None, lot.capacity, None, 0, is_live=False)
        is_live = picture.quality is not Quality.STALE
        return Standing(
            picture.cars_inside if is_live else None,
            picture.cars_seen if is_live else None,
            picture.capacity,
            picture.drift_cars,
            picture.correction_number,
            is_live=is_live,
        )


def find_errors(form: Mapping[str, str], standing: Standing) -> dict[str, str]:
    """What is wrong with each field, in words."""
    errors = find_reason_flaw(form, "夜间盘点")
    counted = form.get("counted", "").strip()
    cars = whole_number(counted)
    if not counted:
        errors["counted"] = "请填写盘点到的在场车辆数"
    elif cars is None:
        errors["counted"] = f"“{counted[:20]}”不是车辆数：请填 0 到 {standing.capacity} 的整数"
    elif cars > standing.capacity:
        errors["counted"] = f"这里只有 {standing.capacity} 个车位，盘点数不能是 {cars}"
    if not standing.is_live:
        errors["counted"] = "车场失联，无法对照实时数；请恢复连接后再校准"
    elif whole_number(form.get("known", "")) is None:
        errors["counted"] = "表单不完整：请重新打开本页再提交"
    elif form.get("known", "") != str(standing.number):
        errors["known"] = "别人刚刚校准过这个车场：请看下面的记录，确认后再提交"
    return errors


def is_much(counted: int, standing: Standing) -> bool:
    """More than ten cars and more than a tenth of what the system has."""
    if standing.system is None:
        return True
    return abs(counted - standing.system) > max(MUCH_CARS, MUCH_SHARE * standing.system)
