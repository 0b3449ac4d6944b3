"""`/board`: the big screen, complete before any script runs, then kept live by board.js."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from occupancy import database
from occupancy.sign_faces import TownSign
from occupancy.web import board_view, sparkline
from occupancy.web.pages import Pages
from occupancy.web.routes import Route
from occupancy.web.schematic import Mark, draw
from occupancy.web.showcase import Showcase
from occupancy.web.sparkline import Sparkline
from occupancy.web.static_files import StaticFiles
from occupancy.web.trends import Trends


class TrendNow(msgspec.Struct, frozen=True):
    """One lot's last hours as the page draws them; cars in and out within what `counted` says.

    That is less than a day where history begins within it (`is_short`).
    """

    drawn: Sparkline
    span: str
    entries: int | None
    exits: int | None
    counted: str
    is_short: bool


class Board:
    """The page and its trend lines, which come from history and may be missing."""

    def __init__(
        self,
        showcase: Showcase,
        connections: database.Pool,
        static: StaticFiles,
        signs: Sequence[TownSign],
    ) -> None:
        self.trends = Trends(connections, showcase.now_ms)
        self._showcase = showcase
        self._pages = Pages(static)
        self._signs = [sign for sign in signs if not sign.at_entrance]
        self._static = static

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/board", self.page, "The big screen", documented=False, is_page=True),
            Route("GET", "/board/trends", self.drawn, "The last hours, drawn", documented=False),
            Route("GET", "/board/live-worker.js", self.worker, "The stream", documented=False),
            Route("GET", "/", self.home, "To the board", documented=False, is_page=True),
        ]

    async def page(self, _: web.Request, __: object) -> web.StreamResponse:
        lots = [self._showcase.detail(lot_id) for lot_id in self._showcase.lots]
        tiles = [board_view.tile(lot) for lot in lots]
        date, clock = board_view.date_words(self._showcase.now_ms())
        text = self._pages.render(
            "board.html",
            tiles=tiles,
            total=board_view.total(lots),
            trends={lot.id: self._trend(lot.id) for lot in lots},
            faces=board_view.faces(lots, self._signs),
            schematic=draw([_mark(tile) for tile in tiles]),
            words=msgspec.json.encode(board_view.WORDS).decode(),
            status_words=board_view.WORDS.status,
            view_box=f"0 0 {sparkline.WIDTH:.0f} {sparkline.HEIGHT:.0f}",
            date=date,
            clock=clock,
        )
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def drawn(self, _: web.Request, __: object) -> web.StreamResponse:
        body = msgspec.json.encode({lot_id: self._trend(lot_id) for lot_id in self._showcase.lots})
        headers = {"Cache-Control": "no-store"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def worker(self, request: web.Request, _: object) -> web.StreamResponse:
        """One address for ever: a browser runs one shared worker an address."""
        return self._static.answer_plain(request, "live-worker.js")

    async def home(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/board"})

    def _trend(self, lot_id: str) -> TrendNow:
        trend = self.trends.of(lot_id)
        drawn = sparkline.draw(trend.free, self._showcase.lots[lot_id].capacity)
        return TrendNow(
            drawn,
            trend.span,
            trend.entries_day,
            trend.exits_day,
            trend.counted(self._showcase.now_ms()),
            trend.flow_since_ms is not None,
        )


def _mark(tile: board_view.Tile) -> Mark:
    lot, at = tile.lot, tile.lot.place.wgs84
    return Mark(lot.id, lot.short_name, lot.status, tile.count, at.lat, at.lng)
