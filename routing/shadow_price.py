"""What a space is worth to those who come later: prices of lots over time, from days like today.

The prices are the duals of a linear programme: every driver of a sample of days takes one lot for
his stay, no lot ever holds more than its room, and all together shall cost as little as possible.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from routing.cost import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
FIRST_ROUNDS, LATER_ROUNDS = 200, 40
_LEAST_ROOM = 1.0
_FEW_SPACES = 20.0
_STEP = 1.0


@dataclass(frozen=True)
class Demand:
    """Drivers of several sample days (n of them), each with k lots he might take.

    `lots` (n x k) may name one lot more than there are: elsewhere, never full. `arrives` and
    `leaves` (n x k) are steps of time; `samples` (n) says which sample day a driver belongs to.
    """

    minutes: FloatArray
    lots: IntArray
    arrives: IntArray
    leaves: IntArray
    samples: IntArray


@dataclass(frozen=True)
class Prices:
    """Minutes that a car standing in a lot for one step takes from others: samples x lots x steps.

    `sums` are running sums over the steps, so that a stay's toll is one difference.
    """

    by_step: FloatArray
    sums: FloatArray

    @classmethod
    def of(cls, by_step: FloatArray) -> "Prices":
        sums = np.zeros((*by_step.shape[:2], by_step.shape[2] + 1))
        np.cumsum(by_step, axis=2, out=sums[:, :, 1:])
        return cls(by_step, sums)

    @classmethod
    def none(cls, samples: int, lots: int, steps: int) -> "Prices":
        return cls.of(np.zeros((samples, lots, steps)))

    def tolls(self, arrives: FloatArray, leaves: FloatArray) -> FloatArray:
        """Minutes for stays from `arrives` to `leaves` in steps (n x lots), over all samples."""
        mean = self.sums.mean(axis=0)
        return _between(mean, leaves) - _between(mean, arrives)


def _between(sums: FloatArray, places: FloatArray) -> FloatArray:
    """Running sums at fractional places: n x lots."""
    last = sums.shape[1] - 1
    inside = np.clip(places, 0.0, float(last))
    below = np.minimum(inside.astype(np.int64), last - 1)
    lots = np.arange(sums.shape[0])[None, :]
    low = sums[lots, below]
    result: FloatArray = low + (inside - below) * (sums[lots, below + 1] - low)
    return result


def kept_spaces(capacity: FloatArray) -> FloatArray:
    """Spaces that prices leave free, as days differ: about the root of a lot's capacity.

    In a small lot fewer: a day's few cars shall not be priced out of a lot that has room.
    """
    kept: FloatArray = np.sqrt(capacity) * capacity / (capacity + _FEW_SPACES)
    return kept


def settle(demand: Demand, room: FloatArray, start: Prices, rounds: int = LATER_ROUNDS) -> Prices:
    """Prices at which the drivers of each sample day just fit into `room` (samples x lots x steps).

    Dual ascent: a lot's price rises while more want in than fit and falls while it has room left;
    the mean of the later rounds is the answer. `start` is where the last answer stood.
    """
    if not len(demand.samples):
        return start
    samples, lots, steps = room.shape
    fits = np.maximum(room, 0.0)
    scale = _scale(demand) / np.maximum(fits.mean(axis=2, keepdims=True), _LEAST_ROOM)
    places = _Places.of(demand, lots, steps)
    prices = np.zeros((samples, lots + 1, steps + 1))
    prices[:, :lots, :steps] = start.by_step
    summed = np.zeros((samples, lots, steps))
    counted = 0
    for number in range(rounds):
        excess = places.occupancy(demand.minutes, prices) - fits
        stepped = prices[:, :lots, :steps] + scale * excess * (_STEP / np.sqrt(1.0 + number))
        prices[:, :lots, :steps] = np.maximum(stepped, 0.0)
        if 2 * number >= rounds:
            summed += prices[:, :lots, :steps]
            counted += 1
    return Prices.of(summed / counted)


def _scale(demand: Demand) -> float:
    """How much prices matter here: what lots differ by, spread over the steps of a stay."""
    spread = np.ptp(demand.minutes, axis=1).mean() / max(demand.minutes.shape[1] - 1, 1)
    stay = np.maximum(demand.leaves - demand.arrives, 1).mean()
    return float(spread / stay)


@dataclass(frozen=True)
class _Places:
    """Where each driver's stays begin and end in the flattened running sums of prices."""

    begins: IntArray
    ends: IntArray

    @classmethod
    def of(cls, demand: Demand, lots: int, steps: int) -> "_Places":
        row = (demand.samples[:, None] * (lots + 1) + demand.lots) * (steps + 1)
        begins = row + np.clip(demand.arrives, 0, steps)
        ends = row + np.clip(demand.leaves, 0, steps)
        return cls(begins, ends)

    def occupancy(self, minutes: FloatArray, prices: FloatArray) -> FloatArray:
        """Samples x lots x steps: the cars, when each takes what is cheapest at these prices."""
        sums = np.zeros(prices.shape)
        np.cumsum(prices[:, :, :-1], axis=2, out=sums[:, :, 1:])
        flat = sums.ravel()
        picks = (minutes + flat[self.ends] - flat[self.begins]).argmin(axis=1)
        rows = np.arange(len(picks))
        size = prices.size
        changes = np.bincount(self.begins[rows, picks], minlength=size).astype(np.float64)
        changes -= np.bincount(self.ends[rows, picks], minlength=size)
        cars = np.cumsum(changes.reshape(prices.shape), axis=2)
        result: FloatArray = cars[:, :-1, :-1]
        return result
