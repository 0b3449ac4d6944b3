"""Occupancy over time: what one step of a series may say, and when it must say nothing."""

from typing import NamedTuple

import msgspec

LEAST_COMPLETENESS = 0.5
DECIMALS = 2


class HistoryPoint(msgspec.Struct, frozen=True):
    """One step of a series; None where the source was silent for most of it."""

    start_ms: int
    occupied: float | None
    free: float | None
    entries: int | None
    exits: int | None
    completeness: float


class FlowCount(NamedTuple):
    """Cars through the lanes in a span; None where no history tells."""

    entries: int | None
    exits: int | None


def step_point(
    *,
    start_ms: int,
    rows: int,
    step_seconds: int,
    occupied: float | None,
    free: float | None,
    cars: FlowCount,
) -> HistoryPoint:
    """One step from the means over its rows.

    A gateway speaks at least once a second: fewer rows than seconds mean silence, and a step that
    was silent for most of its time has no numbers.
    """
    completeness = round(min(rows / step_seconds, 1.0), 3)
    if completeness < LEAST_COMPLETENESS:
        return HistoryPoint(start_ms, None, None, None, None, completeness)
    return HistoryPoint(
        start_ms, _rounded(occupied), _rounded(free), cars.entries, cars.exits, completeness
    )


def _rounded(mean: float | None) -> float | None:
    return None if mean is None else round(mean, DECIMALS)
