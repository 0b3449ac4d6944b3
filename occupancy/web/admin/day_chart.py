"""Lines over the hours of a lot, as SVG paths with words beside them: past and ahead."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from occupancy.explore import Explored
from occupancy.web import sparkline
from occupancy.web.formats import SHANGHAI
from occupancy.web.outlook import Outlook

X_TICKS = 5
HOUR_STEPS = 4  # quarters


class DayChart(msgspec.Struct, frozen=True):
    """Paths in the view box of a sparkline; ticks stand evenly, from the top and from the left."""

    line: str
    before: str
    band: str
    y_ticks: tuple[str, ...]
    x_ticks: tuple[str, ...]


class Hour(msgspec.Struct, frozen=True):
    """A row beside the chart: what was told as the hour began, and the cars of its quarters."""

    at_ms: int
    occupied: float | None
    free: float | None
    entries: int | None
    exits: int | None
    before: float | None


def draw_past(explored: Explored, capacity: int) -> DayChart | None:
    """Cars inside, with the same hours a week ago dashed behind; None where nothing was told."""
    now, before = explored.now, explored.before
    told = [one for one in (*now.occupied, *(before.occupied if before else ())) if one is not None]
    if not told:
        return None
    most = max(float(capacity), *told)
    return DayChart(
        sparkline.draw(now.occupied, most).line,
        "" if before is None else sparkline.draw(before.occupied, most).line,
        "",
        _y_ticks(most),
        _x_ticks(now.times_ms[0], now.times_ms[-1] + explored.step_seconds * 1_000),
    )


def draw_ahead(outlook: Sequence[Outlook], usable: int) -> DayChart | None:
    """Free spaces expected, and the band in which they probably are."""
    if not outlook:
        return None
    most = max(float(usable), *(one.high for one in outlook))
    low, high = [one.low for one in outlook], [one.high for one in outlook]
    return DayChart(
        sparkline.draw([one.free for one in outlook], most).line,
        "",
        sparkline.band(low, high, most),
        _y_ticks(most),
        _x_ticks(outlook[0].at_ms, outlook[-1].at_ms),
    )


def hours_of(explored: Explored) -> list[Hour]:
    """The newest first; an hour whose quarters are not all known has no sum of cars."""
    now, before = explored.now, explored.before
    return [
        Hour(
            now.times_ms[at],
            now.occupied[at],
            now.free[at],
            _sum(now.entries[at : at + HOUR_STEPS]),
            _sum(now.exits[at : at + HOUR_STEPS]),
            before.occupied[at] if before else None,
        )
        for at in range(0, len(now.times_ms), HOUR_STEPS)
    ][::-1]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _y_ticks(most: float) -> tuple[str, ...]:
    return f"{most:.0f}", f"{most / 2:.0f}", "0"


def _x_ticks(from_ms: int, to_ms: int) -> tuple[str, ...]:
    step = (to_ms - from_ms) / (X_TICKS - 1)
    moments = (from_ms + round(step * number) for number in range(X_TICKS))
    return tuple(f"{dt.datetime.fromtimestamp(at / 1_000, tz=SHANGHAI):%H:%M}" for at in moments)
