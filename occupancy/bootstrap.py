"""How far an estimate may be off, from its own days drawn again and again (bootstrap)."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from occupancy.indicator import Interval

ROUNDS = 500
COVERED = 0.95
LEAST_DAYS = 5
LEAST_VALUES = 30
TWO_SIDED = 1.96  # standard errors that hold 95 % of a normal distribution
_SEED = 20_261_001  # the same figures have the same interval, whoever makes them
Floats = NDArray[np.float64]


def chance() -> np.random.Generator:
    return np.random.default_rng(_SEED)


def interval_of(drawn: Floats) -> Interval:
    """The middle 95 % of what was drawn."""
    tail = (1 - COVERED) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(float(low), float(high))


def ratio_interval(parts: Floats, wholes: Floats) -> Interval | None:
    """Of sum(parts) / sum(wholes) over days; None where there are too few days to tell."""
    days = len(parts)
    if days < LEAST_DAYS or not wholes.all():
        return None
    drawn = chance().integers(0, days, size=(ROUNDS, days))
    return interval_of(parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1))


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Of a mean of many single values, by their spread; None where there are too few."""
    count = len(values)
    if count < LEAST_VALUES:
        return None
    told = np.asarray(values, dtype=float)
    mean, error = float(told.mean()), float(told.std(ddof=1)) / math.sqrt(count)
    return Interval(mean - TWO_SIDED * error, mean + TWO_SIDED * error)
