"""Writes any list of typed columns as CSV, streamed, or as XLSX through a temporary file."""

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from occupancy.export_cells import (
    EXACT_INTEGER,
    Column,
    Kind,
    Row,
    Value,
    cell_text,
    csv_heading,
    csv_lines,
    day_number,
    is_formula_like,
    require_fit,
)

BOM = b"\xef\xbb\xbf"
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_AT_ONCE = 1_000
MOST_XLSX_ROWS = 1_048_575
_FORMATS = {
    Kind.MOMENT: "yyyy-mm-dd hh:mm:ss",
    Kind.DATE: "yyyy-mm-dd",
    Kind.YUAN: "0.00",
    Kind.PERCENT: "0.0%",
}
_WIDTHS = {Kind.MOMENT: 20, Kind.DATE: 12, Kind.TEXT: 18}
_WIDTH = 11
_FEN = 100


class TooManyRowsError(Exception):
    """More rows than a sheet holds; CSV holds any number."""


async def every(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """Rows that are there already, for what reads them as they come."""
    for row in rows:
        yield row


async def write_csv(columns: Sequence[Column], rows: AsyncIterable[Row]) -> AsyncIterator[bytes]:
    """UTF-8 with its mark, so that Excel reads Chinese; some rows at a time. Raises BadRowError."""
    yield BOM + csv_heading(columns).encode()
    async for some in _batches(columns, rows):
        yield csv_lines(columns, some).encode()


@asynccontextmanager
async def xlsx_file(
    sheet: str, columns: Sequence[Column], rows: AsyncIterable[Row]
) -> AsyncIterator[Path]:
    """A workbook on disk until the block ends. Raises BadRowError, TooManyRowsError."""
    with tempfile.TemporaryDirectory(prefix="zhibo-export-") as folder:
        path = Path(folder) / "export.xlsx"
        await write_xlsx(path, sheet, columns, rows)
        yield path


async def write_xlsx(
    path: Path, sheet: str, columns: Sequence[Column], rows: AsyncIterable[Row]
) -> None:
    """Rows go to disk as they come, on a thread: the event loop goes on meanwhile."""
    book = _Book(path, sheet, columns)
    try:
        async for some in _batches(columns, rows):
            await asyncio.to_thread(book.write, some)
        await asyncio.to_thread(book.close)
    finally:
        book.let_go()


async def _batches(columns: Sequence[Column], rows: AsyncIterable[Row]) -> AsyncIterator[list[Row]]:
    some: list[Row] = []
    number = 0
    async for row in rows:
        number += 1
        require_fit(columns, row, number)
        some.append(row)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def open_workbook(path: Path) -> Workbook:
    """A workbook whose rows go to disk as they come: each sheet is filled from the top."""
    return Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})


class Cells:
    """How values become cells of a workbook: numbers as numbers, text never as a formula."""

    def __init__(self, book: Workbook) -> None:
        self._formats = {
            kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()
        }
        # The mark that keeps it text when somebody edits the cell.
        self._quoted = book.add_format({"quote_prefix": True})

    def put(self, sheet: Worksheet, row: int, place: int, kind: Kind, value: Value) -> None:
        """A cell; None leaves it empty."""
        if value is None:
            return
        if kind is Kind.DATE:
            form = self._formats[kind]
            sheet.write_datetime(row, place, date.fromisoformat(str(value)), form)
        elif isinstance(value, str):
            quoted = self._quoted if is_formula_like(value) else None
            sheet.write_string(row, place, cell_text(value), quoted)
        elif kind in self._formats:
            sheet.write_number(row, place, _number(kind, value), self._formats[kind])
        elif abs(value) > EXACT_INTEGER:
            sheet.write_string(row, place, str(value))
        else:
            sheet.write_number(row, place, value)


class _Book:
    """One sheet with a heading that stays, filled from the top."""

    def __init__(self, path: Path, sheet: str, columns: Sequence[Column]) -> None:
        self._book = open_workbook(path)
        self._sheet = self._book.add_worksheet(sheet)
        self._cells = Cells(self._book)
        self._kinds = list(enumerate(column.kind for column in columns))
        self._next = 1
        heading = self._book.add_format({"bold": True, "bottom": 1})
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, _width(column))
            self._sheet.write_string(0, place, column.heading, heading)
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Sequence[Row]) -> None:
        if self._next + len(rows) > MOST_XLSX_ROWS + 1:
            raise TooManyRowsError(f"XLSX 最多 {MOST_XLSX_ROWS} 行，请缩小范围或导出 CSV")
        put, sheet = self._cells.put, self._sheet
        for row in rows:
            for (place, kind), value in zip(self._kinds, row, strict=True):
                put(sheet, self._next, place, kind, value)
            self._next += 1

    def close(self) -> None:
        if self._next > 1:
            self._sheet.autofilter(0, 0, self._next - 1, len(self._kinds) - 1)
        self._book.close()

    def let_go(self) -> None:
        """Close the rows' own file, which a workbook that was not finished leaves open."""
        self._sheet._opt_close()  # noqa: SLF001 -- it has no other way


def _number(kind: Kind, value: float) -> float:
    """As a spreadsheet counts it: days for moments, yuan for fen."""
    if kind is Kind.MOMENT:
        return day_number(int(value))
    return value / _FEN if kind is Kind.YUAN else value


def _width(column: Column) -> int:
    """About what the heading takes; a Chinese character is two wide."""
    return max(2 * len(column.heading) + 1, _WIDTHS.get(column.kind, _WIDTH))
