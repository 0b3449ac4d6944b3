"""Gathers what a study needs to be played: car parks, their recorded hours, what stays cost."""

from collections.abc import Mapping, Sequence

import msgspec

from occupancy import database, database_rollup, database_tariffs
from occupancy.calendar import Calendar
from occupancy.database import Pool
from occupancy.lot import Lot
from occupancy.observed import facts_of, observe
from occupancy.refused import estimate
from occupancy.rollup import DAY_MS, local_day
from occupancy.stay import QuoteError
from occupancy.study import StudyWish
from occupancy.study_past import THURSDAY, WEEKDAYS, PastHours, past_hours
from occupancy.study_prices import FeeTable, at_another_price, fee_table
from occupancy.tariff_book import TariffBook, UnknownTariffError
from occupancy.tariff_clock import local_minute
from occupancy.tariff_entry import price_versions

HOUR_MINUTES, QUARTER_MINUTES = 60, 15
HOUR_MS = 3_600_000


class NothingRecordedError(Exception):
    """The period has no entries at some car park: there is nothing to fit a town to."""


class Bays(msgspec.Struct, frozen=True):
    """One machine."""

    group_id: str
    bays_by_level: tuple[int, ...]


class PlacedLot(msgspec.Struct, frozen=True):
    """One car park with its place (WGS-84)."""

    lot_id: str
    name: str
    latitude: float
    longitude: float
    groups: tuple[Bays, ...]


class WantedBoard(msgspec.Struct, frozen=True):
    """A sign on the way to `lot_id` that tells of `others`."""

    lot_id: str
    share: float
    others: tuple[str, ...]


class WantedChange(msgspec.Struct, frozen=True):
    """What is tried out."""

    spaces: Mapping[str, int]
    closed: tuple[str, ...]
    boards: tuple[WantedBoard, ...]
    fees: Mapping[str, FeeTable]


class StudyFacts(msgspec.Struct, frozen=True):
    """Everything we know for a study; whoever plays it adds where drivers want to go."""

    lots: tuple[PlacedLot, ...]
    recorded: tuple[PastHours, ...]
    fees: Mapping[str, FeeTable]
    change: WantedChange
    first_day_ms: int
    days: int
    seeds: int
    metres_a_yuan: float


async def gather(connections: Pool, wish: StudyWish) -> StudyFacts:
    """Raises NothingRecordedError, BadEditError where a price cannot be."""
    lots = await database.list_lots(connections)
    tariffs = await database_tariffs.list_tariffs(connections)
    overrides = await database_tariffs.list_overrides(connections)
    calendar = Calendar(overrides)
    recorded = [await _recorded(connections, lot, wish, calendar) for lot in lots]
    monday = _monday_after(local_day(wish.end_ms))
    book = TariffBook(tariffs, overrides)
    fees = _fees(book, lots, calendar, monday)
    return StudyFacts(
        tuple(map(_placed, lots)),
        tuple(recorded),
        fees,
        WantedChange(
            wish.spaces,
            wish.closed,
            _boards(wish, lots),
            _new_fees(book, wish, lots, calendar, monday),
        ),
        wish.end_ms + (monday - local_day(wish.end_ms)) * DAY_MS,
        wish.days,
        wish.seeds,
        wish.metres_a_yuan,
    )


def _monday_after(day: int) -> int:
    return day + -(day + THURSDAY) % WEEKDAYS


async def _recorded(connections: Pool, lot: Lot, wish: StudyWish, calendar: Calendar) -> PastHours:
    windows = await database_rollup.read_windows(
        connections, lot.lot_id, wish.first_ms, wish.end_ms, HOUR_MINUTES
    )
    if not any(window.entries for window in windows):
        raise NothingRecordedError(
            f"{lot.short_name}在 {wish.first_day} 至 {wish.last_day} 没有进场记录，请换一段日子"
        )
    refused = await _refused(connections, lot, wish, calendar)
    return past_hours(lot.lot_id, windows, calendar.day_type, refused)


async def _refused(
    connections: Pool, lot: Lot, wish: StudyWish, calendar: Calendar
) -> dict[int, float]:
    """Estimated drivers turned away, by the start of the hour."""
    quarters = await database_rollup.read_windows(
        connections, lot.lot_id, wish.first_ms, wish.end_ms, QUARTER_MINUTES
    )
    seen = observe(facts_of(lot), quarters, wish.first_ms, wish.end_ms, QUARTER_MINUTES)
    by_hour: dict[int, float] = {}
    for at_ms, cars in estimate(seen, calendar).by_quarter.items():
        hour_ms = at_ms // HOUR_MS * HOUR_MS
        by_hour[hour_ms] = by_hour.get(hour_ms, 0.0) + cars
    return by_hour


def _placed(lot: Lot) -> PlacedLot:
    groups = tuple(Bays(group.group_id, group.bays_by_level) for group in lot.groups)
    place = lot.entrance
    return PlacedLot(lot.lot_id, lot.short_name, place.latitude, place.longitude, groups)


def _boards(wish: StudyWish, lots: Sequence[Lot]) -> tuple[WantedBoard, ...]:
    if wish.board is None:
        return ()
    at = wish.board.lot_id
    others = tuple(lot.lot_id for lot in lots if lot.lot_id != at)
    return (WantedBoard(at, wish.board.share, others),)


def _fees(
    book: TariffBook, lots: Sequence[Lot], calendar: Calendar, day: int
) -> dict[str, FeeTable]:
    """A lot whose tariff has no price has no table: its takings are unknown, not nothing."""
    tables: dict[str, FeeTable] = {}
    for lot in lots:
        try:
            tables[lot.lot_id] = fee_table(book.get_versions(lot.tariff_id), calendar, day)
        except (UnknownTariffError, QuoteError):
            continue
    return tables


def _new_fees(
    book: TariffBook, wish: StudyWish, lots: Sequence[Lot], calendar: Calendar, day: int
) -> dict[str, FeeTable]:
    if wish.price is None:
        return {}
    (lot,) = (one for one in lots if one.lot_id == wish.price.lot_id)
    now = book.find_current(lot.tariff_id, local_minute(wish.end_ms)) if lot.tariff_id else None
    if now is None:
        raise NothingRecordedError(f"{lot.short_name}没有可用的收费标准，不能改价")
    changed = price_versions([at_another_price(now, wish.price)], calendar)
    try:
        return {lot.lot_id: fee_table(changed, calendar, day)}
    except QuoteError as reason:
        raise NothingRecordedError(f"{lot.short_name}的收费标准不能改价：{reason}") from None
