"""`/v1/quote`, `/v1/quotes` and `/v1/lots/{id}/tariff`: prices, asked one by one or all at once."""

from collections.abc import Iterator

import msgspec
from aiohttp import web

from occupancy.price_board import PriceBoard
from occupancy.price_words import Language
from occupancy.stay import EarlierStay, QuoteError, Stay
from occupancy.tariff import Tariff, VehicleClass
from occupancy.tariff_book import UnknownTariffError
from occupancy.tariff_clock import local_minute
from occupancy.tariff_entry import PricedVersion
from occupancy.tariff_quote import quote
from occupancy.web import formats
from occupancy.web.lots import known_lot, moment_ms, require_known, seconds_of
from occupancy.web.problems import Problem
from occupancy.web.quote_formats import (
    QuoteDocument,
    TariffDocument,
    quote_document,
    tariff_document,
)
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf

MOST_QUOTES = 200
_SECOND_MS = 1_000


class QuoteQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A stay at one car park: `from`, and `to` or `stay` (an ISO 8601 duration)."""

    lot: str
    from_: str
    to: str = ""
    stay: str = ""
    vehicle: VehicleClass = VehicleClass.CAR
    new_energy: bool = False
    exemption: str = ""


class EarlierAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """A stay of the same car before this one, and what it paid."""

    from_: str
    to: str
    paid_fen: int


class StayAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """As the query of /v1/quote, without the car park; `earlier` in order of time."""

    from_: str
    to: str = ""
    stay: str = ""
    vehicle: VehicleClass = VehicleClass.CAR
    new_energy: bool = False
    exemption: str = ""
    earlier: tuple[EarlierAsked, ...] = ()


class QuotesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every stay is priced at every car park named; no car park named means all."""

    stays: tuple[StayAsked, ...]
    lots: tuple[str, ...] = ()


class NoQuote(msgspec.Struct, frozen=True):
    """Why there is no price."""

    detail: str
    field: str


class QuoteOrNot(msgspec.Struct, frozen=True):
    """One stay (its number in the request) at one car park: a quote, or why there is none."""

    lot: str
    stay: int
    quote: QuoteDocument | None
    problem: NoQuote | None


class QuoteList(msgspec.Struct, frozen=True):
    """Every stay at every car park, car park by car park."""

    quotes: tuple[QuoteOrNot, ...]


class Quotes:
    """The answers, from memory."""

    def __init__(self, showcase: Showcase, shelf: TariffShelf) -> None:
        self._showcase = showcase
        self._shelf = shelf
        self._told: dict[str, Tariff] = {}
        shelf.listen(self.tell_prices)
        showcase.listen_roster(self.tell_prices)
        self.tell_prices()

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/v1/lots/{lot_id}/tariff",
                self.tariff,
                "The tariff in force, as data and as the price board",
                gives=TariffDocument,
                problems=(404, 503),
                path_about={"lot_id": "as in /v1/lots, e.g. kangle"},
                tag="fees",
            ),
            Route(
                "GET",
                "/v1/quote",
                self.one,
                "What a stay costs and why, how long it is free, when the price next rises",
                gives=QuoteDocument,
                query=QuoteQuery,
                problems=(404, 503),
                tag="fees",
            ),
            Route(
                "POST",
                "/v1/quotes",
                self.many,
                "Many stays at some or all car parks; one without a price does not spoil the rest",
                gives=QuoteList,
                body=QuotesAsked,
                problems=(404,),
                tag="fees",
            ),
        ]

    async def tariff(self, request: web.Request, _: object) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        versions = self._versions(lot_id)
        now = local_minute(self._showcase.now_ms())
        current = self._current(lot_id)
        if current is None:
            raise Problem(404, "no version of the tariff is in force now", field="lot_id")
        upcoming = [one.tariff for one in versions if one.tariff.valid_from > now]
        return _json(tariff_document(lot_id, current, upcoming))

    async def one(self, _: web.Request, query: QuoteQuery) -> web.StreamResponse:
        require_known(self._showcase, query.lot, "lot")
        stay = _stay(query, ())
        try:
            return _json(self._document(query.lot, stay))
        except QuoteError as refusal:
            raise Problem(400, str(refusal), field=refusal.field) from None

    async def many(self, _: web.Request, __: object, asked: QuotesAsked) -> web.StreamResponse:
        lot_ids = asked.lots or tuple(self._showcase.lots)
        for lot_id in lot_ids:
            require_known(self._showcase, lot_id, "lots")
        count = len(lot_ids) * len(asked.stays)
        if not 0 < count <= MOST_QUOTES:
            detail = f"{count} quotes are asked: 1 to {MOST_QUOTES} are given at once"
            raise Problem(400, detail, field="stays")
        return _json(QuoteList(tuple(self._each(lot_ids, asked.stays))))

    def _each(self, lot_ids: tuple[str, ...], stays: tuple[StayAsked, ...]) -> Iterator[QuoteOrNot]:
        for lot_id in lot_ids:
            for number, asked in enumerate(stays):
                try:
                    document = self._document(lot_id, _stay(asked, asked.earlier))
                except (QuoteError, Problem) as refusal:
                    yield QuoteOrNot(lot_id, number, None, _reason(refusal, number))
                else:
                    yield QuoteOrNot(lot_id, number, document, None)

    def _document(self, lot_id: str, stay: Stay) -> QuoteDocument:
        versions = self._versions(lot_id)
        answer = quote(versions, stay)
        used = next(one.tariff for one in versions if one.tariff.version == answer.versions[0])
        return quote_document(lot_id, stay, answer, used)

    def _versions(self, lot_id: str) -> tuple[PricedVersion, ...]:
        tariff_id = self._showcase.lots[lot_id].tariff_id
        try:
            return self._shelf.book.get_versions(tariff_id)
        except UnknownTariffError:
            findings = self._shelf.book.refused.get(tariff_id, ())
            rules = ", ".join(found.rule for found in findings) or "there is none"
            detail = f"{lot_id} has no tariff that may be used: {rules}"
            raise Problem(503, detail, field="lot") from None

    def _current(self, lot_id: str) -> Tariff | None:
        tariff_id = self._showcase.lots[lot_id].tariff_id
        now = local_minute(self._showcase.now_ms())
        return self._shelf.book.find_current(tariff_id, now)

    def tell_prices(self) -> None:
        """Give the list of car parks its free periods and prices."""
        current = {lot_id: self._current(lot_id) for lot_id in self._showcase.lots}
        told = {lot_id: tariff for lot_id, tariff in current.items() if tariff}
        if told != self._told:
            self._told = told
            self._showcase.price({lot_id: price_in_words(one) for lot_id, one in told.items()})


def price_in_words(tariff: Tariff, language: Language = Language.CHINESE) -> formats.PriceInWords:
    """What a car pays, in one line; the first rate if the tariff has none for cars."""
    rates = [rate for rate in tariff.rates if VehicleClass.CAR in rate.vehicles]
    rate = (*rates, *tariff.rates)[0]
    board = PriceBoard(language)
    return formats.PriceInWords(
        free_minutes=rate.free.minutes,
        free_period=board.free(rate.free),
        price=board.short_price(rate),
        placeholder=bool(tariff.placeholders),
    )


def _stay(asked: QuoteQuery | StayAsked, earlier: tuple[EarlierAsked, ...]) -> Stay:
    arrive_ms = moment_ms(asked.from_, "from")
    if bool(asked.to) == bool(asked.stay):
        raise Problem(400, "give either `to` or `stay`, e.g. stay=PT2H", field="to")
    if asked.to:
        leave_ms = moment_ms(asked.to, "to")
    else:
        leave_ms = arrive_ms + seconds_of(asked.stay, "stay") * _SECOND_MS
    return Stay(
        arrive_ms,
        leave_ms,
        asked.vehicle,
        asked.new_energy,
        asked.exemption or None,
        tuple(
            EarlierStay(
                moment_ms(one.from_, "earlier.from"), moment_ms(one.to, "earlier.to"), one.paid_fen
            )
            for one in earlier
        ),
    )


def _reason(refusal: QuoteError | Problem, number: int) -> NoQuote:
    if isinstance(refusal, Problem):
        return NoQuote(refusal.document.detail, f"stays[{number}].{refusal.document.field}")
    return NoQuote(str(refusal), f"stays[{number}].{refusal.field}")


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
