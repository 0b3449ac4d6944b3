"""What a coming day will probably bring: quantiles of the past days of its kind, plainly.

The forecaster of guidance looks hours ahead from what is now. A planner looks at days and weeks:
there the days alike of this period say more than anything that is true now.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from occupancy.calendar import Calendar, DayType
from occupancy.indicator import LEAST_COMPLETENESS
from occupancy.observed import Observed, slots, whole_days

LEAST_DAYS = 3
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
QUARTERS_AN_HOUR = 4


class Likely(NamedTuple):
    """A value with the range that holds for 8 days of 10, and from how many days it comes."""

    middle: float
    low: float
    high: float
    days: int


class Trial(NamedTuple):
    """How the same method would have done on the period's own days, each left out in turn."""

    mean_error: float
    covered: float
    days: int


def day_kind(calendar: Calendar, day: int) -> DayType:
    """A make-up workday is like a workday."""
    kind = calendar.day_type(day)
    return DayType.WORKDAY if kind is DayType.MAKEUP_WORKDAY else kind


def daily_peaks(*seen: Observed) -> dict[int, float]:
    """The highest hour of each whole day: cars over usable spaces, mean of an hour by the clock."""
    found: dict[int, float] = {}
    for day, part in whole_days(slots(*seen), LEAST_COMPLETENESS).items():
        shares = [one.share for one in part]
        hours = [
            [share for share in shares[first : first + QUARTERS_AN_HOUR] if share is not None]
            for first in range(0, len(shares) - QUARTERS_AN_HOUR + 1, QUARTERS_AN_HOUR)
        ]
        means = [sum(hour) / len(hour) for hour in hours if len(hour) == QUARTERS_AN_HOUR]
        if means:
            found[day] = max(means)
    return found


def likely_of(values: Sequence[float]) -> Likely | None:
    """None from fewer than three days."""
    if len(values) < LEAST_DAYS:
        return None
    low, middle, high = np.quantile(np.asarray(values, float), (LOW, MIDDLE, HIGH))
    return Likely(float(middle), float(low), float(high), len(values))


def expect(
    peaks: Mapping[int, float], calendar: Calendar, wanted: Sequence[DayType]
) -> dict[DayType, Likely]:
    """By kind of day; a holiday of which too few are known is taken as a weekend."""
    by_kind: dict[DayType, list[float]] = {}
    for day, peak in peaks.items():
        by_kind.setdefault(day_kind(calendar, day), []).append(peak)
    found = {}
    for kind in wanted:
        values = by_kind.get(kind, [])
        if kind is DayType.PUBLIC_HOLIDAY and len(values) < LEAST_DAYS:
            values = values + by_kind.get(DayType.WEEKEND, [])
        likely = likely_of(values)
        if likely is not None:
            found[kind] = likely
    return found


def try_out(peaks: Mapping[int, float], calendar: Calendar) -> Trial | None:
    """Each day forecast from the others alike; None where no day has enough others."""
    errors, inside = [], 0
    for day, peak in peaks.items():
        kind = day_kind(calendar, day)
        others = [
            value
            for other, value in peaks.items()
            if other != day and day_kind(calendar, other) is kind
        ]
        likely = likely_of(others)
        if likely is not None:
            errors.append(abs(likely.middle - peak))
            inside += likely.low <= peak <= likely.high
    if not errors:
        return None
    return Trial(sum(errors) / len(errors), inside / len(errors), len(errors))
