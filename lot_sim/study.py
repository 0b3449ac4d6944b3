"""Plays the fitted town with and without a change, seed by seed, and tells what it changes."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

import msgspec

from lot_sim.arrivals import DAY_MS, metres_between
from lot_sim.scenario import Direction, GroupsPlan, LinkKind, LotPlan, Scenario
from lot_sim.study_fit import Fitted
from lot_sim.study_guide import StudyGuide, fee_fen, fees_in_force
from lot_sim.study_spec import (
    METHOD_VERSION,
    BadStudyError,
    Change,
    Difference,
    Outcome,
    Spec,
)
from lot_sim.town import Outcome as Search
from lot_sim.town import Town

SAMPLE_MS = 300_000
NO_CHANGE = Change()
LEAST_SEEDS = 2  # one alone bears no interval
# Student's t, two-sided 95 %, by degrees of freedom; beyond the last the normal's.
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
_T95_MORE = {15: 2.131, 20: 2.086, 25: 2.060, 29: 2.045, 40: 2.021, 60: 2.0, 120: 1.98}
_UNITS = {
    "entries": "辆/日",
    "refused": "辆/日",
    "full_minutes": "分钟/日",
    "occupancy": "%",
    "revenue_fen": "分/日",
    "gave_up": "辆/日",
    "walk_metres": "米",
    "search_minutes": "分钟",
}


class Figure(msgspec.Struct, frozen=True):
    """One number of one played period; an empty `lot_id` is the district."""

    name: str
    lot_id: str
    value: float


class Pair(msgspec.Struct, frozen=True):
    """What one seed brought without and with the change."""

    seed: int
    without: tuple[Figure, ...]
    with_change: tuple[Figure, ...]


def require_possible(spec: Spec) -> None:
    """Raises BadStudyError where the change names what is not there, or leaves nothing open."""
    known = {lot.lot_id for lot in spec.lots}
    change = spec.change
    named = {*change.spaces, *change.closed, *change.fees, *(one.lot_id for one in change.boards)}
    if named - known:
        raise BadStudyError(f"there is no car park {', '.join(sorted(named - known))}")
    if known <= set(change.closed):
        raise BadStudyError("every car park is closed in this study; leave one open")
    if any(more < 1 for more in change.spaces.values()):
        raise BadStudyError("spaces to add must be 1 or more")
    if spec.seeds < LEAST_SEEDS or spec.days < 1:
        raise BadStudyError(f"a study needs a day or more and at least {LEAST_SEEDS} seeds")
    if change == NO_CHANGE:
        raise BadStudyError("nothing is changed in this study; choose at least one change")


def play(spec: Spec, fitted: Fitted, seed: int) -> Pair:
    """The same drivers twice: what differs is the change's."""
    return Pair(
        seed,
        _period(spec, fitted.town, NO_CHANGE, seed),
        _period(spec, fitted.town, spec.change, seed),
    )


def sum_up(spec: Spec, fitted: Fitted, pairs: Sequence[Pair]) -> Outcome:
    """Means over all seeds, each difference with the interval of paired seeds."""
    return Outcome(METHOD_VERSION, fitted.fits, tuple(_differences(pairs)), len(pairs), spec.days)


def _differences(pairs: Sequence[Pair]) -> Iterator[Difference]:
    for place, figure in enumerate(pairs[0].without):
        without = [pair.without[place].value for pair in pairs]
        changed = [pair.with_change[place].value for pair in pairs]
        mean, half = paired(without, changed)
        yield Difference(
            figure.name,
            figure.lot_id,
            _UNITS[figure.name],
            round(fmean(without), 2),
            round(fmean(changed), 2),
            round(mean, 2),
            round(mean - half, 2),
            round(mean + half, 2),
        )


def paired(without: Sequence[float], changed: Sequence[float]) -> tuple[float, float]:
    """Mean difference, and half its 95 % interval (Student's t); two values or more."""
    each = [b - a for a, b in zip(without, changed, strict=True)]
    return fmean(each), t95(len(each) - 1) * stdev(each) / math.sqrt(len(each))


def t95(freedom: int) -> float:
    """The wider of the two neighbours of the table."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    below = [known for known in _T95_MORE if known <= freedom]
    return _T95_MORE[max(below)] if below else _T95[-1]


def _period(spec: Spec, town: Scenario, change: Change, seed: int) -> tuple[Figure, ...]:
    return _Played(spec, changed_town(town, change), change, seed).figures()


def changed_town(town: Scenario, change: Change) -> Scenario:
    """The town with the spaces that are added."""
    lots = tuple(_with_spaces(lot, change.spaces.get(lot.lot_id, 0)) for lot in town.lots)
    return msgspec.structs.replace(town, lots=lots)


def _with_spaces(lot: LotPlan, more: int) -> LotPlan:
    """New machines as large as those that are there; the last takes what is left."""
    if not more:
        return lot
    usual = max(1, round(lot.bays / sum(plan.count for plan in lot.group)))
    sizes = [usual] * (more // usual) + ([more % usual] if more % usual else [])
    added = tuple(GroupsPlan(1, (size,), "none", LinkKind.TCP, 1) for size in sizes)
    return msgspec.structs.replace(lot, group=(*lot.group, *added))


class _Played:
    """One period of one town, watched."""

    def __init__(self, spec: Spec, town: Scenario, change: Change, seed: int) -> None:
        self._spec, self._scenario = spec, town
        self._fees = fees_in_force(spec, change)
        self._town = Town(town, f"study:{seed}", spec.first_day_ms - DAY_MS)
        self._town.guide = StudyGuide(town, spec, change, self._free)
        self._town.run_until(spec.first_day_ms)
        self._town.open_books()
        self._town.on_outcome = self._searched
        self._revenue_fen = dict.fromkeys((lot.lot_id for lot in town.lots), 0)
        self._walks_metres: list[float] = []
        self._searches_ms: list[int] = []
        self._full_ms = dict.fromkeys(self._revenue_fen, 0)
        self._occupied = dict.fromkeys(self._revenue_fen, 0.0)
        self._samples = 0

    def figures(self) -> tuple[Figure, ...]:
        end_ms = self._spec.first_day_ms + self._spec.days * DAY_MS
        for at_ms in range(self._spec.first_day_ms, end_ms, SAMPLE_MS):
            self._town.run_until(at_ms)
            self._sample()
        self._town.run_until(end_ms)
        return (*self._of_district(), *self._of_lots())

    def _free(self, lot: int) -> int:
        park = self._town.lots[lot]
        return park.free - park.being_stored

    def _sample(self) -> None:
        self._samples += 1
        for park in self._town.lots:
            lot_id = park.plan.lot_id
            if park.free - park.being_stored <= max(1, 0.02 * park.bays):
                self._full_ms[lot_id] += SAMPLE_MS
            self._occupied[lot_id] += park.occupied / park.bays

    def _searched(self, search: Search) -> None:
        if search.parked_in is None:
            return
        lot = self._scenario.lots[search.parked_in]
        arrival = search.arrival
        self._revenue_fen[lot.lot_id] += self._fee(lot.lot_id, search)
        place = self._scenario.destinations[arrival.destination]
        self._walks_metres.append(metres_between(place, lot))
        self._searches_ms.append(search.at_ms - arrival.at_ms)

    def _fee(self, lot_id: str, search: Search) -> int:
        fees = self._fees.get(lot_id)
        return 0 if fees is None else fee_fen(fees, search.at_ms, search.arrival.stay_ms)

    def _of_district(self) -> Iterator[Figure]:
        lots, days = self._town.lots, self._spec.days
        yield Figure("entries", "", sum(park.crossed(Direction.ENTRY) for park in lots) / days)
        yield Figure("refused", "", sum(park.refused for park in lots) / days)
        yield Figure("gave_up", "", self._town.went_home / days)
        yield Figure("full_minutes", "", sum(self._full_ms.values()) / 60_000 / days)
        yield Figure("walk_metres", "", _mean(self._walks_metres))
        yield Figure("search_minutes", "", _mean(self._searches_ms) / 60_000)
        if self._fees.keys() >= self._revenue_fen.keys():
            yield Figure("revenue_fen", "", sum(self._revenue_fen.values()) / days)

    def _of_lots(self) -> Iterator[Figure]:
        days = self._spec.days
        for park in self._town.lots:
            lot_id = park.plan.lot_id
            yield Figure("entries", lot_id, park.crossed(Direction.ENTRY) / days)
            yield Figure("refused", lot_id, park.refused / days)
            yield Figure("full_minutes", lot_id, self._full_ms[lot_id] / 60_000 / days)
            yield Figure("occupancy", lot_id, self._occupied[lot_id] / self._samples * 100)
            if lot_id in self._fees:
                yield Figure("revenue_fen", lot_id, self._revenue_fen[lot_id] / days)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0
