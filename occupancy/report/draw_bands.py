"""Draws index values on their bands, each with what it was before and its last months."""

from occupancy.report import svg
from occupancy.report.picture import Band, IndicatorBands, IndicatorRow
from occupancy.report.svg import Plot

_ROW, _HEAD = 46, 22
_NAME, _VALUE = 150, 86
_SPARK = 140
_GROUNDS = ("#e2f4ef", "#eef4dc", "#fff3d1", "#fddcb5", "#f6b8ae", "#e59a9a")
_ONE_WORD = 34


def indicator_bands(chart: IndicatorBands, width: float) -> tuple[float, list[str]]:
    """A row an indicator: name, value, the bands with marks, the sparkline."""
    left, right = _NAME + _VALUE + 20, width - _SPARK - 28
    parts = [
        svg.text(left, 13, "分级（▼ 本期 · ○ 上期 · □ 去年同期 · ┊ 目标）", fill=svg.SOFT, size=11),
        svg.text(width - _SPARK - 8, 13, "近期走势", fill=svg.SOFT, size=11),
    ]
    for number, row in enumerate(chart.rows):
        top = _HEAD + number * _ROW
        parts.extend(_row(row, top, left, right, width))
    return _HEAD + len(chart.rows) * _ROW + 6, parts


def _row(row: IndicatorRow, top: float, left: float, right: float, width: float) -> list[str]:
    middle = top + _ROW / 2
    plot = Plot(left, top + 14, right, top + 32, row.low, row.high, 0, 1)
    parts = [
        svg.text(8, middle + 4, row.name),
        svg.text(_NAME + _VALUE, middle + 5, row.words, "end", size=15, weight=700),
        *_bands(plot, row.bands),
        *_marks(plot, row),
        *_spark(row, width - _SPARK - 8, top + 10, top + _ROW - 10),
    ]
    return [*parts, svg.line(8, top + _ROW, width - 8, top + _ROW, svg.RULE)]


def _bands(plot: Plot, bands: tuple[Band, ...]) -> list[str]:
    if not bands:
        return [svg.rect(plot.left, plot.top, plot.right - plot.left, 18, svg.PLATE, svg.RULE)]
    parts = []
    for number, band in enumerate(bands):
        x, wide = plot.x(band.low), plot.x(band.high) - plot.x(band.low)
        ground = _GROUNDS[min(number, len(_GROUNDS) - 1)]
        parts.append(svg.rect(x, plot.top, wide - 1, 18, ground))
        if wide > max(_ONE_WORD, svg.width_of(band.name, 10) + 4):
            parts.append(svg.text(x + wide / 2, plot.top + 13, band.name, "middle", size=10))
    return parts


def _marks(plot: Plot, row: IndicatorRow) -> list[str]:
    def at(value: float) -> float:
        return min(max(plot.x(value), plot.left), plot.right)

    parts = []
    if row.value is None:
        parts.append(svg.hatch(plot.left, plot.top, plot.right - plot.left, 18))
    if row.target is not None:
        x = at(row.target)
        parts.append(svg.line(x, plot.top - 4, x, plot.bottom + 6, svg.INK, 1.4, "3 2"))
    if row.year_before is not None:
        x = at(row.year_before)
        parts.append(svg.rect(x - 4, plot.bottom - 2, 8, 8, svg.PAPER, svg.INK))
    if row.previous is not None:
        parts.append(svg.dot(at(row.previous), plot.bottom + 2, 3.4, svg.PAPER, svg.SOFT))
    if row.value is not None:
        x = at(row.value)
        tip = [(x - 7, plot.top - 9), (x + 7, plot.top - 9), (x, plot.top + 2)]
        parts.append(svg.area(tip, svg.INK))
    return parts


def _spark(row: IndicatorRow, left: float, top: float, bottom: float) -> list[str]:
    known = [value for value in row.history if value is not None]
    if len(known) < 2:  # noqa: PLR2004 -- a line has two ends
        return [svg.text(left, (top + bottom) / 2 + 4, "历史不足", fill=svg.SOFT, size=11)]
    low, high = min(known), max(known)
    plot = Plot(left, top, left + _SPARK - 10, bottom, 0, len(row.history) - 1, low, high)
    xs = [float(number) for number in range(len(row.history))]
    parts = [svg.path(part, svg.BLUE, 1.6) for part in svg.runs(xs, row.history, plot)]
    last = row.history[-1]
    if last is not None:
        parts.append(svg.dot(plot.x(xs[-1]), plot.y(last), 3, svg.BLUE))
    return parts
