"""What may be learned from earlier days: how late drivers are, who comes, when the night leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import Day, FloatArray, IntArray, Lots, Rules, Trips

GRID_MINUTES = 2_880
MOST_TRIPS = 60_000
_CHUNK = 4_000
_LEAST_FACTORS = 30
_QUANTILES = 41
_FACTORS = (0.2, 5.0)
_USUAL_SPREAD = 0.15
_USUAL_STAY = 120.0
_NIGHT_HALF_LIFE = 360.0
_ALIKE_CARS = 10.0


@dataclass(frozen=True)
class Sample:
    """Drivers of earlier days with their k cheapest lots; `lots` may name the overflow."""

    minute: FloatArray
    stay: FloatArray
    guided: FloatArray
    home: IntArray  # the lot nearest to the destination
    lots: IntArray
    minutes: FloatArray
    drives: FloatArray

    def __len__(self) -> int:
        return len(self.minute)


@dataclass(frozen=True)
class Learned:
    """`factors` rise; `night_stays` (lots x minutes) is the share of the night's cars still there;
    `strangers` (lots x minutes) are the unguided who would stand in their nearest lot."""

    days: int
    sample: Sample
    factors: FloatArray
    night_stays: FloatArray
    strangers: FloatArray
    strangers_leave: float  # per minute


def learn(lots: Lots, rules: Rules, history: Sequence[Day], most_lots: int) -> Learned:
    """Sensible with no history at all: nobody is expected, drivers are a little early or late."""
    kept = _recent(history)
    travel = Travel(lots, rules)
    trips = [day.trips for day in kept]
    choices = min(most_lots, len(lots.ids) + 1)  # the street is one, too; days without trips agree
    sample = _joined([_sample(travel, day, choices) for day in trips], choices)
    leave = _leave_rate(trips)
    strangers = _strangers(sample, len(lots.ids), max(len(kept), 1), leave)
    return Learned(len(kept), sample, _factors(trips), _night(lots, kept), strangers, leave)


def _recent(history: Sequence[Day]) -> list[Day]:
    """The latest days, as many as can be weighed in time."""
    kept: list[Day] = []
    number = 0
    for day in reversed(history):
        number += len(day.trips)
        if kept and number > MOST_TRIPS:
            break
        kept.insert(0, day)
    return kept


def _sample(travel: Travel, trips: Trips, choices: int) -> Sample:
    parts = [
        _part(travel, trips.only(np.arange(start, min(start + _CHUNK, len(trips)))), choices)
        for start in range(0, len(trips), _CHUNK)
    ]
    return _joined(parts, choices)


def _part(travel: Travel, trips: Trips, choices: int) -> Sample:
    drives = travel.drive_minutes(trips.from_x_m, trips.from_y_m)
    walks = travel.walk_minutes(trips.to_x_m, trips.to_y_m)
    minutes = travel.total_minutes(drives, walks, trips.stay_minutes)
    near = np.argsort(travel.distances_m(trips.to_x_m, trips.to_y_m)[:, :-1], axis=1)
    width = minutes.shape[1]
    cheap = np.argsort(minutes, axis=1)[:, :choices]
    cheap[(cheap != width - 1).all(axis=1), -1] = width - 1
    rows = np.arange(len(trips))[:, None]
    chosen = minutes[rows, cheap]
    moved_on = _moved_on(travel.rules, near, cheap, width)
    chosen = np.where(trips.guided[:, None], chosen, chosen + moved_on)
    return Sample(
        trips.minute,
        np.minimum(trips.stay_minutes, GRID_MINUTES),
        trips.guided.astype(np.float64),
        near[:, 0],
        cheap,
        chosen,
        drives[rows, cheap],
    )


def _moved_on(rules: Rules, near: IntArray, cheap: IntArray, width: int) -> FloatArray:
    """An unguided driver goes from full lot to full lot: what he pays to be in each."""
    order = np.full((len(near), width), width - 1)
    np.put_along_axis(order, near, np.arange(width - 1)[None, :], axis=1)
    tried = np.take_along_axis(order, cheap, axis=1)
    cost: FloatArray = tried * (rules.full_penalty_minutes + 1.0)
    return cost


def _joined(parts: Sequence[Sample], choices: int) -> Sample:
    if not parts:
        none, wide = np.zeros(0), (0, choices)
        ints = np.zeros(wide, np.int64)
        return Sample(none, none, none, ints[:, 0], ints, np.zeros(wide), np.zeros(wide))
    names = ("minute", "stay", "guided", "home", "lots", "minutes", "drives")
    return Sample(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _factors(days: Sequence[Trips]) -> FloatArray:
    """How much longer than expected drivers take: evenly likely values, rising."""
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    seen = np.concatenate([day.drive_factor for day in days]) if days else np.zeros(0)
    if len(seen) < _LEAST_FACTORS:
        return np.asarray(np.exp(np.linspace(-2, 2, _QUANTILES) * _USUAL_SPREAD))
    return np.asarray(np.clip(np.quantile(seen, levels), *_FACTORS))


def _night(lots: Lots, days: Sequence[Day]) -> FloatArray:
    """Lots x minutes; a lot with few cars of its own goes with the others."""
    minutes = np.arange(GRID_MINUTES)
    usual = np.exp2(-minutes / _NIGHT_HALF_LIFE)
    leaves = [np.asarray(day.initial.leaves_at_minute) for day in days]
    places = [day.initial.lot for day in days]
    all_leaves = np.concatenate(leaves) if leaves else np.zeros(0)
    all_places = np.concatenate(places) if places else np.zeros(0, np.int64)
    town = (_stays(all_leaves) + _ALIKE_CARS * usual) / (len(all_leaves) + _ALIKE_CARS)
    shares = [
        (_stays(mine) + _ALIKE_CARS * town) / (len(mine) + _ALIKE_CARS)
        for mine in (all_leaves[all_places == lot] for lot in range(len(lots.ids)))
    ]
    return np.array(shares)


def _stays(leaves: FloatArray) -> FloatArray:
    """Minute by minute the cars still there."""
    minutes = np.arange(GRID_MINUTES)
    return len(leaves) - np.searchsorted(np.sort(leaves), minutes, side="right").astype(np.float64)


def _leave_rate(days: Sequence[Trips]) -> float:
    stays = np.concatenate([day.stay_minutes for day in days]) if days else np.zeros(0)
    mean = float(np.clip(stays, 1.0, GRID_MINUTES).mean()) if len(stays) else _USUAL_STAY
    return 1.0 / mean


def _strangers(sample: Sample, lots: int, days: int, leave: float) -> FloatArray:
    """The unguided in their nearest lots, were there always room: they leave at a constant rate."""
    comes = np.zeros((lots, GRID_MINUTES))
    unguided = sample.guided == 0
    drive = sample.drives[unguided].min(axis=1) if unguided.any() else np.zeros(0)
    minute = np.clip(sample.minute[unguided] + drive, 0, GRID_MINUTES - 1).astype(np.int64)
    np.add.at(comes, (sample.home[unguided], minute), 1.0 / days)
    stands = np.zeros_like(comes)
    now = np.zeros(lots)
    keep = np.exp(-leave)
    for number in range(GRID_MINUTES):
        now = now * keep + comes[:, number]
        stands[:, number] = now
    return stands
