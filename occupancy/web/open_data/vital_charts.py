"""Vital signs drawn: a line over the bands, bars of months, a small line; gaps stay gaps."""

from collections.abc import Callable, Sequence
from itertools import groupby

from markupsafe import Markup, escape

from occupancy.report.svg import Plot, place
from occupancy.vitals import Band, band_of
from occupancy.web.open_data.vital_view import VitalPoint

TOP = 10.0
BANDS = tuple(Band)
_BAND_WIDTH = TOP / len(BANDS)
_LABEL_HOURS = 3
_FEW_POINTS = 32  # up to eight hours each one is named
_MOST_NAMED, _MOST_STEP, _VALUE_STEP = 13, 90.0, 26.0
_SMALL_WIDTH, _SMALL_HEIGHT = 160.0, 40.0


def band_number(value: float) -> int:
    """1 for the clearest; the classes of the style sheet."""
    return BANDS.index(band_of(value)) + 1


def day_chart(points: Sequence[VitalPoint], title: str) -> Markup:
    """Quarters of an hour over the five bands, with the last value beside its dot."""
    plot = Plot(34, 10, 760, 210, 0, max(len(points) - 1, 1), 0, TOP)
    parts = [*_bands(plot), *_gaps(plot, points), *_runs(plot, points), _last(plot, points)]
    every = _LABEL_HOURS if len(points) > _FEW_POINTS else 1
    for index, point in enumerate(points):
        hour, minute = int(point.from_[11:13]), point.from_[14:16]
        if minute == "00" and hour % every == 0:
            parts.append(_text(plot.x(index), 230, f"{hour:02d}:00", "middle"))
    return _svg(830, 240, title, parts)


def month_chart(points: Sequence[VitalPoint], title: str) -> Markup:
    """A bar a month with its value above it; a month without data is a dashed frame."""
    names = [
        f"{point.from_[:4]}.{int(point.from_[5:7])}"
        if index == 0 or point.from_[5:7] == "01"
        else f"{int(point.from_[5:7])} 月"
        for index, point in enumerate(points)
    ]
    return _bars(points, names, title)


def days_chart(points: Sequence[VitalPoint], title: str) -> Markup:
    """The same by days; where there are many only some are named."""
    every = -(-len(points) // _MOST_NAMED)
    names = [
        f"{int(point.from_[5:7])}-{int(point.from_[8:10])}"
        if (len(points) - 1 - index) % every == 0
        else ""
        for index, point in enumerate(points)
    ]
    return _bars(points, names, title)


def since_known(points: Sequence[VitalPoint], least: int = 1) -> Sequence[VitalPoint]:
    """From the first that has a value on, the last `least` at any rate; none known: none."""
    known = [at for at, point in enumerate(points) if point.value is not None]
    return points[max(min(known[0], len(points) - least), 0) :] if known else ()


def _bars(points: Sequence[VitalPoint], names: Sequence[str], title: str) -> Markup:
    highest = max((point.value for point in points if point.value is not None), default=0.0)
    top_value = min(TOP, (highest // _BAND_WIDTH + 1) * _BAND_WIDTH)
    plot = Plot(34, 24, 820, 190, 0, len(points), 0, max(top_value, 2 * _BAND_WIDTH))
    parts = [_line(plot.left, plot.bottom, plot.right, "axis"), *_rules(plot)]
    step = min((plot.right - plot.left) / max(len(points), 1), _MOST_STEP)
    for index, (point, name) in enumerate(zip(points, names, strict=True)):
        left, width = plot.left + index * step + step * 0.16, step * 0.68
        middle = left + width / 2
        if point.value is None:
            parts.append(_rect(left, plot.bottom - 40, width, 40, "missing"))
            parts.append(_text(middle, plot.bottom - 16, "无", "middle"))
        else:
            top = plot.y(point.value)
            css = f"bar band-{band_number(point.value)}"
            parts.append(_rect(left, top, width, max(plot.bottom - top, 1.5), css))
            if step >= _VALUE_STEP:
                parts.append(_text(middle, top - 6, f"{point.value:.1f}", "middle", "figure"))
        parts.append(_text(middle, 210, name, "middle"))
    return _svg(830, 222, title, parts)


def small_chart(points: Sequence[VitalPoint], title: str) -> Markup:
    """The last day in the width of a table's cell."""
    plot = Plot(1, 3, _SMALL_WIDTH - 5, _SMALL_HEIGHT - 3, 0, max(len(points) - 1, 1), 0, TOP)
    parts = [_line(1, plot.bottom, plot.right, "axis"), *_runs(plot, points)]
    return _svg(_SMALL_WIDTH, _SMALL_HEIGHT, title, parts, css="small")


def scale(value: float | None, title: str) -> Markup:
    """The five bands as one bar, with a mark where the value lies."""
    plot = Plot(2, 22, 558, 40, 0, TOP, 0, 1)
    parts = []
    for number, band in enumerate(BANDS, start=1):
        left, right = plot.x((number - 1) * _BAND_WIDTH), plot.x(number * _BAND_WIDTH)
        css = f"bar band-{number}"
        parts.append(_rect(left + 1, plot.top, right - left - 2, plot.bottom - plot.top, css))
        parts.append(_text((left + right) / 2, 58, band.value, "middle"))
    if value is not None:
        at = place(plot.x(min(max(value, 0.0), TOP)))
        parts.append(Markup('<path class="mark" d="M{0} 20l-7-12h14z"/>').format(at))
    return _svg(560, 64, title, parts)


def _rules(plot: Plot) -> list[Markup]:
    """A fine line where each band begins, with its value."""
    parts = []
    for number in range(len(BANDS) + 1):
        value = number * _BAND_WIDTH
        if value <= plot.y_high:
            parts.append(_line(plot.left, plot.y(value), plot.right, "rule"))
            parts.append(_text(plot.left - 6, plot.y(value) + 4, f"{value:.0f}", "end"))
    return parts


def _bands(plot: Plot) -> list[Markup]:
    parts = []
    for number in range(1, len(BANDS) + 1):
        top, bottom = plot.y(number * _BAND_WIDTH), plot.y((number - 1) * _BAND_WIDTH)
        parts.append(
            _rect(plot.left, top, plot.right - plot.left, bottom - top, f"field band-{number}")
        )
        words = BANDS[number - 1].value
        parts.append(_text(plot.right + 8, (top + bottom) / 2 + 4, words, "start"))
        parts.append(_text(plot.left - 6, bottom + 4, f"{(number - 1) * _BAND_WIDTH:.0f}", "end"))
    return [*parts, _text(plot.left - 6, plot.y(TOP) + 4, f"{TOP:.0f}", "end")]


def _runs(plot: Plot, points: Sequence[VitalPoint]) -> list[Markup]:
    """A path for each run of values; a single one is a dot."""
    parts = []
    for is_known, run in _groups(points, lambda point: point.value is not None):
        if not is_known:
            continue
        places = [(plot.x(at), plot.y(value)) for at, value in run if value is not None]
        if len(places) == 1:
            parts.append(_dot(*places[0]))
            continue
        path = "L".join(f"{place(x)} {place(y)}" for x, y in places)
        parts.append(Markup('<path class="line" d="M{0}"/>').format(path))
    return parts


def _gaps(plot: Plot, points: Sequence[VitalPoint]) -> list[Markup]:
    parts = []
    for is_gap, run in _groups(points, lambda point: point.value is None):
        if is_gap:
            left, right = plot.x(run[0][0] - 0.5), plot.x(run[-1][0] + 0.5)
            left, right = max(left, plot.left), min(right, plot.right)
            parts.append(_rect(left, plot.top, right - left, plot.bottom - plot.top, "missing"))
            if right - left > 60:  # noqa: PLR2004  # room for two words
                middle = (left + right) / 2
                parts.append(_text(middle, (plot.top + plot.bottom) / 2, "无数据", "middle"))
    return parts


def _groups(
    points: Sequence[VitalPoint], key: Callable[[VitalPoint], bool]
) -> list[tuple[bool, list[tuple[int, float | None]]]]:
    grouped = groupby(enumerate(points), key=lambda one: key(one[1]))
    return [(told, [(at, point.value) for at, point in run]) for told, run in grouped]


def _last(plot: Plot, points: Sequence[VitalPoint]) -> Markup:
    if not points or points[-1].value is None:
        return Markup()
    x, y = plot.x(len(points) - 1), plot.y(points[-1].value)
    return _dot(x, y) + _text(x - 8, y - 9, f"{points[-1].value:.1f}", "end", "figure")


def _dot(x: float, y: float) -> Markup:
    return Markup('<circle class="dot" cx="{0}" cy="{1}" r="3.5"/>').format(place(x), place(y))


def _line(left: float, y: float, right: float, css: str) -> Markup:
    return Markup('<path class="{0}" d="M{1} {2}H{3}"/>').format(
        css, place(left), place(y), place(right)
    )


def _rect(x: float, y: float, width: float, height: float, css: str) -> Markup:
    return Markup('<rect class="{0}" x="{1}" y="{2}" width="{3}" height="{4}"/>').format(
        css, place(x), place(y), place(max(width, 0)), place(max(height, 0))
    )


def _text(x: float, y: float, words: str, anchor: str, css: str = "label") -> Markup:
    return Markup('<text class="{0}" x="{1}" y="{2}" text-anchor="{3}">{4}</text>').format(
        css, place(x), place(y), anchor, words
    )


def _svg(
    width: float, height: float, title: str, parts: Sequence[Markup], css: str = "chart"
) -> Markup:
    return Markup(
        '<svg class="{0}" viewBox="0 0 {1} {2}" role="img" aria-label="{3}">{4}</svg>'
    ).format(css, place(width), place(height), escape(title), Markup().join(parts))
