"""What is remembered of the lots for learning: quarters of hours, with unmet demand put back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from occupancy.calendar import DayType
from routing.forecast_model import AHEAD_MS, DAY_MS, QUARTER_MS, QUARTERS
from routing.series_grid import Days, Numbers
from routing.series_profile import Weighting, usual_days

_KINDS = {
    DayType.WORKDAY: 0,
    DayType.MAKEUP_WORKDAY: 0,
    DayType.WEEKEND: 1,
    DayType.PUBLIC_HOLIDAY: 2,
}
_THURSDAY = 3  # 1970-01-01, Monday is 0
_FULL_SHARE = 0.985  # of a quarter's mean: some bays stand empty while one car leaves for the next
_FLOW_DAYS = Weighting(21, same_kind=0.5, other=0.1)


class Quarter(NamedTuple):
    """A quarter of an hour of one lot: means of its counts, and cars through its lanes."""

    start_ms: int
    occupied: float | None
    free: float | None
    entries: int | None
    exits: int | None


@dataclass(frozen=True)
class Past:
    """By lot, day and quarter: shares of the bays taken; NaN where nothing is known."""

    lots: tuple[str, ...]
    days: Days
    seen: Numbers  # as counted
    demand: Numbers  # as it would have been with room for all


def remember(
    lots: Mapping[str, Iterable[Quarter]], first_day: int, days: int, kinds: Sequence[DayType]
) -> Past:
    """The past of `days` local days from `first_day` on; `kinds` go on into the future."""
    names = tuple(lots)
    shape = (len(names), days, QUARTERS)
    seen, bays, entries, exits = (np.full(shape, np.nan) for _ in range(4))
    for number, quarters in enumerate(lots.values()):
        for one in quarters:
            day, of_day = divmod((one.start_ms + AHEAD_MS) // QUARTER_MS, QUARTERS)
            place = (number, day - first_day, of_day)
            if not 0 <= day - first_day < days or one.occupied is None or one.free is None:
                continue
            bays[place] = one.occupied + one.free
            if bays[place] > 0:
                seen[place] = one.occupied / bays[place]
            entries[place] = np.nan if one.entries is None else one.entries
            exits[place] = np.nan if one.exits is None else one.exits
    weekdays = (np.arange(len(kinds)) + first_day + _THURSDAY) % 7
    about = Days(weekdays, np.array([_KINDS[kind] for kind in kinds]))
    return Past(names, about, seen, uncensored(about, seen, bays, entries, exits))


def uncensored(
    days: Days, seen: Numbers, bays: Numbers, entries: Numbers, exits: Numbers
) -> Numbers:
    """What the share would have been had every driver found a space.

    While a lot is full its entries are those it lets in. Those missing against what usually comes
    at this time wait outside, and leave at the rate at which cars leave.
    """
    full = seen >= _FULL_SHARE
    if not full.any():
        return seen
    usual, _ = usual_days(days, np.where(full, np.nan, entries / bays), _FLOW_DAYS)
    missing = np.where(full, np.maximum(usual - entries / bays, 0.0), 0.0)
    leaving = np.clip(exits / bays / np.maximum(seen, 0.1), 0.0, 1.0)
    missing, leaving = np.nan_to_num(missing), np.nan_to_num(leaving, nan=0.1)
    lots, count, quarters = seen.shape
    waiting = np.zeros(lots)
    demand = seen.reshape(lots, -1).copy()
    rows = [cube.reshape(lots, -1) for cube in (full, missing, leaving)]
    for quarter in range(count * quarters):
        is_full, comes, goes = (row[:, quarter] for row in rows)
        waiting = np.where(is_full, waiting * (1 - goes) + comes, 0.0)
        demand[:, quarter] += waiting
    return demand.reshape(seen.shape)


def day_of_ms(at_ms: int) -> int:
    """The local day, in days since 1970."""
    return (at_ms + AHEAD_MS) // DAY_MS
