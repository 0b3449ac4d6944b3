"""Draws bars: values with their intervals, and stays with the minutes at which the price steps."""

from occupancy.report import svg
from occupancy.report.figures import NOTHING, write_number
from occupancy.report.picture import Bar, IntervalBars, StayHistogram
from occupancy.report.svg import Plot

_ROW, _BAR = 34, 18
_LABEL_MOST = 150
_HISTOGRAM_HEIGHT = 280
_MINUTES_AN_HOUR = 60
_STEP_ROW = 14
_STEP_ROWS = 3


def interval_bars(chart: IntervalBars, width: float) -> tuple[float, list[str]]:
    """A bar a row, its interval across it, its value behind."""
    widest = max((svg.width_of(bar.name) for bar in chart.bars), default=0)
    left = min(widest, _LABEL_MOST) + 16
    behind = max((svg.width_of(_behind(bar, chart)) for bar in chart.bars), default=0) + 14
    bottom = 22 + len(chart.bars) * _ROW
    ends = [end for bar in chart.bars for end in (bar.value, bar.high, bar.low) if end is not None]
    low, high = min([0.0, *ends]), max([*ends, chart.target or 0.0, 0.0])
    marks = svg.ticks(low, high or 1.0, 4)
    plot = Plot(left, 22, width - behind, bottom, marks[0], marks[-1], 0, 1)
    digits = svg.decimals_of(marks)
    parts = [svg.text(left - 8, 13, chart.unit, "end", svg.SOFT, 11)]
    for mark in marks:
        x = plot.x(mark)
        parts.append(svg.line(x, plot.top, x, plot.bottom, svg.RULE))
        parts.append(svg.text(x, 13, write_number(mark, digits), "middle", svg.SOFT, 11))
    for number, bar in enumerate(chart.bars):
        parts.extend(_bar(plot, plot.top + number * _ROW, bar, chart))
    return bottom + 26, [*parts, *_target(plot, chart)]


def _bar(plot: Plot, top: float, bar: Bar, chart: IntervalBars) -> list[str]:
    middle = top + _ROW / 2
    name = svg.text(plot.left - 8, middle + 4, bar.name, "end")
    if bar.value is None:
        width = plot.right - plot.left
        missing = svg.hatch(plot.left, middle - _BAR / 2, width, _BAR)
        return [name, missing, svg.text(plot.right + 8, middle + 4, _behind(bar, chart))]
    zero, end = plot.x(0), plot.x(bar.value)
    colour = svg.RED if bar.is_strong else svg.BLUE
    parts = [
        name,
        svg.rect(min(zero, end), middle - _BAR / 2, abs(end - zero), _BAR, colour, radius=2),
    ]
    at = end
    if bar.low is not None and bar.high is not None:
        at = max(end, plot.x(bar.high))
        parts.extend(_whisker(plot.x(bar.low), plot.x(bar.high), middle))
    weight = 700 if bar.is_strong else 600
    return [*parts, svg.text(at + 8, middle + 4, _behind(bar, chart), weight=weight)]


def _whisker(low: float, high: float, y: float) -> list[str]:
    """White under black: it is seen on the bar and beside it."""
    return [
        svg.line(low, y, high, y, svg.PAPER, 4),
        svg.line(low, y, high, y, svg.INK, 1.6),
        svg.line(low, y - 5, low, y + 5, svg.INK, 1.6),
        svg.line(high, y - 5, high, y + 5, svg.INK, 1.6),
    ]


def _behind(bar: Bar, chart: IntervalBars) -> str:
    value = NOTHING if bar.value is None else write_number(bar.value, chart.decimals)
    return f"{value} {bar.note}".rstrip()


def _target(plot: Plot, chart: IntervalBars) -> list[str]:
    if chart.target is None:
        return []
    x = plot.x(chart.target)
    words = chart.target_words
    half = svg.width_of(words, 11) / 2
    middle = min(max(x, plot.left + half), plot.right - half)
    return [
        svg.line(x, plot.top, x, plot.bottom + 4, svg.RED, 1.4, "5 3"),
        svg.text(middle, plot.bottom + 18, words, "middle", svg.RED, 11),
    ]


def stay_histogram(chart: StayHistogram, width: float) -> tuple[float, list[str]]:
    """Equal room for equal minutes; price steps are uprights with their words."""
    known = [count for count in chart.counts if count is not None]
    marks = svg.ticks(0, max(known, default=1) or 1, 4)
    top = 14 + _STEP_ROW * _STEP_ROWS
    plot = Plot(
        52,
        top,
        width - 22,
        _HISTOGRAM_HEIGHT - 44,
        chart.edges_minutes[0],
        chart.edges_minutes[-1],
        0,
        marks[-1],
    )
    parts = [svg.text(4, 12, chart.unit, fill=svg.SOFT, size=11)]
    digits = svg.decimals_of(marks)
    for mark in marks:
        y = plot.y(mark)
        parts.append(svg.line(plot.left, y, plot.right, y, svg.RULE))
        parts.append(
            svg.text(plot.left - 8, y + 4, write_number(mark, digits), "end", svg.SOFT, 11)
        )
    edges = chart.edges_minutes
    for low, high, count in zip(edges[:-1], edges[1:], chart.counts, strict=True):
        x, wide = plot.x(low) + 0.5, plot.x(high) - plot.x(low) - 1
        if count is None:
            parts.append(svg.hatch(x, plot.top, wide, plot.bottom - plot.top))
        else:
            parts.append(svg.rect(x, plot.y(count), wide, plot.bottom - plot.y(count), "#7fa9d9"))
    return _HISTOGRAM_HEIGHT, [*parts, *_minutes(plot), *_steps(plot, chart)]


def _minutes(plot: Plot) -> list[str]:
    hours = svg.ticks(plot.x_low / _MINUTES_AN_HOUR, plot.x_high / _MINUTES_AN_HOUR, 8)
    inside = [hour for hour in hours if plot.x_low <= hour * _MINUTES_AN_HOUR <= plot.x_high]
    digits = svg.decimals_of(hours)
    return [
        *(
            svg.text(
                plot.x(hour * _MINUTES_AN_HOUR),
                plot.bottom + 17,
                write_number(hour, digits),
                "middle",
                svg.SOFT,
                11,
            )
            for hour in inside
        ),
        svg.text(
            (plot.left + plot.right) / 2,
            plot.bottom + 34,
            "停放时长（小时）",
            "middle",
            svg.SOFT,
            11,
        ),
    ]


def _steps(plot: Plot, chart: StayHistogram) -> list[str]:
    """Words that would touch stand in rows above each other, as far as there is room."""
    free_from = [0.0] * _STEP_ROWS
    parts = []
    for minute, words in chart.steps:
        x = plot.x(minute)
        if not plot.left <= x <= plot.right:
            continue
        parts.append(svg.line(x, plot.top, x, plot.bottom, svg.RED, 1.2, "4 3"))
        half = svg.width_of(words, 11) / 2
        middle = min(max(x, plot.left + half), plot.right - half)
        row = next((n for n, at in enumerate(free_from) if at <= middle - half), None)
        if row is not None:
            free_from[row] = middle + half + 8
            y = plot.top - 6 - row * _STEP_ROW
            parts.append(svg.text(middle, y, words, "middle", svg.RED, 11))
    return parts
