"""How a number of the report is written: the same in sentences, tables, pictures and sheets."""

import datetime as dt

from occupancy.report.document import Cell, Column, Kind
from occupancy.rollup import SHANGHAI_MS

NOTHING = "—"
_FEN_A_YUAN = 100
_SHARE_DECIMALS = 1


def write_number(value: float | None, decimals: int = 0) -> str:
    """3.42, 1,024; a dash where there is none; no minus before a zero."""
    if value is None:
        return NOTHING
    written = f"{value:,.{decimals}f}"
    return written.removeprefix("-") if not written.strip("-0.,") else written


def write_share(share: float | None, decimals: int = _SHARE_DECIMALS) -> str:
    """0 to 1 as 91.8%."""
    return NOTHING if share is None else write_number(share * 100, decimals) + "%"


def write_fen(fen: float | None, decimals: int = 2) -> str:
    """Fen in yuan, without the sign of the currency."""
    return NOTHING if fen is None else write_number(fen / _FEN_A_YUAN, decimals)


def write_moment(at_ms: float | None) -> str:
    """UTC milliseconds as 2026-11-02 06:10 in Asia/Shanghai."""
    if at_ms is None:
        return NOTHING
    local = dt.datetime.fromtimestamp((at_ms + SHANGHAI_MS) // 1_000, tz=dt.UTC)
    return f"{local:%Y-%m-%d %H:%M}"


def write_figure(value: Cell, kind: Kind, decimals: int) -> str:
    """Raises TypeError where words stand in a column of numbers."""
    if value is None or value == "":
        return NOTHING
    if kind in (Kind.TEXT, Kind.DATE):
        return str(value)
    if isinstance(value, str):
        raise TypeError(f"{value!r} is no number")
    if kind is Kind.MOMENT:
        return write_moment(value)
    write = {Kind.NUMBER: write_number, Kind.SHARE: write_share, Kind.FEN: write_fen}[kind]
    return write(value, decimals)


def write_cell(cell: Cell, column: Column) -> str:
    return write_figure(cell, column.kind, column.decimals)
