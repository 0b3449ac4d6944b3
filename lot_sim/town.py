"""The town: drivers come, try lots, park and go. Pure event simulation from a seed and a start."""

import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from lot_sim.agenda import Agenda
from lot_sim.arrivals import DAY_MS, Arrival, Nearness, midnight_of, plan_day
from lot_sim.car_park import CarPark, Crossing
from lot_sim.scenario import Scenario


class Guide(Protocol):
    """Says which lot a driver tries next."""

    def choose(self, arrival: Arrival, tried: tuple[int, ...], chance: random.Random) -> int | None:
        """Lots by their places in the scenario's list; None sends the driver home."""
        ...


class Outcome(NamedTuple):
    """How a driver fared: the lots that refused, and the one that let them in, if any."""

    arrival: Arrival
    refused_by: tuple[int, ...]
    parked_in: int | None
    at_ms: int


CrossingWatch = Callable[[Crossing], None]
OutcomeWatch = Callable[[Outcome], None]


class Town:
    """All car parks and the drivers between them.

    The simulation begins at the midnight one day before `start_ms`, so that the start finds cars
    that came in the day before, and a day is the same whichever of its hours one starts in.
    `guide` may be exchanged at any time: two guides from one start are told apart fairly.
    """

    def __init__(self, scenario: Scenario, seed: str, start_ms: int) -> None:
        self.scenario, self.seed, self.start_ms = scenario, seed, start_ms
        self.went_home = 0
        self.on_crossing: CrossingWatch | None = None
        self.on_outcome: OutcomeWatch | None = None
        self.guide: Guide = Nearness(scenario)
        self._chance = random.Random(f"{seed}:drivers")
        first_midnight = midnight_of(start_ms) - DAY_MS
        self.agenda = Agenda(first_midnight)
        self.lots = [
            CarPark(
                plan,
                scenario.habits,
                self.agenda,
                random.Random(f"{seed}:{plan.lot_id}"),
                self._crossed,
            )
            for plan in scenario.lots
        ]
        self.agenda.at(first_midnight, self._begin_day)
        self.agenda.run_until(start_ms)
        self.open_books()

    @property
    def now_ms(self) -> int:
        return self.agenda.now_ms

    def run_until(self, until_ms: int) -> None:
        self.agenda.run_until(until_ms)

    def lot(self, lot_id: str) -> CarPark:
        for lot in self.lots:
            if lot.plan.lot_id == lot_id:
                return lot
        raise KeyError(f"no lot {lot_id}")

    def open_books(self) -> None:
        """Count from here on; the cars inside stay."""
        self.went_home = 0
        for lot in self.lots:
            lot.open_books()

    def _crossed(self, crossing: Crossing) -> None:
        if self.on_crossing is not None:
            self.on_crossing(crossing)

    def _begin_day(self, midnight_ms: int) -> None:
        for arrival in plan_day(self.scenario, midnight_ms, self.seed):
            self.agenda.at(arrival.at_ms, self._arrive, arrival, ())
        self.agenda.at(midnight_ms + DAY_MS, self._begin_day)

    def _arrive(self, now_ms: int, arrival: Arrival, tried: tuple[int, ...]) -> None:
        chosen = self.guide.choose(arrival, tried, self._chance)
        if chosen is None:
            self._end_search(now_ms, arrival, tried, None)
        elif self.lots[chosen].admit(now_ms, arrival.stay_ms):
            self._end_search(now_ms, arrival, tried, chosen)
        else:
            self._try_elsewhere(now_ms, arrival, (*tried, chosen))

    def _try_elsewhere(self, now_ms: int, arrival: Arrival, tried: tuple[int, ...]) -> None:
        habits = self.scenario.habits
        patient = len(tried) < habits.lots_tried_most
        if patient and self._chance.random() < habits.drives_on_share:
            minutes = self._chance.uniform(*habits.drive_on_minutes)
            self.agenda.at(now_ms + int(minutes * 60_000), self._arrive, arrival, tried)
        else:
            self._end_search(now_ms, arrival, tried, None)

    def _end_search(
        self, now_ms: int, arrival: Arrival, refused_by: tuple[int, ...], parked_in: int | None
    ) -> None:
        if parked_in is None:
            self.went_home += 1
        if self.on_outcome is not None:
            self.on_outcome(Outcome(arrival, refused_by, parked_in, now_ms))
