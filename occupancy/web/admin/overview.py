"""The overview and the list of car parks: worst first, live, with what waits beside it."""

from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import web

from occupancy import database, database_audit
from occupancy.alarm import Alarm, Severity
from occupancy.audit import Recorded
from occupancy.database_audit import Wanted
from occupancy.permissions import Permission
from occupancy.web import board_view, schematic
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.lot_rows import Row, in_order, row_of, sum_of
from occupancy.web.admin.visit import Visit
from occupancy.web.formats import LotDetail
from occupancy.web.schematic import Mark
from occupancy.web.trend import Trend

NEWEST_DEEDS = 6
NEWEST_ALARMS = 8
ROWS = 20  # of the table at once: the tightest, and a page of all
MOST_DIGITS = 6
_RANK = {severity: place for place, severity in enumerate(Severity)}


_DEEDS = (Permission.CALIBRATE, Permission.CLOSE)  # what a row has buttons for


class _Made(NamedTuple):
    """A row, what it was made from, and its text for each language and each set of buttons."""

    lot: LotDetail
    trend: Trend
    row: Row
    texts: dict[tuple[str, ...], str]


class _Page(NamedTuple):
    """The text of some of the rows: the page of this number, of so many."""

    rows: list[str]
    number: int
    of: int


class Overview:
    """`/admin/` and `/admin/lots`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground
        self._made: dict[str, _Made] = {}

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/", self.page, Permission.SEE),
            AdminRoute("GET", "/admin/table", self.table, Permission.SEE),
            AdminRoute("GET", "/admin/waiting", self.waiting, Permission.SEE),
            AdminRoute("GET", "/admin/deeds", self.deeds, Permission.SEE),
            AdminRoute("GET", "/admin/lots", self.lots, Permission.SEE),
        ]

    async def page(self, visit: Visit) -> web.StreamResponse:
        lots = self._in_order(visit)
        tightest = lots[:ROWS]
        alarms = self._open_alarms(visit)
        date, clock = board_view.date_words(visit.now_ms)
        return visit.page(
            "overview.html",
            rows=self._texts(visit, tightest),
            own=" ".join(visit.person.lots),
            sum=sum_of(lots, [self._ground.trends.of(lot.id) for lot in lots]),
            alarms=alarms,
            oldest_ms=min((a.raised_at_ms for a in alarms), default=None),
            faces=board_view.faces(lots, self._ground.town_signs, self._ground.short_names()),
            schematic=schematic.draw([_mark(self._made_of(lot).row) for lot in tightest]),
            deeds=await self._newest_deeds(visit),
            date=date,
            clock=clock,
        )

    async def table(self, visit: Visit) -> web.StreamResponse:
        """Ordered anew; the numbers in between come by the stream."""
        return visit.fragment("lot_table.html", rows=self._page_of(visit).rows)

    async def waiting(self, visit: Visit) -> web.StreamResponse:
        return visit.fragment("waiting_alarms.html", alarms=self._open_alarms(visit))

    async def deeds(self, visit: Visit) -> web.StreamResponse:
        return visit.fragment("newest_deeds.html", deeds=await self._newest_deeds(visit))

    async def lots(self, visit: Visit) -> web.StreamResponse:
        shown = self._page_of(visit)
        return visit.page("lots.html", rows=shown.rows, page=shown.number, pages=shown.of)

    def _page_of(self, visit: Visit) -> "_Page":
        """The rows of the page that is asked for, the first where none is."""
        lots = self._in_order(visit)
        pages = max(1, -(-len(lots) // ROWS))
        number = min(pages, _page_number(visit.asked("page")))
        shown = lots[ROWS * (number - 1) : ROWS * number]
        return _Page(self._texts(visit, shown), number, pages)

    def _in_order(self, visit: Visit) -> list[LotDetail]:
        return in_order(self._ground.lots_of(visit))

    def _texts(self, visit: Visit, lots: Sequence[LotDetail]) -> list[str]:
        """A row is written once for all who see it alike: it is half of what a page costs."""
        return [self._text(visit, self._made_of(lot)) for lot in lots]

    def _text(self, visit: Visit, made: "_Made") -> str:
        may = {deed.value: visit.may(deed, made.lot.id) for deed in _DEEDS}
        seen = (visit.language, *(deed for deed, allowed in may.items() if allowed))
        if seen not in made.texts:
            made.texts[seen] = visit.piece("lot_row.html", row=made.row, may=may)
        return made.texts[seen]

    def _made_of(self, lot: LotDetail) -> "_Made":
        """Made once for everybody, until the lot or its trend is another."""
        trend, made = self._ground.trends.of(lot.id), self._made.get(lot.id)
        if made is None or made.lot is not lot or made.trend is not trend:
            made = self._made[lot.id] = _Made(lot, trend, row_of(lot, trend), {})
        return made

    def _open_alarms(self, visit: Visit) -> list[Alarm]:
        alarms = [a for a in self._ground.alarms.open.alarms if visit.sees(a.key.lot_id)]
        return sorted(alarms, key=lambda a: (_RANK[a.severity], a.raised_at_ms))[:NEWEST_ALARMS]

    async def _newest_deeds(self, visit: Visit) -> list[Recorded]:
        """What was done lately; nothing while PostgreSQL is away: the page must stand."""
        try:
            return await database_audit.list_newest(
                self._ground.connections, NEWEST_DEEDS, Wanted(lots=visit.person.lots)
            )
        except database.NOT_READY:
            return []


def _page_number(text: str) -> int:
    """The first where it is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return max(1, int(text)) if is_number else 1


def _mark(row: Row) -> Mark:
    lot, at = row.tile.lot, row.tile.lot.place.wgs84
    return Mark(lot.id, lot.short_name, lot.status, row.tile.count, at.lat, at.lng)
