"""Runs the meter of one rate: which unit falls due when, in whole spans rather than by minutes.

docs/tariffs.md has the definition this must agree with; tests/occupancy/reference_tariff.py
counts every minute by that definition.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from occupancy.calendar import Calendar
from occupancy.tariff import CapWindow, Edge, Rate, Restart, Rounding, Tariff
from occupancy.tariff_clock import DAY_MINUTES, Pieces, day_pieces, waived_hours, without

REMEMBERED_DAYS = 20_000


class Charge(NamedTuple):
    """Equal units in a row; `units` counts those that fell due, the first at `first_due`."""

    start: int
    end: int
    band: int
    units: int
    unit_minutes: int
    price_fen: int
    amount_fen: int
    first_due: int

    @property
    def is_capped(self) -> bool:
        return self.amount_fen < self.units * self.price_fen


class Terms(NamedTuple):
    """What is fixed at entry: the band (edge ENTRY, else -1) and the daily free minutes."""

    entry_band: int
    daily_free_minutes: int
    entry_day: int


@dataclass(slots=True)
class Run:
    """Where the meter stands: the band that runs, its current unit and what is still due."""

    counts: list[int]
    band: int = -1
    reach: int = 0  # up to where the band has run without a gap
    covered: int = 0  # up to where the current unit reaches
    due_at: int = -1  # the current unit is not due before this minute; -1: nothing is pending
    due_fen: int = 0
    due_minutes: int = 0
    spent_fen: int = 0  # of the band's cap

    def copy(self) -> "Run":
        return Run(
            list(self.counts),
            self.band,
            self.reach,
            self.covered,
            self.due_at,
            self.due_fen,
            self.due_minutes,
            self.spent_fen,
        )

    def stop(self, at: int) -> None:
        self.band = -1
        self.covered = at
        self.due_at = -1
        self.spent_fen = 0


class _Step(NamedTuple):
    """A tier, ready for counting: it ends at so many units of its band."""

    until_units: float
    unit_minutes: int
    price_fen: int
    grace_minutes: int


class Meter:
    """One rate of one tariff version with its calendar; remembers whole days it has counted."""

    def __init__(
        self, tariff: Tariff, rate: Rate, calendar: Calendar, remembers: int = REMEMBERED_DAYS
    ) -> None:
        names = [band.name for band in rate.bands]
        self.tariff = tariff
        self._remembers = remembers
        self.rate = rate
        self.calendar = calendar
        self.rolling = rate.cap is not None and rate.cap.window is CapWindow.ROLLING_24H
        self._plans = {
            day_type: day_pieces(plan, names)
            for plan in rate.day_plans
            for day_type in plan.day_types
        }
        self._steps = [tuple(self._steps_of(number)) for number in range(len(names))]
        self._limits = [
            int(steps[-2].until_units) if len(steps) > 1 else 0 for steps in self._steps
        ]
        self._caps = [band.cap_fen for band in rate.bands]
        self._splits = tariff.edge is not Edge.UNIT
        self._counts_on = tariff.restart is Restart.STAY
        self._days: dict[tuple[int, int, int], tuple[Pieces, int]] = {}
        self._numbers: dict[Pieces, int] = {}
        self._memo: dict[object, tuple[int, bool, Run]] = {}

    def _steps_of(self, band: int) -> Iterator[_Step]:
        units = 0.0
        for tier in self.rate.bands[band].tiers:
            units = float("inf") if tier.units is None else units + tier.units
            last = tier.unit_minutes - 1
            is_down = self.tariff.rounding is Rounding.DOWN
            grace = last if is_down else min(self.tariff.grace_minutes, last)
            yield _Step(units, tier.unit_minutes, tier.price_fen, grace)

    def cap_of(self, block: int) -> int | None:
        cap = self.rate.cap
        return None if cap is None else cap.amounts_fen[min(block, len(cap.amounts_fen) - 1)]

    def fresh(self) -> Run:
        return Run([0] * len(self._steps))

    def band_at(self, minute: int) -> int:
        day, minute_of_day = divmod(minute, DAY_MINUTES)
        plan = self._plans[self.calendar.day_type(day)]
        return next(band for start, end, band in plan if start <= minute_of_day < end)

    def _day(self, day: int, terms: Terms) -> tuple[Pieces, int]:
        """The chargeable pieces of a day, and a number that equal days share."""
        daily_free = terms.daily_free_minutes if day > terms.entry_day else 0
        asked = (day, terms.entry_band, daily_free)
        found = self._days.get(asked)
        if found is None:
            if len(self._days) >= self._remembers:
                self._days.clear()
            pieces = self._chargeable(*asked)
            number = self._numbers.setdefault(pieces, len(self._numbers))
            found = self._days[asked] = (pieces, number)
        return found

    def _chargeable(self, day: int, entry_band: int, daily_free: int) -> Pieces:
        plan = self._plans[self.calendar.day_type(day)]
        if entry_band >= 0:
            plan = ((0, DAY_MINUTES, entry_band),)
        holes = (*waived_hours(self.tariff.waivers, day), (0, daily_free))
        return without(tuple(piece for piece in plan if self._steps[piece[2]]), holes)

    def spans(self, start: int, end: int, terms: Terms) -> Iterator[tuple[int, int, int]]:
        """The chargeable (start, end, band) between two moments, cut at midnights."""
        for day in range(start // DAY_MINUTES, -(-end // DAY_MINUTES)):
            midnight = day * DAY_MINUTES
            for piece_start, piece_end, band in self._day(day, terms)[0]:
                first, last = max(start, midnight + piece_start), min(end, midnight + piece_end)
                if first < last:
                    yield first, last, band

    def charges(
        self, run: Run, spans: Iterable[tuple[int, int, int]], end: int
    ) -> Iterator[Charge]:
        """What falls due in the spans and before `end`; leaves `run` where the meter stands."""
        for start, stop, band in spans:
            if self._splits:
                if band != run.band or start != run.reach:
                    self._begin(run, band, start)
                run.reach = stop
            if 0 <= run.due_at < stop:
                yield self._pending(run)
            if run.covered < stop:
                yield from self._units(run, max(start, run.covered), stop, band)
        if 0 <= run.due_at < end and not self._splits:
            yield self._pending(run)

    def _begin(self, run: Run, band: int, start: int) -> None:
        run.stop(start)
        run.band = band
        if not self._counts_on:
            run.counts[band] = 0

    def _pending(self, run: Run) -> Charge:
        amount = self._within_band_cap(run, run.due_fen)
        charge = Charge(
            run.due_at, run.covered, run.band, 1, run.due_minutes, run.due_fen, amount, run.due_at
        )
        run.due_at = -1
        return charge

    def _units(self, run: Run, start: int, stop: int, band: int) -> Iterator[Charge]:
        if band != run.band or start != run.covered:
            self._begin(run, band, start)
        steps, counts, minute, number = self._steps[band], run.counts, start, 0
        while minute < stop:
            count = counts[band]
            while count >= steps[number].until_units:
                number += 1
            until_units, unit_minutes, price_fen, grace_minutes = steps[number]
            begun = -((minute - stop) // unit_minutes)
            if begun > until_units - count:
                begun = int(until_units - count)
            due = begun
            covered = minute + begun * unit_minutes
            last_due = covered - unit_minutes + grace_minutes
            if last_due >= stop:
                due -= 1
                run.due_at, run.due_fen, run.due_minutes = last_due, price_fen, unit_minutes
            counts[band] = min(count + begun, self._limits[band])
            run.covered = covered
            yield Charge(
                minute,
                covered,
                band,
                due,
                unit_minutes,
                price_fen,
                self._within_band_cap(run, due * price_fen),
                minute + grace_minutes,
            )
            minute = covered

    def _within_band_cap(self, run: Run, amount_fen: int) -> int:
        cap = self._caps[run.band]
        if cap is None:
            return amount_fen
        amount_fen = min(amount_fen, cap - run.spent_fen)
        run.spent_fen += amount_fen
        return amount_fen

    def settle(self, run: Run, at: int) -> None:
        """At the edge of a cap's window: forget what can no longer matter."""
        is_over = run.reach != at if self._splits else run.covered < at
        if is_over or self.tariff.restart is Restart.WINDOW:
            run.stop(at)

    def whole_window(self, run: Run, start: int, terms: Terms) -> tuple[int, bool, Run]:
        """What 24 hours cost before their cap, if a band was capped, and the run after them."""
        key = self._memo_key(run, start, terms)
        found = self._memo.get(key)
        if found is None:
            if len(self._memo) >= self._remembers:
                self._memo.clear()
            found = self._memo[key] = self._count_window(run.copy(), start, terms)
        amount_fen, is_capped, after = found
        return amount_fen, is_capped, _shifted(after, start + DAY_MINUTES)

    def _count_window(self, run: Run, start: int, terms: Terms) -> tuple[int, bool, Run]:
        end = start + DAY_MINUTES
        charges = list(self.charges(run, self.spans(start, end, terms), end))
        amount_fen = sum(charge.amount_fen for charge in charges)
        is_capped = any(charge.is_capped for charge in charges)
        self.settle(run, end)
        return amount_fen, is_capped, _shifted(run, -end)

    def _memo_key(self, run: Run, start: int, terms: Terms) -> object:
        day, minute_of_day = divmod(start, DAY_MINUTES)
        counts: object = run.counts[run.band] if run.band >= 0 else 0
        return (
            minute_of_day,
            self._day(day, terms)[1],
            self._day(day + 1, terms)[1] if minute_of_day else -1,
            run.band,
            run.covered - start,
            run.due_at - start if run.due_at >= 0 else -1,
            run.due_fen,
            run.due_minutes,
            run.spent_fen,
            tuple(run.counts) if self._counts_on else counts,
        )


def _shifted(run: Run, minutes: int) -> Run:
    return Run(
        list(run.counts),
        run.band,
        run.reach + minutes,
        run.covered + minutes,
        run.due_at + minutes if run.due_at >= 0 else -1,
        run.due_fen,
        run.due_minutes,
        run.spent_fen,
    )
