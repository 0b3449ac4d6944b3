"""Writes a report into a folder: HTML, PDF, XLSX, CSV, JSON, and every picture as SVG and PNG."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from occupancy.export import BOM
from occupancy.export_cells import Column, Row, csv_heading, csv_lines
from occupancy.report import figure_rows, quarters
from occupancy.report.document import Chart
from occupancy.report.drawing import draw
from occupancy.report.paper import whole
from occupancy.report.pdf import pdf
from occupancy.report.png import png
from occupancy.report.press import Made
from occupancy.report.sections import charts_of, tables_of
from occupancy.report.table_files import export_columns, export_rows
from occupancy.report.workbook import write_workbook


class BadFolderError(Exception):
    """Nothing can be written there; the message names the folder and the reason."""


def write_folder(folder: Path, made: Made, say: Callable[[str], None]) -> None:
    """Everything but the PDF, then the PDF. Raises BadFolderError, NoPdfError."""
    try:
        for path in (folder, folder / "charts", folder / "tables"):
            path.mkdir(parents=True, exist_ok=True)
        _write(folder, made, say)
    except OSError as trouble:
        raise BadFolderError(f"{folder}: {trouble.strerror or trouble}") from None
    _put(folder / "report.pdf", pdf(made.report), say)


def _write(folder: Path, made: Made, say: Callable[[str], None]) -> None:
    report = made.report
    _put(folder / "report.json", msgspec.json.encode(report), say)
    _put(folder / "report.html", whole(report, _picture_beside).encode(), say)
    _put(folder / "report.csv", _csv(figure_rows.COLUMNS, figure_rows.figure_rows(report)), say)
    names = {lot.lot_id: lot.name for lot in report.lots}
    rows = quarters.rows_of(made.raw, names)
    _put(folder / "quarters.csv", _csv(quarters.COLUMNS, rows), say)
    for table in tables_of(report):
        body = _csv(export_columns(table), export_rows(table))
        _put(folder / "tables" / f"{table.name}.csv", body, say)
    for chart in charts_of(report):
        svg = draw(chart)
        _put(folder / "charts" / f"{chart.name}.svg", svg.encode(), say)
        _put(folder / "charts" / f"{chart.name}.png", png(svg), say)
    write_workbook(folder / "report.xlsx", report, made.raw)
    say(str(folder / "report.xlsx"))


def _picture_beside(chart: Chart) -> str:
    return f"charts/{chart.name}.svg"


def _csv(columns: Sequence[Column], rows: Iterable[Row]) -> bytes:
    return BOM + f"{csv_heading(columns)}{csv_lines(columns, rows)}".encode()


def _put(path: Path, body: bytes, say: Callable[[str], None]) -> None:
    path.write_bytes(body)
    say(str(path))
