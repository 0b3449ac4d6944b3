"""When the forecast says 80 %, how often it is so: months of the simulated town, no devices."""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from lot_sim.config import SHIPPED_SCENARIO, load_scenario
from lot_sim.scenario import Direction
from lot_sim.town import Town
from occupancy.calendar import DayType
from occupancy.live import LiveOccupancy, Quality, Received, fold
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from routing.forecast import Expectation, Forecasts
from routing.forecast_learn import learn
from routing.forecast_model import DAY_MS, MINUTE_MS, QUARTER_MS
from routing.forecast_past import Quarter, day_of_ms, remember, start_of_day_ms
from routing.forecast_usual import DAYS_AHEAD
from tests.bench.report import Figure, Report, shown
from tests.builders import an_observation

SEED = "calibration"
FIRST_DAY = 20_458  # 2026-01-05, a Monday
THURSDAY, SATURDAY = 3, 5  # 1970-01-01; Monday is 0
WARM_UP_DAYS, JUDGED_DAYS = 28, 84
PAST_DAYS = 70
SEEN_EVERY_MS, ASKED_EVERY_MS = 5 * MINUTE_MS, 60 * MINUTE_MS
AHEAD_MINUTES = (10, 20, 45, 75, 120, 180)
SPACES = (1, 5, 10, 20, 40, 60, 80)
DECILES, LEAST_CASES = 10, 500
SAID, OFF_BY = 0.8, 0.03


@dataclass
class Cases:
    """What was said, and what came: one row a forecast."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    chances: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, expected: Expectation, minutes: int, free: int, free_then: int) -> None:
        demand, usable = expected.demand, expected.usable
        # A count stands for half a space around it: the edges of the interval are drawn by lot.
        below, above = (1 - demand.chance_of_at_least(edge, usable) for edge in (free, free + 1))
        self.rows.append(
            (below, above, expected.free_mean, free, free_then, usable, float(minutes))
        )
        self.chances += [
            (expected.chance_of_at_least(spaces), float(free >= spaces), spaces)
            for spaces in SPACES
            if spaces <= usable
        ]


class Watched:
    """The town, the forecaster beside it, and what is remembered of each lot."""

    def __init__(self) -> None:
        self.start_ms = start_of_day_ms(FIRST_DAY)
        self.town = Town(load_scenario(SHIPPED_SCENARIO), SEED, self.start_ms)
        shipped = {lot.lot_id: lot for lot in load_shipped()}
        self.lots: list[Lot] = [shipped[lot.plan.lot_id] for lot in self.town.lots]
        self.forecasts = Forecasts(self.lots)
        self.past: dict[str, list[Quarter]] = {lot.lot_id: [] for lot in self.lots}
        self._template = {lot.lot_id: _template(lot) for lot in self.lots}
        self._totals: dict[str, tuple[int, int]] = {}

    def see(self) -> dict[str, int]:
        """Every lot's count now, told to the forecaster; free spaces by lot."""
        now_ms = self.town.now_ms
        free = {}
        for park in self.town.lots:
            lot_id = park.plan.lot_id
            usable = park.free + park.occupied
            picture = replace(
                self._template[lot_id],
                usable=usable,
                free=park.free,
                occupied=park.occupied,
                observed_at_ms=now_ms,
            )
            self.forecasts.see(picture)
            free[lot_id] = park.free
            if not now_ms % QUARTER_MS:
                self._remember(lot_id, park.occupied, park.free)
        return free

    def _remember(self, lot_id: str, occupied: int, free: int) -> None:
        park = self.town.lot(lot_id)
        entries, exits = park.crossed(Direction.ENTRY), park.crossed(Direction.EXIT)
        past = self.past[lot_id]
        if past:
            before = self._totals[lot_id]
            past[-1] = past[-1]._replace(entries=entries - before[0], exits=exits - before[1])
        past.append(Quarter(self.town.now_ms, occupied, free, None, None))
        self._totals[lot_id] = (entries, exits)

    def learn(self) -> None:
        today = day_of_ms(self.town.now_ms)
        first = max(FIRST_DAY, today - PAST_DAYS)
        # The simulated town knows weekdays and no holidays.
        kinds = [
            DayType.WEEKEND if (day + THURSDAY) % 7 >= SATURDAY else DayType.WORKDAY
            for day in range(first, today + DAYS_AHEAD)
        ]
        past = remember(self.past, first, today - first, kinds)
        self.forecasts.learn(learn(past, first, self.town.now_ms))


def _template(lot: Lot) -> LiveOccupancy:
    """A picture of this lot; its numbers are put in when it is looked at."""
    picture = fold(None, lot, Received(an_observation(lot_id=lot.lot_id), 0, 0))
    return replace(picture, quality=Quality.COUNTED, doubts=())


def watch() -> Cases:
    watched, cases = Watched(), Cases()
    waiting: dict[int, list[tuple[Expectation, int, int]]] = {}
    days = WARM_UP_DAYS + JUDGED_DAYS
    for at_ms in range(watched.start_ms, watched.start_ms + days * DAY_MS, SEEN_EVERY_MS):
        watched.town.run_until(at_ms)
        free = watched.see()
        day, of_day = divmod(at_ms - watched.start_ms, DAY_MS)
        if day >= WARM_UP_DAYS and not of_day:
            watched.learn()
            _tell(day, days)
        for expected, minutes, free_then in waiting.pop(at_ms, ()):
            cases.add(expected, minutes, free[expected.lot_id], free_then)
        if day >= WARM_UP_DAYS and not of_day % ASKED_EVERY_MS:
            for expected, minutes in _asked(watched, at_ms):
                due = waiting.setdefault(expected.at_ms, [])
                due.append((expected, minutes, free[expected.lot_id]))
    return cases


def _asked(watched: Watched, now_ms: int) -> Iterator[tuple[Expectation, int]]:
    for lot in watched.lots:
        for minutes in AHEAD_MINUTES:
            at_ms = now_ms + minutes * MINUTE_MS
            yield watched.forecasts.expect(lot.lot_id, at_ms, now_ms), minutes


def _tell(day: int, days: int) -> None:
    if not day % 7:
        print(f"day {day} of {days}", file=sys.stderr, flush=True)


def measure(_: list[str]) -> Report:
    cases = watch()
    rows, chances = np.array(cases.rows), np.array(cases.chances)
    drawn = np.random.default_rng(1).uniform(size=len(rows))
    level = rows[:, 0] + drawn * (rows[:, 1] - rows[:, 0])
    held = (level >= (1 - SAID) / 2) & (level < (1 + SAID) / 2)
    share, free = rows[:, 2] / rows[:, 5], rows[:, 3]
    figures = [
        _close("80 % interval, all cases", held),
        *_by_decile("80 % interval, expected free share", share, held),
        *_by_chance(chances),
        shown("mean error", float(np.abs(rows[:, 2] - free).mean()), "spaces"),
        shown("mean error of saying as now", float(np.abs(rows[:, 4] - free).mean()), "spaces"),
    ]
    about = {
        "seed": SEED,
        "days": JUDGED_DAYS,
        "after": WARM_UP_DAYS,
        "cases": len(rows),
        "minutes_ahead": {str(m): _share(held[rows[:, 6] == m]) for m in AHEAD_MINUTES},
        "chance_of_a_space": _table(chances[chances[:, 2] == 1]),
    }
    return Report("calibration", figures, about)


def _close(name: str, held: npt.NDArray[np.bool_]) -> Figure:
    was = _share(held)
    goal = f"{SAID - OFF_BY:g} to {SAID + OFF_BY:g}"
    return Figure(name, was, "share", goal, abs(was - SAID) <= OFF_BY)


def _by_decile(
    name: str, by: npt.NDArray[np.float64], held: npt.NDArray[np.bool_]
) -> Iterator[Figure]:
    edges = np.quantile(by, np.linspace(0, 1, DECILES + 1))
    for low, high in itertools.pairwise(edges):
        rows = (by >= low) & (by <= high)
        yield _close(f"{name} {low:.2f} to {high:.2f}", held[rows])


def _by_chance(chances: npt.NDArray[np.float64]) -> Iterator[Figure]:
    """Said against what was, for each tenth of said chances with cases enough."""
    for decile in range(DECILES):
        rows = _tenth(chances, decile)
        if len(rows) < LEAST_CASES:
            continue
        said, was = (float(rows[:, column].mean()) for column in (0, 1))
        name = f"chance of so many spaces, said {said:.3f}"
        goal = f"{said - OFF_BY:.3f} to {said + OFF_BY:.3f}"
        yield Figure(name, round(was, 4), "share", goal, abs(said - was) <= OFF_BY)


def _tenth(chances: npt.NDArray[np.float64], decile: int) -> npt.NDArray[np.float64]:
    place = np.minimum((chances[:, 0] * DECILES).astype(int), DECILES - 1)
    rows: npt.NDArray[np.float64] = chances[place == decile]
    return rows


def _table(chances: npt.NDArray[np.float64]) -> list[dict[str, float]]:
    tenths = [_tenth(chances, decile) for decile in range(DECILES)]
    return [
        {"said": round(float(t[:, 0].mean()), 3), "was": _share(t[:, 1] > 0), "cases": len(t)}
        for t in tenths
        if len(t)
    ]


def _share(held: npt.NDArray[np.bool_]) -> float:
    return round(float(held.mean()), 4)
