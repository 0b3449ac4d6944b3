"""What is exported is read back: by csv as a program would, by openpyxl as a spreadsheet would."""

import csv
import datetime as dt
import io
import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet.worksheet import Worksheet

from occupancy import export
from occupancy.export import BOM, TooManyRowsError, every, write_csv, xlsx_file
from occupancy.export_cells import (
    EXACT_INTEGER,
    LONGEST_CELL,
    BadRowError,
    Column,
    Kind,
    Row,
    csv_heading,
    csv_lines,
    day_number,
    is_formula_like,
    local_time,
)
from tests.builders import MORNING_MS

COLUMNS = (
    Column("停车场"),
    Column("余位", Kind.NUMBER),
    Column("时间", Kind.MOMENT),
    Column("日期", Kind.DATE),
    Column("金额", Kind.YUAN),
    Column("占比", Kind.PERCENT),
)
ROW: Row = ("康乐路", -5, MORNING_MS, "2026-11-02", 250, 0.125)
MORNING = dt.datetime.fromtimestamp(MORNING_MS / 1_000, tz=dt.UTC) + dt.timedelta(hours=8)
TRICKS = [
    "=1+1", "+86 757", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "　=1", "＝1+1", "－5",
    '=HYPERLINK("http://x","y")',
]  # fmt: skip
PLAIN = ["康乐路", "5=5", "a,b", 'say "x"', "two\nlines", "", "O'Neill", "1-2", "<b>x</b>"]


async def as_csv(columns: Sequence[Column], rows: Sequence[Row]) -> list[list[str]]:
    content = b"".join([part async for part in write_csv(columns, every(rows))])
    assert content.startswith(BOM)
    text = content.removeprefix(BOM).decode()
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


async def as_sheet(columns: Sequence[Column], rows: Sequence[Row]) -> Worksheet:
    async with xlsx_file("余位", columns, every(rows)) as path:
        sheet = load_workbook(path).active
    assert isinstance(sheet, Worksheet)
    assert not path.exists()
    return sheet


async def test_a_csv_has_headings_and_values_as_written_in_shanghai() -> None:
    heading, row, empty = await as_csv(COLUMNS, [ROW, [None] * 6])
    assert heading == ["停车场", "余位", "时间（北京时间）", "日期", "金额", "占比"]
    assert row == ["康乐路", "-5", f"{MORNING:%Y-%m-%d %H:%M:%S}", "2026-11-02", "2.50", "0.125"]
    assert empty == [""] * 6


async def test_a_sheet_has_numbers_dates_and_times_as_such() -> None:
    sheet = await as_sheet(COLUMNS, [ROW, [None] * 6])
    cells = {str(cell.value): cell for cell in sheet[2]}
    assert [cell.value for cell in sheet[2]] == [
        "康乐路", -5, MORNING.replace(tzinfo=None), dt.datetime(2026, 11, 2), 2.5, 0.125,  # noqa: DTZ001
    ]  # fmt: skip
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "d", "d", "n", "n"]
    assert cells["0.125"].number_format == "0.0%"
    assert [cell.value for cell in sheet[1]][2] == "时间（北京时间）"
    assert all(cell.value is None for cell in sheet[3])
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:F3")


@pytest.mark.parametrize("trick", TRICKS)
async def test_what_looks_like_a_formula_stays_text(trick: str) -> None:
    _, (told,) = await as_csv(COLUMNS[:1], [[trick]])
    assert told == f"'{trick}"
    cell = (await as_sheet(COLUMNS[:1], [[trick]]))["A2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert str(cell.value) == trick.replace("\r", "_x000D_") or cell.value == trick


@pytest.mark.parametrize("text", PLAIN)
async def test_other_text_is_read_back_as_it_was(text: str) -> None:
    _, (told, _) = await as_csv(COLUMNS[:2], [[text, 1]])
    assert told == text
    cell = (await as_sheet(COLUMNS[:1], [[text]]))["A2"]
    assert (cell.value or "", cell.quotePrefix) == (text, False)


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2))
def test_any_text_comes_back_from_a_csv_and_never_as_a_formula(cells: list[str]) -> None:
    columns = (Column("a"), Column("b"))
    text = csv_heading(columns) + csv_lines(columns, [cells])
    _, told = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [one.removeprefix("'") if is_formula_like(was) else one
            for one, was in zip(told, cells, strict=True)] == cells  # fmt: skip
    assert not any(is_formula_like(one) for one in told)


async def test_a_number_that_a_spreadsheet_would_round_is_text() -> None:
    column = (Column("序号", Kind.NUMBER),)
    sheet = await as_sheet(column, [[EXACT_INTEGER], [EXACT_INTEGER + 1]])
    assert sheet["A2"].value == EXACT_INTEGER
    assert sheet["A3"].value == str(EXACT_INTEGER + 1)


async def test_a_text_too_long_for_a_cell_says_how_much_is_missing() -> None:
    sheet = await as_sheet((Column("内容"),), [["字" * LONGEST_CELL], ["字" * (LONGEST_CELL + 60)]])
    assert sheet["A2"].value == "字" * LONGEST_CELL
    assert str(sheet["A3"].value).endswith("…（余下 100 字见 CSV）")


async def test_an_empty_list_is_a_heading() -> None:
    assert len(await as_csv(COLUMNS, [])) == 1
    assert (await as_sheet(COLUMNS, [])).max_row == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, 5),
        (Kind.NUMBER, "5"),
        (Kind.NUMBER, math.nan),
        (Kind.NUMBER, math.inf),
        (Kind.NUMBER, True),
        (Kind.MOMENT, 1.5),
        (Kind.YUAN, 1.5),
        (Kind.DATE, "tomorrow"),
        (Kind.DATE, 5),
    ],
)
async def test_a_value_of_another_kind_is_refused_with_row_and_column(
    kind: Kind, value: str | float
) -> None:
    columns = (Column("甲"), Column("乙", kind))
    rows: list[Row] = [["x", None], ["x", value]]
    with pytest.raises(BadRowError, match="row 2, 乙"):
        await as_csv(columns, rows)
    with pytest.raises(BadRowError, match="row 2, 乙"):
        await as_sheet(columns, rows)


async def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(BadRowError, match="row 1 has 1 cells, 6 columns"):
        await as_csv(COLUMNS, [["x"]])


async def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_XLSX_ROWS", 3)
    assert (await as_sheet(COLUMNS[:1], [["x"]] * 3)).max_row == 4
    with pytest.raises(TooManyRowsError, match="CSV"):
        await as_sheet(COLUMNS[:1], [["x"]] * 4)


async def test_a_large_list_is_streamed_row_by_row() -> None:
    taken = 0

    async def rows() -> AsyncIterator[Row]:
        nonlocal taken
        for number in range(5_000):
            taken += 1
            yield ["康乐路", number]

    parts = write_csv(COLUMNS[:2], rows())
    await anext(parts)
    await anext(parts)
    assert taken == export.ROWS_AT_ONCE
    assert b"".join([part async for part in parts]).count(b"\r\n") == 4_000


async def test_fifty_thousand_rows_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "month.xlsx"
    rows: list[Row] = [("康乐路", number) for number in range(50_000)]
    await export.write_xlsx(path, "余位", COLUMNS[:2], every(rows))
    book = load_workbook(path, read_only=True)
    told = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    book.close()
    assert told == rows


@given(st.integers(694_224_000_000, 7_258_118_399_000))
def test_a_moment_is_the_same_in_a_sheet_and_in_a_csv(ms: int) -> None:
    assert from_excel(day_number(ms)) == local_time(ms)
