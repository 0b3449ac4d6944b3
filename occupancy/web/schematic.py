"""Where the car parks lie to each other, drawn: a schematic, not a map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from occupancy.live import Status

WIDTH, HEIGHT, MARGIN = 520, 560, 86
DOT_STEP = 26
GOAL = "goal"
_MOST_SHRUNK = 2.5  # a place farther off would push the car parks into one spot


@dataclass(frozen=True)
class Mark:
    """One car park on the schematic; degrees in WGS-84."""

    lot_id: str
    name: str
    status: Status
    label: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Goal:
    """Where somebody wants to go; degrees in WGS-84."""

    name: str
    latitude: float
    longitude: float


def draw(marks: Sequence[Mark], goal: Goal | None = None) -> str:
    """SVG with one group a lot; shapes differ by status, so that colour is never alone."""
    shown = goal if goal is not None and _is_near(marks, goal) else None
    places = _places([*marks, shown] if shown else marks)
    body = "".join(_mark(mark, *places[mark.lot_id]) for mark in marks)
    if shown:
        body = _goal(shown, *places[GOAL]) + body
    return (
        f'<svg class="schematic" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="五个停车场的分布示意图">{_ground()}{body}</svg>'
    )


def _is_near(marks: Sequence[Mark], goal: Goal) -> bool:
    before, after = _span(marks), _span([*marks, goal])
    return after <= _MOST_SHRUNK * before


def _span(spots: Sequence[Mark | Goal]) -> float:
    """The longer side of the box around them, in degrees of latitude."""
    flat = _flat(spots).values()
    sides = (max(side) - min(side) for side in zip(*flat, strict=True)) if flat else ()
    return max(sides, default=0.0)


def _flat(spots: Sequence[Mark | Goal]) -> dict[str, tuple[float, float]]:
    middle = math.radians(sum(spot.latitude for spot in spots) / max(len(spots), 1))
    return {_key(s): (s.longitude * math.cos(middle), -s.latitude) for s in spots}


def _key(spot: Mark | Goal) -> str:
    return spot.lot_id if isinstance(spot, Mark) else GOAL


def _places(marks: Sequence[Mark | Goal]) -> dict[str, tuple[float, float]]:
    """Pixels, north up, one scale both ways, centred."""
    if not marks:
        return {}
    flat = _flat(marks)
    xs, ys = zip(*flat.values(), strict=True)
    wide, high = max(xs) - min(xs) or 1e-9, max(ys) - min(ys) or 1e-9
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    left, top = (WIDTH - wide * scale) / 2, (HEIGHT - high * scale) / 2
    return {
        lot_id: (left + (x - min(xs)) * scale, top + (y - min(ys)) * scale)
        for lot_id, (x, y) in flat.items()
    }


def _ground() -> str:
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="1.6"/>'
        for y in range(DOT_STEP // 2, HEIGHT, DOT_STEP)
        for x in range(DOT_STEP // 2, WIDTH, DOT_STEP)
    )
    north = f'<path class="north" d="M{WIDTH - 36} 54V24m-7 9l7-10 7 10"/>'
    word = f'<text class="north-word" x="{WIDTH - 36}" y="76">北</text>'
    return f'<g class="dots">{dots}</g>{north}{word}'


def _goal(goal: Goal, x: float, y: float) -> str:
    """A pin whose point stands on the place."""
    return (
        f'<g class="{GOAL}" data-goal transform="translate({x:.0f} {y:.0f})">'
        '<path d="M0 0C-7 -17 -20 -25 -20 -40A20 20 0 0 1 20 -40C20 -25 7 -17 0 0Z"/>'
        '<circle cy="-40" r="8"/>'
        f'<title>{escape(goal.name)}</title><text class="name" y="-70">目的地</text></g>'
    )


def _mark(mark: Mark, x: float, y: float) -> str:
    shapes = "".join(_SHAPES.values())
    return (
        f'<g class="mark {mark.status.value}" data-mark="{escape(mark.lot_id)}" '
        f'transform="translate({x:.0f} {y:.0f})">{shapes}'
        f'<text class="label" y="10">{escape(mark.label)}</text>'
        f'<text class="name" y="66">{escape(mark.name)}</text></g>'
    )


# All shapes are there; the status class shows one. board.js only changes the class.
_SHAPES = {
    Status.OPEN: '<circle class="shape open" r="36"/>',
    Status.ALMOST_FULL: '<path class="shape almost_full" d="M0 -44L44 34H-44Z"/>',
    Status.FULL: '<rect class="shape full" x="-34" y="-34" width="68" height="68" rx="8"/>',
    Status.CLOSED: '<rect class="shape closed" x="-40" y="-24" width="80" height="48" rx="24"/>',
    Status.NO_DATA: '<circle class="shape no_data" r="36"/>',
}
