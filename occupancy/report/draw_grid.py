"""Draws values in cells: the heat map of hours, and the calendar of how complete the data is."""

import itertools
from collections.abc import Sequence

from occupancy.report import svg
from occupancy.report.figures import write_number
from occupancy.report.picture import CompletenessCalendar, HeatMap

_ROW, _HEAD, _GAP = 21, 22, 1.5
_CELL_SIZE, _LEAST_SIZE = 11.0, 7.0
_LABEL_MOST = 190
_GOOD, _GAPPY, _BAD = "#dff3ec", "#ffe3ab", "#b05510"
_PAD = 4
_LEGEND_STEP = 26
_FULL = 0.995  # what is said to be 100


def heat_map(chart: HeatMap) -> tuple[float, list[str]]:
    """Height and parts."""
    grid = _Grid(chart.rows, chart.columns)
    parts = grid.heads()
    for row, values in enumerate(chart.values):
        for column, value in enumerate(values):
            shade = 0 if value is None else svg.level(value, chart.limits)
            words = write_number(None if value is None else value * chart.scale, chart.decimals)
            edge = svg.RAMP_EDGE if shade == 0 else ""
            if value is None:
                parts.append(grid.missing(row, column))
            else:
                parts.append(
                    grid.cell(row, column, words, svg.RAMP[shade], svg.RAMP_INK[shade], edge)
                )
    bottom = grid.bottom + 24
    return bottom + 12, [*parts, *heat_legend(chart, bottom)]


def heat_legend(chart: HeatMap, y: float) -> list[str]:
    x = 8.0
    parts = [svg.text(x, y, f"{chart.legend}（{chart.unit}）" if chart.unit else chart.legend)]
    x += svg.width_of(f"{chart.legend}（{chart.unit}）") + 12
    for shade, words in enumerate(range_words(chart.limits, chart.scale, chart.decimals)):
        edge = svg.RAMP_EDGE if shade == 0 else ""
        parts.append(svg.rect(x, y - 10, 20, 12, svg.RAMP[shade], edge))
        parts.append(svg.text(x + _LEGEND_STEP, y, words, fill=svg.SOFT))
        x += _LEGEND_STEP + svg.width_of(words) + 14
    return [*parts, svg.hatch(x, y - 10, 20, 12), svg.text(x + 26, y, "缺数", fill=svg.SOFT)]


def range_words(limits: Sequence[float], scale: float, decimals: int) -> list[str]:
    """<40, 40–60, ..., ≥95."""
    at = [write_number(limit * scale, decimals) for limit in limits]
    between = [f"{low}–{high}" for low, high in itertools.pairwise(at)]
    return [f"<{at[0]}", *between, f"≥{at[-1]}"]


def calendar(chart: CompletenessCalendar) -> tuple[float, list[str]]:
    """Height and parts: per cent in each cell, or the letter of what happened."""
    grid = _Grid(chart.rows, chart.days)
    parts = grid.heads()
    for row, values in enumerate(chart.values):
        marks = chart.marks[row] if chart.marks else ()
        for column, value in enumerate(values):
            mark = marks[column] if column < len(marks) else ""
            parts.append(_day(grid, row, column, value, chart.least, mark))
    y = grid.bottom + 24
    return y + 12, [*parts, *_calendar_legend(chart, y)]


def _day(grid: "_Grid", row: int, column: int, value: float | None, least: float, mark: str) -> str:
    if not value:
        return grid.missing(row, column)
    words = "✓" if value >= _FULL else write_number(value * 100)
    ground, ink = (_GOOD, "#006b59") if value >= least else (_GAPPY, svg.INK)
    if value < least / 2:
        ground, ink = _BAD, svg.PAPER
    return grid.cell(row, column, mark or words, ground, ink, svg.BLUE if mark else "")


def _calendar_legend(chart: CompletenessCalendar, y: float) -> list[str]:
    least = write_number(chart.least * 100)
    half = write_number(chart.least * 50)
    entries = [
        (_GOOD, "", f"✓ 或 ≥{least}% 可用"),
        (_GAPPY, "", f"{half}–{least}% 缺数较多，不出指标"),
        (_BAD, "", f"<{half}%"),
    ]
    x, parts = 8.0, []
    for ground, edge, words in entries:
        parts.append(svg.rect(x, y - 10, 20, 12, ground, edge))
        parts.append(svg.text(x + _LEGEND_STEP, y, words, fill=svg.SOFT))
        x += _LEGEND_STEP + svg.width_of(words) + 16
    parts.append(svg.hatch(x, y - 10, 20, 12))
    parts.append(svg.text(x + _LEGEND_STEP, y, "没有数据", fill=svg.SOFT))
    x += 92
    if any(mark for row in chart.marks for mark in row):
        parts.append(svg.rect(x, y - 10, 20, 12, svg.PAPER, svg.BLUE))
        parts.append(svg.text(x + _LEGEND_STEP, y, "蓝框：当天校准或停用", fill=svg.SOFT))
    return parts


class _Grid:
    """Cells with heads at the left and above; a head is left out where it would touch the last."""

    def __init__(self, rows: Sequence[str], columns: Sequence[str]) -> None:
        self.rows, self.columns = rows, columns
        widest = max((svg.width_of(row) for row in rows), default=0)
        self.left = min(widest, _LABEL_MOST) + 16
        self.step = (svg.WIDE - self.left - _PAD) / max(len(columns), 1)
        self.bottom = _HEAD + len(rows) * _ROW

    def heads(self) -> list[str]:
        parts = [
            svg.text(self.left - 8, self._y(number) + _ROW * 0.68, row, "end")
            for number, row in enumerate(self.rows)
        ]
        free_from = 0.0
        for number, column in enumerate(self.columns):
            middle = self.left + (number + 0.5) * self.step
            half = svg.width_of(column, _CELL_SIZE) / 2
            if middle - half >= free_from:
                parts.append(svg.text(middle, 14, column, "middle", svg.SOFT, _CELL_SIZE))
                free_from = middle + half + 6
        return parts

    def _y(self, row: int) -> float:
        return _HEAD + row * _ROW

    def cell(self, row: int, column: int, words: str, ground: str, ink: str, edge: str = "") -> str:
        x, y = self.left + column * self.step, self._y(row)
        box = svg.rect(x, y, self.step - _GAP, _ROW - _GAP, ground, edge, 2)
        size = min(_CELL_SIZE, (self.step - 3) / max(svg.width_of(words, 1), 0.1))
        if size < _LEAST_SIZE:
            return box
        middle = x + (self.step - _GAP) / 2
        return box + svg.text(middle, y + _ROW * 0.66, words, "middle", ink, size)

    def missing(self, row: int, column: int) -> str:
        x, y = self.left + column * self.step, self._y(row)
        return svg.hatch(x, y, self.step - _GAP, _ROW - _GAP)
