"""Our guidance in a made-up town: beliefs and prices gathered here, decided in routing's rooms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from routing.assignment import ELSEWHERE, Group, assign
from routing.cost import crowding_minutes, going_on_minutes, risk_minutes
from routing.shadow_price import FIRST_ROUNDS, Demand, Prices, kept_spaces, settle
from tests.bench.guidance_history import GRID_MINUTES, Learned, learn
from tests.bench.guidance_run import Ask
from tests.bench.guidance_state import Believed, Sent, chance_below
from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import Day, FloatArray, IntArray, Lots, Rules


@dataclass(frozen=True)
class Habits:
    """How ours works; none of it belongs to one town."""

    most_regret_minutes: float = float("inf")
    samples: int = 3
    most_lots: int = 16
    step_minutes: float = 10.0
    settle_every_minutes: float = 5.0
    rounds: int = 20
    aversion: float = 3.0  # times that meeting a full lot counts: others meet it, too
    protect_minutes: int = 30
    alike_cars: float = 20.0
    most_elements: int = 400_000


_LOOK_AHEAD = 180
_GROUP_CARS = 1_000


class Ours:
    """Own minutes and risk, plus what the space is worth to those who come later."""

    def __init__(
        self, lots: Lots, rules: Rules, history: Sequence[Day], habits: Habits = Habits()
    ) -> None:
        self.lots, self.rules, self.habits = lots, rules, habits
        self.travel = Travel(lots, rules)
        self.learned = learn(lots, rules, history, habits.most_lots)
        self.believed = Believed(lots, self.learned)
        self.forecast = _Forecast(self.learned, len(lots.ids), habits)
        self.prices: Prices | None = None
        self.settled_at = -np.inf
        self.between = self.travel.reroute_minutes(self.travel.x_m, self.travel.y_m)
        self.lost_minutes = habits.aversion * rules.full_penalty_minutes
        self.crowd_minutes = self.lost_minutes + self._typical_way_on()

    def _typical_way_on(self) -> float:
        ways = self.between.copy()
        np.fill_diagonal(ways, np.inf)
        return float(np.median(ways.min(axis=1)))

    def decide(self, now: float, asks: Sequence[Ask], live: IntArray) -> list[int]:
        self.believed.count(now - self.rules.live_count_age_minutes, live)
        for ask in asks:
            if ask.tried:
                self.believed.take_back(ask.driver)
        homes = self._homes(asks)
        self.forecast.see(now, [h for h, a in zip(homes, asks, strict=True) if not a.tried])
        self._settle(now)
        group, drives = self._group(now, asks)
        found = assign(group, self.habits.most_regret_minutes)
        chosen = [len(self.lots.ids) if lot == ELSEWHERE else int(lot) for lot in found.lots]
        for row, (ask, lot) in enumerate(zip(asks, chosen, strict=True)):
            if lot < len(self.lots.ids):
                drive = float(drives[row, lot])
                self.believed.send(ask.driver, Sent(lot, now, drive, ask.stay_minutes))
        return chosen

    def _homes(self, asks: Sequence[Ask]) -> list[int]:
        x_m, y_m = (np.array([getattr(ask, n) for ask in asks]) for n in ("to_x_m", "to_y_m"))
        return [int(lot) for lot in self.travel.distances_m(x_m, y_m)[:, :-1].argmin(axis=1)]

    def _group(self, now: float, asks: Sequence[Ask]) -> tuple[Group, FloatArray]:
        columns = ("x_m", "y_m", "to_x_m", "to_y_m", "stay_minutes")
        x_m, y_m, to_x, to_y, stay = (np.array([getattr(a, n) for a in asks]) for n in columns)
        drives = self.travel.drive_minutes(x_m, y_m)
        again = np.array([bool(ask.tried) for ask in asks])
        drives[again] = self.travel.reroute_minutes(x_m, y_m)[again]
        walks = self.travel.walk_minutes(to_x, to_y)
        sure = self.travel.total_minutes(drives, walks, stay)
        chance, crowding = self._chances(now, drives[:, :-1])
        for row, ask in enumerate(asks):
            chance[row, list(ask.tried)] = 0.0
        there = self.travel.total_minutes(np.zeros(drives.shape), walks, stay)
        sureness = np.column_stack([chance, np.ones(len(asks))])
        lost = going_on_minutes(sureness, there, self.between, self.lost_minutes)
        minutes = sure[:, :-1] + risk_minutes(chance, lost[:, :-1])
        for row, ask in enumerate(asks):
            minutes[row, list(ask.tried)] = np.inf
        return Group(minutes, self._tolls(now, drives, stay), sure[:, -1], crowding), drives

    def _chances(self, now: float, drives: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of a space, for him and for all whom we sent there before; and what a crowd costs."""
        protect = self.habits.protect_minutes
        last = int(min(np.ceil(drives.max()), _LOOK_AHEAD))
        ahead = np.arange(last + 1 + protect, dtype=np.float64)
        mean, variance = self.believed.cars(now + ahead)
        # strangers who are yet to come lose no promised space to us
        known = np.minimum(self.believed.present_cars(now + ahead), mean)
        limit = self.believed.capacity[:, None] - 0.5
        space = chance_below(limit, mean, variance)[:, : last + 1]
        kept = chance_below(limit, known, variance)
        space = np.minimum(space, sliding_window_view(kept, protect, axis=1)[:, 1:].min(axis=2))
        arrives = np.clip(np.rint(drives), 0, last).astype(np.int64)
        lots = np.arange(len(self.lots.ids))[None, :]
        chance = space[lots, arrives]
        typical = np.clip(np.rint(drives.mean(axis=0)), 0, last).astype(np.int64)
        cars = min(len(drives), _GROUP_CARS)
        column = np.arange(len(self.lots.ids))
        chances = np.column_stack(
            [
                chance_below(limit[:, 0] - number, mean[column, typical], variance[column, typical])
                for number in range(cars)
            ]
        )
        return chance, crowding_minutes(chances, self.crowd_minutes)

    def _tolls(self, now: float, drives: FloatArray, stay: FloatArray) -> FloatArray:
        if self.prices is None:
            return np.zeros(drives[:, :-1].shape)
        step = self.habits.step_minutes
        arrives = (now + drives[:, :-1]) / step - self.forecast.first_step
        leaves = arrives + stay[:, None] / step
        return self.prices.tolls(arrives, leaves)

    def _settle(self, now: float) -> None:
        if now < self.settled_at + self.habits.settle_every_minutes:
            return
        self.settled_at = now
        self.believed.level = self.forecast.level
        step = self.habits.step_minutes
        first = int(now // step)
        steps = max(int(GRID_MINUTES / step) - first, 1)
        start = self._start(first, steps)
        self.forecast.first_step = first
        demand = self.forecast.demand(now, first)
        moments = (np.arange(steps, dtype=np.float64) + (first + 0.5)) * step
        room = self.believed.capacity[:, None] - self.believed.present_cars(moments)
        room = room - kept_spaces(self.believed.capacity)[:, None]
        rounds = self.habits.rounds if self.prices is not None else FIRST_ROUNDS
        samples = self.forecast.samples
        self.prices = settle(demand, np.broadcast_to(room, (samples, *room.shape)), start, rounds)

    def _start(self, first: int, steps: int) -> Prices:
        number, lots = self.forecast.samples, len(self.lots.ids)
        if self.prices is None:
            return Prices.none(number, lots, steps)
        gone = first - self.forecast.first_step
        kept = self.prices.by_step[:, :, gone : gone + steps]
        by_step = np.zeros((number, lots, steps))
        by_step[:, :, : kept.shape[2]] = kept
        return Prices.of(by_step)


class _Forecast:
    """Sample days for the rest of today: drivers of earlier days, as many as today shows."""

    def __init__(self, learned: Learned, lots: int, habits: Habits) -> None:
        self.learned, self.habits = learned, habits
        self.first_step = 0
        sample = learned.sample
        days = max(learned.days, 1)
        a_day = max(len(sample) / days, 1.0)
        fits = int(habits.most_elements / (a_day * habits.most_lots))
        self.samples = int(np.clip(fits, 1, habits.samples))
        chance = np.random.default_rng(7)
        self.luck = chance.random((self.samples, len(sample)))
        self.guided = sample.guided > 0
        self.expected = np.zeros(lots)
        self.seen = np.zeros(lots)
        self.seen_until = 0.0
        self.level = 1.0

    def see(self, now: float, homes: Sequence[int]) -> None:
        """Who asked, by the lot nearest to where they go; against who was to be expected."""
        sample = self.learned.sample
        new = self.guided & (sample.minute > self.seen_until) & (sample.minute <= now)
        self.expected += np.bincount(sample.home[new], minlength=len(self.expected)) / max(
            self.learned.days, 1
        )
        self.seen += np.bincount(np.array(homes, np.int64), minlength=len(self.seen))
        self.seen_until = max(now, self.seen_until)

    def levels(self) -> FloatArray:
        """Lot by lot how many times as many want to go near it as on earlier days."""
        alike = self.habits.alike_cars
        town = (self.seen.sum() + alike) / (self.expected.sum() + alike)
        self.level = float(town)
        levels: FloatArray = (self.seen + alike * town) / (self.expected + alike)
        return np.clip(levels, 0.05, 20.0)

    def demand(self, now: float, first_step: int) -> Demand:
        sample, step = self.learned.sample, self.habits.step_minutes
        ahead = np.flatnonzero(sample.minute > now)
        means = self.levels()[sample.home[ahead]] / max(self.learned.days, 1)
        times = _poisson(self.luck[:, ahead], means)
        which = np.repeat(np.tile(ahead, self.samples), times.ravel())
        numbers = np.repeat(np.arange(self.samples), times.sum(axis=1))
        arrives = (sample.minute[which, None] + sample.drives[which]) / step - first_step
        leaves = arrives + sample.stay[which, None] / step
        return Demand(
            sample.minutes[which],
            sample.lots[which],
            np.rint(arrives).astype(np.int64),
            np.rint(leaves).astype(np.int64),
            numbers,
        )


def _poisson(luck: FloatArray, means: FloatArray) -> IntArray:
    """Counts with these means, the same luck giving more as the mean grows."""
    chance = np.exp(-means)
    below = chance.copy()
    counts = np.zeros(luck.shape, np.int64)
    for number in range(1, 60):
        above = luck > below
        if not above.any():
            break
        counts += above
        chance = chance * means / number
        below = below + chance
    return counts
