"""What guidance believes of the lots: those it sent, the cars of the night, and strangers."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from tests.bench.guidance_history import GRID_MINUTES, Learned
from tests.bench.guidance_world import FloatArray, IntArray, Lots

_UNMODELLED_PER_MINUTE = 0.02
_LEAST_VARIANCE = 0.05


def chance_below(value: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """That a normal number lies below `value`."""
    return np.asarray(ndtr((value - mean) / np.sqrt(variance)))


@dataclass(frozen=True)
class Sent:
    lot: int
    at_minute: float
    drive_minutes: float
    stay_minutes: float


class Believed:
    """Cars in each lot, minute by minute, and how sure that is.

    Those sent are followed by their planned stays. The night's cars leave as on earlier days.
    What a count shows beyond both are strangers: a Kalman filter keeps them.
    """

    def __init__(self, lots: Lots, learned: Learned) -> None:
        self.capacity = lots.capacity.astype(np.float64)
        self.learned = learned
        number = len(lots.ids)
        self.sent_cars = np.zeros((number, GRID_MINUTES))
        self.sent_variance = np.zeros((number, GRID_MINUTES))
        self.night = np.zeros(number)
        self.level = 1.0
        self.strangers = np.zeros(number)
        self.variance = np.zeros(number)
        self.counted_at: float | None = None
        self.sent: dict[int, Sent] = {}

    def count(self, minute: float, cars: IntArray) -> None:
        """Counts that were true at `minute`, which may lie before the day."""
        if self.counted_at is None:
            self.night, self.counted_at = cars.astype(np.float64), max(minute, 0.0)
            return
        if minute <= self.counted_at:
            return
        place = _place(minute)
        self.strangers, self.variance = self._strangers_at(minute)
        self.counted_at = minute
        expected, variance = self._followed(slice(place, place + 1))
        seen = cars - expected[:, 0]
        trust = self.variance / (self.variance + variance[:, 0] + _LEAST_VARIANCE)
        self.strangers += trust * (seen - self.strangers)
        self.variance *= 1 - trust

    def send(self, driver: int, sent: Sent) -> None:
        self.sent[driver] = sent
        self._add(sent, +1.0)

    def take_back(self, driver: int) -> None:
        """He met a full lot: he is not there."""
        sent = self.sent.pop(driver, None)
        if sent is not None:
            self._add(sent, -1.0)

    def cars(self, minutes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lots x minutes: expected cars of all kinds, strangers to come included; variance."""
        places = np.clip(minutes, 0, GRID_MINUTES - 1).astype(np.int64)
        mean, variance = self._followed(places)
        strangers, doubt = self._strangers(minutes)
        return mean + strangers, variance + doubt + _LEAST_VARIANCE

    def present_cars(self, minutes: FloatArray) -> FloatArray:
        """Lots x minutes: of those who are there or on their way now."""
        places = np.clip(minutes, 0, GRID_MINUTES - 1).astype(np.int64)
        mean, _ = self._followed(places)
        kept = np.exp(-self.learned.strangers_leave * np.maximum(minutes - self._counted, 0.0))
        present: FloatArray = mean + self.strangers[:, None] * kept
        return present

    @property
    def _counted(self) -> float:
        return self.counted_at or 0.0

    def _followed(self, places: IntArray | slice) -> tuple[FloatArray, FloatArray]:
        stays = self.learned.night_stays[:, places]
        night = self.night[:, None] * stays
        mean = self.sent_cars[:, places] + night
        variance = self.sent_variance[:, places] + night * (1 - stays)
        return mean, variance

    def _strangers_at(self, minute: float) -> tuple[FloatArray, FloatArray]:
        mean, variance = self._strangers(np.array([minute]))
        return mean[:, 0], variance[:, 0]

    def _strangers(self, minutes: FloatArray) -> tuple[FloatArray, FloatArray]:
        since = np.maximum(minutes - self._counted, 0.0)
        keep = np.exp(-self.learned.strangers_leave * since)
        places = np.clip(minutes, 0, GRID_MINUTES - 1).astype(np.int64)
        stands = self.learned.strangers * self.level
        now = stands[:, _place(self._counted)]
        comes = np.maximum(stands[:, places] - now[:, None] * keep, 0.0)
        mean = self.strangers[:, None] * keep + comes
        left = np.abs(self.strangers)[:, None] * (1 - keep)
        variance = self.variance[:, None] * keep**2 + left + comes + _UNMODELLED_PER_MINUTE * since
        return mean, variance

    def _add(self, sent: Sent, sign: float) -> None:
        last = sent.drive_minutes * self.learned.factors[-1] + sent.stay_minutes
        first = _place(sent.at_minute)
        until = min(_place(sent.at_minute + last) + 2, GRID_MINUTES)
        since = np.arange(first, until).astype(np.float64) - sent.at_minute
        there = self._arrived(sent, since) - self._arrived(sent, since - sent.stay_minutes)
        self.sent_cars[sent.lot, first:until] += sign * there
        self.sent_variance[sent.lot, first:until] += sign * there * (1 - there)

    def _arrived(self, sent: Sent, since: FloatArray) -> FloatArray:
        factors = self.learned.factors
        late = since / max(sent.drive_minutes, 1e-3)
        shares = (np.arange(len(factors)) + 0.5) / len(factors)
        share: FloatArray = np.interp(late, factors, shares, left=0.0, right=1.0)
        return share


def _place(minute: float) -> int:
    return int(min(max(minute, 0.0), GRID_MINUTES - 1))
