"""One day in a world under a policy: who arrives where, finds it full, goes on, parks."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import BoolArray, FloatArray, IntArray, World


@dataclass(frozen=True)
class Ask:
    """What a driver who wants guidance tells: never how fast he will really drive."""

    driver: int
    x_m: float
    y_m: float
    to_x_m: float
    to_y_m: float
    stay_minutes: float
    tried: tuple[int, ...] = ()


class Policy(Protocol):
    """Says for each of those who ask at one moment where to go: a lot's place, or the overflow.

    `live` are the cars counted in each lot some minutes ago.
    """

    def decide(self, now: float, asks: Sequence[Ask], live: IntArray) -> Sequence[int]: ...


@dataclass(frozen=True)
class Outcome:
    """What became of each trip, all in minutes."""

    lot: IntArray
    drive: FloatArray
    cruise: FloatArray
    walk: FloatArray
    total: FloatArray
    met_full: IntArray
    guided: BoolArray
    parked_at: FloatArray

    @property
    def mean_minutes(self) -> float:
        return float(self.total.mean()) if len(self.total) else 0.0

    @property
    def share_met_full(self) -> float:
        """Of the guided."""
        return float((self.met_full[self.guided] > 0).mean()) if self.guided.any() else 0.0


class _Kind(IntEnum):
    """What happens first at the same moment: who leaves makes room for who comes."""

    LEAVES = 0
    COUNTED = 1
    ARRIVES = 2
    ASKS = 3


def run(world: World, policy: Policy, *, nobody_guided: bool = False) -> Outcome:
    return _Day(world, policy, nobody_guided=nobody_guided).run()


class _Day:
    def __init__(self, world: World, policy: Policy, *, nobody_guided: bool) -> None:
        self.world, self.policy = world, policy
        self.trips, self.rules = world.day.trips, world.rules
        self.guided = self.trips.guided & (not nobody_guided)
        self.travel = Travel(world.lots, world.rules)
        self.overflow = len(world.lots.ids)
        trips = self.trips
        self.drives = self.travel.drive_minutes(trips.from_x_m, trips.from_y_m)
        self.walks = self.travel.walk_minutes(trips.to_x_m, trips.to_y_m)
        self.between = self.travel.reroute_minutes(self.travel.x_m, self.travel.y_m)
        self.nearest = np.argsort(
            self.travel.distances_m(trips.to_x_m, trips.to_y_m)[:, :-1], axis=1, kind="stable"
        )
        self.cars = np.bincount(world.day.initial.lot, minlength=self.overflow)
        self.live = self.cars.copy()
        self.tried: dict[int, tuple[int, ...]] = {}
        number = len(trips)
        self.lot = np.full(number, self.overflow)
        self.drive, self.cruise, self.parked_at = (np.zeros(number) for _ in range(3))
        self.met_full = np.zeros(number, np.int64)
        self.events: list[tuple[float, int, int, int]] = []

    def run(self) -> Outcome:
        for lot, leaves in zip(*self._initial(), strict=True):
            self._push(leaves, _Kind.LEAVES, lot, 0)
        for driver, minute in enumerate(self.trips.minute.tolist()):
            self._push(minute, _Kind.ASKS, driver, 0)
        while self.events:
            now, kind, first, second = heapq.heappop(self.events)
            if kind == _Kind.LEAVES:
                self._change(now, first, -1)
            elif kind == _Kind.COUNTED:
                self.live[first] += second
            elif kind == _Kind.ARRIVES:
                self._arrive(now, first, second)
            else:
                self._ask(now, [first, *self._others_asking(now)])
        return self._outcome()

    def _initial(self) -> tuple[list[int], list[float]]:
        initial = self.world.day.initial
        return initial.lot.tolist(), initial.leaves_at_minute.tolist()

    def _push(self, minute: float, kind: _Kind, first: int, second: int) -> None:
        heapq.heappush(self.events, (minute, int(kind), first, second))

    def _others_asking(self, now: float) -> list[int]:
        others = []
        while self.events and self.events[0][:2] == (now, int(_Kind.ASKS)):
            others.append(heapq.heappop(self.events)[2])
        return others

    def _change(self, now: float, lot: int, by: int) -> None:
        self.cars[lot] += by
        self._push(now + self.rules.live_count_age_minutes, _Kind.COUNTED, lot, by)

    def _ask(self, now: float, drivers: list[int]) -> None:
        guided = [driver for driver in drivers if self.guided[driver]]
        asks = [self._asked(driver) for driver in guided]
        chosen = list(self.policy.decide(now, asks, self.live.copy())) if asks else []
        told = dict(zip(guided, chosen, strict=True))
        for driver in drivers:
            lot = told[driver] if driver in told else self._nearest_untried(driver)
            self._set_out(now, driver, int(lot))

    def _asked(self, driver: int) -> Ask:
        trips, tried = self.trips, self.tried.get(driver, ())
        x_m = self.travel.x_m[tried[-1]] if tried else trips.from_x_m[driver]
        y_m = self.travel.y_m[tried[-1]] if tried else trips.from_y_m[driver]
        return Ask(
            driver,
            float(x_m),
            float(y_m),
            float(trips.to_x_m[driver]),
            float(trips.to_y_m[driver]),
            float(trips.stay_minutes[driver]),
            tried,
        )

    def _nearest_untried(self, driver: int) -> int:
        tried = self.tried.get(driver, ())
        return next((int(lot) for lot in self.nearest[driver] if lot not in tried), self.overflow)

    def _set_out(self, now: float, driver: int, lot: int) -> None:
        factor = self.trips.drive_factor[driver]
        tried = self.tried.get(driver, ())
        if tried:
            minutes = float(self.between[tried[-1], lot] * factor)
            self.cruise[driver] += minutes
        else:
            minutes = float(self.drives[driver, lot] * factor)
            self.drive[driver] = minutes
        self._push(now + minutes, _Kind.ARRIVES, driver, lot)

    def _arrive(self, now: float, driver: int, lot: int) -> None:
        if lot < self.overflow and self.cars[lot] >= self.world.lots.capacity[lot]:
            self.met_full[driver] += 1
            self.tried[driver] = (*self.tried.get(driver, ()), lot)
            self.cruise[driver] += self.rules.full_penalty_minutes
            self._push(now + self.rules.full_penalty_minutes, _Kind.ASKS, driver, 0)
            return
        self.lot[driver], self.parked_at[driver] = lot, now
        if lot < self.overflow:
            self._change(now, lot, +1)
            self._push(now + self.trips.stay_minutes[driver], _Kind.LEAVES, lot, 0)

    def _outcome(self) -> Outcome:
        rows = np.arange(len(self.lot))
        walk = self.walks[rows, self.lot]
        on_the_way = self.drive + self.cruise
        fees = self.travel.fee_fen(self.trips.stay_minutes)[rows, self.lot]
        weight = self.rules.fee_weight_minutes_per_yuan
        total = on_the_way + walk + fees / 100 * weight
        return Outcome(
            self.lot,
            self.drive,
            self.cruise,
            walk,
            total,
            self.met_full,
            self.guided,
            self.parked_at,
        )
