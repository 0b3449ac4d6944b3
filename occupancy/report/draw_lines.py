"""Draws lines: load duration curves, cars in and out, and series beside what would have been."""

from collections.abc import Sequence

from occupancy.report import svg
from occupancy.report.figures import write_number
from occupancy.report.picture import CumulativeFlow, DurationCurves, EffectSeries, Line
from occupancy.report.svg import Plot

_HEIGHT = 300
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)
_LEFT, _TOP, _BOTTOM = 52, 16, 46
_LEGEND_ROW = 20
_SAMPLE = 26
_HOURS = tuple(range(0, 25, 4))


def duration_curves(chart: DurationCurves, width: float) -> tuple[float, list[str]]:
    """The share of the time at or above each occupancy, from the fullest moment to the emptiest."""
    top = max([1.0, *(y for line in chart.lines for y in line.y if y is not None)])
    plot = Plot(_LEFT, _TOP, width - 22, _HEIGHT - _BOTTOM, 0, 1, 0, top)
    ground = svg.rect(
        plot.left,
        plot.top,
        plot.right - plot.left,
        plot.y(chart.target_high) - plot.top,
        svg.BLUSH,
    )
    target = f"目标上限 {write_number(chart.target_high * 100)}%"
    parts = [
        ground,
        *_levels(plot, _QUARTERS, 100, 0, "%"),
        *(_under(plot, x, f"{x * 100:.0f}%") for x in _QUARTERS),
        _axis_words(plot, "占全部时间的比例（从最满到最空）"),
        *_lines(plot, chart.lines),
        svg.text(plot.right - 6, plot.y(chart.target_high) - 5, target, "end", svg.RED, 11),
    ]
    height, legend = _legend(chart.lines, _HEIGHT, width)
    return height, [*parts, *legend]


def cumulative_flow(chart: CumulativeFlow, width: float) -> tuple[float, list[str]]:
    """Cars in and out since midnight; the ground between them is cars present."""
    values = [value for value in (*chart.entered, *chart.left) if value is not None]
    marks = svg.ticks(0, max(values, default=1) or 1, 4)
    plot = Plot(_LEFT, _TOP, width - 22, _HEIGHT - _BOTTOM, 0, 24, 0, marks[-1])
    lines = (
        Line("累计进场", chart.hours, chart.entered),
        Line("累计离场", chart.hours, chart.left),
    )
    parts = [
        _between(plot, chart),
        *_levels(plot, marks, 1, 0, ""),
        *(_under(plot, hour, f"{hour}时") for hour in _HOURS),
        *_lines(plot, lines, ((svg.BLUE, svg.SOLID), (svg.RED, "6 3"))),
        *_upright(plot, chart),
    ]
    height, legend = _legend(lines, _HEIGHT - 22, width, ((svg.BLUE, ""), (svg.RED, "6 3")))
    return height, [*parts, *legend]


def _between(plot: Plot, chart: CumulativeFlow) -> str:
    known = [
        (plot.x(hour), plot.y(entered), plot.y(left))
        for hour, entered, left in zip(chart.hours, chart.entered, chart.left, strict=True)
        if entered is not None and left is not None
    ]
    there = [(x, y) for x, y, _ in known]
    back = [(x, y) for x, _, y in reversed(known)]
    return svg.area([*there, *back], svg.SKY)


def _upright(plot: Plot, chart: CumulativeFlow) -> list[str]:
    if chart.mark_hour is None:
        return []
    number = min(range(len(chart.hours)), key=lambda at: abs(chart.hours[at] - chart.mark_hour))  # type: ignore[operator]  # asked above
    entered, left = chart.entered[number], chart.left[number]
    if entered is None or left is None:
        return []
    x = plot.x(chart.hours[number])
    words_x = min(x + 6, plot.right - svg.width_of(chart.mark_words))
    words_y = min(plot.y(left) + 22, plot.bottom - 6)
    return [
        svg.line(x, plot.y(entered), x, plot.y(left), svg.INK, 2),
        svg.text(words_x, words_y, chart.mark_words, weight=600),
    ]


def effect_series(chart: EffectSeries, width: float) -> tuple[float, list[str]]:
    """What was, solid; what would have been, dashed; uprights where something began."""
    lines = (*chart.lines, *chart.counterfactual)
    values = [
        value * chart.scale
        for line in lines
        for value in (*line.y, *line.low, *line.high)
        if value is not None
    ]
    marks = svg.ticks(min([0.0, *values]), max(values, default=1.0), 4)
    xs = [x for line in lines for x in line.x] or [0.0, 1.0]
    plot = Plot(
        _LEFT,
        _TOP + 16,
        width - 22,
        _HEIGHT - _BOTTOM,
        min(xs),
        max(xs),
        marks[0] / chart.scale,
        marks[-1] / chart.scale,
    )
    digits = max(chart.decimals, svg.decimals_of(marks))
    strokes = _effect_strokes(len(chart.lines), len(chart.counterfactual))
    parts = [
        *_levels(plot, [mark / chart.scale for mark in marks], chart.scale, digits, chart.unit),
        *(_under(plot, x, words) for x, words in chart.ticks),
        *_bands(plot, lines, strokes),
        *_cuts(plot, chart.cuts),
        *_lines(plot, lines, strokes),
    ]
    height, legend = _legend(lines, _HEIGHT - 22, width, strokes)
    return height, [*parts, *legend]


def _effect_strokes(lines: int, counterfactual: int) -> tuple[tuple[str, str], ...]:
    solid = ((svg.BLUE, svg.SOLID), (svg.GREEN, svg.SOLID), (svg.PURPLE, svg.SOLID))
    dashed = ((svg.SOFT, "6 4"), (svg.RED, "2 3"), (svg.AMBER, "9 3 2 3"))
    return (
        *(solid[number % len(solid)] for number in range(lines)),
        *(dashed[number % len(dashed)] for number in range(counterfactual)),
    )


def _bands(plot: Plot, lines: Sequence[Line], strokes: Sequence[tuple[str, str]]) -> list[str]:
    """Where each line's truth lies, as far as that is known."""
    parts = []
    for line, (colour, _) in zip(lines, strokes, strict=True):
        known = [
            (x, low, high)
            for x, low, high in zip(line.x, line.low, line.high, strict=False)
            if low is not None and high is not None
        ]
        there = [(plot.x(x), plot.y(high)) for x, _, high in known]
        back = [(plot.x(x), plot.y(low)) for x, low, _ in reversed(known)]
        parts.append(svg.area([*there, *back], colour, 0.14))
    return parts


def _cuts(plot: Plot, cuts: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    for x, words in cuts:
        at = plot.x(x)
        parts.append(svg.line(at, plot.top, at, plot.bottom, svg.SOFT, 1.2, "4 3"))
        half = svg.width_of(words, 11) / 2
        middle = min(max(at, plot.left + half), plot.right - half)
        parts.append(svg.text(middle, plot.top - 6, words, "middle", svg.SOFT, 11))
    return parts


def _levels(
    plot: Plot, values: Sequence[float], scale: float, decimals: int, unit: str
) -> list[str]:
    """Lines across, each with its value at the left."""
    is_short = len(unit) <= 1
    parts = []
    for value in values:
        y = plot.y(value)
        words = write_number(value * scale, decimals) + (unit if is_short else "")
        parts.append(svg.line(plot.left, y, plot.right, y, svg.RULE))
        parts.append(svg.text(plot.left - 8, y + 4, words, "end", svg.SOFT, 11))
    if not is_short:
        parts.append(svg.text(4, 12, unit, fill=svg.SOFT, size=11))
    return parts


def _under(plot: Plot, x: float, words: str) -> str:
    return svg.text(plot.x(x), plot.bottom + 17, words, "middle", svg.SOFT, 11)


def _axis_words(plot: Plot, words: str) -> str:
    return svg.text((plot.left + plot.right) / 2, plot.bottom + 34, words, "middle", svg.SOFT, 11)


def _lines(
    plot: Plot, lines: Sequence[Line], strokes: Sequence[tuple[str, str]] = svg.STROKES
) -> list[str]:
    return [
        svg.path(part, strokes[number % len(strokes)][0], 2, strokes[number % len(strokes)][1])
        for number, line in enumerate(lines)
        for part in svg.runs(line.x, line.y, plot)
    ]


def _legend(
    lines: Sequence[Line],
    top: float,
    width: float,
    strokes: Sequence[tuple[str, str]] = svg.STROKES,
) -> tuple[float, list[str]]:
    """Under the picture, as many beside each other as there is room for; the height with it."""
    x, y = float(_LEFT), top + 10
    parts = []
    for number, line in enumerate(lines):
        colour, dash = strokes[number % len(strokes)]
        words = f"{line.name} {line.note}".strip()
        needed = _SAMPLE + svg.width_of(words) + 22
        if x > _LEFT and x + needed > width:
            x, y = float(_LEFT), y + _LEGEND_ROW
        parts.append(svg.line(x, y - 4, x + _SAMPLE - 6, y - 4, colour, 2, dash))
        parts.append(svg.text(x + _SAMPLE, y, words))
        x += needed
    return y + 12, parts
