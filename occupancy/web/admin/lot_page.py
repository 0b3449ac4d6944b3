"""One car park in its tabs: live, groups, history, forecast, devices, tariff, and what was done."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from occupancy import (
    database,
    database_audit,
    database_corrections,
    database_explore,
    database_tariffs,
    tariff_desk,
)
from occupancy.database_audit import Wanted
from occupancy.explore import QUARTER_SECONDS, Subject, plan_steps
from occupancy.lot import Lot
from occupancy.permissions import Permission
from occupancy.price_words import Language
from occupancy.tariff_clock import local_minute, written
from occupancy.tariff_preview import preview
from occupancy.web import board_view
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.day_chart import draw_ahead, draw_past, hours_of
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.lot_rows import row_of
from occupancy.web.admin.visit import Visit
from occupancy.web.formats import PriceInWords
from occupancy.web.outlook import OutlookOf
from occupancy.web.quotes import price_in_words

MOST_CHECKS = 14
MOST_DEEDS = 50
DAY_MS = 86_400_000
WEEKS_BACK = 1
TABS: Mapping[str, str] = {
    "live": "实时",
    "groups": "机组",
    "history": "历史",
    "forecast": "预测",
    "devices": "设备",
    "tariff": "收费",
    "log": "记录",
}
Values = Mapping[str, object]


class LotPage:
    """`/admin/lots/{lot}`, and a page for each tab below it: links, so no script is needed."""

    def __init__(self, ground: AdminGround, outlook: OutlookOf) -> None:
        self._ground = ground
        self._outlook = outlook

    def routes(self) -> list[AdminRoute]:
        path = "/admin/lots/{lot}"
        pages = {
            "": self.live,
            "/groups": self.groups,
            "/history": self.history,
            "/forecast": self.forecast,
            "/devices": self.devices,
            "/tariff": self.tariff,
            "/log": self.log,
        }
        return [
            AdminRoute("GET", path + part, answer, Permission.SEE, lot="lot")
            for part, answer in pages.items()
        ]

    async def live(self, visit: Visit) -> web.StreamResponse:
        lot = self._lot(visit)
        detail = self._ground.showcase.detail(lot.lot_id)
        alarms = self._ground.alarms.open.alarms
        names, signs = self._ground.short_names(), self._ground.town_signs
        own = {sign.id for sign in detail.signs}
        faces = board_view.faces([detail], signs, names)
        return self._tab(
            visit,
            "live",
            english_price=self._english_price(lot, visit.now_ms),
            alarms=[alarm for alarm in alarms if alarm.key.lot_id == lot.lot_id],
            faces=[face for face in faces if face.sign_id in own],
        )

    async def groups(self, visit: Visit) -> web.StreamResponse:
        return self._tab(visit, "groups")

    async def devices(self, visit: Visit) -> web.StreamResponse:
        return self._tab(visit, "devices")

    async def history(self, visit: Visit) -> web.StreamResponse:
        lot = self._lot(visit)

        async def read() -> Values:
            connections = self._ground.connections
            plan = plan_steps(visit.now_ms - DAY_MS, visit.now_ms, visit.now_ms, QUARTER_SECONDS)
            explored = await database_explore.explore(
                self._ground.history, Subject(lot.lot_id), plan, WEEKS_BACK
            )
            checks = await database_corrections.list_checks(connections, lot.lot_id, MOST_CHECKS)
            chart = draw_past(explored, lot.capacity)
            return {"chart": chart, "hours": hours_of(explored) if chart else [], "checks": checks}

        return await self._kept(visit, "history", read, {"chart": None, "hours": [], "checks": []})

    async def forecast(self, visit: Visit) -> web.StreamResponse:
        lot = self._lot(visit)
        outlook = self._outlook(lot.lot_id)
        picture = self._ground.showcase.pictures.get(lot.lot_id)
        usable = lot.capacity if picture is None else picture.usable
        chart = draw_ahead(outlook, usable)
        return self._tab(visit, "forecast", outlook=outlook, chart=chart)

    async def tariff(self, visit: Visit) -> web.StreamResponse:
        """The price in force is in memory; who published which version is in PostgreSQL."""
        lot = self._lot(visit)
        current = self._ground.shelf.book.find_current(lot.tariff_id, local_minute(visit.now_ms))
        nothing: Values = {"versions": [], "current": None, "prices": None, "written": written}

        async def read() -> Values:
            connections = self._ground.connections
            calendar = await tariff_desk.read_calendar(connections)
            return {
                **nothing,
                "current": current,
                "prices": None if current is None else preview(current, calendar),
                "versions": await database_tariffs.list_versions(connections, lot.tariff_id),
            }

        return await self._kept(visit, "tariff", read, nothing)

    async def log(self, visit: Visit) -> web.StreamResponse:
        lot = self._lot(visit)

        async def read() -> Values:
            wanted = Wanted(subject=f"lot {lot.lot_id}")
            connections = self._ground.connections
            return {"deeds": await database_audit.list_newest(connections, MOST_DEEDS, wanted)}

        return await self._kept(visit, "log", read, {"deeds": []})

    def _english_price(self, lot: Lot, now_ms: int) -> PriceInWords | None:
        current = self._ground.shelf.book.find_current(lot.tariff_id, local_minute(now_ms))
        return None if current is None else price_in_words(current, Language.ENGLISH)

    def _lot(self, visit: Visit) -> Lot:
        return self._ground.known(visit, visit.word("lot"))

    async def _kept(
        self, visit: Visit, tab: str, read: Callable[[], Awaitable[Values]], nothing: Values
    ) -> web.StreamResponse:
        """With what PostgreSQL holds; while it is away the page says so and shows the rest."""
        try:
            values, is_away = await read(), False
        except database.NOT_READY:
            values, is_away = nothing, True
        return self._tab(visit, tab, is_away=is_away, **values)

    def _tab(
        self, visit: Visit, tab: str, *, is_away: bool = False, **values: object
    ) -> web.StreamResponse:
        lot, ground = self._lot(visit), self._ground
        detail = ground.showcase.detail(lot.lot_id)
        return visit.page(
            "lot.html" if tab == "live" else f"lot_{tab}.html",
            200,
            lot=lot,
            detail=detail,
            row=row_of(detail, ground.trends.of(lot.lot_id)),
            tab=tab,
            tabs=TABS,
            is_away=is_away,
            **values,
        )
