"""One car park: its numbers, levels, machine groups, devices, signs, checks and what was done."""

from aiohttp import web

from occupancy import database, database_audit, database_corrections
from occupancy.database_audit import Wanted
from occupancy.permissions import Permission
from occupancy.web import board_view
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.lot_rows import row_of
from occupancy.web.admin.visit import Visit

MOST_CHECKS = 14
MOST_DEEDS = 20


class LotPage:
    """`/admin/lots/{lot}`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        path = "/admin/lots/{lot}"
        return [AdminRoute("GET", path, self.page, Permission.SEE, lot="lot")]

    async def page(self, visit: Visit) -> web.StreamResponse:
        ground = self._ground
        lot = ground.known(visit, visit.word("lot"))
        detail = ground.showcase.detail(lot.lot_id)
        connections = ground.connections
        checks, deeds, is_away = [], [], False
        try:
            checks = await database_corrections.list_checks(connections, lot.lot_id, MOST_CHECKS)
            deeds = await database_audit.list_newest(
                connections, MOST_DEEDS, Wanted(subject=f"lot {lot.lot_id}")
            )
        except database.NOT_READY:
            is_away = True
        alarms = ground.alarms.open.alarms
        return visit.page(
            "lot.html",
            lot=lot,
            detail=detail,
            row=row_of(detail, ground.trends.of(lot.lot_id)),
            alarms=[alarm for alarm in alarms if alarm.key.lot_id == lot.lot_id],
            faces=[
                face
                for face in board_view.faces([detail], ground.town_signs, ground.short_names())
                if any(sign.id == face.sign_id for sign in detail.signs)
            ],
            checks=checks,
            deeds=deeds,
            is_away=is_away,
        )
