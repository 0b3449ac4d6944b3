"""The method to beat, written anew: the mean of ridge, LightGBM and a damped profile."""

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import Ridge

from routing.series_grid import SLOT_MINUTES, Cube, Grid, Numbers

RELEARN_DAYS = 7
_FIRST_DAYS = 14  # of profiles too young to learn from
_HALF_LIFE_DAYS = 21.0
_BOOSTED: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "objective": "l1",
    "verbose": -1,
    "n_jobs": 1,
}


def mean_error(grid: Grid, first_test_day: int, minutes: int) -> float:
    """MAE in shares of the bays over the days from `first_test_day`, learned again each week."""
    rows = _rows(grid, minutes // SLOT_MINUTES)
    day, now, usual, then, truth = (rows[name] for name in ("day", "now", "usual", "then", "truth"))
    about = np.column_stack([rows[name] for name in rows if name not in ("day", "truth")])
    filled = np.nan_to_num(about)
    said = np.full(len(day), np.nan)
    for start in range(first_test_day, grid.days, RELEARN_DAYS):
        known = (day < start) & (day >= _FIRST_DAYS)
        asked = (day >= start) & (day < start + RELEARN_DAYS)
        if not asked.any():
            continue
        change = (truth - now)[known]
        ridge = now + Ridge(1.0).fit(filled[known], change).predict(filled)
        boosted = lightgbm.LGBMRegressor(**_BOOSTED).fit(about[known], change).predict(about)
        off = np.nan_to_num(now - usual)
        damping = off[known] @ np.nan_to_num(truth - then)[known] / (off[known] @ off[known])
        damped = np.where(np.isnan(then), now, then) + damping * off
        said[asked] = np.clip((ridge + now + boosted + damped) / 3, 0, 1)[asked]
    judged = ~np.isnan(said)
    return float(np.abs(said - truth)[judged].mean())


def _rows(grid: Grid, slots: int) -> dict[str, Numbers]:
    """What was known at each half hour of each lot, and what came of it."""
    rate, later = grid.rate, grid.later
    usual, last_week = _profile(grid), np.full(rate.shape, np.nan)
    last_week[:, 7:] = rate[:, :-7]
    before = later(rate, -1)
    cubes = {
        "now": rate,
        "usual": usual,
        "then": later(usual, slots),
        "residual": rate - usual,
        "rise": rate - before,
        "rise_before": before - later(rate, -2),
        "usual_rise": later(usual, slots) - usual,
        "last_week": last_week,
        "last_week_rise": later(last_week, slots) - last_week,
        "weekday": _spread(grid.weekdays[None, :, None], rate),
        "slot": _spread(np.arange(rate.shape[2])[None, None, :], rate),
        "lot": _spread(np.arange(rate.shape[0])[:, None, None], rate),
        "day": _spread(np.arange(rate.shape[1])[None, :, None], rate),
        "truth": later(rate, slots),
    }
    known = ~np.isnan(rate) & ~np.isnan(cubes["truth"])
    return {name: cube[known] for name, cube in cubes.items()}


def _spread(values: npt.NDArray[np.int64], cube: Cube) -> Cube:
    return np.broadcast_to(values, cube.shape).astype(np.float64)


def _profile(grid: Grid) -> Cube:
    """The mean of earlier days of the same kind, recent ones first."""
    profile = np.full(grid.rate.shape, np.nan)
    kinds = grid.calendar.kinds
    for day in range(1, grid.days):
        alike = np.flatnonzero(kinds[:day] == kinds[day])
        seen = grid.rate[:, alike]
        weights = 0.5 ** ((day - alike) / _HALF_LIFE_DAYS)[None, :, None] * ~np.isnan(seen)
        total = weights.sum(axis=1)
        mean = (np.nan_to_num(seen) * weights).sum(axis=1) / np.maximum(total, 1e-9)
        profile[:, day] = np.where(total > 0, mean, np.nan)
    return profile
