"""Cells of an exported list: typed columns, numbers as numbers, no text that becomes a formula."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
EXACT_INTEGER = 2**53  # beyond it a spreadsheet rounds
LONGEST_CELL = 32_767  # of a spreadsheet
_FEN = 100
_SHANGHAI_SECONDS, _DAY_SECONDS, _EPOCH_DAY = 28_800, 86_400, 25_569
_DATE = re.compile(r"\d{4}-[01]\d-[0-3]\d")
# What spreadsheets take for the beginning of a formula; the wide ones, too, where input is Chinese.
_FORMULA_MARKS = tuple("=+-@\t\r\n＝＋－＠")

Value = str | int | float | None
Row = Sequence[Value]


class Kind(StrEnum):
    """What the values of a column are; None is an empty cell in each."""

    TEXT = "text"
    NUMBER = "number"  # finite
    MOMENT = "moment"  # UTC milliseconds, shown as clocks in Asia/Shanghai show them
    DATE = "date"  # 2026-10-01
    YUAN = "yuan"  # fen, shown in yuan
    PERCENT = "percent"  # a share: 0.5 is 50 %


class Column(msgspec.Struct, frozen=True):
    """One column: its heading and what its values are."""

    title: str
    kind: Kind = Kind.TEXT

    @property
    def heading(self) -> str:
        return f"{self.title}（北京时间）" if self.kind is Kind.MOMENT else self.title


class BadRowError(Exception):
    """A row does not fit its columns; names the row and the column."""


def local_time(ms: int) -> dt.datetime:
    """As clocks in Shanghai show it, to the second, without a zone: spreadsheets know none."""
    return dt.datetime.fromtimestamp(ms // 1_000, tz=SHANGHAI).replace(tzinfo=None)


def day_number(ms: int) -> float:
    """The same as spreadsheets count it: days since the end of 1899."""
    return (ms // 1_000 + _SHANGHAI_SECONDS) / _DAY_SECONDS + _EPOCH_DAY


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet could take it for a formula, blanks before it or not."""
    return text.lstrip(" \u3000\u00a0").startswith(_FORMULA_MARKS)


def csv_lines(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """RFC 4180 lines."""
    return "".join(f"{','.join(_csv_cells(columns, row))}\r\n" for row in rows)


def csv_heading(columns: Sequence[Column]) -> str:
    return f"{','.join(_csv_text(one.heading) for one in columns)}\r\n"


def require_fit(columns: Sequence[Column], row: Row, number: int) -> None:
    """Raises BadRowError for a row of another length or a value of another kind."""
    if len(row) != len(columns):
        raise BadRowError(f"row {number} has {len(row)} cells, {len(columns)} columns are told")
    for column, value in zip(columns, row, strict=True):
        if value is not None and not _fits(column.kind, value):
            raise BadRowError(f"row {number}, {column.title}: {value!r} is no {column.kind.value}")


def _fits(kind: Kind, value: str | float) -> bool:
    if kind is Kind.TEXT:
        return isinstance(value, str)
    if kind is Kind.DATE:
        return isinstance(value, str) and _DATE.fullmatch(value) is not None
    if isinstance(value, str | bool):
        return False
    return isinstance(value, int) if kind in (Kind.MOMENT, Kind.YUAN) else math.isfinite(value)


def _csv_cells(columns: Sequence[Column], row: Row) -> Iterable[str]:
    for column, value in zip(columns, row, strict=True):
        yield "" if value is None else _csv_cell(column.kind, value)


def _csv_cell(kind: Kind, value: str | float) -> str:
    if isinstance(value, str):
        return _csv_text(value)
    if kind is Kind.MOMENT:
        return str(local_time(int(value)))
    if kind is Kind.YUAN:
        return f"{value / _FEN:.2f}"
    return str(value)


def _csv_text(text: str) -> str:
    """A quotation mark before what looks like a formula keeps it text."""
    safe = f"'{text}" if is_formula_like(text) else text
    quoted = safe.replace('"', '""')
    return f'"{quoted}"' if quoted != safe or any(mark in safe for mark in ",\r\n'") else safe


def cell_text(text: str) -> str:
    """What fits one cell of a spreadsheet; says how much is left out and where it stands."""
    if len(text) <= LONGEST_CELL:
        return text
    kept = LONGEST_CELL - 40
    return f"{text[:kept]}…（余下 {len(text) - kept} 字见 CSV）"
