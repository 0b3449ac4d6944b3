"""What history says of a car park for a study: a mean day of each kind, hour by hour."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

import msgspec

from occupancy.calendar import DayType
from occupancy.rollup import Window, local_day, local_hour

HOURS, WEEKDAYS = 24, 7
THURSDAY = 3  # 1970-01-01, Monday is 0
LEAST_COMPLETENESS = 0.9
KINDS = ("workday", "weekend")


class PastHours(msgspec.Struct, frozen=True):
    """Cars an hour let in and (estimated) refused, cars inside, entries a day by weekday.

    An hour or weekday that nobody recorded is None.
    """

    lot_id: str
    entries: dict[str, tuple[float | None, ...]]
    refused: dict[str, tuple[float | None, ...]]
    occupied: dict[str, tuple[float | None, ...]]
    week: tuple[float | None, ...]


def kind_of(day_type: DayType) -> str:
    """Holidays are as weekends, make-up workdays as workdays."""
    is_worked = day_type in (DayType.WORKDAY, DayType.MAKEUP_WORKDAY)
    return KINDS[0] if is_worked else KINDS[1]


def past_hours(
    lot_id: str,
    windows: Sequence[Window],
    day_type: Callable[[int], DayType],
    refused: Mapping[int, float],
) -> PastHours:
    """`windows` of an hour; `refused` by their start. Hours told too little of are left out."""
    told = [one for one in windows if one.completeness >= LEAST_COMPLETENESS]
    entries: dict[tuple[str, int], list[float]] = defaultdict(list)
    turned_away: dict[tuple[str, int], list[float]] = defaultdict(list)
    occupied: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in told:
        slot = (kind_of(day_type(local_day(one.start_ms))), local_hour(one.start_ms))
        entries[slot].append(one.entries - one.entries_late)
        turned_away[slot].append(refused.get(one.start_ms, 0.0))
        occupied[slot].append(one.occupied or 0.0)
    return PastHours(
        lot_id, _by_kind(entries), _by_kind(turned_away), _by_kind(occupied), _week(told)
    )


def _by_kind(
    slots: Mapping[tuple[str, int], Sequence[float]],
) -> dict[str, tuple[float | None, ...]]:
    return {
        kind: tuple(
            fmean(slots[kind, hour]) if (kind, hour) in slots else None for hour in range(HOURS)
        )
        for kind in KINDS
    }


def _week(told: Sequence[Window]) -> tuple[float | None, ...]:
    """Only whole days count: half a day is no day with half the cars."""
    days: dict[int, list[Window]] = defaultdict(list)
    for one in told:
        days[local_day(one.start_ms)].append(one)
    whole = {day: sum(w.entries for w in of) for day, of in days.items() if len(of) == HOURS}
    by_weekday = [
        [float(cars) for day, cars in whole.items() if (day + THURSDAY) % WEEKDAYS == weekday]
        for weekday in range(WEEKDAYS)
    ]
    return tuple(fmean(cars) if cars else None for cars in by_weekday)
