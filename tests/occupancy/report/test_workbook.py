from pathlib import Path

import msgspec
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from occupancy.export_cells import csv_lines
from occupancy.report import figure_rows, quarters
from occupancy.report.document import Chart, Report
from occupancy.report.picture_rows import table_of
from occupancy.report.sections import charts_of, find_table
from occupancy.report.workbook import write_workbook
from occupancy.rollup import Window
from tests.report_builder import OCTOBER, sample_report

START_MS = OCTOBER.start_ms
RAW = {
    "kangle": [
        Window(
            "kangle",
            START_MS,
            15,
            900_000,
            900_000,
            0,
            0,
            60 * 900_000,
            120 * 900_000,
            180 * 900_000,
            61,
            4,
            3,
        ),
        Window("kangle", START_MS + 900_000, 15),
    ]
}


def sheet(path: Path, name: str) -> Worksheet:
    found = load_workbook(path)[name]
    assert isinstance(found, Worksheet)
    return found


def test_a_sheet_a_section_the_formulas_and_the_raw_quarters(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    report = sample_report()
    write_workbook(path, report, RAW)
    names = load_workbook(path).sheetnames
    assert names[0] == "概要"
    assert names[1:13] == [f"{one.number} {one.title}" for one in report.sections]
    assert names[13:] == ["公式", "15分钟"]
    formulas = [row[1] for row in sheet(path, "公式").iter_rows(values_only=True)]
    assert "停车拥堵指数" in formulas


def test_numbers_are_numbers_and_equal_the_document(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    report = msgspec.json.decode(msgspec.json.encode(sample_report()), type=Report)
    write_workbook(path, report, RAW)
    table = find_table(report, "prices")
    assert table is not None
    told = {row[0]: row for row in sheet(path, "9 价格与时长").iter_rows(values_only=True)}
    for name, fen, share, stays, _ in table.rows:
        assert isinstance(fen, int)
        cells = told[name]
        assert cells[1] == fen / 100
        assert cells[2] == share
        assert cells[3] == stays
    heat = list(sheet(path, "3 何时何地拥堵").iter_rows(values_only=True))
    assert any(row[0] == "火车站 周末" and row[4] is None and row[1] is not None for row in heat)


def test_a_quarter_without_data_is_empty_and_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, sample_report(), quarters.unpack(quarters.pack(RAW)))
    rows = list(sheet(path, "15分钟").iter_rows(values_only=True))
    assert rows[1][0] == "康乐路"
    assert rows[1][3:9] == (60, 120, 180, 0.3333, 4, 3)
    assert rows[2][3:10] == (None,) * 7
    assert rows[2][10] == 0


def test_every_figure_is_a_row_of_the_csv() -> None:
    report = sample_report()
    text = csv_lines(figure_rows.COLUMNS, figure_rows.figure_rows(report))
    assert "停车拥堵指数（0—10）,pci,4.6" in text
    assert "建设计划没有录入" in text
    cells = sum(len(row) - 1 for chart in charts_of(report) for row in table_of(chart).rows)
    assert text.count("\r\n") > cells / 2


def test_the_numbers_behind_a_picture_are_a_table() -> None:
    for chart in charts_of(sample_report()):
        assert isinstance(chart, Chart)
        table = table_of(chart)
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
