"""What stays cost by hour of arrival, as a table for studies; and a tariff at another price."""

from collections.abc import Sequence
from itertools import chain

import msgspec

from occupancy.calendar import Calendar, DayType
from occupancy.edit import BadEditError
from occupancy.stay import Stay
from occupancy.study import NewPrice
from occupancy.study_past import HOURS, KINDS, kind_of
from occupancy.tariff import Band, Cap, Rate, Tariff, VehicleClass
from occupancy.tariff_check import errors_of
from occupancy.tariff_clock import DAY_MINUTES, utc_ms
from occupancy.tariff_entry import PricedVersion
from occupancy.tariff_quote import fee

MINUTE_MS = 60_000
# as finely as prices step, coarser where few stay so long; the town's stays end after three days
STAYS_MINUTES = tuple(chain(range(15, 481, 15), range(510, 1_441, 30), range(1_560, 4_321, 120)))
_LOOK_AHEAD_DAYS = 60
_WHOLE = 100


class FeeTable(msgspec.Struct, frozen=True):
    """Fen by kind of day, hour of arrival and the stays of `stays_minutes`."""

    stays_minutes: tuple[int, ...]
    fen: dict[str, tuple[tuple[int, ...], ...]]


def fee_table(versions: Sequence[PricedVersion], calendar: Calendar, day: int) -> FeeTable:
    """Prices of cars that come on the first day of each kind from `day` on. Raises QuoteError."""
    return FeeTable(
        STAYS_MINUTES,
        {kind: _by_hour(versions, _first_of(kind, calendar, day)) for kind in KINDS},
    )


def _by_hour(versions: Sequence[PricedVersion], day: int) -> tuple[tuple[int, ...], ...]:
    midnight_ms = utc_ms(day * DAY_MINUTES)
    arrivals = (midnight_ms + (hour * 60 + 30) * MINUTE_MS for hour in range(HOURS))
    return tuple(
        tuple(fee(versions, Stay(at, at + minutes * MINUTE_MS)) for minutes in STAYS_MINUTES)
        for at in arrivals
    )


def _first_of(kind: str, calendar: Calendar, day: int) -> int:
    """A day of one kind that is no holiday: its waivers are dates, not the usual price."""
    usual = (DayType.WORKDAY, DayType.WEEKEND)
    days = range(day, day + _LOOK_AHEAD_DAYS)
    types = ((one, calendar.day_type(one)) for one in days)
    return next(one for one, type_ in types if type_ in usual and kind_of(type_) == kind)


def at_another_price(tariff: Tariff, price: NewPrice) -> Tariff:
    """The tariff as it would be. Raises BadEditError where it would break its own rules."""
    rates = tuple(
        _changed(rate, price) if VehicleClass.CAR in rate.vehicles else rate
        for rate in tariff.rates
    )
    changed = msgspec.structs.replace(tariff, rates=rates)
    if found := errors_of(changed):
        raise BadEditError("percent", f"改后的收费标准不成立：{found[0]}")
    return changed


def _changed(rate: Rate, price: NewPrice) -> Rate:
    if price.free_minutes is not None:
        free = msgspec.structs.replace(rate.free, minutes=price.free_minutes, jump_is_meant=True)
        rate = msgspec.structs.replace(rate, free=free)
    if price.percent is None:
        return rate
    percent = price.percent
    return msgspec.structs.replace(
        rate,
        bands=tuple(_dearer(band, percent) for band in rate.bands),
        cap=None if rate.cap is None else _capped(rate.cap, percent),
    )


def _dearer(band: Band, percent: int) -> Band:
    tiers = tuple(
        msgspec.structs.replace(tier, price_fen=_share(tier.price_fen, percent))
        for tier in band.tiers
    )
    cap_fen = None if band.cap_fen is None else _share(band.cap_fen, percent)
    return msgspec.structs.replace(band, tiers=tiers, cap_fen=cap_fen)


def _capped(cap: Cap, percent: int) -> Cap:
    amounts = tuple(_share(amount, percent) for amount in cap.amounts_fen)
    return msgspec.structs.replace(cap, amounts_fen=amounts)


def _share(fen: int, percent: int) -> int:
    """Half a fen is rounded up."""
    return (fen * percent + _WHOLE // 2) // _WHOLE
