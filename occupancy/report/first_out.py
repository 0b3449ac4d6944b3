"""Stays by counters alone, as if who came first left first.

No counter knows single stays. Supposing first in, first out, the stay of the n-th car is the time
from the n-th entry to the n-th exit behind those that were there before. The mean of such stays is
right whoever leaves first; their spread is narrower than that of the true ones. Source: the
cumulative curves of queueing theory (G. F. Newell).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from occupancy.observed import LEAST_TOLD, Observed
from occupancy.rollup import DAY_MS, MINUTE_MS, SHANGHAI_MS, Window

BEGINS_AT_MS = 4 * 3_600_000  # a day is followed from 4 o'clock on, when fewest cars move
FOLLOWED_DAYS = 3
Floats = NDArray[np.float64]


class Stays(NamedTuple):
    """Lengths in minutes, and how many cars stayed so long."""

    minutes: Floats
    cars: Floats


def stays(seen: Observed) -> Stays:
    """Of the cars that came on days without a silent quarter."""
    minutes: list[Floats] = []
    cars: list[Floats] = []
    windows = list(seen.windows)
    step = seen.minutes * MINUTE_MS
    per_day = DAY_MS // step
    for place, first in enumerate(windows):
        if (first.start_ms + SHANGHAI_MS - BEGINS_AT_MS) % DAY_MS:
            continue
        followed = _unbroken(windows[place : place + FOLLOWED_DAYS * per_day], step)
        if len(followed) > per_day and first.told_ms:
            found = _of_a_day(followed, per_day, seen.minutes)
            minutes.append(found[0])
            cars.append(found[1])
    if not minutes:
        return Stays(np.zeros(0), np.zeros(0))
    return Stays(np.concatenate(minutes), np.concatenate(cars))


def histogram(found: Stays, edges_minutes: Sequence[float]) -> tuple[float, ...]:
    """Cars by length of stay; the last bin takes all that are longer."""
    minutes, cars = found
    capped = np.minimum(minutes, edges_minutes[-1] - 1e-9)
    counts, _ = np.histogram(capped, bins=np.asarray(edges_minutes, float), weights=cars)
    return tuple(float(count) for count in counts)


def share_within(found: Stays, most_minutes: float) -> float | None:
    """The share of stays of at most so many minutes; None where no day can be followed."""
    minutes, cars = found
    whole = float(cars.sum())
    return float(cars[minutes <= most_minutes].sum()) / whole if whole else None


def _unbroken(windows: Sequence[Window], step_ms: int) -> list[Window]:
    """As far as every window follows the one before and was told for most of its time."""
    kept: list[Window] = []
    for one in windows:
        follows = not kept or one.start_ms == kept[-1].start_ms + step_ms
        if not follows or one.completeness < LEAST_TOLD:
            break
        kept.append(one)
    return kept


def _of_a_day(followed: Sequence[Window], per_day: int, step_minutes: int) -> Stays:
    """Who entered on the first day, by quarter: how long until as many had left."""
    present = followed[0].occupied_ms / followed[0].told_ms - followed[0].entries / 2
    present = max(0.0, present + followed[0].exits / 2)
    entries = np.array([one.entries for one in followed], float)
    gone = np.concatenate([[0.0], np.cumsum([one.exits for one in followed])])
    at = np.arange(len(gone)) * float(step_minutes)
    came = np.cumsum(entries) - entries / 2  # half of a quarter's cars came before its middle
    came = came[:per_day]
    middle = (np.arange(per_day) + 0.5) * step_minutes
    # exits never fall, but they stand still: the first moment at which so many had left
    left = np.interp(present + came, gone + np.arange(len(gone)) * 1e-9, at)
    is_followed = (present + came <= gone[-1]) & (entries[:per_day] > 0)
    stay = np.maximum(left - middle, 0.0)
    return Stays(stay[is_followed], entries[:per_day][is_followed])
