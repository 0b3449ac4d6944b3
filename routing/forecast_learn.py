"""Learns from the lots' past: usual days, how residuals go on, and how far off that has been."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from routing.arrival import LEVELS, USUAL_SHAPE, Shape
from routing.forecast_model import (
    CROWDING,
    FIRST_FOLLOW,
    FIRST_MODEL,
    HORIZONS,
    QUARTERS,
    Follow,
    LotModel,
    Model,
)
from routing.forecast_past import Past
from routing.series_grid import Numbers
from routing.series_profile import Weighting, usual_day

DAYS_AHEAD = 9
USUAL = Weighting(21, same_kind=0.35, other=0.03)
_OWN_WEIGHT = 0.7  # a day of the same kind or so makes a profile a lot's own
_SIBLING_WEIGHT = 0.3  # what the siblings' day counts against own days
_HOUR = 4  # in quarters
_FIRST_DAYS = 2  # nothing can be said before
_PRIOR_CASES = 300.0  # how long the first model holds against what is seen
_PRIOR_SPREAD = 0.05
_OFTEN = 60  # cases that make a quarter's unrest its own
_MOST_UNREST, _LEAST_UNREST = 4.0, 0.25
_LEAST_SPREAD = 0.002
_LEAST_STEP = 1e-3
_SMOOTH = np.array([1, 2, 3, 4, 3, 2, 1]) / 16


@dataclass(frozen=True)
class _Cases:
    """What was known at each moment of the past, and what came of it; by lot, day, quarter."""

    usual: Numbers
    seen: Numbers
    residual: Numbers
    trend: Numbers
    district: Numbers
    demand: Numbers


def learn(past: Past, first_day: int, learned_at_ms: int) -> Model:
    """A model for the days after `past`, whose calendar reaches `DAYS_AHEAD` days further."""
    days = past.demand.shape[1]
    if days < _FIRST_DAYS or not past.lots:
        return FIRST_MODEL
    usual, weight = _walk(past)
    cases = _cases(past, usual[:, :days])
    own = [_follow(cases, place) for place in range(len(HORIZONS))]
    lots = {
        lot: LotModel(
            {
                first_day + day: tuple(map(float, usual[number, day]))
                for day in range(days - 1, days + DAYS_AHEAD)
            },
            _unrest(cases, own, number),
            bool(weight[number, days] >= _OWN_WEIGHT),
        )
        for number, lot in enumerate(past.lots)
    }
    return Model(learned_at_ms, lots, _siblings(lots), tuple(own))


def _walk(past: Past) -> tuple[Numbers, Numbers]:
    """Every day's usual shares as known before it, young lots leaning on their siblings."""
    lots, days, quarters = past.demand.shape
    usual = np.full((lots, days + DAYS_AHEAD, quarters), np.nan)
    weight = np.zeros((lots, days + DAYS_AHEAD))
    known = ~np.isnan(past.demand)
    for day in range(1, days + DAYS_AHEAD):
        behind = min(day, days)
        weights = USUAL.of(past.days, day, behind)
        own, _ = usual_day(past.demand, weights)
        have = np.einsum("d,ldq->lq", weights, known[:, :behind].astype(float))
        together = _mean(own, have)
        leaning = have / (have + _SIBLING_WEIGHT)
        mixed = np.where(have > 0, leaning * np.nan_to_num(own), 0.0) + (1 - leaning) * together
        usual[:, day] = _smoothed(mixed)
        weight[:, day] = have.mean(axis=1)
    return usual, weight


def _mean(own: Numbers, have: Numbers) -> Numbers:
    """What all lots together have as their usual day, quarter by quarter; the first day if none."""
    weight = np.where(np.isnan(own), 0.0, have)
    summed = weight.sum(axis=0)
    mean: Numbers = (weight * np.nan_to_num(own)).sum(axis=0) / np.where(summed > 0, summed, np.nan)
    first = np.array([_first_rate(quarter) for quarter in range(mean.shape[0])])
    return np.where(np.isnan(mean), first, mean)


def _first_rate(quarter: int) -> float:
    return 0.25 + 0.4 * max(0.0, 1 - abs(quarter / 4 - 14) / 7)


def _smoothed(shares: Numbers) -> Numbers:
    """A day without the chance of single quarters."""
    half = len(_SMOOTH) // 2
    wide = np.concatenate(
        [shares[:, :1].repeat(half, 1), shares, shares[:, -1:].repeat(half, 1)], 1
    )
    return np.stack([np.convolve(row, _SMOOTH, mode="valid") for row in wide])


def _cases(past: Past, usual: Numbers) -> _Cases:
    lots = past.demand.shape[0]
    flat = [cube.reshape(lots, -1) for cube in (usual, past.seen, past.demand)]
    usual, seen, demand = flat
    residual = np.where((seen >= 1.0) & (usual > seen), 0.0, seen - usual)
    trend = residual - _back(residual, _HOUR)
    known = ~np.isnan(residual)
    filled = np.where(known, residual, 0.0)
    others = np.maximum(known.sum(axis=0) - known, 1)
    district = (filled.sum(axis=0) - filled) / others
    return _Cases(usual, seen, residual, np.nan_to_num(trend), district, demand)


def _back(rows: Numbers, quarters: int) -> Numbers:
    moved = np.full(rows.shape, np.nan)
    moved[:, quarters:] = rows[:, :-quarters]
    return moved


def _ahead(rows: Numbers, quarters: int) -> Numbers:
    moved = np.full(rows.shape, np.nan)
    moved[:, : rows.shape[1] - quarters] = rows[:, quarters:]
    return moved


def _follow(cases: _Cases, place: int) -> Follow:
    """Least squares for one horizon, drawn to the first model as long as cases are few."""
    first, quarters = FIRST_FOLLOW[place], HORIZONS[place] // 15
    if quarters == 0:
        return first
    target = _ahead(cases.demand - cases.usual, quarters)
    change = np.abs(_ahead(cases.usual, quarters) - cases.usual)
    known = ~np.isnan(target) & ~np.isnan(cases.residual) & ~np.isnan(change)
    if not known.any():
        return first
    residual = cases.residual[known]
    moved = np.stack([residual, cases.trend[known], cases.district[known], np.ones(len(residual))])
    prior = np.array([first.residual, first.trend, first.district, first.constant])
    weights = _drawn(moved, target[known], prior)
    errors = target[known] - weights @ moved
    about = np.stack([np.ones(len(residual)), change[known], np.abs(residual)])
    spread = np.array([first.spread, first.spread_change, first.spread_residual])
    spread = np.maximum(_drawn(about, np.abs(errors), spread), 0.0)
    scale = np.maximum(spread @ about, _LEAST_SPREAD)
    own, trend, district, constant = map(float, weights)
    rest, moving, off = map(float, spread)
    said = _ahead(cases.usual, quarters)[known] + weights @ moved
    counted = _ahead(cases.seen, quarters)[known] - said
    shapes = _shapes(counted / scale, said)
    return Follow(own, trend, district, constant, max(rest, _LEAST_SPREAD), moving, off, shapes)


def _drawn(about: Numbers, target: Numbers, prior: Numbers) -> Numbers:
    """Ridge towards `prior`: as if so many cases of the usual size had said that."""
    size = about.shape[1]
    square = about @ about.T
    strength = np.diag(np.diag(square) / size * _PRIOR_CASES + 1e-9)
    found: Numbers = np.linalg.solve(square + strength, about @ target + strength @ prior)
    return found


def _shapes(relative: Numbers, said: Numbers) -> tuple[Shape, ...]:
    """The shape at each crowding; one of which little is seen takes after the one before."""
    edges = [-np.inf, *(np.array(CROWDING[1:]) + np.array(CROWDING[:-1])) / 2, np.inf]
    shapes: list[Shape] = []
    for low, high in pairwise(edges):
        shapes.append(
            _shape(relative[(said >= low) & (said < high)], shapes[-1] if shapes else USUAL_SHAPE)
        )
    return tuple(shapes)


def _shape(relative: Numbers, before: Shape) -> Shape:
    """The quantiles of the errors, mixed with those before while cases are few."""
    count = len(relative)
    if not count:
        return before
    seen: Numbers = np.asarray(np.quantile(relative, LEVELS))
    mixed: Numbers = (count * seen + _PRIOR_CASES * np.array(before.errors)) / (
        count + _PRIOR_CASES
    )
    steps = np.maximum(np.diff(mixed), _LEAST_STEP)
    return Shape(tuple(float(mixed[0] + step) for step in (0.0, *np.cumsum(steps))))


def _unrest(cases: _Cases, follow: list[Follow], number: int) -> tuple[float, ...]:
    """How much larger a lot's errors are than all lots', by quarter of the day."""
    errors, scales = np.zeros(QUARTERS), np.zeros(QUARTERS)
    for place in (2, 3, 5):
        one, quarters = follow[place], HORIZONS[place] // 15
        rows = [
            row[number]
            for row in (cases.residual, cases.trend, cases.district, cases.usual, cases.demand)
        ]
        residual, trend, district, usual, demand = rows
        said = one.constant + one.residual * residual + one.trend * trend + one.district * district
        change = np.abs(_ahead(usual[None], quarters)[0] - usual)
        scale = one.spread + one.spread_change * change + one.spread_residual * np.abs(residual)
        error = np.abs(_ahead((demand - usual)[None], quarters)[0] - said)
        known = ~np.isnan(error + scale)
        quarter = (np.arange(len(error)) + quarters)[known] % QUARTERS
        errors += np.bincount(quarter, error[known] / scale[known], QUARTERS)
        scales += np.bincount(quarter, minlength=QUARTERS)
    level = (errors.sum() + _OFTEN) / (scales.sum() + _OFTEN)
    window = np.ones(9)
    errors, scales = (
        np.convolve(np.tile(x, 3), window, "same")[QUARTERS:-QUARTERS] for x in (errors, scales)
    )
    unrest = (errors + _OFTEN * level) / (scales + _OFTEN)
    return tuple(map(float, np.clip(unrest, _LEAST_UNREST, _MOST_UNREST)))


def _siblings(lots: dict[str, LotModel]) -> LotModel:
    """The mean lot, for those that have no past at all; it is twice as unsure."""
    models = list(lots.values())
    days = {
        day: tuple(float(mean) for mean in np.mean([one.days[day] for one in models], axis=0))
        for day in models[0].days
    }
    return LotModel(days, (2.0,) * QUARTERS)
