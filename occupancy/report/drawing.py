"""A chart of the report as SVG: the one picture that every face shows."""

from occupancy.report import draw_bands, draw_bars, draw_grid, draw_lines, draw_map, svg
from occupancy.report.document import Chart
from occupancy.report.picture import (
    CompletenessCalendar,
    CumulativeFlow,
    DurationCurves,
    EffectSeries,
    HeatMap,
    IndicatorBands,
    IntervalBars,
    LotMap,
    Picture,
    StayHistogram,
)


def draw(chart: Chart) -> str:
    """SVG, complete in itself; its title and description say what it shows."""
    width = svg.WIDE if is_wide(chart) else svg.HALF
    height, parts = _draw(chart.picture, width)
    return svg.picture(width, height, chart.title, chart.alt, parts)


def is_wide(chart: Chart) -> bool:
    """Cells, maps and bands need the whole width whatever was asked."""
    needs_room = isinstance(chart.picture, HeatMap | CompletenessCalendar | IndicatorBands)
    return chart.is_wide or needs_room


def _draw(picture: Picture, width: float) -> tuple[float, list[str]]:  # noqa: PLR0911 -- one line a kind
    match picture:
        case HeatMap():
            return draw_grid.heat_map(picture)
        case CompletenessCalendar():
            return draw_grid.calendar(picture)
        case DurationCurves():
            return draw_lines.duration_curves(picture, width)
        case CumulativeFlow():
            return draw_lines.cumulative_flow(picture, width)
        case EffectSeries():
            return draw_lines.effect_series(picture, width)
        case IntervalBars():
            return draw_bars.interval_bars(picture, width)
        case StayHistogram():
            return draw_bars.stay_histogram(picture, width)
        case LotMap():
            return draw_map.lot_map(picture, width)
        case IndicatorBands():
            return draw_bands.indicator_bands(picture, width)
