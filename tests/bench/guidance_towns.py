"""Made-up Saturdays in a town like ours: five car parks, their prices, and who goes where."""

from dataclasses import dataclass

import numpy as np

from occupancy.lot_file import load_shipped
from tests.bench.guidance_world import Day, FloatArray, Initial, Lots, Overflow, Rules, Trips, World

_METRES_PER_DEGREE = 111_320.0
_FEN_PER_HOUR = (400.0, 500.0, 300.0, 500.0, 200.0)
_STAY_MEDIANS = (70.0, 150.0, 110.0, 45.0)
_STAY_SHARES = (0.35, 0.3, 0.2, 0.15)
_DESTINATIONS, _SPREAD_M, _EDGE_M, _OVERFLOW_M = 9, 120.0, 2_500.0, 1_200.0
_DAY_MINUTES = 1440
RULES = Rules(
    drive_speed_m_per_min=400.0,
    drive_detour=1.35,
    walk_speed_m_per_min=75.0,
    walk_detour=1.25,
    full_penalty_minutes=6.0,
    reroute_speed_m_per_min=250.0,
    reroute_detour=1.4,
    fee_weight_minutes_per_yuan=0.25,
    live_count_age_minutes=2.0,
    overflow=Overflow(_OVERFLOW_M, -_OVERFLOW_M, 18.0, 200.0),
)


@dataclass(frozen=True)
class Kind:
    """What is asked of a town: how full at its peak, who is guided, how wrong the history is.

    `history_level` is the demand of the days learned from against that of the day that comes.
    """

    peak: float = 0.95
    guided: float = 1.0
    history_level: float = 1.0
    history_days: int = 8


@dataclass(frozen=True)
class _Place:
    """Destinations: where, how much of the demand, and the hour of their own peak."""

    x_m: FloatArray
    y_m: FloatArray
    share: FloatArray
    peak_hour: FloatArray


def make_world(seed: int, kind: Kind) -> World:
    chance = np.random.default_rng(seed)
    lots = _lots()
    places = _places(chance, lots)
    drivers = _drivers_at_peak(lots, places, kind.peak)
    day = _day(chance, lots, places, drivers, kind.guided)
    level = drivers * kind.history_level
    history = tuple(
        _day(chance, lots, places, level, kind.guided) for _ in range(kind.history_days)
    )
    return World(lots, RULES, day, history)


def _lots() -> Lots:
    shipped = load_shipped()
    latitude = np.array([lot.entrance.latitude for lot in shipped])
    longitude = np.array([lot.entrance.longitude for lot in shipped])
    y_m = (latitude - latitude.mean()) * _METRES_PER_DEGREE
    x_m = (longitude - longitude.mean()) * _METRES_PER_DEGREE * np.cos(np.radians(latitude.mean()))
    capacity = np.array([lot.capacity for lot in shipped], np.int64)
    ids = tuple(lot.lot_id for lot in shipped)
    return Lots(ids, capacity, x_m, y_m, np.array(_FEN_PER_HOUR))


def _places(chance: np.random.Generator, lots: Lots) -> _Place:
    """Two thirds near the car parks in the middle, so that some are wanted more than others."""
    near = chance.integers(len(lots.ids), size=_DESTINATIONS)
    x_m = lots.x_m[near] + chance.normal(0, 250, _DESTINATIONS)
    y_m = lots.y_m[near] + chance.normal(0, 250, _DESTINATIONS)
    share = chance.dirichlet(np.full(_DESTINATIONS, 2.0))
    return _Place(x_m, y_m, share, chance.uniform(13, 17, _DESTINATIONS))


def _drivers_at_peak(lots: Lots, places: _Place, peak: float) -> float:
    """Drivers a day that would fill this share of all spaces at the busiest minute."""
    chance = np.random.default_rng(0)
    number = 20_000
    where = chance.choice(len(places.share), number, p=places.share)
    minute = (
        _minutes(chance, places, where) + _EDGE_M * RULES.drive_detour / RULES.drive_speed_m_per_min
    )
    stay = _stays(chance, number)
    night = _night_cars(lots).sum()
    leaves = _night_leaves(chance, number)
    moments = np.arange(0, _DAY_MINUTES, 10.0)[:, None]
    there = ((minute <= moments) & (moments < minute + stay)).mean(axis=1)
    night_there = night * (leaves > moments).mean(axis=1)
    levels = (peak * lots.capacity.sum() - night_there) / np.maximum(there, 1e-9)
    return float(levels[there > 0.05].min())


def _night_cars(lots: Lots) -> FloatArray:
    cars: FloatArray = np.floor(lots.capacity * 0.3)
    return cars


def _minutes(
    chance: np.random.Generator, places: _Place, where: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> FloatArray:
    """When they set out: half around their destination's peak, half over the day."""
    number = len(where)
    peaked = chance.normal(places.peak_hour[where] * 60, 100, number)
    wide = chance.triangular(6.5 * 60, 14 * 60, 22 * 60, number)
    minutes = np.where(chance.random(number) < 0.6, peaked, wide)
    clipped: FloatArray = np.clip(minutes, 0, _DAY_MINUTES - 1)
    return clipped


def _stays(chance: np.random.Generator, number: int) -> FloatArray:
    median = np.array(_STAY_MEDIANS)[chance.choice(len(_STAY_MEDIANS), number, p=_STAY_SHARES)]
    stays: FloatArray = np.clip(np.rint(median * chance.lognormal(0, 0.4, number)), 10, 600)
    return stays


def _day(
    chance: np.random.Generator, lots: Lots, places: _Place, drivers: float, guided: float
) -> Day:
    number = int(chance.poisson(drivers * chance.normal(1.0, 0.03)))
    where = chance.choice(len(places.share), number, p=places.share)
    angle = chance.uniform(0, 2 * np.pi, number)
    far = _EDGE_M * chance.uniform(0.7, 1.3, number)
    trips = Trips(
        minute=np.sort(np.floor(_minutes(chance, places, where))),
        from_x_m=np.round(far * np.cos(angle), 1),
        from_y_m=np.round(far * np.sin(angle), 1),
        to_x_m=np.round(places.x_m[where] + chance.normal(0, _SPREAD_M, number), 1),
        to_y_m=np.round(places.y_m[where] + chance.normal(0, _SPREAD_M, number), 1),
        stay_minutes=_stays(chance, number),
        guided=chance.random(number) < guided,
        drive_factor=np.round(chance.lognormal(0, 0.15, number), 3),
    )
    cars = np.minimum(chance.poisson(_night_cars(lots)), lots.capacity)
    lot = np.repeat(np.arange(len(lots.ids)), cars)
    return Day(trips, Initial(lot, np.floor(_night_leaves(chance, len(lot)))))


def _night_leaves(chance: np.random.Generator, number: int) -> FloatArray:
    """Most cars of the night leave in the morning, the others some time."""
    morning = chance.normal(8.5 * 60, 60, number)
    any_time = chance.uniform(9 * 60, 30 * 60, number)
    return np.maximum(np.where(chance.random(number) < 0.6, morning, any_time), 1.0)
