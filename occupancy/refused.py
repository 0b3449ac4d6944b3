"""Drivers whom no counter sees because the car park was full: an estimate from those it does see.

A full spell is a run of windows that were full for most of the time that was told. In it so many
are expected as a usual day of its kind would bring, at the level of the half hour before; who of
them did not enter was refused.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.observation import Basis
from occupancy import bootstrap
from occupancy.calendar import Calendar, DayType
from occupancy.columns import Columns, columns_of
from occupancy.erlang import blocked_share
from occupancy.indicator import Indicator, Interval, Measure, judge
from occupancy.observed import LEAST_TOLD, Observed, grounds
from occupancy.rollup import DAY_MS, MINUTE_MS, SHANGHAI_MS, Window

MOST_FULL = 0.5  # from this share of the told time on a window is full
BEFORE_MINUTES, LOOKED_BACK_MINUTES = 30, 120
PROFILE_MINUTES = 15
LEAST_LIKE_DAYS = 3
KNOWN_CARS = 5.0  # so many cars of the usual level weigh against those of the half hour before
APART_MINUTES = 15
MEDIAN_WIDER = 1.25  # the standard error of a median against that of a mean, sqrt(pi / 2)
QUARTERS_A_DAY, KINDS = 96, 3
HOUR_MINUTES, HOUR_MS = 60, 3_600_000
QUARTER_MS = PROFILE_MINUTES * MINUTE_MS
_NORMAL = NormalDist()
Floats = NDArray[np.float64]

REFUSED = Measure(
    "refused",
    "拒停车辆（估计）",
    "辆",
    "满位期间的预计到达数（同类日期同时段中位数 × 前 30 分钟水平）− 实际进场数，各满位期求和",
    "估计方法，区间由自助法给出",
    Basis.EXPECTED,
)
REFUSED_ERLANG = Measure(
    "refused_erlang_b",
    "拒停车辆（爱尔朗 B 核对）",
    "辆",
    "逐小时到达率 × 爱尔朗 B 阻塞率（由平均停放时间与可用车位数）之和，只计有满位的小时",
    "Erlang B",
    Basis.EXPECTED,
)


class Spell(NamedTuple):
    """One full spell: who entered, how many were expected to come, who was turned away."""

    from_ms: int
    until_ms: int
    entries: int
    expected: float
    refused: float


class WindowRefused(NamedTuple):
    """Turned away in one window, with the interval and the version of the method that said so."""

    refused: float
    low: float
    high: float
    method_version: str


class Refusals(msgspec.Struct, frozen=True):
    """All that is estimated of one car park: in all, by spell, by quarter of an hour, by window.

    `by_window` is as fine as the windows it was estimated from.
    """

    lot_id: str
    indicator: Indicator
    spells: tuple[Spell, ...]
    by_quarter: Mapping[int, float]
    by_window: Mapping[int, float] = {}

    def between(self, from_ms: int, to_ms: int) -> float:
        """Of the quarters that begin in a span."""
        return sum(count for at, count in self.by_quarter.items() if from_ms <= at < to_ms)


def estimate(seen: Observed, calendar: Calendar, finer: Columns | None = None) -> Refusals:
    """Drivers turned away; cars. Finest with windows of a minute: `finer` are those of `seen`.

    Expected in a spell: the sum over its minutes of what like days brought in the same quarter of
    an hour (median, smoothed over its neighbours), times the level of the day: entries in the last
    30 minutes that were not full, against what like days brought in them. Refused: expected less
    entered, summed over spells. The interval draws again the like days' spread, the half hour
    before, and the chance of who came (parametric bootstrap, 95 %). Source: ours.
    """
    told = _Told(columns_of(seen) if finer is None else finer, calendar)
    if not told.runs:
        return _no_spell(seen)
    weighed = [told.weigh(run) for run in told.runs]
    total = sum(one.expected - one.entries for one in weighed)
    value = max(total, 0.0)  # fewer than nobody cannot have been turned away
    most = sum(max(one.expected - one.entries, 0.0) for one in weighed)
    scale = value / most if most else 0.0
    spells = tuple(_spell(told, one, scale) for one in weighed)
    indicator = judge(REFUSED, grounds(seen), value, interval=_interval(weighed), otherwise="")
    by_window = _by_window(told, weighed, scale)
    by_quarter = _binned(by_window, QUARTER_MS)
    return Refusals(seen.facts.lot_id, indicator, spells, by_quarter, by_window)


def refused_in(windows: Sequence[Window], refusals: Refusals) -> list[WindowRefused]:
    """Of each window of one length: its part of what was estimated, and of the interval.

    The windows must not be shorter than those of the estimate.
    """
    if not windows:
        return []
    parts = _binned(refusals.by_window, windows[0].length_ms)
    told = refusals.indicator
    whole = sum(refusals.by_window.values())
    low, high = ((end or 0.0) / whole if whole else 0.0 for end in (told.low, told.high))
    return [
        WindowRefused(part, part * low, part * high, told.method_version)
        for part in (parts.get(one.start_ms, 0.0) for one in windows)
    ]


def erlang_check(seen: Observed, refusals: Refusals, mean_stay_minutes: float | None) -> Indicator:
    """The same by Erlang B; cars. For hours with a full spell only: arrivals x blocked share.

    Arrivals are entries and the estimated refusals of the hour, offered load is arrivals x mean
    stay. Steady state is supposed, which an hour is not: a check of the size, not of the digits.
    """
    if mean_stay_minutes is None:
        return judge(REFUSED_ERLANG, grounds(seen), None, otherwise="没有平均停放时间")
    full_hours = {one.from_ms // HOUR_MS for one in refusals.spells}
    hours: dict[int, list[float]] = {}
    for one in seen.windows:
        hour = one.start_ms // HOUR_MS
        if hour in full_hours and one.told_ms:
            found = hours.setdefault(hour, [0.0, 0.0, 0.0])
            found[0] += one.entries
            found[1] += one.usable_ms
            found[2] += one.told_ms
    total = 0.0
    for hour, (entries, usable_ms, told_ms) in hours.items():
        arrivals = entries + refusals.between(hour * HOUR_MS, (hour + 1) * HOUR_MS)
        load = arrivals * mean_stay_minutes / HOUR_MINUTES
        total += arrivals * blocked_share(load, round(usable_ms / told_ms))
    return judge(REFUSED_ERLANG, grounds(seen), total)


class _Weighed(NamedTuple):
    """A run of full windows with what is expected of it, window by window."""

    first: int
    last: int
    entries: int
    usual: Floats  # per window of the run, from like days
    usual_error: Floats
    cells: NDArray[np.int64]  # which (kind of day, quarter of the day) each window lies in
    before_cars: int
    before_usual: float
    level: float

    @property
    def expected(self) -> float:
        return float(self.usual.sum() * self.level)


class _Told:
    """One car park's windows as columns, and what like days bring."""

    def __init__(self, columns: Columns, calendar: Calendar) -> None:
        self.minutes, self.start_ms, self.entries, told_ms, full_ms = columns
        self.is_known = told_ms >= LEAST_TOLD * self.minutes * MINUTE_MS
        self.is_full = self.is_known & (full_ms >= MOST_FULL * told_ms)
        self.runs = self._list_runs()
        self.is_free = self.is_known.copy()
        for first, last in self.runs:
            self.is_free[first : last + 1] = False
        self._day = (self.start_ms + SHANGHAI_MS) // DAY_MS
        days, place = np.unique(self._day, return_inverse=True)
        kinds = [_kind(calendar.day_type(day)) for day in days.tolist()]
        self._kind = np.array(kinds, dtype=np.int64)[place]
        quarter = (self.start_ms + SHANGHAI_MS) % DAY_MS // QUARTER_MS
        self.cell = self._kind * QUARTERS_A_DAY + quarter
        self.usual, self.usual_error = self._profile(quarter)

    def _list_runs(self) -> list[tuple[int, int]]:
        """Runs of full windows, short openings included: first and last place."""
        apart_ms = APART_MINUTES * MINUTE_MS
        runs: list[tuple[int, int]] = []
        for place in np.flatnonzero(self.is_full).tolist():
            if runs and self.start_ms[place] - self.start_ms[runs[-1][1]] <= apart_ms:
                runs[-1] = (runs[-1][0], place)
            else:
                runs.append((place, place))
        return runs

    def weigh(self, run: tuple[int, int]) -> _Weighed:
        first, last = run
        part = slice(first, last + 1)
        before = self._before(first)
        before_cars = int(self.entries[before].sum())
        usual_before = self.usual[self.cell[before]]
        cells = self.cell[part]
        usual, error = self.usual[cells], self.usual_error[cells]
        own = before_cars / len(before) if len(before) else 0.0
        unknown = np.isnan(usual)
        level, before_usual = 1.0, 0.0
        if len(before) and not np.isnan(usual_before).any():
            before_usual = float(usual_before.sum())
            level = (before_cars + KNOWN_CARS) / (before_usual + KNOWN_CARS)
        usual = np.where(unknown, own / level, usual)
        error = np.where(unknown, 0.0, error)
        entries = int(self.entries[part].sum())
        return _Weighed(first, last, entries, usual, error, cells, before_cars, before_usual, level)

    def _before(self, first: int) -> NDArray[np.int64]:
        """The last windows of 30 minutes in all, within two hours, that were not full."""
        most = max(1, BEFORE_MINUTES // self.minutes)
        back = LOOKED_BACK_MINUTES // self.minutes
        near = np.arange(max(0, first - back), first)
        since_ms = self.start_ms[first] - LOOKED_BACK_MINUTES * MINUTE_MS
        is_before = self.is_free[near] & (self.start_ms[near] >= since_ms)
        found: NDArray[np.int64] = near[is_before][-most:]
        return found

    def _profile(self, quarter: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Entries a window by kind of day and quarter of the day, and their standard errors."""
        days, place = np.unique(self._day, return_inverse=True)
        shape = (len(days), QUARTERS_A_DAY)
        free, cars = np.zeros(shape), np.zeros(shape)
        np.add.at(free, (place, quarter), self.is_free)
        np.add.at(cars, (place, quarter), self.entries * self.is_free)
        enough = free * self.minutes >= PROFILE_MINUTES
        full = np.zeros(shape)
        np.add.at(full, (place, quarter), self.is_known & ~self.is_free)
        rates = np.where(enough, cars / np.maximum(free, 1), np.where(full > 0, np.inf, np.nan))
        kinds = np.zeros(len(days), dtype=np.int64)
        kinds[place] = self._kind
        every = _usual(rates)
        usual, error = [], []
        for kind in range(KINDS):
            mean, spread = _usual(rates[kinds == kind])
            unknown = np.isnan(mean)
            usual.append(np.where(unknown, every[0], mean))
            error.append(np.where(unknown, every[1], spread))
        return np.concatenate(usual), np.concatenate(error)


def _usual(rates: Floats) -> tuple[Floats, Floats]:
    """The median of days by quarter, smoothed over its neighbours, and its standard error.

    On days on which a quarter was full more wanted in than on the others (inf): they rank above
    them, or else the median would be that of the quiet days.
    """
    finite = np.isfinite(rates)
    count = finite.sum(axis=0)
    known = count >= LEAST_LIKE_DAYS
    middle, error = np.full(QUARTERS_A_DAY, np.nan), np.full(QUARTERS_A_DAY, np.nan)
    for quarter in np.flatnonzero(known).tolist():
        told = np.sort(rates[:, quarter][~np.isnan(rates[:, quarter])])
        middle[quarter], error[quarter] = _middle(told[: count[quarter]], len(told))
    near = np.stack([np.roll(middle, shift) for shift in (-1, 0, 1)])
    weights = ~np.isnan(near)
    total = np.where(weights, near, 0.0).sum(axis=0)
    smooth = np.where(known, total / np.maximum(weights.sum(axis=0), 1), np.nan)
    return smooth, error * MEDIAN_WIDER


def _middle(seen: Floats, days: int) -> tuple[float, float]:
    """The median of so many days of which the quietest are seen, in order, and its error.

    Where most were full the median was not seen: it lies on the line through the seen days and
    their normal scores (Blom), never below the busiest of them. Source: censored normal order
    statistics (Gupta 1952).
    """
    count = len(seen)
    place = (days - 1) / 2
    if place <= count - 1:
        median = (seen[int(np.floor(place))] + seen[int(np.ceil(place))]) / 2
        return float(median), float(seen.std(ddof=1) / np.sqrt(count))
    score = np.array([_NORMAL.inv_cdf((rank + 0.625) / (days + 0.25)) for rank in range(count)])
    apart = score - score.mean()
    width = float((apart * seen).sum() / (apart * apart).sum())
    reach = 1 / count + score.mean() ** 2 / (apart * apart).sum()
    return max(float(seen.mean() - width * score.mean()), float(seen[-1])), width * reach**0.5


def _kind(day_type: DayType) -> int:
    """Make-up workdays are workdays; weekends and holidays are each their own."""
    if day_type in (DayType.WORKDAY, DayType.MAKEUP_WORKDAY):
        return 0
    return 1 if day_type is DayType.WEEKEND else 2


def _interval(weighed: Sequence[_Weighed]) -> Interval:
    chance = bootstrap.chance()
    shifts = chance.standard_normal((bootstrap.ROUNDS, KINDS * QUARTERS_A_DAY))
    total = np.zeros(bootstrap.ROUNDS)
    for one in weighed:
        usual = one.usual + shifts[:, one.cells] * one.usual_error
        before = chance.poisson(one.before_cars, bootstrap.ROUNDS)
        level = np.where(
            one.before_usual > 0,
            (before + KNOWN_CARS) / (one.before_usual + KNOWN_CARS),
            one.level,
        )
        expected = np.maximum(usual, 0.0).sum(axis=1) * level
        total += expected - one.entries
        total += chance.standard_normal(bootstrap.ROUNDS) * np.sqrt(expected)
    return bootstrap.interval_of(np.maximum(total, 0.0))


def _spell(told: _Told, one: _Weighed, scale: float) -> Spell:
    until_ms = int(told.start_ms[one.last]) + told.minutes * MINUTE_MS
    refused = max(one.expected - one.entries, 0.0) * scale
    return Spell(int(told.start_ms[one.first]), until_ms, one.entries, one.expected, refused)


def _by_window(told: _Told, weighed: Sequence[_Weighed], scale: float) -> dict[int, float]:
    """Each spell's refused over its windows, as they were expected to come."""
    found: dict[int, float] = {}
    for one in weighed:
        refused = max(one.expected - one.entries, 0.0) * scale
        if refused:
            shares = (one.usual / one.usual.sum()).tolist()
            starts = told.start_ms[one.first : one.last + 1].tolist()
            found.update(zip(starts, (refused * share for share in shares), strict=True))
    return found


def _binned(by_window: Mapping[int, float], length_ms: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for at_ms, refused in by_window.items():
        start_ms = at_ms // length_ms * length_ms
        found[start_ms] = found.get(start_ms, 0.0) + refused
    return found


def _no_spell(seen: Observed) -> Refusals:
    indicator = judge(REFUSED, grounds(seen), 0.0, interval=Interval(0.0, 0.0))
    return Refusals(seen.facts.lot_id, indicator, (), {})
