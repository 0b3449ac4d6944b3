"""Every sentence says what its section's numbers say, and what cannot be said is said in words."""

import datetime as dt
import re
from collections.abc import Iterator

import msgspec
import pytest

from occupancy.effect.evidence import Evidence
from occupancy.effect.metric import Metric
from occupancy.indicator import METHOD_VERSION
from occupancy.report.content import write_report
from occupancy.report.document import (
    Chart,
    Findings,
    Missing,
    Report,
    Section,
    Sentences,
    Table,
)
from occupancy.report.facts import CitizenCount, GuidedTrips, ReportFacts, SignLine
from occupancy.report.figures import write_cell
from occupancy.report.period import month_of, parse_period
from occupancy.restriction import Extent, Restriction
from occupancy.rollup import DAY_MS
from occupancy.site import Site, Stage
from occupancy.tariff import Tariff
from occupancy.tariff_file import shipped_tariffs
from tests.occupancy.report.a_period import (
    OCTOBER,
    QUARTER_MS,
    a_month,
    always,
    evenings_full,
    facts,
    lot,
    quarters,
)

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
HOUR_MS = 3_600_000


def tariffs_of(*lot_ids: str) -> tuple[Tariff, ...]:
    """The shipped ones, cheap for the first lot and dearer for the others."""
    cheap, dear = (
        next(one for one in shipped_tariffs() if one.tariff_id == name)
        for name in ("kangle", "huochezhan")
    )
    return tuple(
        msgspec.structs.replace(cheap if lot_id == lot_ids[0] else dear, tariff_id=lot_id)
        for lot_id in lot_ids
    )


def a_line(sign_id: str, lot_id: str, **minutes: int) -> SignLine:
    """At an entrance, over October."""
    told = {"minutes": 44_640, "judged": 44_000, "wrong": 0} | minutes
    zero = {"free_while_full": 0, "stale_number": 0, "unknown": 0}
    return SignLine(sign_id, 1, lot_id, at_entrance=True, **(zero | told))


def rich() -> ReportFacts:
    """Everything there can be."""
    return a_month(
        tariffs=tariffs_of("东", "西", "远"),
        sign_lines=(
            a_line("s1", "东", wrong=8_000, free_while_full=500, stale_number=30, unknown=10),
            a_line("s2", "西", wrong=100),
        ),
        trips=(GuidedTrips("东", 40, 20, 5), GuidedTrips("西", 60, 30, 12)),
        trips_since_ms=OCTOBER.start_ms + 2 * DAY_MS,
        citizen_counts=(CitizenCount("东", "full", 7),),
        sites=(
            Site("east", "东停车场", Stage.BUILT, "东", built_spaces=100),
            Site(
                "west",
                "西停车场",
                Stage.BUILT,
                "西",
                built_spaces=100,
                opened_on=dt.date(2026, 1, 5),
            ),
            Site("next", "北停车场", Stage.PLANNED, planned_spaces=120, placeholders=("name",)),
        ),
        evidence=(
            Evidence(
                method="switchback",
                method_version="switchback-1",
                metric=Metric.REFUSED,
                unit="辆（每天）",
                effect=-12.0,
                low=-20.0,
                high=-4.0,
                p=0.01,
                blocks=28,
                detectable=9.0,
                words="被拒车辆：有改善，−12.0 辆（每天）。",
            ),
        ),
    )


RICH = write_report(rich())


def section(report: Report, number: int) -> Section:
    return report.sections[number - 1]


def words_of(one: Section) -> str:
    """Everything a reader finds in a section, in one text."""
    return "\n".join(_words(one))


def _words(one: Section) -> Iterator[str]:
    for block in one.blocks:
        if isinstance(block, Sentences):
            yield from block.sentences
        elif isinstance(block, Missing):
            yield block.reason
        elif isinstance(block, Chart):
            yield block.reading
        elif isinstance(block, Table):
            yield block.note
        else:
            yield block.nothing
            yield from (
                f"{line.action} {line.evidence} {line.effect_words}" for line in block.findings
            )


def numbers_in(words: str) -> set[str]:
    return set(NUMBER.findall(words))


def numbers_behind(one: Section) -> set[str]:
    """What the charts and tables of a section say, as it may be written."""
    found: set[str] = set()
    for block in one.blocks:
        if isinstance(block, Table):
            cells = [
                write_cell(cell, c)
                for row in block.rows
                for cell, c in zip(row, block.columns, strict=True)
            ]
            for words in (*cells, block.title, *(c.title for c in block.columns)):
                found |= numbers_in(words)
        elif isinstance(block, Chart):
            found |= numbers_in(block.title)
            found |= {
                form
                for value in _floats(msgspec.to_builtins(block.picture))
                for form in forms(value)
            }
    return found


def _floats(tree: object) -> Iterator[float]:
    if isinstance(tree, bool) or tree is None:
        return
    if isinstance(tree, int | float):
        yield float(tree)
    elif isinstance(tree, str):
        yield from (float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*\.?\d*", tree))
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _floats(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _floats(value)


def forms(value: float) -> set[str]:
    plain = {f"{abs(value):,.{decimals}f}" for decimals in (0, 1, 2)}
    return plain | {f"{abs(value) * 100:,.{d}f}%" for d in (0, 1)} | {f"{abs(value):,.1f}%"}


# What is no figure of the period: days and hours, counts of few things, thresholds of the rules.
SMALL = {str(number) for number in range(32)}
RULES = {"85%", "90%", "95%", "100%", "2%", "500", "1%", "95", "00", "1.3", METHOD_VERSION}


@pytest.mark.parametrize("number", range(2, 13))
def test_each_number_of_a_sentence_stands_in_its_sections_tables_or_charts(number: int) -> None:
    one = section(RICH, number)
    assert numbers_in(words_of(one)) - numbers_behind(one) - SMALL - RULES == set()


def test_the_numbers_of_conclusions_stand_in_the_sections_they_name() -> None:
    (found,) = (block for block in section(RICH, 1).blocks if isinstance(block, Findings))
    assert found.findings
    for finding in found.findings:
        behind = set.union(*(numbers_behind(section(RICH, number)) for number in finding.sections))
        assert numbers_in(finding.evidence) - behind - SMALL - RULES == set(), finding.rule


def test_the_headlines_numbers_stand_in_the_sections() -> None:
    behind = set.union(*(numbers_behind(one) for one in RICH.sections))
    assert numbers_in(RICH.headline) - behind - SMALL - RULES <= {
        # the district's sums of both gaps
        *numbers_in(RICH.headline.partition("（附近")[2].partition("）")[0])
    }


def test_there_are_twelve_sections_each_with_its_question_and_decision() -> None:
    assert [one.number for one in RICH.sections] == list(range(1, 13))
    assert all(one.title and one.question and one.decision and one.blocks for one in RICH.sections)


def test_names_of_charts_and_tables_are_unique_and_fit_for_files() -> None:
    for kind in (Chart, Table):
        names = [b.name for one in RICH.sections for b in one.blocks if isinstance(b, kind)]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_every_chart_says_how_to_read_it() -> None:
    charts = [b for one in RICH.sections for b in one.blocks if isinstance(b, Chart)]
    assert len(charts) >= 12
    assert all(chart.reading and chart.alt for chart in charts)


def test_every_conclusion_names_a_rule_that_the_formulas_explain() -> None:
    codes = {formula.code for formula in RICH.formulas}
    (found,) = (block for block in section(RICH, 1).blocks if isinstance(block, Findings))
    assert {finding.rule for finding in found.findings} <= codes
    assert all(finding.cost == "待核实" for finding in found.findings)


def test_the_same_facts_give_the_same_report() -> None:
    assert write_report(rich()) == RICH


def test_a_report_survives_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(RICH), type=Report) == RICH


def test_no_sentence_mixes_ascii_punctuation_into_chinese() -> None:
    for one in RICH.sections:
        assert not re.search(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]", words_of(one)), (
            one.number
        )


# --- what cannot be said


def test_a_period_without_data_says_so_in_every_section() -> None:
    one = lot("东")
    report = write_report(facts([(one, [])]))
    assert "没有收到数据" in report.headline
    assert report.completeness is None
    assert all(kpi.value is None for kpi in report.kpis)
    for number in (2, 3, 4, 5, 6, 8, 11):
        assert any(isinstance(block, Missing) for block in section(report, number).blocks), number
    assert "还没有接入数据" in words_of(section(report, 12))


def test_a_district_without_car_parks_has_a_report() -> None:
    report = write_report(facts([]))
    assert "不能作出结论" in report.headline
    assert "报告里没有车场" in words_of(section(report, 12))


def test_half_a_month_is_called_so_and_counts_only_what_has_passed() -> None:
    one = lot("东")
    now_ms = OCTOBER.start_ms + 15 * DAY_MS
    told = quarters(one, evenings_full(), until_ms=now_ms)
    report = write_report(facts([(one, told)], generated_at_ms=now_ms))
    assert report.is_partial
    assert "统计期未结束" in report.subtitle
    assert report.completeness == 1.0
    assert "还没有结束" in words_of(section(report, 12))


def test_a_lot_that_opened_in_mid_month_is_judged_from_then_on() -> None:
    one, new = lot("东"), lot("新", metres_east=900)
    opened_ms = OCTOBER.start_ms + 14 * DAY_MS
    told = [window for window in quarters(new, always(0.5)) if window.start_ms >= opened_ms]
    report = write_report(facts([(one, quarters(one, always(0.5))), (new, told)]))
    assert report.completeness == 1.0
    (note,) = (lot_note.note for lot_note in report.lots if lot_note.lot_id == "新")
    assert "2026-10-15" in note
    assert "此前不计" in words_of(section(report, 12))


def test_a_lot_that_was_closed_for_works_is_not_called_silent() -> None:
    one = lot("东")
    from_ms, until_ms = OCTOBER.start_ms + 5 * DAY_MS, OCTOBER.start_ms + 12 * DAY_MS
    told = [w for w in quarters(one, always(0.5)) if not from_ms <= w.start_ms < until_ms]
    works = Restriction(1, "东", Extent.LOT, from_ms, until_ms, "检修停用")
    report = write_report(facts([(one, told)], restrictions=(works,)))
    assert report.completeness == 1.0
    assert "停用，不计入" in report.lots[0].note
    (table,) = (
        b for b in section(report, 12).blocks if isinstance(b, Table) and b.name == "quality"
    )
    assert 168.0 in table.rows[0]


def test_below_ninety_percent_a_lot_has_no_figures_and_the_reason_stands() -> None:
    one, poor = lot("东"), lot("缺", metres_east=900)
    half_ms = OCTOBER.start_ms + 10 * DAY_MS
    told = quarters(poor, always(0.5), silent=lambda at_ms: at_ms >= half_ms)
    report = write_report(facts([(one, quarters(one, always(0.5))), (poor, told)]))
    assert "缺：数据完整率 32.3%，低于 90%" in words_of(section(report, 3))
    heat = next(b for b in section(report, 3).blocks if isinstance(b, Chart))
    assert "缺" not in str(heat.picture)
    assert report.kpis[0].value is None
    assert "数据不足" in report.headline
    rows = {note.lot_id: note for note in report.lots}
    assert "低于 90%" in rows["缺"].note


def test_the_month_before_and_the_year_before_are_said_to_be_missing() -> None:
    words = words_of(section(RICH, 2))
    assert "上月无可比数据" in words
    assert "去年同月无可比数据" in words


def test_the_month_before_is_compared_where_there_is_one() -> None:
    one = lot("东")
    before = month_of(dt.date(2026, 9, 1))
    report = write_report(
        facts(
            [(one, quarters(one, always(0.9)))],
            previous={"东": quarters(one, always(0.5), before)},
            first_data_ms={"东": before.start_ms},
        )
    )
    assert re.search(r"上月 1\.4，↑3\.\d", words_of(section(report, 2)))
    assert report.kpis[0].compared.startswith("上月 1.4，↑")


def test_four_hundred_days_make_a_report() -> None:
    period = parse_period("2025-09-01..2026-10-05")
    assert period.days == 400
    one = lot("东")
    report = write_report(facts([(one, quarters(one, evenings_full(), period))], period))
    (calendar,) = (
        b for b in section(report, 12).blocks if isinstance(b, Chart) and b.name == "completeness"
    )
    assert "每格 7 天" in calendar.reading
    assert report.kpis[0].value is not None


def test_a_single_day_makes_a_report() -> None:
    period = parse_period("2026-10-14")
    one = lot("东")
    report = write_report(facts([(one, quarters(one, always(0.5), period))], period))
    assert "不能预测" in words_of(section(report, 11))


def test_a_gap_of_an_hour_breaks_no_line() -> None:
    one = lot("东")
    from_ms = OCTOBER.start_ms + 30 * HOUR_MS
    told = quarters(
        one, evenings_full(), silent=lambda at_ms: from_ms <= at_ms < from_ms + 4 * QUARTER_MS
    )
    report = write_report(facts([(one, told)]))
    assert report.completeness is not None
    assert 0.99 < report.completeness < 1


def test_what_nobody_measured_is_not_made_up() -> None:
    assert "没有进历史库" in words_of(section(RICH, 6))
    assert "免费时段的利用率没有测量" in words_of(section(RICH, 9))
    assert "没有做诱导开关试验" in words_of(section(write_report(a_month()), 7))
