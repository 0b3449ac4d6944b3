"""The facts of a car park: names, place, limits, thresholds, what nobody has confirmed; edited."""

from collections.abc import Mapping

from aiohttp import web

from occupancy import database_lots, lot_desk
from occupancy.database_lots import KeptLot
from occupancy.edit import BadEditError, StaleEditError
from occupancy.lot_change import CONFIRMABLE, BadFactsError
from occupancy.lot_desk import NoSuchLotError
from occupancy.permissions import Permission
from occupancy.web.admin import lot_form
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem


class LotFactsPage:
    """`/admin/lots/{lot}/facts`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        path, needs = "/admin/lots/{lot}/facts", Permission.EDIT_LOTS
        return [
            AdminRoute("GET", path, self.ask, needs, lot="lot"),
            AdminRoute("POST", path, self.change, needs, lot="lot"),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        return self._form(visit, 200, kept, visit.restored or lot_form.as_form(kept.lot), {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        form, kept = visit.form, await self._kept(visit)
        wanted, errors = lot_form.read_form(form, kept.lot)
        if errors:
            return self._form(visit, 400, kept, form, errors)
        try:
            changed = await lot_desk.change_lot(
                self._ground.connections,
                wanted,
                version=whole_number(form.get("version", "")) or 0,
                by=visit.person.name,
                reason=form.get("reason", ""),
                may_move_far=form.get("far") == "yes",
            )
        except BadEditError as refusal:
            return self._form(visit, 400, kept, form, {refusal.field: refusal.words})
        except BadFactsError as refusal:
            return self._form(visit, 400, kept, form, refusal.remarks)
        except StaleEditError:
            return self._conflict(visit, await self._kept(visit))
        except NoSuchLotError as refusal:
            raise Problem(404, str(refusal), field="lot") from None
        self._ground.showcase.know({changed.lot_id: changed})
        self._desk.tell_all()
        done = f"{changed.short_name} 的资料已修改，几秒内生效"
        return visit.see_other(f"/admin/lots/{changed.lot_id}", done=done)

    def _conflict(self, visit: Visit, kept: KeptLot) -> web.StreamResponse:
        """Both versions, field beside field; what was typed stays in the form."""
        theirs, mine = lot_form.as_form(kept.lot), visit.form
        rows = [(name, mine.get(name, ""), value) for name, value in theirs.items()]
        words = f"{kept.changed_by} 刚刚改过：你的改动没有保存，请对照两个版本后再提交"
        differing = [row for row in rows if row[1] != row[2]]
        return self._form(visit, 409, kept, mine, {"conflict": words}, differing)

    async def _kept(self, visit: Visit) -> KeptLot:
        lot = self._ground.known(visit, visit.word("lot"))
        kept = await database_lots.find_lot(self._ground.connections, lot.lot_id)
        if kept is None:
            raise Problem(404, f"数据库里还没有 {lot.lot_id} 的资料：请先运行 zhibo migrate")
        return kept

    def _form(
        self,
        visit: Visit,
        status: int,
        kept: KeptLot,
        values: Mapping[str, str],
        errors: Mapping[str, str],
        differing: list[tuple[str, str, str]] | None = None,
    ) -> web.StreamResponse:
        picture = self._ground.showcase.pictures.get(kept.lot.lot_id)
        return visit.page(
            "lot_facts.html",
            status,
            lot=kept.lot,
            version=kept.version,
            values=values,
            errors=errors,
            differing=differing or [],
            marks=set(values.get("unconfirmed", "").split()),
            confirmable=CONFIRMABLE,
            gcj02=lot_form.in_gcj02(kept.lot.entrance),
            tight=kept.lot.tight,
            told_capacity=None if picture is None else picture.capacity,
        )
