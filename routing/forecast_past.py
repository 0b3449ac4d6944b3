"""What is remembered of the lots for learning: quarters of hours, with unmet demand put back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
Truths = npt.NDArray[np.bool_]
_THURSDAY = 3  # 1970-01-01, Monday is 0
_FULL_FREE = 1  # with a space left, the free spaces tell what is wanted
_FLOW_DAYS = Weighting(21, same_kind=0.5, other=0.1)


class Quarter(NamedTuple):
    """One lot as a quarter of an hour begins, and the cars through its lanes until the next."""

    start_ms: int
    occupied: int | None
    free: int | None
    entries: int | None
    exits: int | None


@dataclass(frozen=True)
class Past:
    """By lot, day and quarter; NaN where nothing is known."""

    lots: tuple[str, ...]
    days: Days
    demand: Numbers  # shares of the bays as they would have been with room for all
    free: Numbers
    bays: Numbers


def remember(
    lots: Mapping[str, Iterable[Quarter]],
    first_day: int,
    days: int,
    kinds: Sequence[DayType],
) -> Past:
    """The past of `days` local days from `first_day` on; `kinds` go on into the future."""
    names = tuple(lots)
    shape = (len(names), days, QUARTERS)
    wanted, free, all_bays, entries, exits = (np.full(shape, np.nan) for _ in range(5))
    for number, quarters in enumerate(lots.values()):
        for one in quarters:
            day, of_day = divmod((one.start_ms + AHEAD_MS) // QUARTER_MS, QUARTERS)
            place = (number, day - first_day, of_day)
            if not 0 <= day - first_day < days or one.occupied is None or one.free is None:
                continue
            bays = one.occupied + one.free
            if bays <= 0:
                continue
            free[place], all_bays[place] = one.free, bays
            wanted[place] = 1 - one.free / bays
            entries[place] = np.nan if one.entries is None else one.entries / bays
            exits[place] = np.nan if one.exits is None else one.exits / bays
    weekdays = (np.arange(len(kinds)) + first_day + _THURSDAY) % 7
    about = Days(weekdays, np.array([_KINDS[kind] for kind in kinds]))
    demand = uncensored(about, wanted, free < _FULL_FREE, entries, exits)
    return Past(names, about, demand, free, all_bays)


def uncensored(
    days: Days, wanted: Numbers, full: Truths, entries: Numbers, exits: Numbers
) -> Numbers:
    """What the share would have been had every driver found a space.

    `wanted` is what the free spaces say. While a lot is full its entries are those it lets in:
    those missing against what usually comes would stand there, too, and leave as cars leave.
    Entries and exits are shares of the bays.
    """
    if not full.any():
        return wanted
    usual, _ = usual_days(days, np.where(full, np.nan, entries), _FLOW_DAYS)
    missing = np.where(full, np.maximum(usual - entries, 0.0), 0.0)
    leaving = np.clip(exits, 0.0, 1.0)  # of a full lot's cars
    missing, leaving = np.nan_to_num(missing), np.nan_to_num(leaving, nan=0.1)
    lots, count, quarters = wanted.shape
    waiting = np.zeros(lots)
    demand = wanted.reshape(lots, -1).copy()
    rows = [cube.reshape(lots, -1) for cube in (full, missing, leaving)]
    for quarter in range(count * quarters):
        is_full, comes, goes = (row[:, quarter] for row in rows)
        waiting = np.where(is_full, waiting * (1 - goes) + comes, 0.0)
        demand[:, quarter] += waiting
    return demand.reshape(wanted.shape)


def start_of_day_ms(day: int) -> int:
    return day * DAY_MS - AHEAD_MS


def day_of_ms(at_ms: int) -> int:
    """The local day, in days since 1970."""
    return (at_ms + AHEAD_MS) // DAY_MS
