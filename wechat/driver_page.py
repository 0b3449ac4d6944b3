"""`/m/`: the driver's page inside WeChat, whole without a script; driver.js keeps it true."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Protocol
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy.lot import Place
from occupancy.price_board import BoardRow, PriceBoard
from occupancy.stay import QuoteError, Stay
from occupancy.tariff import Tariff
from occupancy.tariff_book import UnknownTariffError
from occupancy.tariff_clock import local_minute
from occupancy.tariff_quote import quote
from occupancy.web import bodies
from occupancy.web.floors import Ground
from occupancy.web.formats import LotSummary
from occupancy.web.lots import known_lot
from occupancy.web.pages import Pages
from occupancy.web.problems import Problem
from occupancy.web.quote_formats import quote_document
from occupancy.web.routes import Answer, Route
from occupancy.web.schematic import Goal, Mark, draw
from occupancy.web.security import page_policy
from occupancy.web.static_files import StaticFiles
from wechat import driver_view
from wechat.driver_view import Card, Fee

FOLDER = "/m/static/"
WECHAT_SCRIPTS = "https://res.wx.qq.com"
DEFAULT_STAY_MINUTES = 120
MOST_DESTINATION_LETTERS = 60
MOST_VISIT_LETTERS, VISIT_BYTES = 40, 9
MOST_REPORT_LETTERS = 500
_MINUTE_MS = 60_000
REFUSALS = {
    400: "这个网址打不开，请从“找车位”重新进入",
    403: "请在报错页面里填写并提交",
    404: "没有这个停车场，请从“找车位”里选择",
    408: "网络太慢，没有传完，请再试一次",
    413: "内容太长，请写得短一些",
}
WISHES = (("", "综合"), ("cheap", "便宜"), ("near", "少走路"), ("sure", "有把握"))


class AdvisedLot(msgspec.Struct, frozen=True):
    """One recommended car park; `link` leads there, and tells us that it was chosen."""

    lot_id: str
    chance: str
    reasons: tuple[str, ...]
    link: str


class Advice(msgspec.Struct, frozen=True):
    """Where to park for one destination (WGS-84), in words; those left out with why."""

    destination: str
    place: Place
    verdict: str
    options: tuple[AdvisedLot, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


class Unclear(msgspec.Struct, frozen=True):
    """Why there is no advice, and which destinations may have been meant."""

    problem: str
    choices: tuple[str, ...] = ()


class Advisor(Protocol):
    """Who recommends car parks by destination."""

    async def advise(self, to: str, stay_minutes: int, wish: str, visit: str) -> Advice | Unclear:
        """The advice for a destination in a driver's own words; `visit` stands for the driver."""


class Reports(Protocol):
    """Who keeps what citizens report, for the operators to see beside the car park."""

    async def keep(self, lot_id: str, kind: str, words: str) -> bool:
        """False while it cannot be kept."""


class FindQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to, for how long (minutes), what counts."""

    to: Annotated[str, Meta(description="目的地")] = ""
    stay: str = ""
    prefer: str = ""
    elder: str = ""
    visit: Annotated[str, Meta(max_length=MOST_VISIT_LETTERS, description="由页面生成")] = ""


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page about one car park or all."""

    stay: str = ""
    lot: str = ""
    elder: str = ""


class _Asked(msgspec.Struct, frozen=True):
    to: str
    stay: int
    prefer: str


class _Reported(msgspec.Struct, frozen=True):
    lot: str = ""
    kind: str = ""
    words: str = ""


class DriverPage:
    """The pages; numbers come from the live pictures, prices from the tariffs in force."""

    def __init__(
        self, ground: Ground, advisor: Advisor, reports: Reports, wechat_app_id: str = ""
    ) -> None:
        self._showcase = ground.showcase
        self._shelf = ground.shelf
        self._clock = ground.clock
        self._advisor = advisor
        self._reports = reports
        self._app_id = wechat_app_id
        self._static = StaticFiles(ground.clock, "wechat", FOLDER)
        self._pages = Pages(self._static, "wechat")

    def routes(self) -> list[Route]:
        def page(
            path: str,
            answer: Answer,
            summary: str,
            query: type[msgspec.Struct] = PageQuery,
            method: str = "GET",
        ) -> Route:
            return Route(
                method,
                path,
                self._or_says_why(answer),
                summary,
                query=query,
                documented=False,
                is_page=True,
            )

        return [
            page("/m/", self.find, "Where to park", FindQuery),
            page("/m", self.home, "To the driver's page", FindQuery),
            page("/m/lots/{lot_id}", self.lot, "One car park"),
            page("/m/prices", self.prices, "Every price board"),
            page("/m/privacy", self.privacy, "What is kept"),
            page("/m/report", self.report, "Something is wrong"),
            page("/m/report", self.keep_report, "Something is wrong", method="POST"),
            *self._static.file_routes(),
        ]

    def _or_says_why(self, answer: Answer) -> Answer:
        """What is refused is a page, too, with the way on."""

        async def shown(request: web.Request, query: FindQuery | PageQuery) -> web.StreamResponse:
            try:
                return await answer(request, query)
            except Problem as problem:
                status = problem.document.status
                words = REFUSALS.get(status, REFUSALS[400])
                return self._page("refusal.html", "", query.elder, status, refusal=words)

        return shown

    async def home(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/m/"})

    async def find(self, _: web.Request, query: FindQuery) -> web.StreamResponse:
        asked, problem = _asked(query)
        advice: Advice | Unclear | None = None
        if asked.to and not problem:
            advice = await self._advisor.advise(asked.to, asked.stay, asked.prefer, query.visit)
        cards = self._cards()
        shown = None
        if isinstance(advice, Unclear):
            problem = advice.problem
        elif advice is not None:
            shown = _shown(advice, cards)
        return self._page(
            "find.html",
            "find",
            query.elder,
            asked=asked,
            # Who loads the page anew is the same driver: nothing is promised to him twice.
            visit=query.visit or secrets.token_urlsafe(VISIT_BYTES),
            stays=driver_view.stay_choices(asked.stay),
            wishes=WISHES,
            problem=problem,
            choices=advice.choices if isinstance(advice, Unclear) else (),
            advice=shown,
            all=driver_view.by_promise(cards.values()),
            schematic=draw([_mark(card) for card in cards.values()], _goal(advice)),
        )

    async def lot(self, request: web.Request, query: PageQuery) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        stay = driver_view.chosen_stay(query.stay) or DEFAULT_STAY_MINUTES
        fee, problem = self._fee(lot_id, stay)
        tariff = self._tariff(lot_id)
        return self._page(
            "lot.html",
            "find",
            query.elder,
            card=self._card(lot_id),
            levels=driver_view.levels(self._showcase.detail(lot_id)),
            stay=stay,
            stay_words=driver_view.stay_words(stay),
            fee=fee,
            problem=problem,
            board=_board(tariff),
            is_unconfirmed=tariff is not None and bool(tariff.placeholders),
        )

    async def prices(self, _: web.Request, query: PageQuery) -> web.StreamResponse:
        found = [(lot_id, self._tariff(lot_id)) for lot_id in self._showcase.lots]
        boards = [
            (
                self._showcase.summary(lot_id),
                _board(tariff),
                tariff is not None and bool(tariff.placeholders),
            )
            for lot_id, tariff in found
        ]
        return self._page("prices.html", "prices", query.elder, boards=boards)

    async def privacy(self, _: web.Request, query: PageQuery) -> web.StreamResponse:
        return self._page("privacy.html", "privacy", query.elder)

    async def report(self, _: web.Request, query: PageQuery) -> web.StreamResponse:
        return self._report_page(query, _Reported(lot=query.lot))

    async def keep_report(self, request: web.Request, query: PageQuery) -> web.StreamResponse:
        """A form of this page only: a browser says where a form comes from."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Problem(403, "this form is sent from our own page only")
        form = dict(await bodies.read_form(request))
        told = {name: form.get(name, "") for name in _Reported.__struct_fields__}
        reported = msgspec.convert(told, _Reported)
        problem = self._wrong(reported)
        if problem:
            return self._report_page(query, reported, problem, status=400)
        if await self._reports.keep(reported.lot, reported.kind, reported.words.strip()):
            return self._report_page(query, _Reported(lot=reported.lot), is_kept=True)
        away = "暂时无法提交，请稍后再试，或拨打停车场电话；您写的话还在下面"
        return self._report_page(query, reported, away, status=503)

    def _wrong(self, reported: _Reported) -> str:
        if reported.lot not in self._showcase.lots:
            return "请选择停车场"
        if reported.kind not in {kind for kind, _ in driver_view.KINDS}:
            return "请选择问题"
        if len(reported.words) > MOST_REPORT_LETTERS:
            return f"补充说明最多 {MOST_REPORT_LETTERS} 字"
        return ""

    def _report_page(
        self,
        query: PageQuery,
        reported: _Reported,
        problem: str = "",
        *,
        is_kept: bool = False,
        status: int = 200,
    ) -> web.StreamResponse:
        return self._page(
            "report.html",
            "report",
            query.elder,
            status,
            lots=[self._showcase.summary(lot_id) for lot_id in self._showcase.lots],
            kinds=driver_view.KINDS,
            asked=reported,
            problem=problem,
            is_kept=is_kept,
            lot=reported.lot,
        )

    def _cards(self) -> dict[str, Card]:
        self._showcase.let_age()
        return {lot_id: self._card(lot_id) for lot_id in self._showcase.lots}

    def _card(self, lot_id: str) -> Card:
        self._showcase.let_age()
        picture = self._showcase.pictures.get(lot_id)
        observed_at_ms = None if picture is None else picture.observed_at_ms
        return driver_view.card(self._showcase.summary(lot_id), self._clock(), observed_at_ms)

    def _tariff(self, lot_id: str) -> Tariff | None:
        tariff_id = self._showcase.lots[lot_id].tariff_id
        return self._shelf.book.find_current(tariff_id, local_minute(self._clock()))

    def _fee(self, lot_id: str, stay_minutes: int) -> tuple[Fee | None, str]:
        """The fee for a stay that begins now, or why there is none."""
        try:
            versions = self._shelf.book.get_versions(self._showcase.lots[lot_id].tariff_id)
            stay = Stay(self._clock(), self._clock() + stay_minutes * _MINUTE_MS)
            answer = quote(versions, stay)
        except (UnknownTariffError, QuoteError):
            return None, "暂时无法试算，请看下面的收费公示"
        used = next(one.tariff for one in versions if one.tariff.version == answer.versions[0])
        return driver_view.fee(quote_document(lot_id, stay, answer, used), stay_minutes), ""

    def _page(
        self, template: str, here: str, elder: str, status: int = 200, **values: object
    ) -> web.StreamResponse:
        is_elder = elder == "1"

        def link(path: str, **query: object) -> str:
            kept = {"elder": "1"} if is_elder else {}
            told = {name: value for name, value in query.items() if value not in ("", None)}
            return f"{path}?{urlencode({**told, **kept})}" if {**told, **kept} else path

        text = self._pages.render(
            template,
            here=here,
            elder=is_elder,
            other_mode="?" if is_elder else "?elder=1",
            link=link,
            open_words=_open_words,
            words=msgspec.json.encode(driver_view.WORDS).decode(),
            wechat_app_id=self._app_id,
            **values,
        )
        headers = {"Cache-Control": "no-store"}
        if self._app_id:
            headers["Content-Security-Policy"] = page_policy(WECHAT_SCRIPTS)
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _asked(query: FindQuery) -> tuple[_Asked, str]:
    """What was asked, and what is wrong with it in a driver's words."""
    stay = driver_view.chosen_stay(query.stay) if query.stay else DEFAULT_STAY_MINUTES
    prefer = query.prefer if query.prefer in {wish for wish, _ in WISHES} else ""
    to = query.to.strip()
    if len(to) > MOST_DESTINATION_LETTERS:
        problem = f"目的地最多 {MOST_DESTINATION_LETTERS} 字，请写得短一些"
        return _Asked(to[:MOST_DESTINATION_LETTERS], stay or DEFAULT_STAY_MINUTES, prefer), problem
    if stay is None:
        return _Asked(to, DEFAULT_STAY_MINUTES, prefer), "停放时间请在 1 分钟到 24 小时之间选择"
    return _Asked(to, stay, prefer), ""


def _shown(advice: Advice, cards: Mapping[str, Card]) -> Mapping[str, object]:
    return {
        "destination": advice.destination,
        "verdict": advice.verdict,
        "options": [
            {
                "card": cards[option.lot_id],
                "chance": option.chance,
                "reasons": option.reasons,
                "link": option.link,
            }
            for option in advice.options
        ],
        "left_out": advice.left_out,
        "notes": advice.notes,
    }


def _board(tariff: Tariff | None) -> tuple[BoardRow, ...]:
    return () if tariff is None else PriceBoard().rows(tariff)


def _mark(card: Card) -> Mark:
    lot, at = card.lot, card.lot.place.wgs84
    label = card.count.removeprefix("约 ").removesuffix(" 位")
    return Mark(lot.id, lot.short_name, lot.status, label, at.lat, at.lng)


def _goal(advice: Advice | Unclear | None) -> Goal | None:
    if not isinstance(advice, Advice):
        return None
    return Goal(advice.destination, advice.place.latitude, advice.place.longitude)


def _open_words(lot: LotSummary) -> str:
    """The arguments of wx.openLocation."""
    return msgspec.json.encode(lot.navigation.wechat).decode()
