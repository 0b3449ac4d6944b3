"""What was observed of car parks in a period: which windows count, how whole, and what to note."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec

from occupancy.indicator import Grounds, require_complete
from occupancy.lot import Lot, OpeningHours, Place, find_closing
from occupancy.rollup import DAY_MS, MINUTE_MS, SHANGHAI_MS, Window, fill, local_day

LEAST_TOLD = 0.5  # a window that was silent for most of its time says nothing
DAY_MINUTES = 1_440
NEVER_MS = 1 << 60  # a car park that has told nothing yet is expected from then on


class Span(NamedTuple):
    """From a moment until another, UTC milliseconds."""

    from_ms: int
    until_ms: int


class Facts(msgspec.Struct, frozen=True):
    """What must be known of a car park to judge its past.

    `opened_ms`: nothing is expected of it before; NEVER_MS: nothing was ever heard. `closed`:
    nobody was let in, nothing is counted.
    """

    lot_id: str
    capacity: int
    place: Place | None = None
    opening_hours: OpeningHours | None = None
    opened_ms: int | None = None
    closed: tuple[Span, ...] = ()


def facts_of(lot: Lot, opened_ms: int | None = None, closed: Sequence[Span] = ()) -> Facts:
    return Facts(
        lot.lot_id, lot.capacity, lot.entrance, lot.opening_hours, opened_ms, tuple(closed)
    )


class Observed(msgspec.Struct, frozen=True, dict=True):
    """A car park's windows of one length over a period: every one in which it was open, in order.

    Those without data are there, empty. What lay before its opening, in a closure or outside its
    hours is not. What many formulas ask for is worked out once.
    """

    facts: Facts
    period: Span
    minutes: int
    windows: tuple[Window, ...]

    @property
    def expected_ms(self) -> int:
        return len(self.windows) * self.minutes * MINUTE_MS

    @property
    def completeness(self) -> float:
        return self.total("told_ms") / self.expected_ms if self.windows else 0.0

    @property
    def note(self) -> str:
        return "；".join(_notes(self.facts, self.period))

    def total(self, name: str) -> int:
        """The sum of one of the windows' integrals or counts."""
        if name not in self._totals:
            self._totals[name] = sum(map(attrgetter(name), self.windows))
        return self._totals[name]

    @cached_property
    def _totals(self) -> dict[str, int]:
        return {}

    @cached_property
    def slots(self) -> tuple["Slot", ...]:
        """The same windows as means of cars and usable spaces."""
        return tuple(_slot(one) for one in self.windows)


class Slot(NamedTuple):
    """Several car parks, or one, in one window: means of cars and usable spaces.

    `told` is the share of their spaces and time that was told.
    """

    start_ms: int
    cars: float
    spaces: float
    told: float

    @property
    def share(self) -> float | None:
        """N/C; None where most was silent or nothing was usable."""
        return self.cars / self.spaces if self.told >= LEAST_TOLD and self.spaces else None


def observe(
    facts: Facts, windows: Iterable[Window], from_ms: int, to_ms: int, minutes: int
) -> Observed:
    """The windows of a period that count; `windows` may lie beyond it and have holes."""
    period = Span(from_ms, to_ms)
    every = fill(windows, facts.lot_id, from_ms, to_ms, minutes)
    return Observed(facts, period, minutes, tuple(one for one in every if _is_open(facts, one)))


def grounds(*lots: Observed) -> Grounds:
    """What figures of these car parks together stand on."""
    expected = sum(one.facts.capacity * one.expected_ms for one in lots)
    told = sum(one.facts.capacity * one.total("told_ms") for one in lots)
    note = _joined_notes(lots)
    if not expected:
        return Grounds(0.0, _why_nothing(lots), note)
    completeness = told / expected
    if not told:
        return Grounds(0.0, "统计期内没有收到数据", note)
    return Grounds(completeness, require_complete(completeness), note)


def _why_nothing(lots: Sequence[Observed]) -> str:
    """Nothing was expected: history begins later or never, or nobody was let in."""
    begins = [one.facts.opened_ms for one in lots if _is_later(one.facts, one.period)]
    if not lots or len(begins) < len(lots):
        return "统计期内没有开放的时段"
    first_ms = min(at or 0 for at in begins)
    since = "" if first_ms >= NEVER_MS else f"，{_date(first_ms)} 起才有"
    return f"统计期内没有收到数据{since}"


def _is_later(facts: Facts, period: Span) -> bool:
    """Whether it told nothing before the period was over."""
    return facts.opened_ms is not None and facts.opened_ms >= period.until_ms


def slots(*lots: Observed) -> list[Slot]:
    """Window by window, all the car parks that were open in it."""
    if len(lots) == 1:
        return list(lots[0].slots)
    sums: dict[int, tuple[float, float, float, float]] = {}
    for lot in lots:
        capacity = lot.facts.capacity
        for at, cars, spaces, told in lot.slots:
            found = sums.get(at, (0.0, 0.0, 0.0, 0.0))
            sums[at] = (
                *(found[0] + cars, found[1] + spaces),
                *(found[2] + capacity * told, found[3] + capacity),
            )
    return [
        Slot(at, cars, spaces, told / capacity if capacity else 0.0)
        for at, (cars, spaces, told, capacity) in sorted(sums.items())
    ]


def _slot(one: Window) -> Slot:
    told = one.told_ms / one.length_ms
    if told < LEAST_TOLD:
        return Slot(one.start_ms, 0.0, 0.0, told)
    return Slot(one.start_ms, one.occupied_ms / one.told_ms, one.usable_ms / one.told_ms, told)


def by_day(made: Sequence[Slot]) -> dict[int, list[Slot]]:
    """Slots by their local day."""
    return {day: list(part) for day, part in groupby(made, key=lambda one: local_day(one.start_ms))}


def whole_days(made: Sequence[Slot], least: float) -> dict[int, list[Slot]]:
    """Those days of which at least this share of the open slots has a number."""
    return {
        day: part
        for day, part in by_day(made).items()
        if sum(one.share is not None for one in part) / len(part) >= least
    }


def _is_open(facts: Facts, window: Window) -> bool:
    until_ms = window.start_ms + window.length_ms
    if facts.opened_ms is not None and window.start_ms < facts.opened_ms:
        return False
    if any(one.from_ms < until_ms and window.start_ms < one.until_ms for one in facts.closed):
        return False
    minute = (window.start_ms + SHANGHAI_MS) // MINUTE_MS % DAY_MINUTES
    return find_closing(facts.opening_hours, minute) != minute


def _notes(facts: Facts, period: Span) -> list[str]:
    notes = []
    is_later = _is_later(facts, period)
    if facts.opened_ms is not None and facts.opened_ms > period.from_ms and not is_later:
        notes.append(f"自 {_date(facts.opened_ms)} 起有数据，此前不计")
    for one in facts.closed:
        if one.from_ms < period.until_ms and period.from_ms < one.until_ms:
            first, last = max(one.from_ms, period.from_ms), min(one.until_ms, period.until_ms)
            notes.append(f"{_date(first)} 至 {_date(last - 1)} 停用，不计入")
    return notes


def _joined_notes(lots: Sequence[Observed]) -> str:
    if len(lots) == 1:
        return lots[0].note
    return "；".join(f"{one.facts.lot_id}：{one.note}" for one in lots if one.note)


def _date(at_ms: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=(at_ms + SHANGHAI_MS) // DAY_MS)
