"""Saturdays of the simulated town as worlds: its destinations and stays, as busy as asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
import numpy as np

from lot_sim.arrivals import DAY_MS, Arrival, midnight_of, plan_day
from lot_sim.config import SHIPPED_SCENARIO, load_scenario
from lot_sim.scenario import Scenario
from occupancy.lot_file import load_shipped
from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import (
    Day,
    FloatArray,
    Initial,
    IntArray,
    Lots,
    Overflow,
    Rules,
    Trips,
    World,
)

SATURDAY = date(2026, 11, 7)
_METRES_PER_DEGREE = 111_195.0
_MINUTE_MS = 60_000
_DAY_MINUTES, _TRIES = 1440, 3
# What the placeholder tariffs come to for an ordinary stay.
_FEN_PER_HOUR = {"kangle": 200.0, "sanda": 200.0, "zhongshan": 250.0}
_OTHER_FEN_PER_HOUR = 400.0
_SCATTER_M, _EDGE_M, _FACTOR_SPREAD = 200.0, 3_000.0, 0.15
RULES = Rules(
    drive_speed_m_per_min=400.0,
    drive_detour=1.35,
    walk_speed_m_per_min=80.0,
    walk_detour=1.2,
    full_penalty_minutes=8.0,
    reroute_speed_m_per_min=250.0,
    reroute_detour=1.4,
    fee_weight_minutes_per_yuan=0.25,
    live_count_age_minutes=3.0,
    overflow=Overflow(1_200.0, -1_200.0, 20.0, 200.0),
)


@dataclass(frozen=True)
class Kind:
    """What is asked of a town: how full at its peak, who is guided, how wrong the history is.

    `peak` is the share of all spaces that would be taken at the day's busiest minute if every
    driver parked at once; `history_level` is the demand of the days learned from, against it.
    """

    peak: float = 0.95
    guided: float = 1.0
    history_level: float = 1.0
    history_days: int = 8


def make_world(seed: int, kind: Kind) -> World:
    """A Saturday, and the Saturdays before it."""
    lots, scenario = _lots(), load_scenario(SHIPPED_SCENARIO)
    level, today = _as_full_as(scenario, lots, seed, kind)
    before = [SATURDAY - timedelta(weeks=n) for n in range(kind.history_days, 0, -1)]
    past = level * kind.history_level
    history = [_day(scenario, lots, day, seed, past, kind.guided) for day in before]
    return World(lots, RULES, today, tuple(history))


def _lots() -> Lots:
    shipped = load_shipped()
    places = [(lot.entrance.latitude, lot.entrance.longitude) for lot in shipped]
    x_m, y_m = _metres(places)
    capacity = np.array([lot.capacity for lot in shipped], np.int64)
    ids = tuple(lot.lot_id for lot in shipped)
    fen = np.array([_FEN_PER_HOUR.get(lot_id, _OTHER_FEN_PER_HOUR) for lot_id in ids])
    return Lots(ids, capacity, x_m, y_m, fen)


def _metres(places: Sequence[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    """East and north of the middle of town."""
    latitude, longitude = np.array(places, np.float64).T
    north = (latitude - 23.1571) * _METRES_PER_DEGREE
    east = (longitude - 112.8956) * _METRES_PER_DEGREE * np.cos(np.radians(23.1571))
    return east, north


def _as_full_as(scenario: Scenario, lots: Lots, seed: int, kind: Kind) -> tuple[float, Day]:
    """The level of demand that makes this day as full as asked for, and the day."""
    level = 1.0
    for _ in range(_TRIES):
        today = _day(scenario, lots, SATURDAY, seed, level, kind.guided)
        level *= kind.peak * float(lots.capacity.sum()) / _peak(today)
    return level, _day(scenario, lots, SATURDAY, seed, level, kind.guided)


def _peak(day: Day) -> float:
    """Cars at the busiest minute, with room for all."""
    trips = day.trips
    moments = np.arange(0, _DAY_MINUTES, 5.0)[:, None]
    comes = trips.minute + _EDGE_M * RULES.drive_detour / RULES.drive_speed_m_per_min
    there = ((comes <= moments) & (moments < comes + trips.stay_minutes)).sum(axis=1)
    night = (day.initial.leaves_at_minute > moments).sum(axis=1)
    return float((there + night).max())


def _planned(scenario: Scenario, day: date, seed: str) -> list[Arrival]:
    noon_ms = (day - date(1970, 1, 1)).days * DAY_MS
    return plan_day(scenario, midnight_of(noon_ms), seed)


def _columns(planned: Sequence[Arrival]) -> tuple[FloatArray, FloatArray, IntArray]:
    """Minute of the day, stay in minutes, destination."""
    since = midnight_of(planned[0].at_ms) if planned else 0
    minutes = np.array([a.at_ms - since for a in planned], np.float64) // _MINUTE_MS
    stays = np.array([a.stay_ms for a in planned], np.float64) // _MINUTE_MS
    return minutes, stays, np.array([a.destination for a in planned], np.int64)


def _busier(scenario: Scenario, level: float) -> Scenario:
    destinations = tuple(
        msgspec.structs.replace(d, cars_a_day=d.cars_a_day * level) for d in scenario.destinations
    )
    return msgspec.structs.replace(scenario, destinations=destinations)


def _day(scenario: Scenario, lots: Lots, day: date, seed: int, level: float, guided: float) -> Day:
    busy = _busier(scenario, level)
    chance = np.random.default_rng([seed, day.toordinal()])
    trips = _trips(scenario, _planned(busy, day, str(seed)), chance, guided)
    before = _trips(scenario, _planned(busy, day - timedelta(days=1), str(seed)), chance, guided)
    return Day(trips, _night(lots, before))


def _trips(
    scenario: Scenario, planned: Sequence[Arrival], chance: np.random.Generator, guided: float
) -> Trips:
    minute, stay, where = _columns(planned)
    order = np.argsort(minute, kind="stable")
    minute, stay, where = minute[order], stay[order], where[order]
    x_m, y_m = _metres([(d.latitude, d.longitude) for d in scenario.destinations])
    number = len(minute)
    angle = chance.uniform(0, 2 * np.pi, number)
    far = _EDGE_M * chance.uniform(0.7, 1.3, number)
    return Trips(
        minute=minute,
        from_x_m=np.round(far * np.cos(angle), 1),
        from_y_m=np.round(far * np.sin(angle), 1),
        to_x_m=np.round(x_m[where] + chance.normal(0, _SCATTER_M, number), 1),
        to_y_m=np.round(y_m[where] + chance.normal(0, _SCATTER_M, number), 1),
        stay_minutes=stay,
        guided=chance.random(number) < guided,
        drive_factor=np.round(chance.lognormal(0, _FACTOR_SPREAD, number), 3),
    )


def _night(lots: Lots, before: Trips) -> Initial:
    """Who came the day before and stays beyond midnight: in the nearest lot, while it has room."""
    leaves = before.minute + before.stay_minutes - _DAY_MINUTES
    staying = before.only(leaves > 0)
    near = Travel(lots, RULES).distances_m(staying.to_x_m, staying.to_y_m)[:, :-1].argmin(axis=1)
    room = lots.capacity.copy()
    stand, until = [], []
    for lot, minute in zip(near.tolist(), leaves[leaves > 0].tolist(), strict=True):
        if room[lot] > 0:
            room[lot] -= 1
            stand.append(lot)
            until.append(minute)
    return Initial(np.array(stand, np.int64), np.array(until))
