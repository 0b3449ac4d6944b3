"""What an approver should know of a sound tariff: surprises at exact moments, found by pricing.

Leaving later never costs less, by construction (docs/tariffs.md). Arriving earlier can: that is
searched, and only for the stays listed in `LASTING_MINUTES`.
"""

from collections.abc import Iterator

from occupancy.calendar import PUBLISHED_YEARS, Calendar, DayType, date_of
from occupancy.price_words import DAY_TYPES, Language, span, yuan
from occupancy.stay import Stay
from occupancy.tariff import Edge, FreeMode, Rate, Tariff
from occupancy.tariff_check import Finding, Severity
from occupancy.tariff_clock import DAY_MINUTES, utc_ms, written
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_quote import fee

LASTING_MINUTES = (120, 480, 1441)
_SEARCHED_DAYS = 400
_MINUTE_MS = 60_000


def warnings_of(tariff: Tariff, calendar: Calendar) -> list[Finding]:
    """Surprises in a tariff that `tariff_check` found sound."""
    priced = price_versions([tariff], calendar)
    return [
        Finding(Severity.WARNING, rule, path, message)
        for rule, path, message in _surprises(tariff, priced, calendar)
    ]


_Surprise = tuple[str, str, str]


def _surprises(
    tariff: Tariff, priced: tuple[PricedVersion, ...], calendar: Calendar
) -> Iterator[_Surprise]:
    days = sample_days(tariff, calendar)
    for number, rate in enumerate(tariff.rates):
        path = f"rates[{number}]"
        yield from _jumps(rate, priced, path, next(iter(days.values())))
        yield from _free_entry(tariff, rate, path)
        one_plan = len(rate.day_plans) == 1
        for on in list(days.items())[: 1 if one_plan else None]:
            yield from _earlier_is_cheaper(rate, priced, path, on)
    if any(len(rate.day_plans) > 1 for rate in tariff.rates):
        yield from _unknown_years(tariff)


def sample_days(tariff: Tariff, calendar: Calendar) -> dict[DayType, int]:
    """A day of each type while the tariff holds: the first that another type follows.

    Surprises sit where prices change; if no other type follows within 400 days, the first day.
    """
    begin = -(-tariff.valid_from // DAY_MINUTES)
    firsts: dict[DayType, int] = {}
    edges: dict[DayType, int] = {}
    for day in range(begin, begin + _SEARCHED_DAYS):
        if tariff.valid_to is not None and (day + 1) * DAY_MINUTES > tariff.valid_to:
            break
        day_type = calendar.day_type(day)
        firsts.setdefault(day_type, day)
        if calendar.day_type(day + 1) is not day_type:
            edges.setdefault(day_type, day)
    return firsts | edges


def _jumps(
    rate: Rate, priced: tuple[PricedVersion, ...], path: str, day: int
) -> Iterator[_Surprise]:
    """Where a threshold makes several units due at once."""
    free = rate.free
    first_units = [band.tiers[0].unit_minutes for band in rate.bands if band.tiers]
    if free.mode is FreeMode.THRESHOLD and any(unit < free.minutes for unit in first_units):
        minutes = free.minutes + (1 if free.inclusive else 0)
        noon = day * DAY_MINUTES + DAY_MINUTES // 2
        fen = _fee(priced, rate, noon, noon + minutes)
        message = f"12:00 进场，停 {minutes} 分钟由免费一次跳到{yuan(fen)}"
        yield "threshold_jump", f"{path}.free", message


def _free_entry(tariff: Tariff, rate: Rate, path: str) -> Iterator[_Surprise]:
    for band in rate.bands:
        if tariff.edge is Edge.ENTRY and not band.tiers:
            message = f"在“{band.name}”进场的，无论停多久全程免费"
            yield "free_for_ever", f"{path}.bands", message


def _earlier_is_cheaper(
    rate: Rate, priced: tuple[PricedVersion, ...], path: str, on: tuple[DayType, int]
) -> Iterator[_Surprise]:
    """The first and the worst moment of a day at which arriving a minute earlier costs less."""
    day_type, day = on
    for lasting in LASTING_MINUTES:
        found = []
        leaves = range(day * DAY_MINUTES + lasting, (day + 1) * DAY_MINUTES + lasting)
        for leave in leaves:
            arrive = leave - lasting
            saved = _fee(priced, rate, arrive + 1, leave) - _fee(priced, rate, arrive, leave)
            if saved > 0:
                found.append((saved, arrive))
        if found:
            message = _cheaper_words(found, day_type, lasting)
            yield "longer_is_cheaper", path, message


def _cheaper_words(found: list[tuple[int, int]], day_type: DayType, lasting: int) -> str:
    saved, arrive = max(found, key=lambda one: (one[0], -one[1]))
    words = DAY_TYPES[day_type][Language.CHINESE]
    return (
        f"停得更久反而便宜：{words} {written(arrive)} 进场、停 {span(lasting)}，"
        f"比晚一分钟进场、同时离场便宜{yuan(saved)}；"
        f"这一天有 {len(found)} 个这样的进场时刻，最早 {written(found[0][1])}"
    )


def _unknown_years(tariff: Tariff) -> Iterator[_Surprise]:
    last = PUBLISHED_YEARS[-1]
    if tariff.valid_to is None or date_of(tariff.valid_to // DAY_MINUTES).year > last:
        message = f"{last} 年之后的节假日安排尚未公布：届时按星期计，除非在日历中逐日写明"
        yield "calendar_missing_year", "rates", message


def _fee(priced: tuple[PricedVersion, ...], rate: Rate, arrive: int, leave: int) -> int:
    return fee(priced, Stay(utc_ms(arrive), utc_ms(leave), rate.vehicles[0]))
