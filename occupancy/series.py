"""Occupancy over time: what one step of a series may say, and when it must say nothing."""

from typing import NamedTuple

import msgspec

LEAST_COMPLETENESS = 0.5
TOLD_SECONDS = 10  # a gateway speaks at least once a second
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
    told_seconds: int,
    step_seconds: int,
    occupied: float | None,
    free: float | None,
    cars: FlowCount,
) -> HistoryPoint:
    """One step from the means over its rows.

    `told_seconds` are those of the step's spells of TOLD_SECONDS in which the gateway spoke: many
    rows in one spell do not fill another. A step that was silent for most of its time has no
    numbers.
    """
    completeness = round(min(told_seconds / step_seconds, 1.0), 3)
    if completeness < LEAST_COMPLETENESS:
        return HistoryPoint(start_ms, None, None, None, None, completeness)
    return HistoryPoint(
        start_ms, _rounded(occupied), _rounded(free), cars.entries, cars.exits, completeness
    )


def _rounded(mean: float | None) -> float | None:
    return None if mean is None else round(mean, DECIMALS)
