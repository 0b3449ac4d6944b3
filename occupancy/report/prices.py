"""What stays cost at each car park of a report, where prices step, and how far apart they lie."""

from typing import NamedTuple

from occupancy.calendar import DayType
from occupancy.report.study import LotStudy, Study
from occupancy.space_gap import MOST_WALK_METRES, walk_metres
from occupancy.stay import QuoteError, Stay
from occupancy.tariff import Rate, Tariff, VehicleClass
from occupancy.tariff_clock import DAY_MINUTES, local_minute, utc_ms
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_quote import fee

NEAR_METRES = MOST_WALK_METRES
ARRIVES_AT = 9 * 60  # a workday's stay from 9 o'clock stands for the others
STAYS_MINUTES = (30, 60, 120, 240, 480)
LONGEST_STEP_MINUTES = 480
_LOOKED_DAYS = 60


class Pair(NamedTuple):
    """Two car parks within walking distance, and what each costs, by stay."""

    one: LotStudy
    other: LotStudy
    metres: float
    fees: tuple[int | None, ...]
    fees_other: tuple[int | None, ...]


def tariff_of(study: Study, lot: LotStudy) -> Tariff | None:
    """The version in force as the period ended."""
    minute = local_minute(study.facts.end_ms - 1)
    held = [
        one
        for one in study.facts.tariffs
        if one.tariff_id == lot.lot.tariff_id
        and one.valid_from <= minute
        and (one.valid_to is None or minute < one.valid_to)
    ]
    return max(held, key=lambda one: (one.valid_from, one.version), default=None)


def car_rate(tariff: Tariff) -> Rate | None:
    return next((rate for rate in tariff.rates if VehicleClass.CAR in rate.vehicles), None)


def free_minutes(study: Study, lot: LotStudy) -> int | None:
    tariff = tariff_of(study, lot)
    rate = None if tariff is None else car_rate(tariff)
    return None if rate is None else rate.free.minutes


def fees_of(study: Study, lot: LotStudy) -> tuple[int | None, ...]:
    """Of a car that comes at 9 on a workday, by stay; None where there is no price."""
    tariff = tariff_of(study, lot)
    if tariff is None:
        return tuple(None for _ in STAYS_MINUTES)
    priced, day = _priced(study, tariff), _a_workday(study)
    return tuple(_fee(priced, day, stay) for stay in STAYS_MINUTES)


def price_steps(study: Study, lot: LotStudy) -> tuple[tuple[float, str], ...]:
    """After which minutes of a stay from 9 on a workday the price rises, and to what."""
    tariff = tariff_of(study, lot)
    if tariff is None:
        return ()
    priced, day = _priced(study, tariff), _a_workday(study)
    steps: list[tuple[float, str]] = []
    before = 0
    for stay in range(15, LONGEST_STEP_MINUTES + 1, 15):
        now = _fee(priced, day, stay + 1)
        if now is not None and now > before:
            words = "免费止" if before == 0 else f"{now / 100:g} 元"
            steps.append((float(stay), words))
            before = now
    return tuple(steps)


def near_pairs(study: Study) -> tuple[Pair, ...]:
    """Car parks within 500 m on foot of each other, the nearest first."""
    fees = {one.lot.lot_id: fees_of(study, one) for one in study.lots}
    found = []
    for place, one in enumerate(study.lots):
        for other in study.lots[place + 1 :]:
            metres = walk_metres(one.lot.entrance, other.lot.entrance)
            if metres <= NEAR_METRES:
                here, there = fees[one.lot.lot_id], fees[other.lot.lot_id]
                found.append(Pair(one, other, metres, here, there))
    return tuple(sorted(found, key=lambda pair: pair.metres))


def nearest(study: Study) -> tuple[LotStudy, LotStudy, float] | None:
    """The two car parks that lie nearest to each other."""
    pairs = [
        (one, other, walk_metres(one.lot.entrance, other.lot.entrance))
        for place, one in enumerate(study.lots)
        for other in study.lots[place + 1 :]
    ]
    return min(pairs, key=lambda pair: pair[2], default=None)


def are_places_sure(study: Study) -> bool:
    return not any("entrance" in one.lot.placeholders for one in study.lots)


def are_prices_sure(study: Study) -> bool:
    tariffs = [tariff_of(study, one) for one in study.lots]
    return not any(one is not None and one.placeholders for one in tariffs)


def _priced(study: Study, tariff: Tariff) -> tuple[PricedVersion, ...]:
    return price_versions([tariff], study.calendar)


def _a_workday(study: Study) -> int:
    """The last workday of the period that is followed by another one, by number."""
    last = study.days[-1]
    for day in range(last, last - _LOOKED_DAYS, -1):
        if all(study.calendar.day_type(one) is DayType.WORKDAY for one in (day, day + 1)):
            return day
    return last


def _fee(priced: tuple[PricedVersion, ...], day: int, stay_minutes: int) -> int | None:
    arrive = day * DAY_MINUTES + ARRIVES_AT
    try:
        return fee(priced, Stay(utc_ms(arrive), utc_ms(arrive + stay_minutes), VehicleClass.CAR))
    except QuoteError:
        return None
