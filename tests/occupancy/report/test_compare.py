"""Two reports are compared in words that their own tables bear out."""

import datetime as dt

import msgspec
import pytest

from occupancy.report.compare import compare, indices
from occupancy.report.content import write_report
from occupancy.report.document import Report
from occupancy.report.period import month_of, parse_period
from tests.occupancy.report.a_period import (
    Cars,
    a_month,
    always,
    evenings_full,
    facts,
    lot,
    quarters,
)

SEPTEMBER = month_of(dt.date(2026, 9, 1))


def report(cars: Cars, days: str = "2026-10") -> Report:
    period, one, other = parse_period(days), lot("东"), lot("静", metres_east=3_000)
    return write_report(
        facts(
            [
                (one, quarters(one, cars, period)),
                (other, quarters(other, always(0.3), period)),
            ],
            period,
        )
    )


FULL, QUIET = report(evenings_full()), report(always(0.3), "2026-09")


@pytest.mark.parametrize(
    ("ours", "theirs", "word"), [(FULL, QUIET, "变紧最多"), (QUIET, FULL, "缓解最多")]
)
def test_who_changed_most_is_named_with_both_indices(
    ours: Report, theirs: Report, word: str
) -> None:
    (said,) = (one for one in compare(ours, theirs) if one.startswith(word))
    assert "**东**" in said
    assert f"由 {indices(theirs)['东']:.1f} 变为 {indices(ours)['东']:.1f}" in said


def test_advice_is_new_gone_or_still_so() -> None:
    assert any(one.startswith("新提出的建议：加泊位：东") for one in compare(FULL, QUIET))
    assert any(one.startswith("不再成立的建议：加泊位：东") for one in compare(QUIET, FULL))
    assert any(one.startswith("仍然成立的建议") for one in compare(FULL, FULL))


def test_a_report_beside_itself_shows_no_change() -> None:
    assert compare(FULL, FULL)[0] == "各场拥堵指数都没有变化。"


def test_other_methods_lengths_and_car_parks_are_said_first() -> None:
    old = msgspec.structs.replace(FULL, method_version="2025.1")
    assert "算法版本不同" in compare(FULL, old)[0]
    more = write_report(a_month())
    assert "只有 2026 年 10 月有的车场：西停车场、远停车场。" in compare(more, QUIET)
    week, days = (report(always(0.3), one) for one in ("2026-W41", "2026-10-01..2026-10-03"))
    assert compare(week, days)[0] == "两个时段不一样长：7 天和 3 天。"


def test_without_figures_there_is_nothing_to_compare() -> None:
    empty = write_report(facts([(lot("东"), [])], SEPTEMBER))
    assert "两份报告没有可以对比的车场指数。" in compare(FULL, empty)
