"""Where the car parks lie to each other, drawn: a schematic, not a map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from occupancy.live import Status

WIDTH, HEIGHT, MARGIN = 520, 400, 70


@dataclass(frozen=True)
class Mark:
    """One car park on the schematic; degrees in WGS-84."""

    lot_id: str
    name: str
    status: Status
    label: str
    latitude: float
    longitude: float


def draw(marks: Sequence[Mark]) -> str:
    """SVG with one group a lot; shapes differ by status, so that colour is never alone."""
    places = _places(marks)
    body = "".join(_mark(mark, *places[mark.lot_id]) for mark in marks)
    return (
        f'<svg class="schematic" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="五个停车场的分布示意图">{_grid()}{body}</svg>'
    )


def _places(marks: Sequence[Mark]) -> dict[str, tuple[float, float]]:
    """Pixels, north up, one scale both ways, centred."""
    if not marks:
        return {}
    middle = math.radians(sum(mark.latitude for mark in marks) / len(marks))
    flat = {m.lot_id: (m.longitude * math.cos(middle), -m.latitude) for m in marks}
    xs, ys = zip(*flat.values(), strict=True)
    wide, high = max(xs) - min(xs) or 1e-9, max(ys) - min(ys) or 1e-9
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    left, top = (WIDTH - wide * scale) / 2, (HEIGHT - high * scale) / 2
    return {
        lot_id: (left + (x - min(xs)) * scale, top + (y - min(ys)) * scale)
        for lot_id, (x, y) in flat.items()
    }


def _grid() -> str:
    lines = "".join(f'<path d="M0 {y}H{WIDTH}"/>' for y in range(50, HEIGHT, 50))
    lines += "".join(f'<path d="M{x} 0V{HEIGHT}"/>' for x in range(65, WIDTH, 65))
    north = f'<path class="north" d="M{WIDTH - 30} 44V18m-6 8l6-9 6 9"/>'
    word = f'<text class="north-word" x="{WIDTH - 30}" y="62">北</text>'
    return f'<g class="grid">{lines}</g>{north}{word}'


def _mark(mark: Mark, x: float, y: float) -> str:
    shapes = "".join(_SHAPES.values())
    return (
        f'<g class="mark {mark.status.value}" data-mark="{escape(mark.lot_id)}" '
        f'transform="translate({x:.0f} {y:.0f})">{shapes}'
        f'<text class="label" y="8" data-field="mark">{escape(mark.label)}</text>'
        f'<text class="name" y="56">{escape(mark.name)}</text></g>'
    )


# All shapes are there; the status class shows one. board.js only changes the class.
_SHAPES = {
    Status.OPEN: '<circle class="shape open" r="32"/>',
    Status.ALMOST_FULL: '<path class="shape almost_full" d="M0 -38L38 30H-38Z"/>',
    Status.FULL: '<rect class="shape full" x="-30" y="-30" width="60" height="60" rx="6"/>',
    Status.CLOSED: '<rect class="shape closed" x="-34" y="-20" width="68" height="40" rx="20"/>',
    Status.NO_DATA: '<circle class="shape no_data" r="31"/>',
}
