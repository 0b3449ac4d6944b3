"""One car park as open data says it: its facts, and its numbers only while they may be told."""

import datetime as dt

import msgspec

from gateway.observation import Basis
from occupancy.live import LiveOccupancy, Quality, Status, Trend, as_seen_at
from occupancy.lot import Lot, OpeningHours, OpeningState, find_closing
from occupancy.web.formats import SHANGHAI, PriceInWords

DROP_AFTER_MS = 30 * 60_000  # what nobody has renewed for so long is no live number any more
_MINUTE_MS, _DAY_MINUTES = 60_000, 1_440
ALWAYS = "24/7"


class Numbers(msgspec.Struct, frozen=True):
    """Spaces as they were observed; usable = occupied + free."""

    usable: int
    occupied: int
    free: int
    out_of_service: int


class OpenGroup(msgspec.Struct, frozen=True):
    """One machine group; `free` None where nobody knows."""

    group_id: str
    capacity: int
    free: int | None


class OpenLot(msgspec.Struct, frozen=True):
    """A car park as each format takes its part of it.

    `numbers` are there from the observation until half an hour after it, whatever the reader's
    format makes of their age (`quality`, `observed_at_ms`); `contradicting` are numbers that cannot
    be, as they were told: never mended, never among the live fields.
    `is_open` None: nobody has heard of it for so long that nobody knows.
    """

    lot: Lot
    status: Status
    is_open: bool | None
    quality: Quality
    trend: Trend
    calculation: Basis | None = None
    observed_at_ms: int | None = None
    numbers: Numbers | None = None
    contradicting: Numbers | None = None
    groups: tuple[OpenGroup, ...] = ()
    doubts: tuple[str, ...] = ()
    price: PriceInWords | None = None

    @property
    def fresh_numbers(self) -> Numbers | None:
        """For formats that cannot say how old a number is."""
        return None if self.quality is Quality.STALE else self.numbers


def open_lot(
    lot: Lot, picture: LiveOccupancy | None, price: PriceInWords | None, now_ms: int
) -> OpenLot:
    """What may be said of a lot at `now_ms`."""
    if picture is None or now_ms - picture.observed_at_ms > DROP_AFTER_MS:
        return _silent(lot, picture, price)
    seen = as_seen_at(picture, now_ms)
    told = _numbers(picture)
    is_suspect = picture.quality is Quality.SUSPECT
    return OpenLot(
        lot=lot,
        status=seen.status,
        is_open=_is_open(lot, seen.status, now_ms),
        quality=Quality.SUSPECT if is_suspect else seen.quality,
        trend=seen.trend,
        calculation=picture.basis,
        observed_at_ms=picture.observed_at_ms,
        numbers=None if is_suspect else told,
        contradicting=told if is_suspect else None,
        groups=_groups(lot, None if is_suspect else picture),
        doubts=picture.doubts,
        price=price,
    )


def _silent(lot: Lot, picture: LiveOccupancy | None, price: PriceInWords | None) -> OpenLot:
    """Facts alone; what an operator has closed stays closed."""
    is_shut = lot.opening is OpeningState.CLOSED
    is_closed = is_shut or (picture is not None and picture.status is Status.CLOSED)
    return OpenLot(
        lot=lot,
        status=Status.CLOSED if is_closed else Status.NO_DATA,
        is_open=False if is_closed else None,
        quality=Quality.STALE,
        trend=Trend.UNKNOWN,
        observed_at_ms=None if picture is None else picture.observed_at_ms,
        groups=_groups(lot, None),
        price=price,
    )


def _numbers(picture: LiveOccupancy) -> Numbers | None:
    if picture.occupied is None or picture.free is None:
        return None
    return Numbers(picture.usable, picture.occupied, picture.free, picture.out_of_service)


def _is_open(lot: Lot, status: Status, now_ms: int) -> bool:
    """Closed is not full, and full is not closed."""
    if status is Status.CLOSED:
        return False
    local = dt.datetime.fromtimestamp(now_ms / 1_000, tz=SHANGHAI)
    minute = local.hour * 60 + local.minute
    return find_closing(lot.opening_hours, minute) != minute


def _groups(lot: Lot, picture: LiveOccupancy | None) -> tuple[OpenGroup, ...]:
    if picture is None:
        return tuple(OpenGroup(one.group_id, sum(one.bays_by_level), None) for one in lot.groups)
    return tuple(OpenGroup(one.group_id, one.capacity, one.free) for one in picture.groups)


def opening_hours_words(hours: OpeningHours | None) -> str:
    """As OpenStreetMap writes them; an end behind midnight counts on beyond 24:00."""
    if hours is None or hours.from_minute == hours.until_minute:
        return ALWAYS
    length = (hours.until_minute - hours.from_minute) % _DAY_MINUTES
    return f"Mo-Su {_clock(hours.from_minute)}-{_clock(hours.from_minute + length)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def utc_words(at_ms: int) -> str:
    """RFC 3339 in UTC, to the second."""
    at = dt.datetime.fromtimestamp(at_ms // 1_000, tz=dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
