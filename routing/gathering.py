"""Gathers what is known of the car parks around one driver's destination, as plain candidates."""

import math
from collections.abc import Mapping
from typing import Protocol

import msgspec

from occupancy.live import LiveOccupancy, Quality, as_seen_at
from occupancy.lot import Lot, Place
from occupancy.restriction import closing_at
from occupancy.stay import QuoteError, Stay, StayTooLongError, UnknownVehicleError
from occupancy.tariff_book import TariffBook, UnknownTariffError
from occupancy.tariff_clock import local_minute
from occupancy.tariff_quote import fee
from routing.candidate import Candidate, Fee, Outlook, Travel
from routing.machine_wait import fetch_minutes, store_minutes
from routing.promise import Due, minute_of
from routing.question import Question
from routing.reason import Code

MOST_CANDIDATES = 12
MOST_AHEAD_MS = 180 * 60_000  # beyond, what is live now says next to nothing
_MINUTE_MS = 60_000
_METRES_PER_DEGREE = 111_320.0


class Forecaster(Protocol):
    """What each lot will have (routing.forecast.Forecasts)."""

    def see(self, picture: LiveOccupancy) -> None: ...

    def expect(self, lot_id: str, at_ms: int, now_ms: int, /) -> Outlook: ...


class Known(msgspec.Struct, frozen=True):
    """The town at one moment, from memory."""

    lots: Mapping[str, Lot]
    pictures: Mapping[str, LiveOccupancy]
    book: TariffBook
    due: Mapping[str, Due]
    now_ms: int


class Way(msgspec.Struct, frozen=True):
    """Minutes to a car park's entrance, and from there on foot."""

    drive: float
    walk: float


def nearby(lots: Mapping[str, Lot], place: Place) -> list[Lot]:
    """The car parks nearest to a place, as the crow flies."""
    return sorted(lots.values(), key=lambda lot: metres(lot.entrance, place))[:MOST_CANDIDATES]


def metres(one: Place, other: Place) -> float:
    """As the crow flies; good enough within a district."""
    narrower = math.cos(math.radians((one.latitude + other.latitude) / 2))
    north = one.latitude - other.latitude
    east = (one.longitude - other.longitude) * narrower
    return math.hypot(north, east) * _METRES_PER_DEGREE


def gather(
    question: Question, known: Known, ways: Mapping[str, Way], forecasts: Forecaster
) -> list[Candidate]:
    """Every car park in `ways` as it is for this driver."""
    return [_candidate(question, known, lot_id, way, forecasts) for lot_id, way in ways.items()]


def _candidate(
    question: Question, known: Known, lot_id: str, way: Way, forecasts: Forecaster
) -> Candidate:
    lot, now_ms, due = known.lots[lot_id], known.now_ms, known.due.get(lot_id, Due())
    arrives_ms = _arrival_ms(question, way, now_ms)
    picture = known.pictures.get(lot_id)
    is_soon = arrives_ms - now_ms <= MOST_AHEAD_MS
    quality = Quality.STALE if picture is None else as_seen_at(picture, now_ms).quality
    groups = picture.groups if picture and is_soon and quality is not Quality.STALE else ()
    ahead = max(arrives_ms - now_ms, 0) / _MINUTE_MS
    store = store_minutes(groups, ahead)
    fetch = fetch_minutes(groups, ahead + question.stay_minutes)
    return Candidate(
        lot=lot,
        arrives_ms=arrives_ms,
        travel=Travel(way.drive, store, fetch, way.walk),
        fee=_fee(known.book, lot.tariff_id, arrives_ms, question),
        outlook=forecasts.expect(lot_id, arrives_ms, now_ms),
        promised=due.by(minute_of(arrives_ms), minute_of(now_ms)),
        is_stale=is_soon and quality in (Quality.STALE, Quality.SUSPECT),
        is_closed=picture is not None and closing_at(picture.closings, arrives_ms) is not None,
    )


def _arrival_ms(question: Question, way: Way, now_ms: int) -> int:
    """When he says; but nobody is there before he has driven there."""
    earliest_ms = now_ms + round(way.drive * _MINUTE_MS)
    if question.arrive_ms is None:
        return earliest_ms
    return max(question.arrive_ms, earliest_ms) if question.origin else question.arrive_ms


def _fee(book: TariffBook, tariff_id: str, arrives_ms: int, question: Question) -> Fee:
    vehicle = question.vehicle
    leaves_ms = arrives_ms + question.stay_minutes * _MINUTE_MS
    stay = Stay(arrives_ms, leaves_ms, vehicle.kind, vehicle.new_energy)
    try:
        total_fen = fee(book.get_versions(tariff_id), stay)
    except UnknownVehicleError:
        return Fee(None, Code.VEHICLE_NOT_ADMITTED)
    except StayTooLongError:
        return Fee(None, Code.STAY_TOO_LONG)
    except (QuoteError, UnknownTariffError):
        return Fee(None, Code.FEE_UNKNOWN)
    current = book.find_current(tariff_id, local_minute(arrives_ms))
    return Fee(total_fen, is_unconfirmed=current is not None and bool(current.placeholders))
