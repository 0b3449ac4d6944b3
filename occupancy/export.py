"""Writes any list of typed columns as CSV, streamed, or as XLSX through a temporary file."""

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from xlsxwriter import Workbook

from occupancy.export_cells import (
    EXACT_INTEGER,
    Column,
    Kind,
    Row,
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


class _Book:
    """One sheet with a heading that stays, filled from the top."""

    def __init__(self, path: Path, sheet: str, columns: Sequence[Column]) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = Workbook(str(path), options)
        self._sheet = self._book.add_worksheet(sheet)
        formats = {
            kind: self._book.add_format({"num_format": form}) for kind, form in _FORMATS.items()
        }
        self._places = [
            (place, column.kind, formats.get(column.kind)) for place, column in enumerate(columns)
        ]
        # The mark that keeps it text when somebody edits the cell.
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._next = 1
        heading = self._book.add_format({"bold": True, "bottom": 1})
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, _width(column))
            self._sheet.write_string(0, place, column.heading, heading)
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Sequence[Row]) -> None:
        if self._next + len(rows) > MOST_XLSX_ROWS + 1:
            raise TooManyRowsError(f"XLSX 最多 {MOST_XLSX_ROWS} 行，请缩小范围或导出 CSV")
        for row in rows:
            for (place, kind, form), value in zip(self._places, row, strict=True):
                if value is None:
                    continue
                if isinstance(value, str) or kind is Kind.NUMBER:
                    self._write(place, kind, value, form)
                else:
                    self._sheet.write_number(self._next, place, _number(kind, value), form)
            self._next += 1

    def close(self) -> None:
        if self._next > 1:
            self._sheet.autofilter(0, 0, self._next - 1, len(self._places) - 1)
        self._book.close()

    def let_go(self) -> None:
        """Close the rows' own file, which a workbook that was not finished leaves open."""
        self._sheet._opt_close()  # noqa: SLF001 -- it has no other way

    def _write(self, place: int, kind: Kind, value: str | float, form: object) -> None:
        """Text, a date, or a number as it is."""
        if kind is Kind.DATE:
            self._sheet.write_datetime(self._next, place, date.fromisoformat(str(value)), form)
        elif isinstance(value, str):
            quoted = self._quoted if is_formula_like(value) else None
            self._sheet.write_string(self._next, place, cell_text(value), quoted)
        elif abs(value) > EXACT_INTEGER:
            self._sheet.write_string(self._next, place, str(value))
        else:
            self._sheet.write_number(self._next, place, value)


def _number(kind: Kind, value: float) -> float:
    """As a spreadsheet counts it: days for moments, yuan for fen."""
    if kind is Kind.MOMENT:
        return day_number(int(value))
    return value / _FEN if kind is Kind.YUAN else value


def _width(column: Column) -> int:
    """About what the heading takes; a Chinese character is two wide."""
    return max(2 * len(column.heading) + 1, _WIDTHS.get(column.kind, _WIDTH))
