"""The usual day of every lot, as known before each day: recent days of its kind weigh more."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.series_grid import Cube, Days, Grid, Numbers

_NO_WEIGHT = 1e-9
_FREE_PART = 0.5  # of a like day, when both are free of work: a holiday and a weekend


@dataclass(frozen=True)
class Weighting:
    """How much an earlier day tells of a day: by age, and by what kind of day it was."""

    half_life_days: float
    same_weekday: float = 1.0
    same_kind: float = 0.0  # another workday for a workday, another weekend day for one
    other: float = 0.0

    def of(self, days: Days, day: int, behind: int) -> Numbers:
        """The weights of the days before `behind` for the day `day`."""
        age = day - np.arange(behind)
        alike = days.kinds[:behind] == days.kinds[day]
        same = alike & (days.weekdays[:behind] == days.weekdays[day])
        free = (days.kinds[:behind] > 0) & (days.kinds[day] > 0)
        tells = np.where(free, self.same_kind * _FREE_PART, self.other)
        tells = np.where(same, self.same_weekday, np.where(alike, self.same_kind, tells))
        weights: Numbers = 0.5 ** (age / self.half_life_days) * tells
        return weights


def usual_days(days: Days, cube: Cube, weighting: Weighting) -> tuple[Cube, Cube]:
    """The weighted mean of `cube` over the days before each day, and its spread."""
    mean, spread = np.full(cube.shape, np.nan), np.full(cube.shape, np.nan)
    for day in range(1, cube.shape[1]):
        mean[:, day], spread[:, day] = usual_day(cube, weighting.of(days, day, day))
    return mean, spread


def usual_day(cube: Cube, weights: Numbers) -> tuple[Cube, Cube]:
    """One day's weighted mean and spread over the first days of `cube`."""
    seen = cube[:, : len(weights)]
    known = ~np.isnan(seen)
    filled = np.where(known, seen, 0.0)
    weight = np.einsum("d,lds->ls", weights, known.astype(float))
    weight = np.where(weight > _NO_WEIGHT, weight, np.nan)
    mean = np.einsum("d,lds->ls", weights, filled) / weight
    squares = np.einsum("d,lds->ls", weights, filled**2) / weight
    return mean, np.sqrt(np.maximum(squares - mean**2, 0.0))


def usual_median(cube: Cube, weights: Numbers) -> Cube:
    """One day's weighted median: a single odd day does not move it."""
    seen = cube[:, : len(weights)]
    order = np.argsort(np.where(np.isnan(seen), np.inf, seen), axis=1)
    seen = np.take_along_axis(seen, order, axis=1)
    weight = np.where(np.isnan(seen), 0.0, weights[order])
    summed = np.cumsum(weight, axis=1)
    middle = np.argmax(summed >= summed[:, -1:] / 2, axis=1)
    median: Cube = np.take_along_axis(seen, middle[:, None], axis=1)[:, 0]
    known: Cube = np.where(summed[:, -1] > _NO_WEIGHT, median, np.nan)
    return known


def latest(cube: Cube, alike: npt.NDArray[np.bool_]) -> Cube:
    """What was last seen on a day that is alike: `alike[day, earlier]`."""
    found = np.full(cube.shape, np.nan)
    for day in range(cube.shape[1]):
        for earlier in np.flatnonzero(alike[day, :day])[::-1]:
            hole = np.isnan(found[:, day])
            if not hole.any():
                break
            found[:, day][hole] = cube[:, earlier][hole]
    return found


def week_ahead(grid: Grid, day: int, behind: int) -> Cube:
    """A day as it was to be expected from the days before `behind`, nothing live.

    The mean of last week's day, two recency-weighted means and a median, moved by a part of what
    the last days were off.
    """
    recent, alike = Weighting(7), Weighting(7, same_kind=0.1)
    weights = recent.of(grid.calendar, day, behind)
    median = usual_median(grid.rate, weights)
    weeks_back = -(-(day - behind + 1) // 7)
    last_week = grid.rate[:, day - 7 * weeks_back] if day >= 7 * weeks_back else median
    parts = [
        np.where(np.isnan(last_week), median, last_week),
        median,
        usual_day(grid.rate, weights)[0],
        usual_median(grid.rate, alike.of(grid.calendar, day, behind)),
    ]
    said: Cube = np.mean(parts, axis=0) + _LEVEL_PART * _level(grid, behind)
    return said


_LEVEL_PART, _LEVEL_DAYS = 0.3, 5


def _level(grid: Grid, behind: int) -> Cube:
    """How far each lot's last days lay above what was usual before them."""
    weighting = Weighting(14, same_kind=0.1)
    days = range(max(1, behind - _LEVEL_DAYS), behind)
    off = [
        grid.rate[:, day] - usual_median(grid.rate, weighting.of(grid.calendar, day, day))
        for day in days
    ]
    known = ~np.isnan(off)
    count = np.maximum(known.sum(axis=(0, 2)), 1)
    mean: Cube = (np.where(known, off, 0.0).sum(axis=(0, 2)) / count)[:, None]
    return mean
