"""Every lot's usual day as known before it; young lots lean on their siblings."""

import numpy as np

from routing.forecast_model import FIRST_DAY
from routing.forecast_past import Past
from routing.series_grid import Numbers
from routing.series_profile import Weighting, usual_day

DAYS_AHEAD = 9
USUAL = Weighting(45, same_kind=0.06, other=0.005)
_SIBLING_WEIGHT = 0.1  # what the siblings' day counts against the square of own days
_SMOOTH = np.array([1, 2, 3, 2, 1]) / 9


def walk(past: Past) -> tuple[Numbers, Numbers]:
    """The usual shares of each past day and of `DAYS_AHEAD` more, and the days they stand on."""
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
        leaning = have**2 / (have**2 + _SIBLING_WEIGHT)
        mixed = np.where(have > 0, leaning * np.nan_to_num(own), 0.0) + (1 - leaning) * together
        usual[:, day] = _smoothed(mixed)
        weight[:, day] = have.mean(axis=1)
    return usual, weight


def _mean(own: Numbers, have: Numbers) -> Numbers:
    """What all lots together have as their usual day, quarter by quarter; the first day if none."""
    weight = np.where(np.isnan(own), 0.0, have)
    summed = weight.sum(axis=0)
    mean: Numbers = (weight * np.nan_to_num(own)).sum(axis=0) / np.where(summed > 0, summed, np.nan)
    usual: Numbers = np.where(np.isnan(mean), np.array(FIRST_DAY), mean)
    return usual


def _smoothed(shares: Numbers) -> Numbers:
    """A day without the chance of single quarters."""
    half = len(_SMOOTH) // 2
    wide = np.concatenate(
        [shares[:, :1].repeat(half, 1), shares, shares[:, -1:].repeat(half, 1)], 1
    )
    return np.stack([np.convolve(row, _SMOOTH, mode="valid") for row in wide])
