"""Everything of a month is read from a real database; other car parks and other times are not."""

import datetime as dt

import asyncpg
import msgspec
import pytest

from gateway.observation import FaceState
from occupancy import (
    database_experiments,
    database_proofs,
    database_reports,
    database_restrictions,
    database_sites,
)
from occupancy.database_proofs import Proof
from occupancy.database_reports import CitizenReport
from occupancy.effect.experiment import Plan
from occupancy.effect.metric import Metric
from occupancy.report.content import write_report
from occupancy.report.gathering import NoSuchLotError, gather
from occupancy.report.period import month_of, parse_period
from occupancy.restriction import Extent, Restriction
from occupancy.rollup import DAY_MS, MINUTE_MS
from occupancy.sign_faces import TownSign
from occupancy.site import Site, Stage
from occupancy.site_file import shipped_sites
from tests.occupancy.report.test_content import words_of
from tests.recorded_month import OCTOBER, Past, record_month, record_period

MONTH = month_of(OCTOBER)
AFTER_MS = MONTH.end_ms + DAY_MS


async def test_a_month_of_five_car_parks_is_read_whole(connections: asyncpg.Pool) -> None:
    await record_month(connections)
    await database_sites.seed_sites(connections, shipped_sites())
    heard: list[float] = []
    facts = await gather(connections, MONTH, (), AFTER_MS, heard.append)
    assert {lot.lot_id for lot in facts.lots} == set(facts.quarters) == set(facts.first_data_ms)
    assert len(facts.quarters["kangle"]) > 2_900
    assert all(not windows for windows in facts.previous.values())
    assert {check.lot_id for check in facts.checks} == set(facts.quarters)
    assert facts.corrections
    assert len(facts.sites) == 5
    assert facts.is_sample
    assert not facts.is_partial
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


async def test_only_the_car_parks_that_were_asked_for_are_in_it(
    connections: asyncpg.Pool,
) -> None:
    await record_period(connections, Past(days=2, raw_days=0))
    facts = await gather(connections, MONTH, ("sanda",), AFTER_MS)
    assert set(facts.quarters) == {"sanda"}
    assert {check.lot_id for check in facts.checks} == {"sanda"}
    with pytest.raises(NoSuchLotError, match="nowhere"):
        await gather(connections, MONTH, ("nowhere",), AFTER_MS)


async def test_a_period_without_anything_is_empty_and_no_error(connections: asyncpg.Pool) -> None:
    facts = await gather(connections, parse_period("2025-02"), (), AFTER_MS)
    assert facts.lots == ()
    assert facts.quarters == {}
    assert facts.trips_since_ms == 0


async def test_closures_count_as_long_as_they_held(connections: asyncpg.Pool) -> None:
    def at(day: int) -> int:
        return MONTH.start_ms + day * DAY_MS

    ended = dt.datetime.fromtimestamp(at(2) / 1_000 + 3_600, dt.UTC)
    spans = {"in it": (at(2), at(3)), "long ago": (at(-500), at(-499))}
    spans["the month before"] = (at(-9), at(-8))
    await record_period(connections, Past(days=1, raw_days=0))
    async with connections.acquire() as connection:
        for words, (from_ms, until_ms) in spans.items():
            made = Restriction(0, "kangle", Extent.LOT, from_ms, until_ms, words)
            await database_restrictions.add_restriction(connection, made, "检修", "li")
    await connections.execute("UPDATE restriction SET ended_at = $1 WHERE wording = 'in it'", ended)
    facts = await gather(connections, MONTH, (), AFTER_MS)
    assert [one.wording for one in facts.restrictions] == ["in it", "the month before"]
    assert facts.restrictions[0].until_ms == at(2) + 3_600_000


async def test_what_citizens_said_is_counted_by_kind(connections: asyncpg.Pool) -> None:
    await record_period(connections, Past(days=1, raw_days=0))
    for at_ms in (MONTH.start_ms, MONTH.start_ms + 1, MONTH.end_ms):
        await database_reports.add_report(
            connections, CitizenReport("kangle", "full", "", 3, "counted", at_ms)
        )
    facts = await gather(connections, MONTH, (), AFTER_MS)
    assert [(one.lot_id, one.kind, one.count) for one in facts.citizen_counts] == [
        ("kangle", "full", 2)
    ]


async def prove(connections: asyncpg.Pool, sign_id: str, minute: int, *shown: str | None) -> None:
    said = None if None in shown else tuple(one for one in shown if one is not None)
    proof = Proof(
        sign_id,
        "kangle",
        MONTH.start_ms + minute * MINUTE_MS,
        tuple(one or "" for one in shown),
        said,
        FaceState.AS_DESIRED,
    )
    await database_proofs.add_proof(connections, proof)


async def test_minutes_of_a_sign_are_held_against_what_was_true(
    connections: asyncpg.Pool,
) -> None:
    await record_period(connections, Past(days=1, raw_days=0))
    rows = await connections.fetch(
        "SELECT start, free_ms::float8 / told_ms AS free FROM rollup_1 "
        "WHERE lot_id = 'kangle' AND told_ms > 0 ORDER BY start LIMIT 40"
    )
    free = [row["free"] for row in rows]
    right = str(round(sum(free[:10]) / 10))
    await prove(connections, "kangle-sign", 0, right)
    await prove(connections, "kangle-sign", 10, str(round(free[10]) + 60))
    await prove(connections, "kangle-sign", 15, "满")
    await prove(connections, "kangle-sign", 18, "—")
    await prove(connections, "kangle-sign", 30, None)
    # a minute whose source was silent
    await connections.execute(
        "DELETE FROM rollup_1 WHERE lot_id = 'kangle' AND start = $1", rows[5]["start"]
    )
    until_ms = MONTH.start_ms + 40 * MINUTE_MS
    facts = await gather(connections, MONTH, (), until_ms)
    (line,) = facts.sign_lines
    assert (line.lot_id, line.at_entrance, line.minutes) == ("kangle", True, 40)
    assert (line.judged, line.wrong, line.unknown) == (17, 8, 10)
    assert (line.stale_number, line.free_while_full) == (1, 0)


async def test_lines_of_a_junction_sign_belong_to_the_car_parks_it_names(
    connections: asyncpg.Pool,
) -> None:
    await record_period(connections, Past(days=1, raw_days=0))
    await prove(connections, "junction", 0, "12", "34")
    sign = TownSign("junction", "kangle", ("sanda", "zhongshan"))
    facts = await gather(connections, MONTH, (), AFTER_MS, signs=(sign,))
    assert [(one.lot_id, one.line) for one in facts.sign_lines] == [("sanda", 1), ("zhongshan", 2)]
    unnamed = await gather(connections, MONTH, (), AFTER_MS)
    assert unnamed.sign_lines == ()


async def test_a_month_that_still_runs_ends_now(connections: asyncpg.Pool) -> None:
    await record_period(connections, Past(days=3, raw_days=0))
    facts = await gather(connections, MONTH, (), MONTH.start_ms + 3 * DAY_MS)
    assert facts.is_partial
    assert facts.end_ms == MONTH.start_ms + 3 * DAY_MS


async def test_experiments_and_openings_are_judged_for_the_report(
    connections: asyncpg.Pool,
) -> None:
    await record_period(connections, Past(days=24, raw_days=0))
    start_ms, end_ms = MONTH.start_ms, MONTH.start_ms + 24 * DAY_MS
    plan = Plan(Metric.REFUSED, 1_440, start_ms, "s", "10" * 8, "w" * 16)
    later = msgspec.structs.replace(plan, from_ms=end_ms - DAY_MS)
    async with connections.acquire() as connection:
        for one in (plan, plan, later):
            await database_experiments.add_experiment(connection, one, None, "试验", "li")
        for number in (1, 3):
            await database_experiments.mark_started(connection, number, "li", start_ms)
    site = Site("kangle", "康乐路", Stage.BUILT, "kangle", opened_on=dt.date(2026, 10, 3))
    await database_sites.seed_sites(connections, [site])
    facts = await gather(connections, MONTH, (), end_ms)
    # The second was never started, the third is not over.
    assert [one.words.partition("（")[0] for one in facts.evidence] == ["第 1 号试验"] * 2
    assert "10 月 1 日至 10 月 16 日" in facts.evidence[0].words
    (opening,) = facts.openings
    assert opening.site_id == "kangle"
    assert opening.evidence.effect is None  # two days before say nothing
    words = words_of(write_report(facts).sections[9])
    assert "康乐路 10 月 3 日开放前后全区对比" in words
