"""`/board`: the big screen, complete before any script runs, then kept live by board.js."""

import asyncio
import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from aiohttp import web

from gateway.process import is_cancelled
from occupancy import database, history
from occupancy.live import Quality, Status
from occupancy.sign_faces import TownSign
from occupancy.web import sparkline
from occupancy.web.formats import SHANGHAI, LotDetail, SignNow
from occupancy.web.lots import known_lot
from occupancy.web.pages import Pages
from occupancy.web.routes import Route
from occupancy.web.schematic import Mark, draw
from occupancy.web.showcase import Showcase
from occupancy.web.static_files import StaticFiles

TREND_SPAN_MS = 3 * 3_600_000
TREND_STEP_SECONDS = 60
MINUTES_AN_HOUR = 60
DAY_MS = 24 * 3_600_000
TRENDS_EVERY_SECONDS = 60.0
RETRY_SECONDS = 3.0
WEEKDAYS = "一二三四五六日"
STATUS_WORDS = {
    Status.OPEN: "空闲",
    Status.ALMOST_FULL: "较满",
    Status.FULL: "已满",
    Status.CLOSED: "关闭",
    Status.NO_DATA: "数据失联",
}


@dataclass(frozen=True)
class Trend:
    """What the last hours brought; None where history does not tell."""

    free: tuple[float | None, ...] = ()  # a step a minute, from the first that is known
    entries_day: int | None = None
    exits_day: int | None = None

    @property
    def span(self) -> str:
        """How far back the line goes, in words."""
        minutes = len(self.free)
        if minutes < MINUTES_AN_HOUR:
            return f"近 {minutes} 分钟" if minutes else "暂无走势"
        return f"近 {minutes / MINUTES_AN_HOUR:.1f} 小时".replace(".0 ", " ")


class TrendQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`t` makes a browser ask again."""

    t: int = 0


class Board:
    """The page and its trend lines, which come from history and may be missing."""

    def __init__(
        self,
        showcase: Showcase,
        connections: database.Pool,
        static: StaticFiles,
        signs: Sequence[TownSign],
    ) -> None:
        self._showcase = showcase
        self._connections = connections
        self._pages = Pages(static)
        self._signs = signs
        self._static = static
        self._trends: dict[str, Trend] = {}

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/board", self.page, "The big screen", documented=False),
            Route(
                "GET",
                "/board/trend/{lot_id}.svg",
                self.trend,
                "A trend line",
                query=TrendQuery,
                documented=False,
            ),
            Route("GET", "/board/flows", self.flows, "Cars in and out, 24 h", documented=False),
            Route("GET", "/board/live-worker.js", self.worker, "The stream", documented=False),
            Route("GET", "/", self.home, "To the board", documented=False),
        ]

    async def page(self, _: web.Request, __: object) -> web.StreamResponse:
        lots = [self._showcase.detail(lot_id) for lot_id in self._showcase.lots]
        now = dt.datetime.fromtimestamp(self._showcase.now_ms() / 1_000, tz=SHANGHAI)
        text = self._pages.render(
            "board.html",
            lots=lots,
            words=STATUS_WORDS,
            status=Status,
            total=_total(lots),
            trends={lot.id: self._trends.get(lot.id, Trend()) for lot in lots},
            town_signs=self._shown_signs(lots),
            names={lot.id: lot.short_name for lot in lots},
            sign_lines={sign.sign_id: sign.lot_ids for sign in self._signs},
            schematic=draw([_mark(lot) for lot in lots]),
            date=f"{now.month} 月 {now.day} 日 周{WEEKDAYS[now.weekday()]}",
            clock=f"{now:%H:%M}",
        )
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    def _shown_signs(self, lots: list[LotDetail]) -> list[SignNow]:
        ids = {sign.sign_id for sign in self._signs}
        return [sign for lot in lots for sign in lot.signs if sign.id in ids]

    async def trend(self, request: web.Request, _: object) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        shown = self._trends.get(lot_id, Trend())
        body = sparkline.draw(shown.free, self._showcase.lots[lot_id].capacity)
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=body, content_type="image/svg+xml", headers=headers)

    async def flows(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.json_response(
            {
                lot_id: {
                    "entries": trend.entries_day,
                    "exits": trend.exits_day,
                    "span": trend.span,
                }
                for lot_id, trend in self._trends.items()
            }
        )

    async def worker(self, request: web.Request, _: object) -> web.StreamResponse:
        """One address for ever: a browser runs one shared worker an address."""
        return self._static.answer_plain(request, "live-worker.js")

    async def home(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/board"})

    async def keep_trends(self) -> None:
        """Read the last hours once a minute; while PostgreSQL is away the lines stand still."""
        while not is_cancelled():
            try:
                for lot_id in self._showcase.lots:
                    self._trends[lot_id] = await self._read(lot_id)
            except database.NOT_READY:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                known = any(v is not None for t in self._trends.values() for v in t.free)
                await asyncio.sleep(TRENDS_EVERY_SECONDS if known else RETRY_SECONDS)

    async def _read(self, lot_id: str) -> Trend:
        now_ms = self._showcase.now_ms()
        points = await history.read_series(
            self._connections, lot_id, now_ms - TREND_SPAN_MS, now_ms, TREND_STEP_SECONDS
        )
        flow = await history.read_flow(self._connections, lot_id, now_ms - DAY_MS, now_ms)
        known = tuple(itertools.dropwhile(lambda free: free is None, (p.free for p in points)))
        return Trend(known, flow.entries, flow.exits)


@dataclass(frozen=True)
class Total:
    """The district's sum over the car parks whose numbers may be shown."""

    free: int | None
    usable: int
    trusted: int
    lots: int


def _total(lots: list[LotDetail]) -> Total:
    told = [lot.live for lot in lots if lot.live.free is not None]
    free = sum(live.free or 0 for live in told) if told else None
    return Total(free, sum(live.usable or 0 for live in told), len(told), len(lots))


def _mark(lot: LotDetail) -> Mark:
    free = lot.live.free
    shown = "—" if free is None or lot.live.quality is Quality.STALE else str(free)
    label = {Status.FULL: "满", Status.CLOSED: "关"}.get(lot.status, shown)
    at = lot.place.wgs84
    return Mark(lot.id, lot.short_name, lot.status, label, at.lat, at.lng)
