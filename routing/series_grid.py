"""Occupancy series on one grid: lots by days by half hours, with holes where nobody looked."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Cube = Numbers  # by lot, day and slot
SLOT_MINUTES = 30
SLOTS_A_DAY = 24 * 60 // SLOT_MINUTES
_SATURDAY = 5
_MONDAY_ORDINAL = 1  # 0001-01-01 was a Monday


@dataclass(frozen=True)
class Days:
    """What each day is: its weekday, Monday is 0; its kind, 0 for work, others free of it."""

    weekdays: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]


class Sighting(NamedTuple):
    """So many cars in one lot at one local moment."""

    lot: str
    capacity: float
    occupied: float
    at: dt.datetime


@dataclass(frozen=True)
class Grid:
    """Shares of the bays taken, 0 to 1, by lot, day and slot; NaN where nothing was seen."""

    lots: tuple[str, ...]
    capacity: Numbers
    first_day: int  # proleptic ordinal
    first_slot: int
    rate: Cube
    minutes_off: Cube  # how long after the slot's own time each was seen

    @property
    def days(self) -> int:
        return int(self.rate.shape[1])

    @property
    def calendar(self) -> Days:
        """Workdays and weekends; whose holidays these are nobody knows."""
        return Days(self.weekdays, (self.weekdays >= _SATURDAY).astype(int))

    @property
    def weekdays(self) -> npt.NDArray[np.int64]:
        """Monday is 0."""
        return (np.arange(self.days) + self.first_day - _MONDAY_ORDINAL) % 7

    def later(self, cube: Cube, slots: int) -> Cube:
        """Each place holds what lies `slots` later, or earlier when negative."""
        lots, days, per_day = cube.shape
        if per_day == SLOTS_A_DAY:
            cube = cube.reshape(lots, 1, days * per_day)
        moved = np.full(cube.shape, np.nan)
        if slots == 0:
            moved = cube
        elif slots > 0:
            moved[:, :, :-slots] = cube[:, :, slots:]
        else:
            moved[:, :, -slots:] = cube[:, :, :slots]
        return moved.reshape(lots, days, per_day)


def make_grid(sightings: Iterable[Sighting]) -> Grid:
    """The sighting nearest to a slot's time stands for it; of equals the last one said."""
    nearest: dict[tuple[str, int, int], tuple[float, float]] = {}
    capacity: dict[str, float] = {}
    for one in sightings:
        day, slot, off = _place(one.at)
        place = (one.lot, day, slot)
        if place not in nearest or abs(off) <= abs(nearest[place][1]):
            rate = min(max(one.occupied / one.capacity, 0.0), 1.0)
            nearest[place] = (rate, off)
        capacity[one.lot] = one.capacity
    return _fill(nearest, capacity)


def _place(at: dt.datetime) -> tuple[int, int, float]:
    """Day, slot of the day, and minutes after it; the last quarter of a day is the next one's."""
    minutes = at.hour * 60 + at.minute + at.second / 60
    slot = int((minutes + SLOT_MINUTES / 2) // SLOT_MINUTES)
    days, of_day = divmod(slot, SLOTS_A_DAY)
    return at.toordinal() + days, of_day, minutes - slot * SLOT_MINUTES


def _fill(
    nearest: dict[tuple[str, int, int], tuple[float, float]], capacity: dict[str, float]
) -> Grid:
    lots = tuple(sorted(capacity))
    places = {lot: number for number, lot in enumerate(lots)}
    first_day, last_day = min(d for _, d, _ in nearest), max(d for _, d, _ in nearest)
    first_slot, last_slot = min(s for *_, s in nearest), max(s for *_, s in nearest)
    shape = (len(lots), last_day - first_day + 1, last_slot - first_slot + 1)
    rate, off = np.full(shape, np.nan), np.full(shape, np.nan)
    for (lot, day, slot), (share, minutes) in nearest.items():
        place = (places[lot], day - first_day, slot - first_slot)
        rate[place], off[place] = share, minutes
    return Grid(lots, np.array([capacity[lot] for lot in lots]), first_day, first_slot, rate, off)
