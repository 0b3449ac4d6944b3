"""What is known of every lot at every slot that may tell where it goes: only what lay before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.series_grid import SLOT_MINUTES, Cube, Grid, Numbers
from routing.series_profile import Weighting, latest, usual_days

Features = dict[str, Cube]
STEADY = Weighting(21, same_kind=0.35)
QUICK = Weighting(6, same_kind=0.8, other=0.02)
SAME_DAY = Weighting(60)
ERROR_DAYS = Weighting(10, same_kind=0.7, other=0.1)
OFTEN_DAYS = Weighting(21, same_kind=0.5, other=0.05)
ALMOST_FULL, FULL = 0.9, 0.99999
_NEIGHBOUR_DAYS = 7
_HALF_LIFE_FULL_DAYS = 14


@dataclass(frozen=True)
class Table:
    """Rows for learning and asking: features by name, the truth, and where each row stands."""

    names: tuple[str, ...]
    values: Numbers
    now: Numbers
    truth: Numbers  # NaN where it is not known
    day: npt.NDArray[np.int64]
    lot: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]

    def column(self, name: str) -> Numbers:
        return self.values[:, self.names.index(name)]

    def take(self, rows: npt.NDArray[np.bool_]) -> "Table":
        return Table(
            self.names,
            self.values[rows],
            self.now[rows],
            self.truth[rows],
            self.day[rows],
            self.lot[rows],
            self.slot[rows],
        )


class FeatureBook:
    """Features of one grid; what does not depend on the horizon is worked out once."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        rate = grid.rate
        self._steady, self._steady_spread = usual_days(grid.calendar, rate, STEADY)
        self._quick, _ = usual_days(grid.calendar, rate, QUICK)
        self._same_day, _ = usual_days(grid.calendar, rate, SAME_DAY)
        self._residual = rate - self._steady
        day, kinds = np.arange(grid.days), grid.calendar.kinds
        self._yesterday = latest(rate, day[:, None] - day == 1)
        self._last_week = latest(rate, (day[:, None] - day) % 7 == 0)
        self._last_alike = latest(rate, kinds[:, None] == kinds)
        self._common = {
            **self._own(),
            **self._clock(),
            **self._others(),
            **self._places(),
        }

    def table(self, slots: int) -> Table:
        """Every row whose present is known, for a forecast `slots` ahead."""
        features = {**self._common, **self._ahead(slots), **self._fullness(slots)}
        rate = self._grid.rate
        lot, day, slot = np.nonzero(~np.isnan(rate))
        stacked = np.stack([cube[lot, day, slot] for cube in features.values()], axis=-1)
        truth = self._grid.later(rate, slots)
        return Table(
            tuple(features),
            stacked,
            rate[lot, day, slot],
            truth[lot, day, slot],
            day,
            lot,
            slot,
        )

    def _own(self) -> Features:
        """Where the lot is against its usual day, and how it got there."""
        rate, later = self._grid.rate, self._grid.later
        first = np.full(rate.shape[:2], np.nan)
        for slot in range(min(3, rate.shape[2])):
            first = np.where(np.isnan(first), rate[:, :, slot], first)
        rise = rate - later(rate, -1)
        usual_rise = self._steady - later(self._steady, -1)
        known = np.cumsum(~np.isnan(self._residual), axis=2)
        return {
            "now": rate,
            "usual": self._steady,
            "quick": self._quick,
            **{f"residual_{back}": later(self._residual, -back) for back in range(4)},
            "residual_quick": rate - self._quick,
            "residual_same_day": rate - self._same_day,
            "residual_day": np.nancumsum(self._residual, axis=2) / np.maximum(known, 1),
            "rise": rise,
            "rise_before": later(rate, -1) - later(rate, -2),
            "usual_rise": usual_rise,
            "rise_residual": rise - usual_rise,
            "first_seen": np.broadcast_to(first[:, :, None], rate.shape),
            "room_to_highest": _highest_before(rate)[:, :, None] - rate,
        }

    def _clock(self) -> Features:
        """How far from the slot's own time it was seen, and what that means."""
        off, later = self._grid.minutes_off, self._grid.later
        steady = self._steady
        slope = np.where(off > 0, later(steady, 1) - steady, steady - later(steady, -1))
        early = np.nan_to_num(off / SLOT_MINUTES * slope)
        gap = SLOT_MINUTES + off - later(off, -1)
        rise = self._grid.rate - later(self._grid.rate, -1)
        return {
            "usual_early": early,
            "residual_on_time": self._residual - early,
            "pace": rise * SLOT_MINUTES / np.clip(gap, SLOT_MINUTES / 3, 2 * SLOT_MINUTES),
            **{f"minutes_off_{back}": later(off, -back) for back in range(4)},
        }

    def _others(self) -> Features:
        """What the other lots do, as seen by then: all of them, and those that move alike."""
        rate, off, later = self._grid.rate, self._grid.minutes_off, self._grid.later
        district = _mean_of_others(self._residual, off)
        alike = _mean_of_alike(self._residual, off)
        return {
            "district": district,
            "district_rise": district - later(district, -1),
            "alike": alike,
            "alike_rise": alike - later(alike, -1),
            "town": _mean_of_others(rate * self._grid.capacity[:, None, None], off),
        }

    def _places(self) -> Features:
        lots, _, slots = shape = self._grid.rate.shape
        return {
            "slot": np.broadcast_to(np.arange(float(slots)), shape),
            "weekday": np.broadcast_to(self._grid.weekdays[:, None].astype(float), shape),
            "lot": np.broadcast_to(np.arange(float(lots))[:, None, None], shape),
            "capacity": np.broadcast_to(np.log(self._grid.capacity)[:, None, None], shape),
        }

    def _ahead(self, slots: int) -> Features:
        """What usually comes between now and then, by several reckonings."""
        grid, later, rate = self._grid, self._grid.later, self._grid.rate

        def change(cube: Cube) -> Cube:
            return later(cube, slots) - cube

        usual_change = change(self._steady)
        # Its own errors of earlier days: yesterday's afternoon must be known by this morning.
        error_mean, error_spread = usual_days(
            grid.calendar, change(rate) - usual_change, ERROR_DAYS
        )
        yesterday_residual = latest(self._residual, np.eye(grid.days, k=-1, dtype=bool))
        return {
            "usual_then": later(self._steady, slots),
            "usual_spread": later(self._steady_spread, slots),
            "usual_change": usual_change,
            "usual_change_on_time": usual_change - self._common["usual_early"],
            "quick_then": later(self._quick, slots),
            "quick_change": change(self._quick),
            "same_day_change": change(self._same_day),
            "yesterday": self._yesterday,
            "yesterday_then": later(self._yesterday, slots),
            "yesterday_change": change(self._yesterday),
            "yesterday_residual": yesterday_residual,
            "yesterday_residual_then": later(yesterday_residual, slots),
            "last_week": self._last_week,
            "last_week_then": later(self._last_week, slots),
            "last_week_change": change(self._last_week),
            "last_alike_change": change(self._last_alike),
            "above_last_alike": self._last_alike - rate,
            "change_error": error_mean,
            "change_error_spread": error_spread,
        }

    def _fullness(self, slots: int) -> Features:
        """How often the lot is nearly full and full: at this time, today, and lately."""
        grid, rate = self._grid, self._grid.rate
        features: Features = {}
        for name, limit in (("almost", ALMOST_FULL), ("full", FULL)):
            hit = np.where(np.isnan(rate), np.nan, (rate > limit).astype(float))
            often, _ = usual_days(grid.calendar, hit, OFTEN_DAYS)
            features[f"{name}_often"] = often
            features[f"{name}_often_then"] = grid.later(often, slots)
            features[f"{name}_today"] = np.maximum.accumulate(np.nan_to_num(hit), axis=2)
            features[f"{name}_lately"] = np.broadcast_to(_lately(hit)[:, :, None], rate.shape)
        return features


def _highest_before(rate: Cube) -> Cube:
    """The highest share of any earlier day, by lot and day."""
    highest = np.fmax.accumulate(np.fmax.reduce(rate, axis=2), axis=1)
    return np.concatenate([np.full((len(rate), 1), np.nan), highest[:, :-1]], axis=1)


def _lately(hit: Cube) -> Cube:
    """The share of slots with a hit over the days before, recent ones weighing more."""
    known = np.maximum((~np.isnan(hit)).sum(axis=2), 1)
    by_day = np.nansum(hit, axis=2) / known
    lately = np.zeros(by_day.shape)
    for day in range(1, by_day.shape[1]):
        weights = 0.5 ** ((day - np.arange(day)) / _HALF_LIFE_FULL_DAYS)
        lately[:, day] = by_day[:, :day] @ weights / weights.sum()
    return lately


def _mean_of_others(cube: Cube, off: Cube) -> Cube:
    """Over the other lots that were seen no later than the lot itself."""
    mean = np.zeros(cube.shape)
    for lot in range(len(cube)):
        known = ~np.isnan(cube) & (off <= off[lot])
        known[lot] = False
        mean[lot] = np.where(known, cube, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean


def _mean_of_alike(residual: Cube, off: Cube) -> Cube:
    """The other lots' residuals by then, weighed by how they went together on earlier days."""
    lots, days, _ = residual.shape
    filled = np.nan_to_num(residual)
    mean = np.zeros(residual.shape)
    for day in range(_NEIGHBOUR_DAYS, days):
        past = filled[:, :day].reshape(lots, -1)
        size = past.std(axis=1) + 1e-6
        past = (past - past.mean(axis=1, keepdims=True)) / size[:, None]
        together = np.clip(past @ past.T / past.shape[1], 0.0, 1.0) ** 3
        np.fill_diagonal(together, 0.0)
        known = ~np.isnan(residual[:, day]) & (off[:, day] <= off[:, None, day])
        weight = np.einsum("lm,lms->ls", together, known) + 1e-9
        moved = np.einsum("lm,lms,ms->ls", together, known, filled[:, day] / size[:, None])
        mean[:, day] = moved / weight * size[:, None]
    return mean
