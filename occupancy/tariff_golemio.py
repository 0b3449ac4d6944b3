"""Golemio-style `charges[]`: read and write; what is lost is listed, never silent.

A charge: `charge` (money as digits), `charge_interval` in seconds, `charge_order_index` (the
tier), `max_iterations_of_charge` (its units), and the hours it holds.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from occupancy.calendar import DayType
from occupancy.tariff import (
    Band,
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
)

_MINUTE_SECONDS = 60
_FEN = 100
_TARIFF_KEYS = frozenset({"tariff_id", "charges", "maximum_duration_seconds"})
_CHARGE_KEYS = frozenset(
    {
        "charge",
        "charge_interval",
        "charge_order_index",
        "end_time_of_period",
        "max_iterations_of_charge",
        "start_time_of_period",
    }
)


def read_golemio(document: dict[str, Any], base: Tariff) -> Imported:
    """A tariff with `charges`; `base` gives what the shape has no place for.

    Raises UnreadableTariffError, or BadTariffError where the hours leave a gap or overlap.
    """
    document = table_of(document, "the tariff")
    losses = [*unknown_keys(document, _TARIFF_KEYS, "tariff")]
    by_hours: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for number, charge in enumerate(tables_of(document.get("charges", []), "charges")):
        losses += unknown_keys(charge, _CHARGE_KEYS, f"charges[{number}]")
        by_hours.setdefault(_hours(charge), []).append(charge)
    bands = tuple(Band(_name(hours), tuple(_tiers(charges))) for hours, charges in by_hours.items())
    periods = tuple(Period(*hours, _name(hours)) for hours in by_hours)
    rate = Rate(
        vehicles=base.rates[0].vehicles,
        bands=bands,
        day_plans=(DayPlan(tuple(DayType), periods),),
        free=FreePeriod(0),
    )
    longest = base.max_stay_minutes
    if (seconds := document.get("maximum_duration_seconds")) is not None:
        longest = min(longest, whole(seconds) // _MINUTE_SECONDS)
    tariff = replace(base, rates=(rate,), max_stay_minutes=longest)
    require_sound(tariff)
    return Imported(tariff, tuple(losses))


def _hours(charge: dict[str, Any]) -> tuple[int, int]:
    start, end = charge.get("start_time_of_period"), charge.get("end_time_of_period")
    if start is None and end is None:
        return 0, DAY_MINUTES
    if start is None or end is None:
        raise UnreadableTariffError("a period of the day needs both its start and its end")
    return minutes_of(start), minutes_of(end)


def _name(hours: tuple[int, int]) -> str:
    return f"{clock_words(hours[0])}-{clock_words(hours[1])}"


def _tiers(charges: list[dict[str, Any]]) -> Iterator[Tier]:
    ordered = sorted(charges, key=lambda charge: whole(required(charge, "charge_order_index")))
    indexes = [whole(required(charge, "charge_order_index")) for charge in ordered]
    if len(set(indexes)) < len(indexes):
        raise UnreadableTariffError("charge_order_index: charges of one index have no order")
    for charge in ordered:
        most = charge.get("max_iterations_of_charge")
        units = None if most is None else whole(most)
        interval = charge.get("charge_interval")
        if interval is None:
            yield Tier(DAY_MINUTES, fen_of(required(charge, "charge")), 1)
            yield Tier(DAY_MINUTES, 0)
            return
        if whole(interval) % _MINUTE_SECONDS:
            raise UnreadableTariffError(f"charge_interval {interval} s is not whole minutes")
        yield Tier(whole(interval) // _MINUTE_SECONDS, fen_of(required(charge, "charge")), units)


def write_golemio(tariff: Tariff) -> Exported:
    """The first rate as charges; the hours of every day as those of its first plan."""
    rate = tariff.rates[0]
    losses = [*unsaid(tariff, rate)]
    if len(tariff.rates) > 1:
        losses.append("rates: those of other vehicle classes")
    if len(rate.day_plans) > 1:
        losses.append("day_plans: days that differ")
    if rate.cap:
        losses.append("cap")
    is_one_band = len(rate.bands) == 1
    is_deducted = rate.free.minutes and rate.free.mode is FreeMode.DEDUCTIBLE
    if is_deducted and not is_one_band:
        losses.append("free: the free minutes")
    charges = [
        charge
        for period in rate.day_plans[0].periods
        for band in rate.bands
        if band.name == period.band
        for charge in _charges(period, band, rate.free if is_deducted and is_one_band else None)
    ]
    document: dict[str, Any] = {"tariff_id": tariff.tariff_id, "charges": charges}
    if says_max_stay(tariff):
        document["maximum_duration_seconds"] = tariff.max_stay_minutes * _MINUTE_SECONDS
    return Exported(document, tuple(losses))


def _charges(period: Period, band: Band, free: FreePeriod | None) -> Iterator[dict[str, Any]]:
    tiers = list(band.tiers or (Tier(DAY_MINUTES, 0),))
    if free:
        tiers.insert(0, Tier(free.minutes, 0, 1))
    for number, tier in enumerate(tiers):
        charge: dict[str, Any] = {
            "charge": f"{tier.price_fen // _FEN}.{tier.price_fen % _FEN:02}",
            "charge_order_index": number,
            "charge_interval": tier.unit_minutes * _MINUTE_SECONDS,
            "start_time_of_period": clock_words(period.start_minute),
            "end_time_of_period": clock_words(period.end_minute),
        }
        if tier.units is not None:
            charge["max_iterations_of_charge"] = tier.units
        yield charge
