"""What happened in five car parks over some days: a town without machines, quick and by seed."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from lot_sim.arrivals import DAY_MS, Arrival, Nearness, plan_day
from lot_sim.scenario import Scenario, parse_scenario
from occupancy.rollup import date_start_ms

Numbers = NDArray[np.int64]
SCENARIO = Path(__file__).parents[1] / "lot_sim" / "scenarios" / "sanshui.toml"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FETCHING_MS = 120_000
MORE_CARS = 1.12  # the shipped demand seldom fills a car park


class Gap(msgspec.Struct, frozen=True):
    """From `from_ms` on nothing was told of a car park, until `until_ms`."""

    lot_id: str
    from_ms: int
    until_ms: int


class Closure(msgspec.Struct, frozen=True):
    """So many spaces out of service for a time; all of them is a car park closed for works."""

    lot_id: str
    spaces: int
    from_ms: int
    until_ms: int


class Fair(msgspec.Struct, frozen=True):
    """An evening that brings `cars` more to the town around one destination."""

    destination_id: str
    from_ms: int
    minutes: int
    cars: int


@dataclass
class LotStory:
    """The truth of one car park: when it changed, and what it was from then on."""

    lot_id: str
    spaces: int
    inside: int = 0
    locked_in: int = 0
    out_of_service: int = 0
    at_ms: list[int] = field(default_factory=list)
    occupied: list[int] = field(default_factory=list)
    usable: list[int] = field(default_factory=list)
    entered_ms: list[int] = field(default_factory=list)
    gone_ms: list[int] = field(default_factory=list)
    refused_ms: list[int] = field(default_factory=list)
    stays_ms: list[int] = field(default_factory=list)

    @property
    def has_room(self) -> bool:
        return self.inside - self.locked_in < self.spaces - self.out_of_service

    def note(self, at_ms: int) -> None:
        self.at_ms.append(at_ms)
        self.occupied.append(self.inside - self.locked_in)
        self.usable.append(self.spaces - self.out_of_service)

    def take_out(self, at_ms: int, spaces: int) -> None:
        """Their share of the cars is caught in them; a negative number brings spaces back."""
        self.out_of_service += spaces
        self.locked_in = round(self.inside * self.out_of_service / self.spaces)
        self.note(at_ms)

    def enter(self, at_ms: int, stay_ms: int) -> None:
        self.inside += 1
        self.entered_ms.append(at_ms)
        self.stays_ms.append(stay_ms)
        self.note(at_ms)

    def leave(self, at_ms: int) -> None:
        self.inside -= 1
        self.locked_in = min(self.locked_in, self.inside)
        self.gone_ms.append(at_ms)
        self.note(at_ms)


def tell(
    first: dt.date,
    days: int,
    seed: str = "month",
    closures: Sequence[Closure] = (),
    fairs: Sequence[Fair] = (),
) -> list[LotStory]:
    """Each car park from a day before `first` on, so that the first night finds cars."""
    scenario = parse_scenario(SCENARIO.read_text(encoding="utf-8"), SCENARIO.name)
    return _Town(scenario, seed, closures).play(_arrivals(scenario, first, days, seed, fairs))


def _arrivals(
    scenario: Scenario, first: dt.date, days: int, seed: str, fairs: Sequence[Fair]
) -> Iterator[Arrival]:
    busier = tuple(
        msgspec.structs.replace(one, cars_a_day=one.cars_a_day * MORE_CARS)
        for one in scenario.destinations
    )
    busy = msgspec.structs.replace(scenario, destinations=busier)
    start_ms = date_start_ms(first)
    for number in range(-1, days):
        yield from plan_day(busy, start_ms + number * DAY_MS, seed)
    places = [one.destination_id for one in scenario.destinations]
    chance = random.Random(f"{seed}:fairs")  # noqa: S311 -- a story wants a seed
    for fair in fairs:
        place = places.index(fair.destination_id)
        for _ in range(fair.cars):
            at_ms = fair.from_ms + int(chance.random() * fair.minutes * MINUTE_MS)
            yield Arrival(at_ms, place, int(chance.lognormvariate(0, 0.3) * 2 * HOUR_MS))


class _Town:
    """Drivers try the nearest lots first, some drive on, the others go home."""

    def __init__(self, scenario: Scenario, seed: str, closures: Sequence[Closure]) -> None:
        self._habits, self._nearness = scenario.habits, Nearness(scenario)
        self._chance = random.Random(f"{seed}:drivers")  # noqa: S311 -- a story wants a seed
        self.lots = [LotStory(plan.lot_id, plan.bays) for plan in scenario.lots]
        self._heap: list[tuple[int, int, int, int, tuple[int, ...], int]] = []
        self._number = 0
        places = [lot.lot_id for lot in self.lots]
        for one in closures:
            self._plan(one.from_ms, _CLOSE, places.index(one.lot_id), (), one.spaces)
            self._plan(one.until_ms, _CLOSE, places.index(one.lot_id), (), -one.spaces)

    def play(self, arrivals: Iterator[Arrival]) -> list[LotStory]:
        for one in arrivals:
            self._plan(one.at_ms, _ARRIVE, one.destination, (), one.stay_ms)
        heapify(self._heap)
        while self._heap:
            at_ms, _, kind, place, tried, size = heappop(self._heap)
            if kind == _LEAVE:
                self.lots[place].leave(at_ms)
            elif kind == _ARRIVE:
                self._arrive(Arrival(at_ms, place, size), tried)
            else:
                self.lots[place].take_out(at_ms, size)
        return self.lots

    def _plan(self, at_ms: int, kind: int, place: int, tried: tuple[int, ...], size: int) -> None:
        self._number += 1
        heappush(self._heap, (at_ms, self._number, kind, place, tried, size))

    def _arrive(self, one: Arrival, tried: tuple[int, ...]) -> None:
        chosen = self._nearness.choose(one, tried, self._chance)
        if chosen is None:
            return
        lot = self.lots[chosen]
        if lot.has_room:
            lot.enter(one.at_ms, one.stay_ms)
            self._plan(one.at_ms + one.stay_ms + FETCHING_MS, _LEAVE, chosen, (), 0)
            return
        lot.refused_ms.append(one.at_ms)
        tried = (*tried, chosen)
        habits = self._habits
        if len(tried) < habits.lots_tried_most and self._chance.random() < habits.drives_on_share:
            on_ms = int(self._chance.uniform(*habits.drive_on_minutes) * MINUTE_MS)
            self._plan(one.at_ms + on_ms, _ARRIVE, one.destination, tried, one.stay_ms)


_ARRIVE, _LEAVE, _CLOSE = range(3)
