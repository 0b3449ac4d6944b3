"""The numbers behind a picture as a table: for the sheet, and for whoever cannot see it."""

from collections.abc import Sequence

from occupancy.report.document import Cell, Chart, Column, Kind, Table
from occupancy.report.picture import (
    Band,
    CompletenessCalendar,
    CumulativeFlow,
    DurationCurves,
    EffectSeries,
    HeatMap,
    IndicatorBands,
    IntervalBars,
    Line,
    LotMap,
    Picture,
    StayHistogram,
    Values,
)

_EXACT = 6
Rows = tuple[tuple[Cell, ...], ...]


def table_of(chart: Chart) -> Table:
    columns, rows = _told(chart.picture)
    return Table(chart.name, chart.title, columns, rows, chart.reading)


def _told(picture: Picture) -> tuple[tuple[Column, ...], Rows]:  # noqa: PLR0911 -- one line a kind
    match picture:
        case HeatMap(columns=columns, rows=rows, values=values):
            return _grid(columns, rows, values)
        case CompletenessCalendar(days=days, rows=rows, values=values):
            return _grid(days, rows, values)
        case DurationCurves(lines=lines):
            return _lines(lines, "时间比例")
        case CumulativeFlow():
            return _flow(picture)
        case EffectSeries(lines=lines, counterfactual=counterfactual):
            return _lines((*lines, *counterfactual), "第几天")
        case IntervalBars():
            return _bars(picture)
        case StayHistogram():
            return _stays(picture)
        case LotMap():
            return _places(picture)
        case IndicatorBands():
            return _indicators(picture)


def _figure(title: str, unit: str = "", decimals: int = _EXACT) -> Column:
    return Column(title, Kind.NUMBER, unit, decimals)


def _grid(
    columns: Sequence[str], rows: Sequence[str], values: Sequence[Values]
) -> tuple[tuple[Column, ...], Rows]:
    heads = (Column("行"), *(_figure(column) for column in columns))
    return heads, tuple((row, *told) for row, told in zip(rows, values, strict=True))


def _lines(lines: Sequence[Line], along: str) -> tuple[tuple[Column, ...], Rows]:
    """A row a point: lines need not have their points at the same places."""
    heads = (Column("系列"), _figure(along), _figure("值"), _figure("下限"), _figure("上限"))
    rows = tuple(
        (line.name, x, y, _at(line.low, place), _at(line.high, place))
        for line in lines
        for place, (x, y) in enumerate(zip(line.x, line.y, strict=True))
    )
    return heads, rows


def _at(values: Values, place: int) -> float | None:
    return values[place] if place < len(values) else None


def _flow(flow: CumulativeFlow) -> tuple[tuple[Column, ...], Rows]:
    heads = (_figure("小时"), _figure("累计进场", "辆"), _figure("累计离场", "辆"))
    return heads, tuple(zip(flow.hours, flow.entered, flow.left, strict=True))


def _bars(chart: IntervalBars) -> tuple[tuple[Column, ...], Rows]:
    unit = chart.unit
    ends = (_figure("下限", unit), _figure("上限", unit))
    heads = (Column("名称"), _figure("值", unit), *ends, Column("说明"))
    return heads, tuple((bar.name, bar.value, bar.low, bar.high, bar.note) for bar in chart.bars)


def _stays(chart: StayHistogram) -> tuple[tuple[Column, ...], Rows]:
    edges = chart.edges_minutes
    heads = (_figure("从", "分钟"), _figure("到", "分钟"), _figure("停放", chart.unit))
    return heads, tuple(zip(edges[:-1], edges[1:], chart.counts, strict=True))


def _places(chart: LotMap) -> tuple[tuple[Column, ...], Rows]:
    heads = (Column("车场"), Column(chart.legend, Kind.SHARE, decimals=1), Column("说明"))
    places = tuple((place.name, place.value, place.words) for place in chart.places)
    moves = tuple(
        (f"{chart.places[one.start].name} → {chart.places[one.end].name}", None, one.words)
        for one in chart.arrows
    )
    return heads, (*places, *moves)


def _indicators(chart: IndicatorBands) -> tuple[tuple[Column, ...], Rows]:
    heads = (
        Column("指标"),
        _figure("本期"),
        *(_figure(title) for title in ("上期", "去年同期", "目标")),
        Column("所在分级"),
    )
    rows = tuple(
        (
            row.name,
            row.value,
            row.previous,
            row.year_before,
            row.target,
            _band(row.value, row.bands),
        )
        for row in chart.rows
    )
    return heads, rows


def _band(value: float | None, bands: Sequence[Band]) -> str:
    if value is None:
        return ""
    return next((one.name for one in bands if one.low <= value < one.high), "")
