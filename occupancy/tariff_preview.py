"""What a tariff version would cost: twelve stays on each type of day, and its price board."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType, date_of
from occupancy.price_board import BoardRow, PriceBoard
from occupancy.price_words import DAY_TYPES, Language, span, yuan
from occupancy.stay import QuoteError, Stay
from occupancy.tariff import Tariff, VehicleClass
from occupancy.tariff_clock import DAY_MINUTES, clock_words, utc_ms
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_quote import fee

NO_PRICE = "—"
_SEARCHED_DAYS = 400
_HOUR = 60
_NINE = 9 * _HOUR
# When the car arrives and how long it stays, both in minutes.
STAYS = (
    (_NINE, 15),
    (_NINE, 30),
    (_NINE, 31),
    (_NINE, 60),
    (_NINE, 120),
    (_NINE, 240),
    (_NINE, 480),
    (18 * _HOUR, 180),
    (19 * _HOUR, 720),
    (22 * _HOUR, 600),
    (_NINE, 1440),
    (_NINE, 2880),
)
_WEEKDAYS = "一二三四五六日"


class PreviewDay(msgspec.Struct, frozen=True):
    """The day that stands for its type; `is_supposed`: none is known yet, one was taken for it."""

    day_type: DayType
    day: int
    is_supposed: bool

    @property
    def words(self) -> str:
        date_ = date_of(self.day)
        supposed = "，假定" if self.is_supposed else ""
        name = DAY_TYPES[self.day_type][Language.CHINESE]
        return f"{name}（{date_.isoformat()} 周{_WEEKDAYS[date_.weekday()]}{supposed}）"


class PreviewRow(msgspec.Struct, frozen=True):
    """One stay: its price on each day, in the days' order; None where it has no price."""

    arrive_minute: int
    stay_minutes: int
    fees_fen: tuple[int | None, ...]

    @property
    def words(self) -> str:
        return f"{clock_words(self.arrive_minute)} 进场，停 {span(self.stay_minutes)}"

    @property
    def fees_words(self) -> tuple[str, ...]:
        return tuple(NO_PRICE if fen is None else yuan(fen) for fen in self.fees_fen)


class PreviewTable(msgspec.Struct, frozen=True):
    """The stays of the vehicles that pay one rate."""

    vehicles: tuple[VehicleClass, ...]
    rows: tuple[PreviewRow, ...]

    @property
    def words(self) -> str:
        return PriceBoard().vehicles(self.vehicles)


class Preview(msgspec.Struct, frozen=True):
    """Prices as if the version were in force on these days, and the board drivers would read."""

    days: tuple[PreviewDay, ...]
    tables: tuple[PreviewTable, ...]
    board: tuple[BoardRow, ...]
    english_board: tuple[BoardRow, ...] = ()


def preview(tariff: Tariff, calendar: Calendar) -> Preview:
    """The tariff must be sound (tariff_check)."""
    days = choose_days(tariff.valid_from, calendar)
    priced = price_anywhere(tariff, calendar, days)
    tables = tuple(
        PreviewTable(rate.vehicles, price_stays(priced, rate.vehicles[0], days))
        for rate in tariff.rates
    )
    english = PriceBoard(Language.ENGLISH).rows(tariff)
    return Preview(days, tables, PriceBoard().rows(tariff), english)


def choose_days(from_minute: int, calendar: Calendar) -> tuple[PreviewDay, ...]:
    """The first full day of each type from then on, best with another like it behind it."""
    begin = -(-from_minute // DAY_MINUTES)
    firsts: dict[DayType, int] = {}
    doubles: dict[DayType, int] = {}
    for day in range(begin, begin + _SEARCHED_DAYS):
        day_type = calendar.day_type(day)
        firsts.setdefault(day_type, day)
        if calendar.day_type(day + 1) is day_type:
            doubles.setdefault(day_type, day)
    return tuple(_day_for(day_type, firsts | doubles, begin) for day_type in DayType)


def _day_for(day_type: DayType, known: Mapping[DayType, int], begin: int) -> PreviewDay:
    """Where none is known: a Wednesday as a holiday, a Saturday as a day that is worked."""
    if day_type in known:
        return PreviewDay(day_type, known[day_type], is_supposed=False)
    weekday = 5 if day_type is DayType.MAKEUP_WORKDAY else 2
    day = begin + _SEARCHED_DAYS
    day += (weekday - date_of(day).weekday()) % 7
    return PreviewDay(day_type, day, is_supposed=True)


def price_anywhere(
    tariff: Tariff, calendar: Calendar, days: tuple[PreviewDay, ...]
) -> tuple[PricedVersion, ...]:
    """The version as if it had always held, with the supposed days supposed."""
    supposed = {one.day: one.day_type for one in days if one.is_supposed}
    return price_versions(
        [replace(tariff, valid_from=0, valid_to=None)], calendar.supposing(supposed)
    )


def price_stays(
    priced: tuple[PricedVersion, ...], vehicle: VehicleClass, days: tuple[PreviewDay, ...]
) -> tuple[PreviewRow, ...]:
    return tuple(
        PreviewRow(
            arrive,
            minutes,
            tuple(_fee(priced, vehicle, one.day * DAY_MINUTES + arrive, minutes) for one in days),
        )
        for arrive, minutes in STAYS
    )


def _fee(
    priced: tuple[PricedVersion, ...], vehicle: VehicleClass, arrive: int, minutes: int
) -> int | None:
    try:
        return fee(priced, Stay(utc_ms(arrive), utc_ms(arrive + minutes), vehicle))
    except QuoteError:
        return None
