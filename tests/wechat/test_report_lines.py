"""What operators read of citizens' reports."""

from hypothesis import given
from hypothesis import strategies as st

from occupancy.database_reports import CitizenReport
from wechat.report_lines import report_line

AT_MS = 1_795_600_000_000  # 2026-11-25 09:46:40 in UTC


def a_report(**other: object) -> CitizenReport:
    told = {"lot_id": "kangle", "kind": "full", "words": "", "free_shown": 12}
    return CitizenReport(
        **{**told, "quality_shown": "counted", "reported_at_ms": AT_MS, **other}  # type: ignore[arg-type]
    )


def test_a_report_stands_beside_what_was_shown() -> None:
    line = report_line(a_report(words="三楼没有位"))
    assert line == (
        "2026-11-25 17:46  kangle  显示有位，到了却满，当时显示 12 位（counted）：三楼没有位"
    )


def test_nothing_shown_and_a_kind_of_tomorrow_are_said() -> None:
    line = report_line(a_report(free_shown=None, quality_shown=None, kind="lift_stuck"))
    assert line.endswith("kangle  lift_stuck，当时无数据")


@given(st.text())
def test_whatever_a_citizen_types_is_one_line_that_moves_no_cursor(words: str) -> None:
    assert report_line(a_report(words=words)).isprintable()
