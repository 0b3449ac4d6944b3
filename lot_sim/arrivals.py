"""Who comes when, to which destination, for how long, and which lot they try first."""

import math
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from lot_sim.scenario import Destination, Kind, Scenario, Stay

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_SHANGHAI_AHEAD_MS = 8 * HOUR_MS  # no summer time since 1991
_THURSDAY = 3  # 1970-01-01, Monday is 0
_SATURDAY = 5
_DAY_SPREAD = 0.06
_STAY_MOST_MS = 3 * DAY_MS
_EARTH_METRES_PER_DEGREE = 111_195


class Arrival(NamedTuple):
    """A driver comes to town: wants to park near a destination for a while."""

    at_ms: int
    destination: int  # place in the scenario's list
    stay_ms: int


def midnight_of(at_ms: int) -> int:
    """The last midnight in Shanghai, as UTC milliseconds."""
    return at_ms - (at_ms + _SHANGHAI_AHEAD_MS) % DAY_MS


def weekday_of(at_ms: int) -> int:
    """Monday is 0."""
    return ((at_ms + _SHANGHAI_AHEAD_MS) // DAY_MS + _THURSDAY) % 7


def plan_day(scenario: Scenario, midnight_ms: int, seed: str) -> list[Arrival]:
    """All arrivals of one day; each (destination, day) has its own chance."""
    return [
        arrival
        for number, destination in enumerate(scenario.destinations)
        for arrival in _plan_destination(
            number, destination, scenario.kinds[destination.kind], midnight_ms, seed
        )
    ]


def _plan_destination(
    number: int, destination: Destination, kind: Kind, midnight_ms: int, seed: str
) -> list[Arrival]:
    chance = random.Random(f"{seed}:{midnight_ms}:{destination.destination_id}")
    weekday = weekday_of(midnight_ms)
    hours = kind.weekend if weekday >= _SATURDAY else kind.workday
    cars = destination.cars_a_day * kind.week[weekday] * chance.lognormvariate(0, _DAY_SPREAD)
    return [
        Arrival(midnight_ms + at_ms, number, draw_stay_ms(kind.stay, chance))
        for at_ms in _poisson_times(hours, cars, chance)
    ]


def _poisson_times(hours: Sequence[float], cars: float, chance: random.Random) -> list[int]:
    """A Poisson process with a constant rate in each hour: unit gaps on the summed rate."""
    scale = cars / sum(hours)
    summed = [0.0, *accumulate(weight * scale for weight in hours)]
    times: list[int] = []
    reached = chance.expovariate(1)
    while reached < summed[-1]:
        hour = bisect(summed, reached) - 1
        into = (reached - summed[hour]) / (summed[hour + 1] - summed[hour])
        times.append(int((hour + into) * HOUR_MS))
        reached += chance.expovariate(1)
    return times


def draw_stay_ms(stays: Sequence[Stay], chance: random.Random) -> int:
    """At least a minute, at most three days."""
    stay = chance.choices(stays, [s.share for s in stays])[0]
    if stay.alpha:
        # a Pareto variable's median is its least value times 2^(1/alpha)
        minutes = stay.median_minutes * chance.paretovariate(stay.alpha) / 2 ** (1 / stay.alpha)
    else:
        minutes = stay.median_minutes * chance.lognormvariate(0, stay.spread)
    return min(max(int(minutes * 60_000), 60_000), _STAY_MOST_MS)


class Placed(Protocol):
    """Whatever lies somewhere (WGS-84)."""

    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


def metres_between(a: Placed, b: Placed) -> float:
    """As the crow flies, good to a few metres within a town."""
    east = (a.longitude - b.longitude) * math.cos(math.radians(a.latitude))
    return math.hypot(a.latitude - b.latitude, east) * _EARTH_METRES_PER_DEGREE


class Nearness:
    """Drivers without guidance: the nearer to the destination, the likelier is a lot."""

    def __init__(self, scenario: Scenario) -> None:
        scale = scenario.habits.walk_scale_metres
        self._weights = [
            [math.exp(-metres_between(destination, lot) / scale) for lot in scenario.lots]
            for destination in scenario.destinations
        ]
        self._lots = range(len(scenario.lots))
        self._summed: dict[tuple[int, tuple[int, ...]], list[float]] = {}

    def choose(self, arrival: Arrival, tried: tuple[int, ...], chance: random.Random) -> int | None:
        """A lot's place in the scenario's list, none of those tried; None if none is left."""
        case = (arrival.destination, tried)
        summed = self._summed.get(case)
        if summed is None:
            summed = self._summed[case] = self._summed_without(*case)
        if not summed[-1]:
            return None
        return chance.choices(self._lots, cum_weights=summed)[0]

    def _summed_without(self, destination: int, tried: tuple[int, ...]) -> list[float]:
        weights = self._weights[destination]
        return [*accumulate(0.0 if lot in tried else weights[lot] for lot in self._lots)]
