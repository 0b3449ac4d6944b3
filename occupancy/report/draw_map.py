"""Draws where the car parks lie to each other, and what could move between them."""

import math

from occupancy.report import svg
from occupancy.report.draw_grid import range_words
from occupancy.report.figures import write_share
from occupancy.report.picture import Arrow, LotMap, Place
from occupancy.report.svg import Plot

_HEIGHT = 340
_MARGIN_X, _MARGIN_Y = 120, 66
_RADIUS = 26.0
_LEAST_METRES = 200.0
_HEAD = 10.0
_UPRIGHT = 0.9  # words stand beside what is steeper
_WORDS_AT = 0.64  # behind the words under the place it begins at


def lot_map(chart: LotMap, width: float) -> tuple[float, list[str]]:
    """North is up; one scale both ways; titled as what it is."""
    plot = _fit(chart, width)
    spots = [(plot.x(place.east), plot.y(place.north)) for place in chart.places]
    arrows = [part for arrow in chart.arrows for part in _arrow(arrow, chart, spots)]
    places = [
        part
        for place, spot in zip(chart.places, spots, strict=True)
        for part in _place(place, *spot, chart)
    ]
    north = [
        svg.path([(width - 26, 56), (width - 26, 26)], svg.SOFT, 1.6),
        svg.path([(width - 32, 35), (width - 26, 25), (width - 20, 35)], svg.SOFT, 1.6),
        svg.text(width - 26, 72, "北", "middle", svg.SOFT),
    ]
    title = svg.text(12, 20, "示意图，非地图", fill=svg.SOFT)
    ground = svg.rect(0.5, 0.5, width - 1, _HEIGHT - 33, svg.PLATE, svg.RULE, 8)
    return _HEIGHT, [ground, title, *north, *arrows, *places, *_legend(chart, _HEIGHT - 10)]


def _fit(chart: LotMap, width: float) -> Plot:
    easts = [place.east for place in chart.places] or [0.0]
    norths = [place.north for place in chart.places] or [0.0]
    wide, high = width - 2 * _MARGIN_X, _HEIGHT - 32 - 2 * _MARGIN_Y
    metres = max(
        (max(easts) - min(easts)) / wide, (max(norths) - min(norths)) / high, _LEAST_METRES / wide
    )
    east, north = (min(easts) + max(easts)) / 2, (min(norths) + max(norths)) / 2
    half_x, half_y = wide * metres / 2, high * metres / 2
    bottom = _HEIGHT - 32 - _MARGIN_Y
    sides = (_MARGIN_X, _MARGIN_Y, width - _MARGIN_X, bottom)
    return Plot(*sides, east - half_x, east + half_x, north - half_y, north + half_y)


def _place(place: Place, x: float, y: float, chart: LotMap) -> list[str]:
    radius = _RADIUS * math.sqrt(max(place.radius, 0.3))
    name = svg.text(x, y + radius + 16, place.name, "middle", weight=600)
    words = svg.text(x, y + radius + 31, place.words, "middle", svg.SOFT, 11)
    if place.value is None:
        box = svg.hatch(x - radius, y - radius, 2 * radius, 2 * radius)
        return [box, svg.text(x, y + 4, "缺数", "middle", weight=600), name, words]
    shade = svg.level(place.value, chart.limits)
    value = svg.text(x, y + 5, write_share(place.value, 0), "middle", svg.RAMP_INK[shade], 14, 700)
    return [svg.dot(x, y, radius, svg.RAMP[shade], svg.INK), value, name, words]


def _arrow(arrow: Arrow, chart: LotMap, spots: list[tuple[float, float]]) -> list[str]:
    """From edge to edge of the two places, with its words beside its middle."""
    (x1, y1), (x2, y2) = spots[arrow.start], spots[arrow.end]
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
    near = _RADIUS * math.sqrt(max(chart.places[arrow.start].radius, 0.3)) + 4
    far = _RADIUS * math.sqrt(max(chart.places[arrow.end].radius, 0.3)) + 6
    begin = (x1 + along_x * near, y1 + along_y * near)
    end = (x2 - along_x * far, y2 - along_y * far)
    wings = [
        (end[0] - _HEAD * along_x - side * along_y, end[1] - _HEAD * along_y + side * along_x)
        for side in (-5.0, 5.0)
    ]
    middle_x = begin[0] + (end[0] - begin[0]) * _WORDS_AT
    middle_y = begin[1] + (end[1] - begin[1]) * _WORDS_AT
    half = svg.width_of(arrow.words, 11) / 2 + 4
    aside = math.copysign(half + 6, along_x)
    words_x = middle_x + aside if abs(along_x) < _UPRIGHT else middle_x
    words_y = middle_y if abs(along_x) < _UPRIGHT else middle_y - 14
    return [
        svg.path([begin, end], svg.BLUE, 1.5 + 2 * min(arrow.weight, 2.0), "7 4"),
        svg.area([wings[0], end, wings[1]], svg.BLUE),
        svg.rect(words_x - half, words_y - 10, 2 * half, 15, svg.PAPER, radius=3),
        svg.text(words_x, words_y + 2, arrow.words, "middle", svg.BLUE, 11, 600),
    ]


def _legend(chart: LotMap, y: float) -> list[str]:
    x = 8.0
    parts = [svg.text(x, y, f"{chart.legend}（%）")]
    x += svg.width_of(f"{chart.legend}（%）") + 12
    for shade, words in enumerate(range_words(chart.limits, 100, 0)):
        parts.append(svg.dot(x + 8, y - 4, 6, svg.RAMP[shade], svg.INK))
        parts.append(svg.text(x + 20, y, words, fill=svg.SOFT))
        x += 20 + svg.width_of(words) + 14
    return parts
