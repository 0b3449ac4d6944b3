"""APDS RateTable: read one, write ours; what is lost is listed, never silent.

Read as APDS' own examples use it: a line with `incrementPeriod` is a price per period; a line
without one is the whole price "up to" its `durationEnd`. Money is the decimal `value`.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from occupancy.calendar import DayType
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    DayPlan,
    FreeMode,
    FreePeriod,
    Period,
    Rate,
    Tariff,
    Tier,
)
from occupancy.tariff_check import require_sound
from occupancy.tariff_clock import DAY_MINUTES, clock_words
from occupancy.tariff_exchange import (
    Exported,
    Imported,
    UnreadableTariffError,
    fen_of,
    minutes_of,
    required,
    says_max_stay,
    table_of,
    tables_of,
    unknown_keys,
    unsaid,
    whole,
    yuan_of,
)

_ALL_DAY = "全天"
_TABLE_KEYS = frozenset({"id", "version", "rateTableName", "rateLineCollections"})
_COLLECTION_KEYS = frozenset(
    {
        "applicableCurrency",
        "collectionSequence",
        "maxTime",
        "maxValueCollection",
        "rateLines",
        "relativeTimes",
        "resetTime",
    }
)
_LINE_KEYS = frozenset(
    {
        "description",
        "durationEnd",
        "durationStart",
        "incrementPeriod",
        "rateLineType",
        "sequence",
        "value",
    }
)
_LINE_TYPES = frozenset({"flatRate", "flatRateTier", "incrementingRate"})
_MIDNIGHT = frozenset({"00:00", "00:00:00"})


def read_apds(table: dict[str, Any], base: Tariff) -> Imported:
    """One RateTable as a single band; `base` gives what a RateTable has no place for.

    Raises UnreadableTariffError, or BadTariffError where the result breaks our rules.
    """
    table = table_of(table, "RateTable")
    collections = tables_of(table.get("rateLineCollections", []), "rateLineCollections")
    if len(collections) != 1:
        raise UnreadableTariffError("rateLineCollections: exactly one is needed")
    collection = collections[0]
    if collection.get("applicableCurrency") != "CNY":
        raise UnreadableTariffError("applicableCurrency: only CNY; money is never converted")
    if collection.get("relativeTimes") is False:
        raise UnreadableTariffError("relativeTimes: clock times in rate lines are not supported")
    lines = tables_of(collection.get("rateLines", []), "rateLines")
    lines.sort(key=lambda line: whole(required(line, "sequence")))
    free_minutes, lines = _free(lines)
    tiers, end = _tiers(lines, free_minutes)
    losses = [*_not_taken(table, collection, lines)]
    longest = base.max_stay_minutes
    if "maxTime" in collection:
        longest = min(longest, minutes_of(collection["maxTime"]))
    if end is not None:
        losses.append(f"beyond {end} minutes the table has no price: longer stays are refused")
        longest = min(longest, end)
    rate = Rate(
        vehicles=base.rates[0].vehicles,
        bands=(Band(_ALL_DAY, tiers),),
        day_plans=(DayPlan(tuple(DayType), (Period(0, DAY_MINUTES, _ALL_DAY),)),),
        free=FreePeriod(free_minutes),
        cap=_cap(collection, losses),
    )
    tariff = replace(base, rates=(rate,), max_stay_minutes=longest)
    require_sound(tariff)
    return Imported(tariff, tuple(losses))


def _free(lines: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    """A first line that costs nothing is the free period."""
    if len(lines) > 1 and fen_of(required(lines[0], "value")) == 0 and "durationEnd" in lines[0]:
        return minutes_of(lines[0]["durationEnd"]), lines[1:]
    return 0, lines


def _tiers(lines: list[dict[str, Any]], begin: int) -> tuple[tuple[Tier, ...], int | None]:
    """The tiers from `begin` on, and where the table ends (None: never)."""
    tiers: list[Tier] = []
    total_fen, at, end = 0, begin, None
    for line in lines:
        if str(line.get("rateLineType")) not in _LINE_TYPES:
            raise UnreadableTariffError(f"rateLineType {line.get('rateLineType')!r}")
        if tiers and end is None:
            raise UnreadableTariffError("a line after one that has no durationEnd")
        _require_joined(line, at)
        end = minutes_of(line["durationEnd"]) if "durationEnd" in line else None
        tier, total_fen = _tier(line, at, end, total_fen)
        tiers.append(tier)
        at = end if end is not None else at
    if not tiers:
        raise UnreadableTariffError("rateLines: none that costs anything")
    if lines[-1]["rateLineType"] == "flatRate" and end is None:
        tiers.append(Tier(DAY_MINUTES, 0))
    else:
        tiers[-1] = replace(tiers[-1], units=None)
    return tuple(tiers), end


def _require_joined(line: dict[str, Any], at: int) -> None:
    """Tables start the next line at 01:00 or at 01:01; anything else is a gap or an overlap."""
    start = minutes_of(line.get("durationStart", at))
    if start not in (at, at + 1):
        raise UnreadableTariffError(f"from {at} to {start} minutes there is no price, or two")


def _tier(line: dict[str, Any], at: int, end: int | None, total_fen: int) -> tuple[Tier, int]:
    value = fen_of(required(line, "value"))
    if "incrementPeriod" in line:
        unit = minutes_of(line["incrementPeriod"])
        if end is None:
            return Tier(unit, value), total_fen
        if unit < 1 or (end - at) % unit:
            raise UnreadableTariffError(f"{end - at} minutes are not whole periods of {unit}")
        units = (end - at) // unit
        return Tier(unit, value, units), total_fen + units * value
    if end is None:
        return Tier(DAY_MINUTES, value, 1), total_fen + value
    if line["rateLineType"] == "flatRate":
        return Tier(end - at, value, 1), total_fen + value
    if value < total_fen:
        raise UnreadableTariffError(
            f"a longer stay is cheaper at {at + 1} min: {value} fen after {total_fen} fen"
        )
    return Tier(end - at, value - total_fen, 1), value


def _cap(collection: dict[str, Any], losses: list[str]) -> Cap | None:
    if "maxValueCollection" not in collection:
        return None
    amounts = (fen_of(collection["maxValueCollection"]),)
    if str(collection.get("resetTime")) in _MIDNIGHT:
        return Cap(CapWindow.CALENDAR_DAY, amounts)
    losses.append("maxValueCollection without a reset at midnight is taken per 24 hours from entry")
    return Cap(CapWindow.ROLLING_24H, amounts)


def _not_taken(
    table: dict[str, Any], collection: dict[str, Any], lines: list[dict[str, Any]]
) -> Iterator[str]:
    yield from unknown_keys(table, _TABLE_KEYS, "RateTable")
    yield from unknown_keys(collection, _COLLECTION_KEYS, "rateLineCollections[0]")
    for line in lines:
        yield from unknown_keys(line, _LINE_KEYS, f"rateLines[{line['sequence']}]")


def write_apds(tariff: Tariff) -> Exported:
    """A RateTable for each band of each rate."""
    tables, losses = [], []
    for number, rate in enumerate(tariff.rates):
        where = f"rates[{number}]: "
        losses += [where + loss for loss in _not_said(tariff, rate)]
        tables += [_table(tariff, rate, band) for band in rate.bands]
    return Exported(tables, tuple(losses))


def _not_said(tariff: Tariff, rate: Rate) -> Iterator[str]:
    yield from unsaid(tariff, rate)
    if len(rate.bands) > 1:
        yield "day_plans: when each band holds (in APDS part of a right specification)"
    if rate.cap and len(rate.cap.amounts_fen) > 1:
        yield "cap: amounts that differ by day; the first is written"


def _table(tariff: Tariff, rate: Rate, band: Band) -> dict[str, Any]:
    vehicles = ",".join(rate.vehicles)
    collection: dict[str, Any] = {
        "applicableCurrency": "CNY",
        "collectionSequence": 0,
        "relativeTimes": True,
        "rateLines": list(_lines(rate.free, band)),
    }
    if says_max_stay(tariff):
        collection["maxTime"] = f"PT{tariff.max_stay_minutes}M"
    if rate.cap:
        collection["maxValueCollection"] = yuan_of(rate.cap.amounts_fen[0])
        if rate.cap.window is CapWindow.CALENDAR_DAY:
            collection["resetTime"] = "00:00"
    return {
        "id": f"{tariff.tariff_id}/{vehicles}/{band.name}",
        "version": tariff.version,
        "rateTableName": {"zh": f"{tariff.name} {band.name}"},
        "rateLineCollections": [collection],
    }


def _lines(free: FreePeriod, band: Band) -> Iterator[dict[str, Any]]:
    at = sequence = 0
    if free.minutes and free.mode is FreeMode.DEDUCTIBLE:
        at, sequence = free.minutes, 1
        yield {
            "sequence": 0,
            "rateLineType": "flatRate",
            "value": 0.0,
            "durationStart": "00:00",
            "durationEnd": clock_words(at),
        }
    for sequence, tier in enumerate(band.tiers or (Tier(DAY_MINUTES, 0),), sequence):  # noqa: B020
        line = {
            "sequence": sequence,
            "rateLineType": "incrementingRate",
            "value": yuan_of(tier.price_fen),
            "incrementPeriod": f"PT{tier.unit_minutes}M",
            "durationStart": clock_words(at),
        }
        if tier.units is not None:
            at += tier.units * tier.unit_minutes
            line["durationEnd"] = clock_words(at)
        yield line
