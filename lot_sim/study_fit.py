"""Fits the town to what was recorded: who wants where when, and for how long they stay.

Entries at car parks are sums over destinations of drivers times the chance that they try this one
first. Given those sums the drivers are found by maximum likelihood for Poisson counts, from what
was believed of them before (expectation maximisation; Shepp and Vardi 1982). Where a full car park
pushed drivers on, the sums are put right by playing the town and comparing.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lot_sim.arrivals import DAY_MS, metres_between, weekday_of
from lot_sim.car_park import Crossing
from lot_sim.faults import Role
from lot_sim.scenario import (
    Destination,
    DevicePlan,
    Direction,
    GroupsPlan,
    Kind,
    LinkKind,
    LotPlan,
    Scenario,
)
from lot_sim.study_spec import HOURS, BadStudyError, DayKind, FitOf, Recorded, Spec, StudyLot
from lot_sim.town import Town

Matrix = NDArray[np.float64]

EM_ROUNDS = 400
PLAYED_ROUNDS = 3
FIT_DAYS = 7
FIT_SEED = "fit"
MOST_CORRECTION = 1.5  # a round moves a sum at most so far
_LEAST = 1e-6
_WEEKDAYS, _SATURDAY = 7, 5


class Fitted(msgspec.Struct, frozen=True):
    """The town as it was found, and how well it says what was recorded."""

    town: Scenario
    fits: tuple[FitOf, ...]


class Demand(msgspec.Struct, frozen=True):
    """Cars an hour (kinds of day x 24 x lots), cars a day (weekdays x lots), car hours (lots)."""

    hourly: Matrix
    weekly: Matrix
    car_hours: Matrix


def fit(spec: Spec, believed: Scenario) -> Fitted:
    """Raises BadStudyError where too little was recorded."""
    require_playable(spec, believed)
    wanted = demand_of(spec)
    aim = Demand(wanted.hourly.copy(), wanted.weekly.copy(), wanted.car_hours.copy())
    town = _town(spec, believed, aim)
    for _ in range(PLAYED_ROUNDS):
        seen = _play(town, spec.first_day_ms)
        aim = _put_right(aim, recorded_of(spec), seen)
        town = _town(spec, believed, aim)
    return Fitted(town, _compare(spec, _play(town, spec.first_day_ms)))


def require_playable(spec: Spec, believed: Scenario) -> None:
    """Raises BadStudyError."""
    if not spec.lots or not spec.destinations:
        raise BadStudyError("a study needs car parks and destinations; the database has none")
    missing = {lot.lot_id for lot in spec.lots} - {one.lot_id for one in spec.recorded}
    if missing:
        raise BadStudyError(f"nothing is recorded of {', '.join(sorted(missing))}")
    for one in spec.recorded:
        if not any(value for part in one.entries.values() for value in part):
            raise BadStudyError(
                f"{one.lot_id}: no entries are recorded in this period; choose another period"
            )
    for destination in spec.destinations:
        if destination.kind not in believed.kinds:
            known = ", ".join(sorted(believed.kinds))
            raise BadStudyError(
                f"{destination.destination_id}: kind {destination.kind!r} is none of {known}"
            )


def demand_of(spec: Spec) -> Demand:
    """What drivers wanted: those that were let in, and those that were probably refused."""
    let_in = recorded_of(spec)
    refused = np.array([_filled(one.refused) for one in _in_order(spec)])
    return Demand(let_in.hourly + np.moveaxis(refused, 0, 2), let_in.weekly, let_in.car_hours)


def recorded_of(spec: Spec) -> Demand:
    """The record as arrays; an hour without a record is as its neighbours of other days."""
    lots = _in_order(spec)
    hourly = np.moveaxis(np.array([_filled(one.entries) for one in lots]), 0, 2)
    occupied = np.moveaxis(np.array([_filled(one.occupied) for one in lots]), 0, 2)
    weekly = np.array([_week(one) for one in lots]).T
    days = np.array([_SATURDAY, _WEEKDAYS - _SATURDAY])
    return Demand(hourly, weekly, np.einsum("k,khl->l", days, occupied))


def _in_order(spec: Spec) -> list[Recorded]:
    known = {one.lot_id: one for one in spec.recorded}
    return [known[lot.lot_id] for lot in spec.lots]


def _filled(part: Mapping[DayKind, Sequence[float | None]]) -> list[list[float]]:
    """Kinds of day x 24; what is missing in both kinds of day was nothing."""
    kinds = [part.get(kind, (None,) * HOURS) for kind in DayKind]
    return [
        [value if value is not None else _other(kinds, hour) for hour, value in enumerate(row)]
        for row in kinds
    ]


def _other(kinds: Sequence[Sequence[float | None]], hour: int) -> float:
    known = [row[hour] for row in kinds if row[hour] is not None]
    return float(known[0] or 0) if known else 0.0


def _week(one: Recorded) -> list[float]:
    """Entries a day; a weekday without a record is as a mean day of its kind."""
    totals = [sum(row) for row in _filled(one.entries)]
    return [
        value if value is not None else totals[weekday >= _SATURDAY]
        for weekday, value in enumerate(one.week)
    ]


def _town(spec: Spec, believed: Scenario, aim: Demand) -> Scenario:
    """The scenario whose drivers add up to what is aimed at."""
    chances = first_choice(spec, believed)
    prior = _prior(spec, believed)
    hourly = np.stack(
        [
            [
                find_sources(aim.hourly[kind, hour], chances, prior[kind, hour])
                for hour in range(HOURS)
            ]
            for kind in range(len(DayKind))
        ]
    )
    daily = hourly.sum(axis=1)
    weekly = np.stack(
        [
            find_sources(aim.weekly[day], chances, daily[int(day >= _SATURDAY)])
            for day in range(_WEEKDAYS)
        ]
    )
    lasting = _stay_factors(spec, believed, weekly, chances, aim.car_hours)
    destinations, kinds = [], {}
    for number, one in enumerate(spec.destinations):
        name = f"{one.destination_id}"
        cars = float(max(weekly[:, number].mean(), _LEAST))
        destinations.append(
            Destination(one.destination_id, name, one.latitude, one.longitude, cars)
        )
        kinds[name] = _kind_of(
            believed.kinds[one.kind],
            hourly[:, :, number],
            weekly[:, number] / cars,
            lasting[number],
        )
    return Scenario(
        lots=tuple(plan_of(lot) for lot in spec.lots),
        destinations=tuple(destinations),
        kinds=kinds,
        presets={"none": ()},
        habits=believed.habits,
    )


def first_choice(spec: Spec, believed: Scenario) -> Matrix:
    """Destinations x lots: the chance that a lot is tried first, by the walk alone."""
    scale = believed.habits.walk_scale_metres
    places = [plan_of(lot) for lot in spec.lots]
    walks = np.array([[metres_between(one, lot) for lot in places] for one in spec.destinations])
    # the nearest as one: far from all, the differences still decide
    weights = np.exp(-(walks - walks.min(axis=1, keepdims=True)) / scale)
    chances: Matrix = weights / weights.sum(axis=1, keepdims=True)
    return chances


def _prior(spec: Spec, believed: Scenario) -> Matrix:
    """Kinds of day x 24 x destinations, cars an hour as they were believed before."""
    cars = {one.destination_id: one.cars_a_day for one in believed.destinations}
    usual = sum(cars.values()) / len(cars) if cars else 1.0
    rows = []
    for one in spec.destinations:
        kind = believed.kinds[one.kind]
        for_kind = [
            np.array(weights) / sum(weights) * cars.get(one.destination_id, usual)
            for weights in (kind.workday, kind.weekend)
        ]
        rows.append(for_kind)
    prior: Matrix = np.maximum(np.moveaxis(np.array(rows), 0, 2), _LEAST)
    return prior


def find_sources(sums: Matrix, chances: Matrix, prior: Matrix) -> Matrix:
    """Drivers of each destination whose first choices add up to `sums` (lots), near `prior`.

    `chances` (destinations x lots) has rows that add up to 1. All drivers are kept: the result
    adds up to the sums' total.
    """
    sources = np.maximum(prior, _LEAST)
    for _ in range(EM_ROUNDS):
        expected = sources @ chances
        ratio = np.divide(sums, expected, out=np.zeros_like(sums), where=expected > 0)
        sources = sources * (chances @ ratio)
    return sources


def _stay_factors(
    spec: Spec, believed: Scenario, weekly: Matrix, chances: Matrix, car_hours: Matrix
) -> Matrix:
    """By how much stays of each destination last longer than was believed."""
    mean_hours = np.array([mean_stay_hours(believed.kinds[one.kind]) for one in spec.destinations])
    flows = weekly.sum(axis=0)[:, None] * chances * mean_hours[:, None]
    shares = np.divide(
        flows, flows.sum(axis=1, keepdims=True), out=np.zeros_like(flows), where=flows > 0
    )
    factors = np.ones(len(mean_hours))
    for _ in range(EM_ROUNDS):
        expected = factors @ flows
        ratio = np.divide(car_hours, expected, out=np.ones_like(expected), where=expected > 0)
        factors = factors * (shares @ ratio)
    return np.maximum(factors, _LEAST)


def mean_stay_hours(kind: Kind) -> float:
    """Of a mixture; a Pareto tail of 1 or less has no mean, its median stands for it."""
    total = sum(part.share for part in kind.stay)
    means = [_mean_minutes(p.median_minutes, p.spread, p.alpha) * p.share for p in kind.stay]
    return sum(means) / total / 60


def _mean_minutes(median: float, spread: float, alpha: float) -> float:
    if alpha > 1:
        return median / 2 ** (1 / alpha) * alpha / (alpha - 1)
    if alpha:
        return median
    return median * math.exp(spread**2 / 2)


def _kind_of(kind: Kind, hourly: Matrix, week: Matrix, lasting: float) -> Kind:
    stays = tuple(
        msgspec.structs.replace(part, median_minutes=part.median_minutes * float(lasting))
        for part in kind.stay
    )
    workday, weekend = (tuple(np.maximum(row, _LEAST).tolist()) for row in hourly)
    return Kind(workday, weekend, tuple(week.tolist()), stays)


def plan_of(lot: StudyLot) -> LotPlan:
    """A car park without field devices: a study watches cars, not registers."""
    groups = tuple(
        GroupsPlan(1, group.bays_by_level, "none", LinkKind.TCP, 1) for group in lot.groups
    )
    lanes = tuple(
        DevicePlan(f"{lot.lot_id}-{way}", Role.LANE, "none", LinkKind.TCP, 1, direction=way)
        for way in Direction
    )
    return LotPlan(lot.lot_id, lot.latitude, lot.longitude, groups, lanes)


def _play(town: Scenario, first_day_ms: int) -> Demand:
    """A week of the town as history would have recorded it."""
    lots = len(town.lots)
    place = {lot.lot_id: number for number, lot in enumerate(town.lots)}
    entries, weekly = np.zeros((2, HOURS, lots)), np.zeros((_WEEKDAYS, lots))
    monday_ms = first_day_ms - weekday_of(first_day_ms) * DAY_MS
    played = Town(town, FIT_SEED, monday_ms)

    def crossed(crossing: Crossing) -> None:
        if crossing.direction is Direction.ENTRY:
            weekday, hour = weekday_of(crossing.at_ms), (crossing.at_ms - monday_ms) // 3_600_000
            entries[int(weekday >= _SATURDAY), hour % HOURS, place[crossing.lot_id]] += 1
            weekly[weekday, place[crossing.lot_id]] += 1

    played.on_crossing = crossed
    occupied = np.zeros(lots)
    for quarter in range(FIT_DAYS * HOURS * 4):
        played.run_until(monday_ms + quarter * 900_000)
        occupied += [lot.inside / 4 for lot in played.lots]
    entries[0] /= _SATURDAY
    entries[1] /= _WEEKDAYS - _SATURDAY
    return Demand(entries, weekly, occupied)


def _put_right(aim: Demand, recorded: Demand, seen: Demand) -> Demand:
    """Moves each car park's sums by what the played town was off, not by an hour's chance."""
    cars = _correction(recorded.weekly.sum(axis=0), seen.weekly.sum(axis=0))
    hours = _correction(recorded.car_hours, seen.car_hours)
    return Demand(aim.hourly * cars, aim.weekly * cars, aim.car_hours * hours)


def _correction(recorded: Matrix, seen: Matrix) -> Matrix:
    ratio = np.divide(recorded, seen, out=np.ones_like(recorded), where=seen > 0)
    return np.clip(ratio, 1 / MOST_CORRECTION, MOST_CORRECTION)


def _compare(spec: Spec, seen: Demand) -> tuple[FitOf, ...]:
    recorded = recorded_of(spec)
    hours = FIT_DAYS * HOURS
    off = np.abs(seen.hourly - recorded.hourly).sum(axis=(0, 1))
    sums = recorded.hourly.sum(axis=(0, 1))
    return tuple(
        FitOf(
            lot.lot_id,
            round(float(recorded.weekly[:, n].mean()), 1),
            round(float(seen.weekly[:, n].mean()), 1),
            round(float(recorded.car_hours[n]) / hours, 1),
            round(float(seen.car_hours[n]) / hours, 1),
            round(float(off[n] / sums[n]), 3) if sums[n] else 0.0,
        )
        for n, lot in enumerate(spec.lots)
    )
