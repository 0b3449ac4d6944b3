"""Car parks brought in and taken out on a page: facts, first readings, a button, and removed."""

from collections.abc import Mapping

import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from occupancy import database_lots, database_tariffs, join_desk, snapshot
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.join_check import first_readings, reasons_to_wait
from occupancy.join_desk import LastLotError, NotReadyError
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot, Place, Thresholds, VehicleLimits
from occupancy.lot_change import CONFIRMABLE, BadFactsError
from occupancy.lot_desk import NoSuchLotError
from occupancy.lot_stage import Stage
from occupancy.permissions import Permission
from occupancy.web.admin import lot_form
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

JOINING = "/admin/joining"
# What a page that is not filled in yet begins with: an ordinary bay, nothing confirmed.
BLANK = Lot(
    lot_id="",
    name="",
    short_name="",
    address="",
    entrance=Place(0.0, 0.0),
    hotline="",
    capacity=0,
    groups=(),
    limits=VehicleLimits(5.0, 1.95, 2.0, 2.0),
    thresholds=Thresholds(0, 0, 1, almost_full_percent=20, full_percent=2),
    tariff_id="",
    placeholders=CONFIRMABLE,
)
_EMPTY_AT_FIRST = ("capacity", "latitude", "longitude")


class JoiningPage:
    """`/admin/joining` and `/admin/lots/{lot}/remove`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        needs, one = Permission.JOIN_LOTS, JOINING + "/{joining}"
        leave = "/admin/lots/{lot}/remove"
        return [
            AdminRoute("GET", JOINING, self.every, needs, town_wide=True),
            AdminRoute("GET", JOINING + "/new", self.ask, needs, town_wide=True),
            AdminRoute("POST", JOINING + "/new", self.begin, needs, town_wide=True),
            AdminRoute("GET", one, self.show, needs, town_wide=True),
            AdminRoute("GET", one + "/open", self.readings, needs, town_wide=True),
            AdminRoute("POST", one + "/live", self.go_live, needs, town_wide=True),
            AdminRoute("POST", one + "/withdraw", self.withdraw, needs, town_wide=True),
            AdminRoute("GET", leave, self.ask_remove, needs, lot="lot", town_wide=True),
            AdminRoute("POST", leave, self.remove, needs, lot="lot", town_wide=True),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        staged = await database_lots.list_staged(self._ground.connections)
        removed = [one for one in staged if one.stage is Stage.REMOVED]
        joining = [
            (one.lot, await self._reasons(one.lot, await self._picture(one.lot.lot_id), visit))
            for one in staged
            if one.stage is Stage.JOINING
        ]
        return visit.page("joining.html", joining=joining, removed=removed)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Empty, or with what is kept of a car park that joins (`?lot=`)."""
        lot_id = visit.asked("lot")
        kept = await database_lots.find_lot(self._ground.connections, lot_id) if lot_id else None
        if kept is None or kept.stage is Stage.LIVE:
            empty = {**lot_form.as_form(BLANK), **dict.fromkeys(_EMPTY_AT_FIRST, "")}
            values, version = {"lot_id": "", "tariff_id": "", **empty}, 0
        else:
            own = {"lot_id": kept.lot.lot_id, "tariff_id": kept.lot.tariff_id}
            values, version = {**own, **lot_form.as_form(kept.lot)}, kept.version
        return await self._form(visit, 200, visit.restored or values, version, {})

    async def begin(self, visit: Visit) -> web.StreamResponse:
        form, version = visit.form, whole_number(visit.form.get("version", "")) or 0
        wanted, errors = lot_form.read_form(form, BLANK)
        wanted = msgspec.structs.replace(
            wanted,
            lot_id=form.get("lot_id", "").strip(),
            tariff_id=form.get("tariff_id", "").strip(),
        )
        tariffs = await self._tariffs()
        if wanted.tariff_id not in tariffs:
            errors["tariff_id"] = "请选择收费标准；没有合适的，先选最接近的，上线前再改"
        if errors:
            return await self._form(visit, 400, form, version, errors)
        try:
            await join_desk.begin(
                self._ground.connections,
                wanted,
                by=visit.person.name,
                reason=form.get("reason", ""),
                version=version,
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, version, {refusal.field: refusal.words})
        except BadFactsError as refusal:
            return await self._form(visit, 400, form, version, refusal.remarks)
        except SettledError as refusal:
            return await self._form(visit, 409, form, version, {"lot_id": str(refusal)})
        except StaleEditError:
            words = "这个编号正在接入或曾经接入过：请从“新车场”的列表打开它，或另取一个编号"
            return await self._form(visit, 409, form, version, {"lot_id": words})
        done = f"{wanted.short_name} 的资料已保存，等待首批数据"
        return visit.see_other(f"{JOINING}/{wanted.lot_id}", done=done)

    async def show(self, visit: Visit) -> web.StreamResponse:
        return await self._show(visit, 200, {})

    async def readings(self, visit: Visit) -> web.StreamResponse:
        lot = await self._joining(visit)
        return visit.fragment("joining_readings.html", **await self._heard(visit, lot))

    async def go_live(self, visit: Visit) -> web.StreamResponse:
        lot = await self._joining(visit)
        try:
            await join_desk.go_live(
                self._ground.connections,
                lot.lot_id,
                await self._picture(lot.lot_id),
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._show(visit, 400, {refusal.field: refusal.words})
        except NotReadyError as refusal:
            return await self._show(visit, 409, {"live": "；".join(refusal.reasons)})
        except (NoSuchLotError, SettledError) as refusal:
            raise Problem(409, str(refusal), field="joining") from None
        self._ground.showcase.settle({**self._ground.showcase.lots, lot.lot_id: lot})
        self._desk.tell_all()
        return visit.see_other(f"/admin/lots/{lot.lot_id}", done=f"{lot.short_name} 已上线")

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        lot = await self._joining(visit)
        try:
            await join_desk.withdraw(
                self._ground.connections,
                lot.lot_id,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
            )
        except BadEditError as refusal:
            return await self._show(visit, 400, {"give_up": refusal.words})
        except (NoSuchLotError, SettledError) as refusal:
            raise Problem(409, str(refusal), field="joining") from None
        return visit.see_other(JOINING, done=f"{lot.short_name} 不再接入")

    async def ask_remove(self, visit: Visit) -> web.StreamResponse:
        lot = self._ground.known(visit, visit.word("lot"))
        return visit.page("lot_remove.html", lot=lot, values=visit.restored, errors={})

    async def remove(self, visit: Visit) -> web.StreamResponse:
        lot = self._ground.known(visit, visit.word("lot"))
        errors: Mapping[str, str] = {}
        if visit.form.get("sure") != "yes":
            errors = {"sure": "请勾选确认"}
        else:
            try:
                await join_desk.remove(
                    self._ground.connections,
                    lot.lot_id,
                    by=visit.person.name,
                    reason=visit.form.get("reason", ""),
                    now_ms=visit.now_ms,
                )
            except BadEditError as refusal:
                errors = {refusal.field: refusal.words}
            except LastLotError as refusal:
                errors = {"sure": str(refusal)}
            except (NoSuchLotError, SettledError) as refusal:
                raise Problem(409, str(refusal), field="lot") from None
        if errors:
            return visit.page("lot_remove.html", 400, lot=lot, values=visit.form, errors=errors)
        others = self._ground.showcase.lots.items()
        self._ground.showcase.settle({key: one for key, one in others if key != lot.lot_id})
        self._desk.tell_all()
        done = f"{lot.short_name} 已移除，历史、报告和操作日志保留"
        return visit.see_other("/admin/lots", done=done)

    async def _show(
        self, visit: Visit, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        lot = await self._joining(visit)
        return visit.page(
            "joining_lot.html",
            status,
            values=visit.form or visit.restored,
            errors=errors,
            gcj02=lot_form.in_gcj02(lot.entrance),
            **await self._heard(visit, lot),
        )

    async def _heard(self, visit: Visit, lot: Lot) -> dict[str, object]:
        picture = await self._picture(lot.lot_id)
        return {
            "lot": lot,
            "picture": picture,
            "lines": first_readings(picture) if picture else [],
            "reasons": await self._reasons(lot, picture, visit),
            "age_seconds": picture and max(0, visit.now_ms - picture.observed_at_ms) // 1_000,
        }

    async def _reasons(self, lot: Lot, picture: LiveOccupancy | None, visit: Visit) -> list[str]:
        return reasons_to_wait(lot, picture, await self._tariffs(), visit.now_ms)

    async def _tariffs(self) -> list[str]:
        tariffs = await database_tariffs.list_tariffs(self._ground.connections)
        return sorted({one.tariff_id for one in tariffs})

    async def _picture(self, lot_id: str) -> LiveOccupancy | None:
        """What the recorder makes of it; nothing while Redis is away."""
        try:
            pictures = await snapshot.read_all(self._ground.redis, [lot_id])
        except (RedisError, OSError):
            return None
        return pictures[0] if pictures else None

    async def _joining(self, visit: Visit) -> Lot:
        lot_id = visit.word("joining")
        kept = await database_lots.find_lot(self._ground.connections, lot_id)
        if kept is None or kept.stage is not Stage.JOINING:
            raise Problem(404, f"{lot_id[:40]} 没有在接入", field="joining")
        return kept.lot

    async def _form(
        self,
        visit: Visit,
        status: int,
        values: Mapping[str, str],
        version: int,
        errors: Mapping[str, str],
    ) -> web.StreamResponse:
        return visit.page(
            "joining_new.html",
            status,
            values=values,
            version=version,
            errors=errors,
            marks=set(values.get("unconfirmed", "").split()),
            confirmable=CONFIRMABLE,
            tariffs=[(one, self._ground.name_of(one)) for one in await self._tariffs()],
            lot=None,
        )
