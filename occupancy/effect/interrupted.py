"""Before and after: interrupted time series of daily district totals, by segmented regression.

y = level + trend t + step [t >= change] + bend (t - change) [t >= change] + weekday and holiday
terms. A day's total leans on the day before, so the standard error is Newey and West's (Bartlett
weights over 0.75 n^(1/3) days) of residuals freed of their own day's pull (1 - leverage). With a
few months of days 1.96 such errors hold in 88 of 100 cases only. So the ratio is held against what
chance brings about: the same regression of series redrawn with the residuals' memory of a day.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from occupancy.calendar import DayType, date_of
from occupancy.effect.evidence import Z_POWER, Evidence, said
from occupancy.effect.metric import Metric

METHOD, VERSION = "interrupted_time_series", "interrupted-1"
LEAST_DAYS = 21  # on each side: three of every weekday
REDRAWN = 999
_RARE = 50  # of REDRAWN + 1: 5 in 100
_WINDOW = 0.75
_MOST_MEMORY = 0.9
_DAYS_A_WEEK = 7
_STEP, _BEND = 2, 3  # their columns
_LEAST_OWN = 1e-9
FloatArray = NDArray[np.float64]


class Day(msgspec.Struct, frozen=True):
    """A day's district total; `value` None where too little of it was told."""

    day: int
    day_type: DayType
    value: float | None


class Segments(msgspec.Struct, frozen=True):
    """The two halves of what changed: at once, and from day to day since."""

    step: float
    bend_a_day: float
    mean_after: float


class BeforeAfter(msgspec.Struct, frozen=True):
    """The mean effect since the change, and the halves it is made of.

    `days` are those it was judged from. `otherwise`: what the regression says of the days since
    the change had there been none, by day.
    """

    evidence: Evidence
    segments: Segments | None
    days: tuple[Day, ...] = ()
    otherwise: Mapping[int, float] = {}


def judge(metric: Metric, days: Sequence[Day], change_day: int) -> BeforeAfter:
    """The first day after the change is `change_day`. Days may be missing or have no value."""
    known = [(one, one.value) for one in days if one.value is not None]
    before = sum(one.day < change_day for one, _ in known)
    after = len(known) - before
    silent = len(days) - len(known)
    left_out = (f"{silent} 天数据不足九成，未用",) if silent else ()
    unit = f"{metric.unit}（每天）" if metric.is_sum else metric.unit
    empty = Evidence(
        METHOD, VERSION, metric, unit, None, None, None, None, len(known), None, "", left_out
    )
    if min(before, after) < LEAST_DAYS:
        short = f"前后各要至少 {LEAST_DAYS} 天，现有 {before} 天和 {after} 天。"
        words = said(empty, short)
        return BeforeAfter(msgspec.structs.replace(empty, words=words), None, tuple(days))
    values = np.array([value for _, value in known])
    regression = _Regression([one for one, _ in known], change_day)
    since = [one.day - change_day for one, _ in known if one.day >= change_day]
    segments = Segments(*regression.segments(values), sum(since) / after)
    effect, error = regression.effect(values)
    evidence = msgspec.structs.replace(
        empty, effect=effect, **regression.doubt(values, effect, error)
    )
    about = f"比较了变化前 {before} 天和变化后 {after} 天，已扣除原有趋势、星期和节假日。"
    evidence = msgspec.structs.replace(evidence, words=said(evidence, about))
    otherwise = {
        one.day: float(value)
        for (one, _), value in zip(known, regression.otherwise(values), strict=True)
        if one.day >= change_day
    }
    return BeforeAfter(evidence, segments, tuple(days), otherwise)


def smallest_effect_of_past(days: Sequence[Day], after_days: int) -> float | None:
    """What a change would have to bring about to be seen, by days on which nothing is known of.

    As if there had been one `after_days` before their end. None: too little past to tell.
    """
    if not days:
        return None
    change_day = days[-1].day + 1 - after_days
    known = [(one, one.value) for one in days if one.value is not None]
    before = sum(one.day < change_day for one, _ in known)
    if min(before, len(known) - before) < LEAST_DAYS:
        return None
    values = np.array([value for _, value in known])
    regression = _Regression([one for one, _ in known], change_day)
    return regression.doubt(values, *regression.effect(values))["detectable"]


class _Regression:
    """The days' design, and what of a series of values is the mean effect since the change."""

    def __init__(self, days: Sequence[Day], change_day: int) -> None:
        design = _design(days, change_day)
        self._solve = np.linalg.pinv(design)
        self._otherwise = np.array(design)
        self._otherwise[:, (_STEP, _BEND)] = 0.0
        hat = design @ self._solve
        self._left = np.eye(len(days)) - hat
        mean_since = np.mean([one.day - change_day for one in days if one.day >= change_day])
        self._weights = self._solve[_STEP] + mean_since * self._solve[_BEND]
        self._freed = self._weights / np.maximum(1 - np.diag(hat), _LEAST_OWN)
        self._terms = design.shape[1]
        self._places = np.array([one.day - days[0].day for one in days])
        self._window = math.ceil(_WINDOW * len(days) ** (1 / 3))

    def segments(self, values: FloatArray) -> tuple[float, float]:
        return float(self._solve[_STEP] @ values), float(self._solve[_BEND] @ values)

    def otherwise(self, values: FloatArray) -> FloatArray:
        """The same days by level, trend, weekday and holiday alone."""
        return self._otherwise @ (self._solve @ values)

    def effect(self, values: FloatArray) -> tuple[float, float]:
        """The effect and its standard error."""
        effects, errors = self._of(values[None, :])
        return float(effects[0]), float(errors[0])

    def doubt(self, values: FloatArray, effect: float, error: float) -> dict[str, float]:
        """Interval, p and the smallest effect that would have been seen."""
        effects, errors = self._of(self._redrawn(values))
        ratios = np.sort(np.abs(effects) / errors)
        critical = float(ratios[-_RARE])
        reach = critical * error
        p = (
            1.0
            if not effect
            else float((1 + (ratios >= abs(effect) / error).sum()) / (REDRAWN + 1))
        )
        return {
            "low": effect - reach,
            "high": effect + reach,
            "p": p,
            "detectable": (critical + Z_POWER) * error,
        }

    def _of(self, series: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of many series at once: (series, days)."""
        scores = series @ self._left * self._freed
        whole = np.zeros((len(series), self._places[-1] + 1))
        whole[:, self._places] = scores  # a day without a value keeps its place
        total = (whole * whole).sum(axis=1)
        for apart in range(1, self._window + 1):
            between = (whole[:, apart:] * whole[:, :-apart]).sum(axis=1)
            total += 2 * (1 - apart / (self._window + 1)) * between
        return series @ self._weights, np.sqrt(np.maximum(total, _LEAST_OWN))

    def _redrawn(self, values: FloatArray) -> FloatArray:
        """Series without any change whose days lean on each other as the residuals do."""
        left = self._left @ values
        count = len(values)
        pull = float((left[1:] * left[:-1]).sum() / max((left * left).sum(), _LEAST_OWN))
        # What the regression takes out of the residuals' memory, about half a term's worth each.
        memory = min(max(pull + (1 + self._terms / 2) / count, 0.0), _MOST_MEMORY)
        chance = np.random.default_rng(count)
        days = self._places[-1] + 1
        fresh = chance.standard_normal((REDRAWN, days))
        series = np.empty_like(fresh)
        series[:, 0] = fresh[:, 0] / math.sqrt(1 - memory * memory)
        for day in range(1, days):
            series[:, day] = memory * series[:, day - 1] + fresh[:, day]
        return series[:, self._places]


def _design(days: Sequence[Day], change_day: int) -> FloatArray:
    """Level, trend, step, bend; then the weekdays but one, holidays, make-up workdays."""
    number = np.array([one.day for one in days], np.float64)
    is_after = number >= change_day
    columns = [np.ones(len(days)), number - number[0], is_after.astype(np.float64)]
    columns.append(np.where(is_after, number - change_day, 0.0))
    weekdays = [date_of(one.day).weekday() for one in days]
    columns += [_is(weekdays, weekday) for weekday in range(1, _DAYS_A_WEEK)]
    kinds = [one.day_type for one in days]
    columns += [
        _is(kinds, kind)
        for kind in (DayType.PUBLIC_HOLIDAY, DayType.MAKEUP_WORKDAY)
        if kind in kinds
    ]
    return np.column_stack(columns)


def _is(values: Sequence[object], wanted: object) -> FloatArray:
    return np.array([value == wanted for value in values], np.float64)
