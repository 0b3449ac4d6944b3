import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.report import svg
from occupancy.report.document import Chart
from occupancy.report.drawing import draw
from occupancy.report.picture import (
    Band,
    CompletenessCalendar,
    CumulativeFlow,
    DurationCurves,
    EffectSeries,
    HeatMap,
    IndicatorBands,
    IndicatorRow,
    IntervalBars,
    Line,
    LotMap,
    Picture,
    StayHistogram,
)
from occupancy.report.png import png
from tests.report_builder import sample_report

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = [
    block
    for section in sample_report().sections
    for block in section.blocks
    if isinstance(block, Chart)
]
NOTHING: list[Picture] = [
    HeatMap((), (), ()),
    HeatMap(("0时",), ("康乐路",), ((None,),)),
    DurationCurves(()),
    DurationCurves((Line("康乐路", (0.0, 1.0), (None, None)),)),
    CumulativeFlow((0.0, 24.0), (None, None), (None, None), 12.0, "满"),
    IntervalBars((), "辆"),
    EffectSeries((), (), (), ()),
    StayHistogram((0.0, 15.0), (None,)),
    CompletenessCalendar((), (), ()),
    LotMap(()),
    IndicatorBands((IndicatorRow("指数", None, "—", (Band("畅通", 0, 2),)),)),
]


def texts(drawn: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(drawn).iter(f"{SVG}text")]  # noqa: S314  # ours


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_picture_is_one_document_that_says_what_it_shows(chart: Chart) -> None:
    drawn = draw(chart)
    root = ET.fromstring(drawn)  # noqa: S314  # ours
    assert root.findtext(f"{SVG}title") == chart.title
    assert root.findtext(f"{SVG}desc") == chart.alt
    assert root.get("role") == "img"
    assert "Noto Sans CJK SC" in root.get("font-family", "")
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert "style" not in drawn


@pytest.mark.parametrize("picture", NOTHING, ids=lambda picture: type(picture).__name__)
def test_a_picture_of_nothing_is_a_picture(picture: Picture) -> None:
    chart = Chart("nothing", "没有数据", picture, "没有数据", "没有数据")
    for one in (chart, replace(chart, is_wide=False)):
        assert ET.fromstring(draw(one)).tag == f"{SVG}svg"  # noqa: S314  # ours


def test_every_cell_of_a_heat_map_has_its_value_and_a_missing_one_is_hatched() -> None:
    heat = HeatMap(("8时", "9时"), ("康乐路",), ((0.424, None),))
    drawn = draw(Chart("heat", "占有率", heat, "", ""))
    assert "42" in texts(drawn)
    assert "0" not in texts(drawn)
    # One hatch in the cell, one in the legend.
    assert drawn.count("<path") == 2
    assert "缺数" in texts(drawn)


def test_lines_differ_by_dash_and_not_only_by_colour() -> None:
    dashes = [dash for _, dash in svg.STROKES]
    assert len(set(dashes)) == len(dashes)


def test_a_hole_in_a_line_stays_a_hole() -> None:
    line = Line("康乐路", (0.0, 0.25, 0.5, 0.75, 1.0), (1.0, 0.9, None, 0.5, 0.4))
    drawn = draw(Chart("curve", "持续曲线", DurationCurves((line,)), "", ""))
    assert drawn.count('fill="none"') == 2


def test_marks_of_tariff_steps_do_not_touch() -> None:
    steps = tuple((float(minute), f"{minute} 元") for minute in range(30, 60, 4))
    chart = StayHistogram((0.0, 60.0, 360.0), (4, 9), steps)
    drawn = ET.fromstring(draw(Chart("stays", "时长", chart, "", "")))  # noqa: S314  # ours
    placed = sorted(
        (float(one.get("y", "")), float(one.get("x", "")))
        for one in drawn.iter(f"{SVG}text")
        if (one.text or "").endswith("元")
    )
    in_a_row = [(a, b) for a, b in pairwise(placed) if a[0] == b[0]]
    assert in_a_row
    assert all(b[1] - a[1] >= 25 for a, b in in_a_row)


def test_a_picture_is_a_png_with_chinese_in_it() -> None:
    with_words, without = (
        png(draw(Chart("map", "图", LotMap((), legend=legend), "", "")))
        for legend in ("占有率", "   ")
    )
    assert with_words.startswith(b"\x89PNG")
    assert with_words != without


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_even_and_hold_what_they_measure(low: float, span: float) -> None:
    marks = svg.ticks(low, low + span)
    steps = [b - a for a, b in pairwise(marks)]
    assert marks[0] <= low + span * 1e-6
    assert marks[-1] >= low + span * (1 - 1e-6)
    assert len(marks) <= 13
    assert max(steps) - min(steps) <= 1e-6 * max(1.0, *map(abs, marks))


@given(st.floats(1, 400), st.floats(1, 400), st.floats(2, 20))
def test_a_hatch_stays_inside_its_rectangle(width: float, height: float, step: float) -> None:
    lines = svg.hatch(0, 0, width, height, step).split('d="')[1].split('"')[0]
    points = [part.split(" ") for part in lines.replace("M", "L").split("L") if part]
    for x, y in points:
        assert -0.06 <= float(x) <= width + 0.06
        assert -0.06 <= float(y) <= height + 0.06
