"""Every count event of the truth against the rows of the history: lost, doubled, out of order.

Written from the definition, and from nothing of the service. A lane's running total says which
cars it has counted: a row in which it rises from 4 to 6 records the cars 5 and 6. Rows stand in
the order of their car park: (epoch, sequence). Then

lost          a car of the truth that no row records
doubled       a car that is recorded again, or that the truth does not know; a row that is there
              twice
out of order  a total that falls; a row that was recorded before the row it follows; a car recorded
              behind one that came clearly later. Cars that came together may be told in any order:
              loops are polled one after the other.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, TypeVar


class Crossing(NamedTuple):
    """The `total`-th car over a lane; `at_ms` is simulated time."""

    lot_id: str
    lane: str
    total: int
    at_ms: int


class Row(NamedTuple):
    """One row of the history."""

    lot_id: str
    epoch: int
    sequence: int
    recorded_at_ms: int
    lane_totals: Mapping[str, int]


Thing = TypeVar("Thing", Crossing, Row)


class Kind(StrEnum):
    """What can be wrong with a history."""

    LOST = "lost"
    DOUBLED = "doubled"
    OUT_OF_ORDER = "out of order"


class Finding(NamedTuple):
    """One thing that is wrong."""

    kind: Kind
    lot_id: str
    words: str


class BadTruthError(Exception):
    """The truth cannot be compared with: it has holes itself."""


@dataclass(frozen=True)
class Verdict:
    """What a comparison found; `recorded` are the true cars that some row records."""

    events: int
    recorded: int
    rows: int
    findings: Sequence[Finding] = field(default_factory=tuple)

    def count(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def is_clean(self) -> bool:
        return not self.findings


def check(truth: Iterable[Crossing], rows: Iterable[Row], together_ms: int) -> Verdict:
    """Compare all car parks. `together_ms`: cars this close have no order that could be seen."""
    cars = _by_lot(truth)
    histories = _by_lot(rows)
    findings: list[Finding] = []
    recorded = 0
    for lot_id in sorted(cars.keys() | histories.keys()):
        history = sorted(histories[lot_id], key=lambda row: (row.epoch, row.sequence))
        placed = _place(history)
        findings += _check_rows(lot_id, history)
        findings += _check_cars(lot_id, cars[lot_id], placed)
        findings += _check_order(lot_id, cars[lot_id], placed, together_ms)
        recorded += sum((car.lane, car.total) in placed for car in cars[lot_id])
    return Verdict(
        events=sum(map(len, cars.values())),
        recorded=recorded,
        rows=sum(map(len, histories.values())),
        findings=tuple(findings),
    )


def _by_lot(things: Iterable[Thing]) -> defaultdict[str, list[Thing]]:
    sorted_out: defaultdict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        sorted_out[thing.lot_id].append(thing)
    return sorted_out


def _place(history: Sequence[Row]) -> dict[tuple[str, int], list[int]]:
    """Each recorded car (lane, its number) to the places of all rows that record it."""
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    before: Mapping[str, int] = {}
    for place, row in enumerate(history):
        for lane, total in row.lane_totals.items():
            for number in range(before.get(lane, 0) + 1, total + 1):
                places[lane, number].append(place)
        before = row.lane_totals
    return dict(places)


def _check_rows(lot_id: str, history: Sequence[Row]) -> Iterator[Finding]:
    positions = Counter((row.epoch, row.sequence) for row in history)
    for position, count in positions.items():
        for _ in range(count - 1):
            yield Finding(Kind.DOUBLED, lot_id, f"the row {position} is there {count} times")
    for earlier, later in pairwise(history):
        here = (later.epoch, later.sequence)
        if later.recorded_at_ms < earlier.recorded_at_ms:
            words = f"the row {here} was recorded before the one it follows"
            yield Finding(Kind.OUT_OF_ORDER, lot_id, words)
        for lane, total in later.lane_totals.items():
            if total < earlier.lane_totals.get(lane, 0):
                words = f"{lane} falls to {total} in the row {here}"
                yield Finding(Kind.OUT_OF_ORDER, lot_id, words)


def _check_cars(
    lot_id: str, cars: Sequence[Crossing], placed: Mapping[tuple[str, int], Sequence[int]]
) -> Iterator[Finding]:
    true_totals = Counter(car.lane for car in cars)
    for lane, total in true_totals.items():
        if sorted(car.total for car in cars if car.lane == lane) != list(range(1, total + 1)):
            raise BadTruthError(f"{lane}: the truth's cars are not numbered from 1 to {total}")
    for car in cars:
        if (car.lane, car.total) not in placed:
            yield Finding(Kind.LOST, lot_id, f"car {car.total} of {car.lane}")
    for (lane, number), places in placed.items():
        if number > true_totals[lane]:
            yield Finding(Kind.DOUBLED, lot_id, f"car {number} of {lane} never came")
        for _ in places[1:]:
            yield Finding(Kind.DOUBLED, lot_id, f"car {number} of {lane} is counted again")


def _check_order(
    lot_id: str,
    cars: Sequence[Crossing],
    placed: Mapping[tuple[str, int], Sequence[int]],
    together_ms: int,
) -> Iterator[Finding]:
    """Cars of all lanes together: none is told behind one that came clearly later."""
    told = sorted(
        (car.at_ms, placed[car.lane, car.total][0], car.lane, car.total)
        for car in cars
        if (car.lane, car.total) in placed
    )
    times = [at_ms for at_ms, *_ in told]
    earliest_behind = [place for _, place, *_ in told]
    for index in range(len(told) - 2, -1, -1):
        earliest_behind[index] = min(earliest_behind[index], earliest_behind[index + 1])
    for at_ms, place, lane, number in told:
        clearly_later = bisect_right(times, at_ms + together_ms)
        if clearly_later < len(told) and earliest_behind[clearly_later] < place:
            words = f"car {number} of {lane} is told behind one that came later"
            yield Finding(Kind.OUT_OF_ORDER, lot_id, words)
