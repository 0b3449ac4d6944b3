"""A quote and a tariff in the shape their readers get, words in Chinese and English included."""

from collections.abc import Iterable
from typing import Any

import msgspec

from occupancy.price_board import PriceBoard
from occupancy.price_words import Language, Two
from occupancy.quote_words import line_words, reason_words, summary_words
from occupancy.stay import Stay
from occupancy.tariff import Tariff, VehicleClass
from occupancy.tariff_clock import rfc3339
from occupancy.tariff_quote import Quote, Reason
from occupancy.tariff_toml import as_written
from occupancy.tariff_walk import LineRule

CURRENCY = "CNY"


class Words(msgspec.Struct, frozen=True):
    """The same in Chinese and English."""

    zh: str
    en: str


class QuoteLine(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a stretch of the stay costs; a cap or a discount takes off."""

    rule: LineRule
    from_: str
    to: str
    units: int
    unit_minutes: int
    price_fen: int
    amount_fen: int
    words: Words


class QuoteReason(msgspec.Struct, frozen=True):
    """One sentence on why the price is not simply units times price."""

    reason: Reason
    words: Words


class QuoteDocument(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The price of a stay. The lines add up to the total.

    `free_until` and `next_step_at` are the last minute at that price: who leaves later pays
    more, `next_total_fen`. Null where nothing rises within 31 days. `placeholder`: nobody has
    confirmed this tariff (待核实).
    """

    lot: str
    tariff_id: str
    versions: tuple[int, ...]
    from_: str
    to: str
    vehicle: VehicleClass
    currency: str
    total_fen: int
    lines: tuple[QuoteLine, ...]
    free_until: str | None
    next_step_at: str | None
    next_total_fen: int | None
    cap_reached: bool
    reasons: tuple[QuoteReason, ...]
    words: Words
    placeholder: bool


class BoardRowDocument(msgspec.Struct, frozen=True):
    """One heading of the price board and what stands under it."""

    label: str
    lines: tuple[str, ...]


class Board(msgspec.Struct, frozen=True):
    """The price board in both languages."""

    zh: tuple[BoardRowDocument, ...]
    en: tuple[BoardRowDocument, ...]


class TariffVersion(msgspec.Struct, frozen=True):
    """When another version of the tariff begins."""

    version: int
    valid_from: str


class TariffDocument(msgspec.Struct, frozen=True):
    """The tariff in force: as data under the keys of docs/tariffs.md, and as the price board."""

    lot: str
    tariff_id: str
    version: int
    currency: str
    valid_from: str
    valid_to: str | None
    placeholder: bool
    placeholders: tuple[str, ...]
    tariff: dict[str, Any]
    board: Board
    upcoming: tuple[TariffVersion, ...]


def quote_document(lot_id: str, stay: Stay, quote: Quote, tariff: Tariff) -> QuoteDocument:
    return QuoteDocument(
        lot=lot_id,
        tariff_id=quote.tariff_id,
        versions=quote.versions,
        from_=rfc3339(quote.arrive),
        to=rfc3339(quote.leave),
        vehicle=stay.vehicle,
        currency=CURRENCY,
        total_fen=quote.total_fen,
        lines=tuple(
            QuoteLine(
                rule=line.rule,
                from_=rfc3339(line.start),
                to=rfc3339(line.end),
                units=line.units,
                unit_minutes=line.unit_minutes,
                price_fen=line.price_fen,
                amount_fen=line.amount_fen,
                words=_words(line_words(line)),
            )
            for line in quote.lines
        ),
        free_until=_moment(quote.free_until),
        next_step_at=_moment(quote.next_step_at),
        next_total_fen=quote.next_total_fen,
        cap_reached=quote.cap_reached,
        reasons=tuple(
            QuoteReason(because.reason, _words(reason_words(because))) for because in quote.because
        ),
        words=_words(summary_words(quote)),
        placeholder=bool(tariff.placeholders),
    )


def tariff_document(lot_id: str, tariff: Tariff, upcoming: Iterable[Tariff]) -> TariffDocument:
    chinese, english = (
        tuple(BoardRowDocument(row.label, row.lines) for row in PriceBoard(language).rows(tariff))
        for language in Language
    )
    return TariffDocument(
        lot=lot_id,
        tariff_id=tariff.tariff_id,
        version=tariff.version,
        currency=CURRENCY,
        valid_from=rfc3339(tariff.valid_from),
        valid_to=_moment(tariff.valid_to),
        placeholder=bool(tariff.placeholders),
        placeholders=tariff.placeholders,
        tariff=as_written(tariff)
        | {"valid_from": rfc3339(tariff.valid_from), "valid_to": _moment(tariff.valid_to)},
        board=Board(chinese, english),
        upcoming=tuple(TariffVersion(one.version, rfc3339(one.valid_from)) for one in upcoming),
    )


def _moment(minute: int | None) -> str | None:
    return None if minute is None else rfc3339(minute)


def _words(two: Two) -> Words:
    return Words(*two)
