"""Many simulated towns at once, in quarters of hours, with guidance that can be switched.

Made from the shipped scenario: its destinations, hours, weekdays, stays, capacities and habits. An
event simulation of 400 months takes hours; this takes seconds, and keeps what an experiment trips
over: cars that stay from one block into the next, days that are busier than others and lean on the
day before, drivers who drive on when they are refused.
"""

import math
from dataclasses import dataclass

import numpy as np

from lot_sim.arrivals import metres_between
from lot_sim.config import SHIPPED_SCENARIO, load_scenario
from lot_sim.scenario import Scenario, Stay
from tests.bench.guidance_world import FloatArray, IntArray

STEP_MINUTES = 15
STEPS_A_DAY = 24 * 60 // STEP_MINUTES
FIRST_WEEKDAY = 0  # a Monday
_STAY_MOST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Habits:
    """How busy the town is, and how days lean on each other."""

    level: float = 1.15  # of the scenario's cars
    day_spread: float = 0.08
    day_memory: float = 0.4
    follow: float = 0.6  # of the drivers who are told of another car park, go there


@dataclass(frozen=True)
class Totals:
    """District totals: (runs, steps)."""

    refused: FloatArray
    saturated_minutes: FloatArray

    def by_block(self, minutes: int) -> tuple[FloatArray, FloatArray]:
        """Both, added up over blocks of so many minutes: (runs, blocks)."""
        width = minutes // STEP_MINUTES
        return (
            self.refused.reshape(len(self.refused), -1, width).sum(axis=2),
            self.saturated_minutes.reshape(len(self.refused), -1, width).sum(axis=2),
        )


@dataclass(frozen=True)
class _Demand:
    """Cars wanted a step, at each lot first, by weekday and step; and how they leave."""

    cars: FloatArray  # (7, steps a day, lots)
    leaves: FloatArray  # chance to leave within a step, by lot
    capacity: IntArray


def simulate(guided: IntArray, seed: int, habits: Habits | None = None) -> Totals:
    """`guided` says for each run and step whether guidance is on: (runs, steps), whole days."""
    told = habits or Habits()
    demand = _demand(load_scenario(SHIPPED_SCENARIO), told.level)
    chance = np.random.default_rng(seed)
    runs, steps = guided.shape
    busy = _day_factors(chance, runs, steps // STEPS_A_DAY, told)
    refused, saturated = np.zeros((runs, steps)), np.zeros((runs, steps))
    cars = np.zeros((runs, len(demand.capacity)), np.int64)
    full_below = np.maximum(1, 0.02 * demand.capacity)
    for step in range(-STEPS_A_DAY, steps):  # the day before fills the garages
        day, of_day = divmod(step, STEPS_A_DAY)
        rate = demand.cars[(FIRST_WEEKDAY + day) % 7, of_day] * busy[:, max(day, 0), None]
        cars -= chance.binomial(cars, demand.leaves)
        wanted = chance.poisson(rate)
        on = guided[:, step] if step >= 0 else np.zeros(runs, np.int64)
        lost = _park(chance, cars, wanted, demand.capacity, told.follow * on.astype(np.float64))
        if step >= 0:
            refused[:, step] = lost
            is_full = demand.capacity - cars <= full_below
            saturated[:, step] = is_full.sum(axis=1) * STEP_MINUTES
    return Totals(refused, saturated)


def _park(
    chance: np.random.Generator,
    cars: IntArray,
    wanted: IntArray,
    capacity: IntArray,
    follow: FloatArray,
) -> FloatArray:
    """Cars go in; how many were refused at a full car park, in each run."""
    enter = np.minimum(wanted, capacity - cars)
    cars += enter
    over = (wanted - enter).sum(axis=1)
    warned = chance.binomial(over, follow)  # never come to the full one
    _fill(cars, warned, capacity)
    refused = over - warned
    _fill(cars, chance.binomial(refused, _DRIVES_ON), capacity)
    lost: FloatArray = refused.astype(np.float64)
    return lost


def _fill(cars: IntArray, coming: IntArray, capacity: IntArray) -> None:
    """Into the car parks with most room first; who finds none goes home."""
    rows = np.arange(len(cars))
    left = coming.copy()
    for _ in range(cars.shape[1]):
        if not left.any():
            return
        lot = (capacity - cars).argmax(axis=1)
        taken = np.minimum(left, capacity[lot] - cars[rows, lot])
        cars[rows, lot] += taken
        left -= taken


def _day_factors(chance: np.random.Generator, runs: int, days: int, habits: Habits) -> FloatArray:
    """How busy each day is, leaning on the day before."""
    fresh = math.sqrt(1 - habits.day_memory**2)
    level = chance.normal(0, 1, runs)
    factors: FloatArray = np.empty((runs, days))
    for day in range(days):
        level = habits.day_memory * level + fresh * chance.normal(0, 1, runs)
        factors[:, day] = np.exp(habits.day_spread * level)
    return factors


_DRIVES_ON = load_scenario(SHIPPED_SCENARIO).habits.drives_on_share


def _demand(scenario: Scenario, level: float) -> _Demand:
    weights: FloatArray = np.array(
        [
            [
                math.exp(-metres_between(place, lot) / scenario.habits.walk_scale_metres)
                for lot in scenario.lots
            ]
            for place in scenario.destinations
        ]
    )
    weights /= weights.sum(axis=1, keepdims=True)
    cars = np.zeros((7, STEPS_A_DAY, len(scenario.lots)))
    minutes, total = np.zeros(len(scenario.lots)), np.zeros(len(scenario.lots))
    for place, near in zip(scenario.destinations, weights, strict=True):
        kind = scenario.kinds[place.kind]
        for weekday in range(7):
            hours = np.array(kind.weekend if weekday >= 5 else kind.workday)
            by_step = np.repeat(hours / hours.sum(), STEPS_A_DAY // 24) / (STEPS_A_DAY // 24)
            a_day = place.cars_a_day * kind.week[weekday] * level
            cars[weekday] += by_step[:, None] * a_day * near
            total += a_day * near
            minutes += a_day * near * _mean_minutes(kind.stay)
    capacity = np.array([lot.bays for lot in scenario.lots], np.int64)
    return _Demand(cars, 1.0 - np.exp(-STEP_MINUTES * total / minutes), capacity)


def _mean_minutes(stays: tuple[Stay, ...]) -> float:
    """Of the mixture, with the tail cut at a day."""
    shares = sum(stay.share for stay in stays)
    means = [stay.median_minutes * math.exp(stay.spread**2 / 2) for stay in stays]
    parts = zip(stays, means, strict=True)
    return sum(stay.share / shares * min(mean, _STAY_MOST_MINUTES) for stay, mean in parts)
