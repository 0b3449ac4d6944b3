"""Learns from the lots' past: usual days, how residuals go on, and how far off that has been."""

from dataclasses import dataclass

import numpy as np

from routing.arrival import LEVELS, USUAL_SHAPE, Shape, spare_chance
from routing.forecast_model import (
    CROWDED,
    CROWDED_WIDTH,
    FIRST_FOLLOW,
    FIRST_MODEL,
    HORIZONS,
    QUARTERS,
    Follow,
    LotModel,
    Model,
)
from routing.forecast_past import Past
from routing.forecast_usual import DAYS_AHEAD, walk
from routing.series_grid import Numbers

_OWN_WEIGHT = 0.7  # a day of the same kind or so makes a usual day a lot's own
_QUARTER_MINUTES = 15
_HOUR = 60 // _QUARTER_MINUTES
_FIRST_DAYS = 2  # nothing can be said before
_CASE_DAYS = 28  # how far back errors are judged
_PRIOR_CASES = 300.0  # how long the first model holds against what is seen
_JUDGED = (2, 3, 5)  # places of the horizons that lots are compared at
_NEW_DAYS = 1.02  # errors on days not learned from are so much larger
_OFTEN = 60  # cases that make a quarter's unrest its own
_UNREST_QUARTERS = 9
_MOST_UNREST, _LEAST_UNREST = 4.0, 0.25
_LEAST_SPREAD, _LEAST_STEP = 0.0005, 1e-3
_SPARES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
_SPACES = (1, 3, 5, 10)
_DOUBTFUL = 0.97  # a chance below it says that the lot may be full


_LEARNED = (
    *("residual", "trend", "district", "constant", "crowding"),
    *("spread", "spread_change", "spread_residual", "spread_usual", "spread_crowding"),
)


@dataclass(frozen=True)
class _Cases:
    """What was known at each moment of the past, and what came of it: by lot and quarter."""

    usual: Numbers
    residual: Numbers
    trend: Numbers
    district: Numbers
    demand: Numbers
    free: Numbers
    bays: Numbers


@dataclass(frozen=True)
class _Said:
    """Forecasts of one horizon, by lot and quarter of their making, and their truth."""

    demand: Numbers
    scale: Numbers
    truth: Numbers
    free: Numbers
    bays: Numbers


def learn(past: Past, first_day: int, learned_at_ms: int) -> Model:
    """A model for the days after `past`, whose calendar reaches `DAYS_AHEAD` days further."""
    days = past.demand.shape[1]
    if days < _FIRST_DAYS or not past.lots:
        return FIRST_MODEL
    usual, weight = walk(past)
    cases = _cases(past, usual[:, :days])
    follow = tuple(_follow(cases, place) for place in range(len(HORIZONS)))
    said = {place: _say(cases, follow[place], place) for place in _JUDGED}
    unrest = _unrest(said)
    lots = {
        lot: LotModel(
            {
                first_day + day: tuple(map(float, usual[number, day]))
                for day in range(days - 1, days + DAYS_AHEAD)
            },
            tuple(map(float, unrest[number])),
            bool(weight[number, days] >= _OWN_WEIGHT),
        )
        for number, lot in enumerate(past.lots)
    }
    spare = _spare(said, follow, unrest)
    return Model(learned_at_ms, lots, _siblings(lots), follow, spare)


def _cases(past: Past, usual: Numbers) -> _Cases:
    lots = past.demand.shape[0]
    usual, demand, free, bays = (
        cube[:, -_CASE_DAYS:].reshape(lots, -1)
        for cube in (usual, past.demand, past.free, past.bays)
    )
    residual = demand - usual
    trend = residual - _later(residual, -_HOUR)
    known = ~np.isnan(residual)
    filled = np.where(known, residual, 0.0)
    others = np.maximum(known.sum(axis=0) - known, 1)
    district = (filled.sum(axis=0) - filled) / others
    return _Cases(usual, residual, np.nan_to_num(trend), district, demand, free, bays)


def _later(rows: Numbers, quarters: int) -> Numbers:
    """What lies so many quarters later, or earlier when negative."""
    moved = np.full(rows.shape, np.nan)
    if quarters > 0:
        moved[:, :-quarters] = rows[:, quarters:]
    else:
        moved[:, -quarters:] = rows[:, :quarters]
    return moved


def _follow(cases: _Cases, place: int) -> Follow:
    """Least squares for one horizon, drawn to the first model as long as cases are few."""
    first, quarters = FIRST_FOLLOW[place], HORIZONS[place] // _QUARTER_MINUTES
    if not quarters:
        return first
    target = _later(cases.demand - cases.usual, quarters)
    change = np.abs(_later(cases.usual, quarters) - cases.usual)
    known = ~np.isnan(target) & ~np.isnan(cases.residual) & ~np.isnan(change)
    if not known.any():
        return first
    residual = cases.residual[known]
    ones = np.ones(len(residual))
    usual = np.maximum(_later(cases.usual, quarters)[known], 0.0)
    moved = np.stack([residual, cases.trend[known], cases.district[known], ones])
    prior = [first.residual, first.trend, first.district, first.constant]
    weights = _drawn(moved, target[known], np.array(prior))
    errors = target[known] - weights @ moved
    near_full = _crowded(usual + weights @ moved)[None]
    crowding = _drawn(near_full, errors, np.array([first.crowding]))
    # With more than the width a car less now would mean more cars then.
    crowding = np.clip(crowding, -CROWDED_WIDTH, CROWDED_WIDTH)
    errors -= crowding @ near_full
    about = np.stack([ones, change[known], np.abs(residual), usual, _crowded(usual)])
    prior = [first.spread, first.spread_change, first.spread_residual, first.spread_usual]
    prior.append(first.spread_crowding)
    spread = np.maximum(_drawn(about, np.abs(errors), np.array(prior)), 0.0)
    spread[0] = max(spread[0], _LEAST_SPREAD)
    learned = dict(zip(_LEARNED, map(float, (*weights, *crowding, *spread)), strict=True))
    return Follow(**learned, shape=_shape(errors / (spread @ about)))


def _drawn(about: Numbers, target: Numbers, prior: Numbers) -> Numbers:
    """Ridge towards `prior`: as if so many cases of the usual size had said that."""
    square = about @ about.T
    strength = np.diag(np.diag(square) / about.shape[1] * _PRIOR_CASES + 1e-9)
    found = np.linalg.solve(square + strength, about @ target + strength @ prior)
    return np.asarray(found, dtype=np.float64)


def _crowded(shares: Numbers) -> Numbers:
    clipped: Numbers = np.maximum(0.0, 1 - np.abs(shares - CROWDED) / CROWDED_WIDTH)
    return clipped


def _shape(relative: Numbers) -> Shape:
    """The quantiles of the errors, mixed with the usual ones while cases are few."""
    count, usual = len(relative), np.array(USUAL_SHAPE.errors)
    part = count / (count + _PRIOR_CASES)
    mixed = part * _NEW_DAYS * np.array(np.quantile(relative, LEVELS)) + (1 - part) * usual
    steps = np.maximum(np.diff(mixed), _LEAST_STEP)
    return Shape(tuple(float(mixed[0] + step) for step in (0.0, *np.cumsum(steps))))


def _say(cases: _Cases, follow: Follow, place: int) -> _Said:
    """What the learned model would have said."""
    quarters = HORIZONS[place] // _QUARTER_MINUTES
    usual = _later(cases.usual, quarters)
    off = (
        follow.constant
        + follow.residual * cases.residual
        + follow.trend * cases.trend
        + follow.district * cases.district
    )
    off += follow.crowding * _crowded(usual + off)
    change, residual = np.abs(usual - cases.usual), np.abs(cases.residual)
    scale = (
        follow.spread
        + follow.spread_change * change
        + follow.spread_residual * residual
        + follow.spread_usual * np.maximum(usual, 0.0)
        + follow.spread_crowding * _crowded(usual)
    )
    truth, free, bays = (_later(rows, quarters) for rows in (cases.demand, cases.free, cases.bays))
    return _Said(usual + off, scale, truth, free, bays)


def _unrest(said: dict[int, _Said]) -> Numbers:
    """How much larger a lot's errors are than all lots', by lot and quarter of the day."""
    lots = next(iter(said.values())).scale.shape[0]
    errors, counts = np.zeros((lots, QUARTERS)), np.zeros((lots, QUARTERS))
    for place, one in said.items():
        relative = np.abs(one.truth - one.demand) / one.scale
        by_quarter = np.roll(relative, HORIZONS[place] // _QUARTER_MINUTES, axis=1)
        by_quarter = by_quarter.reshape(lots, -1, QUARTERS)
        errors += np.nansum(by_quarter, axis=1)
        counts += (~np.isnan(by_quarter)).sum(axis=1)
    level = (errors.sum(axis=1) + _OFTEN) / (counts.sum(axis=1) + _OFTEN)
    errors, counts = _around(errors), _around(counts)
    unrest = (errors + _OFTEN * level[:, None]) / (counts + _OFTEN)
    clipped: Numbers = np.clip(unrest, _LEAST_UNREST, _MOST_UNREST)
    return clipped


def _around(rows: Numbers) -> Numbers:
    """Sums over the quarters around each, over midnight as well."""
    half = _UNREST_QUARTERS // 2
    moved = [np.roll(rows, by, axis=1) for by in range(-half, half + 1)]
    summed: Numbers = np.sum(moved, axis=0)
    return summed


def _spare(said: dict[int, _Said], follow: tuple[Follow, ...], unrest: Numbers) -> float:
    """The spaces that stand free on average in a lot more drivers want than fit.

    Those are chosen that make the chances of the past come true best (Brier).
    """
    wanted, hit, spaces = _doubtful(said, follow, unrest)
    if not wanted.size:
        return 0.0
    losses = [
        np.mean((wanted + (1 - wanted) * _spare_chances(spaces, spare) - hit) ** 2)
        for spare in _SPARES
    ]
    return _SPARES[int(np.argmin(losses))]


def _spare_chances(spaces: Numbers, spare: float) -> Numbers:
    table = {number: spare_chance(number, spare) for number in _SPACES}
    return np.array([table[number] for number in spaces])


def _doubtful(
    said: dict[int, _Said], follow: tuple[Follow, ...], unrest: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Chances below `_DOUBTFUL` of so many spaces, whether they were there, and how many."""
    rows: list[tuple[Numbers, Numbers, Numbers]] = []
    for place, one in said.items():
        quarter = np.arange(one.scale.shape[1]) + HORIZONS[place] // _QUARTER_MINUTES
        scale = one.scale * unrest[:, quarter % QUARTERS]
        for number in _SPACES:
            room = 1 - (number - 0.5) / one.bays
            chance = np.interp((room - one.demand) / scale, follow[place].shape.errors, LEVELS)
            few = ~np.isnan(chance + one.free) & (chance < _DOUBTFUL)
            hit = one.free[few] >= number - 0.5
            rows.append((chance[few], hit.astype(float), np.full(few.sum(), float(number))))
    return (
        np.concatenate([row[0] for row in rows]),
        np.concatenate([row[1] for row in rows]),
        np.concatenate([row[2] for row in rows]),
    )


def _siblings(lots: dict[str, LotModel]) -> LotModel:
    """The mean lot, for those that have no past at all; it is twice as unsure."""
    models = list(lots.values())
    days = {
        day: tuple(map(float, np.mean([one.days[day] for one in models], axis=0)))
        for day in models[0].days
    }
    return LotModel(days, (2.0,) * QUARTERS)
