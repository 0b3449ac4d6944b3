"""October of the recorded town, from the database to the last sentence, as it was once read."""

from pathlib import Path

import asyncpg
import pytest

from gateway.observation import FaceState
from occupancy import database_proofs, database_rollup, database_sites
from occupancy.database_proofs import Proof
from occupancy.database_tariffs import seed_tariffs
from occupancy.lot_file import load_shipped
from occupancy.observed import facts_of, observe
from occupancy.report.content import write_report
from occupancy.report.document import Findings, Report
from occupancy.report.facts import ReportFacts
from occupancy.report.figures import write_figure
from occupancy.report.gathering import gather
from occupancy.report.period import month_of
from occupancy.rollup import DAY_MS, MINUTE_MS
from occupancy.sign_truth import Shown, judge_sign
from occupancy.site_file import shipped_sites
from occupancy.tariff_file import shipped_tariffs
from tests.occupancy.report.test_content import words_of
from tests.recorded_month import OCTOBER, record_month

MONTH = month_of(OCTOBER)
GOLDEN = Path(__file__).parent / "golden_month.txt"
SIGN = "zhongshan-sign"

pytestmark = pytest.mark.timeout(300)


async def shown(connections: asyncpg.Pool) -> list[Shown]:
    """The entrance sign of 中山路 follows its quarters, stands still in the second week."""
    rows = await connections.fetch(
        "SELECT start, free_ms / told_ms AS free FROM rollup_15 "
        "WHERE lot_id = 'zhongshan' AND told_ms > 0 ORDER BY start"
    )
    made: list[Shown] = []
    for row in rows:
        at_ms = round(row["start"].timestamp() * 1_000)
        stands_still = 7 <= (at_ms - MONTH.start_ms) // DAY_MS < 14
        text = "40" if stands_still else str(row["free"])
        if made and made[-1].text == text:
            continue
        if made:
            made[-1] = Shown(made[-1].from_ms, at_ms, made[-1].text)
        made.append(Shown(at_ms, MONTH.end_ms, text))
        said = (text,)
        proof = Proof(SIGN, "zhongshan", at_ms, said, said, FaceState.AS_DESIRED)
        await database_proofs.add_proof(connections, proof)
    return made


def text_of(report: Report) -> str:
    """Everything that is said, a line a sentence."""
    kpis = [
        f"{one.name} {write_figure(one.value, one.kind, one.decimals)} {one.compared}"
        for one in report.kpis
    ]
    found = [
        f"{line.action}｜{line.evidence}｜{line.effect_words}｜{line.confidence.value}"
        for block in report.sections[0].blocks
        if isinstance(block, Findings)
        for line in block.findings
    ]
    sections = [f"# {one.number} {one.title}\n{words_of(one)}" for one in report.sections]
    return "\n".join([report.title, report.subtitle, report.headline, *kpis, *found, *sections])


async def sign_as_the_formula_says(
    connections: asyncpg.Pool, facts: ReportFacts, said: list[Shown]
) -> None:
    """Minutes summed in the database are those of the formula, to the minute a change takes."""
    (line,) = facts.sign_lines
    lot = next(one for one in load_shipped() if one.lot_id == "zhongshan")
    windows = await database_rollup.read_windows(
        connections, "zhongshan", MONTH.start_ms, MONTH.end_ms, 1
    )
    seen = observe(facts_of(lot), windows, MONTH.start_ms, MONTH.end_ms, 1)
    truth = judge_sign(said, seen)
    assert truth.true_share.value == pytest.approx(1 - line.wrong / line.judged, abs=1e-3)
    assert truth.free_while_full.value == pytest.approx(line.free_while_full, abs=2)
    assert truth.number_while_stale.value == pytest.approx(line.stale_number, abs=2)
    assert line.minutes == 31 * 24 * 60 == seen.expected_ms // MINUTE_MS


async def test_the_recorded_month_reads_as_it_did(connections: asyncpg.Pool) -> None:
    told = await record_month(connections)
    await database_sites.seed_sites(connections, shipped_sites())
    await seed_tariffs(connections, shipped_tariffs())
    said = await shown(connections)
    facts = await gather(connections, MONTH, (), MONTH.end_ms + DAY_MS)
    report = write_report(facts)
    await sign_as_the_formula_says(connections, facts, said)
    most = max(told.stories, key=told.refused)
    assert most == "zhongshan"
    assert "中山路" in report.headline
    assert text_of(report) == GOLDEN.read_text("utf-8").rstrip("\n")
