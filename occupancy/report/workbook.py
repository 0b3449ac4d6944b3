"""The report as XLSX: a sheet a section, one with the formulas, one with the 15-minute figures."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxwriter import Workbook

from occupancy import export_cells
from occupancy.export import MOST_XLSX_ROWS, Cells, open_workbook
from occupancy.export_cells import Value
from occupancy.report import quarters
from occupancy.report.document import (
    Block,
    Chart,
    Column,
    Findings,
    Kind,
    Missing,
    Report,
    Section,
    Sentences,
    Table,
)
from occupancy.report.figures import write_moment
from occupancy.report.paper import confidence_word
from occupancy.report.picture_rows import table_of
from occupancy.report.quarters import Quarters
from occupancy.report.table_files import KINDS

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

_FIRST_WIDTH, _WIDTH = 26, 13
_LONGEST_NAME = 31  # of a sheet
_FINDING = tuple(
    Column(title)
    for title in (
        "建议",
        "依据",
        "预计效果",
        "下限",
        "上限",
        "单位",
        "把握",
        "费用",
        "责任",
        "规则",
    )
)
_KPI = (Column("指标"), Column("值", Kind.NUMBER), Column("单位"), Column("对比"), Column("说明"))


def write_workbook(path: Path, report: Report, raw: Quarters) -> None:
    book = open_workbook(path)
    writer = _Writer(book)
    _summary(writer, report)
    for section in report.sections:
        _section(writer, section)
    _formulas(writer, report)
    _raw(writer, report, raw)
    book.close()


class _Writer:
    """Sheets filled from the top, one after the other."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._cells = Cells(book)
        self._strong = book.add_format({"bold": True, "font_size": 14})
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._sheet: Worksheet | None = None
        self._next = 0

    def begin(self, name: str) -> None:
        self._sheet = self._book.add_worksheet(_sheet_name(name))
        self._sheet.set_column(0, 0, _FIRST_WIDTH)
        self._sheet.set_column(1, 40, _WIDTH)
        self._next = 0

    def title(self, words: str) -> None:
        self._text(0, words, self._strong)
        self._next += 1

    def words(self, words: str) -> None:
        self.row((export_cells.Kind.TEXT,), (words.replace("**", ""),))

    def blank(self) -> None:
        self._next += 1

    def heads(self, titles: Iterable[str]) -> None:
        for place, title in enumerate(titles):
            self._text(place, title, self._head)
        self._next += 1

    def row(self, kinds: Sequence[export_cells.Kind], values: Sequence[Value]) -> None:
        for place, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            known = None if value == "" else value
            self._cells.put(self._sheet, self._next, place, kind, known)
        self._next += 1

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> None:
        self.heads(f"{one.title}（{one.unit}）" if one.unit else one.title for one in columns)
        kinds = [KINDS[column.kind] for column in columns]
        for row in rows:
            self.row(kinds, row)

    @property
    def room(self) -> int:
        """Rows that still fit the sheet."""
        return MOST_XLSX_ROWS - self._next

    def _text(self, place: int, words: str, form: object) -> None:
        assert self._sheet is not None  # noqa: S101 -- begin() comes first
        self._sheet.write_string(self._next, place, export_cells.cell_text(words), form)


def _summary(writer: _Writer, report: Report) -> None:
    writer.begin("概要")
    writer.title(f"{report.title} {report.period.title}")
    version = f"第 {report.version} 版" if report.version else "草稿"
    made = write_moment(report.generated_at_ms)
    for words in (
        report.period.dates,
        f"{version}，生成于 {made}，方法版本 {report.method_version}",
        report.note,
        report.headline,
    ):
        if words:
            writer.words(words)
    writer.blank()
    writer.table(
        _KPI,
        ((one.name, one.value, one.unit, one.compared, one.missing) for one in report.kpis),
    )
    writer.blank()
    lots = (
        Column("车场"),
        Column("可用", Kind.NUMBER),
        Column("完整率", Kind.SHARE),
        Column("说明"),
    )
    writer.table(lots, ((one.name, one.usable, one.completeness, one.note) for one in report.lots))


def _section(writer: _Writer, section: Section) -> None:
    writer.begin(f"{section.number} {section.title}")
    writer.title(f"{section.number} {section.title}")
    writer.words(f"回答：{section.question}　用于决定：{section.decision}")
    for block in section.blocks:
        writer.blank()
        _block(writer, block)


def _block(writer: _Writer, block: Block) -> None:
    match block:
        case Sentences(sentences):
            for sentence in sentences:
                writer.words(sentence)
        case Missing(reason):
            writer.words(f"没有数据：{reason}")
        case Findings():
            _findings(writer, block)
        case Table():
            _table(writer, block)
        case Chart():
            _table(writer, table_of(block))


def _table(writer: _Writer, table: Table) -> None:
    writer.title(table.title)
    writer.table(table.columns, table.rows)
    if table.note:
        writer.words(table.note)


def _findings(writer: _Writer, block: Findings) -> None:
    if not block.findings:
        writer.words(block.nothing)
        return
    writer.heads(column.title for column in _FINDING)
    text, number = export_cells.Kind.TEXT, export_cells.Kind.NUMBER
    kinds = (text, text, text, number, number, text, text, text, text, text)
    for one in block.findings:
        sure = confidence_word(one.confidence)
        effect = (one.effect_words, one.low, one.high, one.unit, sure)
        writer.row(kinds, (one.action, one.evidence, *effect, one.cost, one.who, one.rule))


def _formulas(writer: _Writer, report: Report) -> None:
    writer.begin("公式")
    writer.title(f"方法版本 {report.method_version}")
    columns = tuple(Column(title) for title in ("编号", "名称", "算法", "单位", "来源"))
    rows = ((one.code, one.name, one.formula, one.unit, one.source) for one in report.formulas)
    writer.table(columns, rows)


def _raw(writer: _Writer, report: Report, raw: Quarters) -> None:
    """More quarters than a sheet holds are all in the CSV; the sheet says so."""
    writer.begin("15分钟")
    names = {lot.lot_id: lot.name for lot in report.lots}
    writer.heads(column.heading for column in quarters.COLUMNS)
    kinds = [column.kind for column in quarters.COLUMNS]
    for row in quarters.rows_of(raw, names):
        if writer.room <= 1:
            writer.words("其余各行见 CSV：一张表放不下")
            return
        writer.row(kinds, row)


def _sheet_name(words: str) -> str:
    """What Excel takes as the name of a sheet."""
    kept = "".join(" " if mark in "[]:*?/\\" else mark for mark in words)
    return kept[:_LONGEST_NAME].strip("' ")
