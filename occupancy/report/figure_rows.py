"""Every figure of a report in long form, a row each: what programs read as CSV."""

from collections.abc import Iterator

from occupancy.export_cells import Column, Row
from occupancy.report.document import Cell, Chart, Findings, Kind, Missing, Report, Section, Table
from occupancy.report.picture_rows import table_of

COLUMNS = tuple(Column(title) for title in ("节", "内容", "行", "列", "值", "单位", "说明"))
_UNITS = {Kind.SHARE: "0—1", Kind.FEN: "分", Kind.MOMENT: "毫秒 UTC"}


def figure_rows(report: Report) -> Iterator[Row]:
    """Values as they are, not as they are shown: shares 0 to 1, money in fen."""
    for kpi in report.kpis:
        unit = kpi.unit or _UNITS.get(kpi.kind, "")
        yield ("", "要点", kpi.name, kpi.code, _plain(kpi.value), unit, kpi.missing or kpi.compared)
    for section in report.sections:
        yield from _section_rows(section)


def _section_rows(section: Section) -> Iterator[Row]:
    number = str(section.number)
    for block in section.blocks:
        match block:
            case Table():
                yield from _table_rows(number, block)
            case Chart():
                yield from _table_rows(number, table_of(block))
            case Missing():
                yield (number, "没有数据", "", "", "", "", block.reason)
            case Findings():
                for one in block.findings:
                    ends = (one.low, one.effect, one.high)
                    for name, value in zip(("下限", "预计效果", "上限"), ends, strict=True):
                        yield (number, one.action, one.rule, name, _plain(value), one.unit, "")
            case _:
                pass


def _table_rows(number: str, table: Table) -> Iterator[Row]:
    heads = table.columns
    has_name = bool(heads) and heads[0].kind is Kind.TEXT
    for place, row in enumerate(table.rows, 1):
        name = str(row[0]) if has_name else str(place)
        for column, value in list(zip(heads, row, strict=True))[has_name:]:
            unit = column.unit or _UNITS.get(column.kind, "")
            yield (number, table.title, name, column.title, _plain(value), unit, "")


def _plain(value: Cell) -> str:
    return "" if value is None else str(value)
