"""A year of five garages at a row a second: a month's report, a new day rolled up, disk, growth."""

import argparse
import asyncio
import datetime as dt
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import asyncpg
import msgspec

from occupancy import balance, congestion, database, found_space, refused, vitals
from occupancy.calendar import Calendar
from occupancy.database_observed import read_facts, read_observed
from occupancy.database_rollup import read_minutes
from occupancy.embedded import prepare_postgres, running
from occupancy.observed import Facts, Span
from occupancy.report.content import write_report
from occupancy.report.gathering import gather
from occupancy.report.paper import picture_inside, whole
from occupancy.report.period import month_of
from occupancy.rollup import DAY_MS, date_start_ms
from tests.bench.history_load import Loaded, load, roll_up_day, sizes
from tests.bench.report import Figure, Report, at_most, shown
from tests.recorded_month import Past

LAST = dt.date(2026, 10, 31)  # the month reported on ends with the past
MONTH_DAYS, YEAR_DAYS, YEAR_ROWS = 31, 365, 365 * 86_400 * 5
REPORT_SECONDS, PAGE_SECONDS, DAY_SECONDS = 5, 1, 10
ROUNDS = 3
FEW_LOTS, MANY_LOTS, MANY_STEP_SECONDS = 50, 500, 10
GROWTH_MOST = 1.15  # cost a row of many car parks against that of few; the rest is noise
# What docs/operations.md advises for a history server; only the loading goes without a log, and
# a past that can be made again needs no fsync.
OPTIONS = (
    "max_wal_size=8GB",
    "shared_buffers=256MB",
    *("synchronous_commit=off", "fsync=off"),
    *("wal_level=minimal", "max_wal_senders=0"),
)


def measure(arguments: list[str]) -> Report:
    """`zhibo bench history [--days N] [--raw N] [--lots N] [--rolled N]
    [--keep DIR] [--no-growth]`."""
    parser = argparse.ArgumentParser(prog="zhibo bench history")
    parser.add_argument("--days", type=int, default=YEAR_DAYS, help="days of the past")
    parser.add_argument("--lots", type=int, default=5)
    parser.add_argument("--rolled", type=int, default=MONTH_DAYS, help="days the room rolls up")
    parser.add_argument("--raw", type=int, help="days of raw rows; before them windows alone")
    parser.add_argument("--keep", type=Path, help="a folder: load once, measure again and again")
    parser.add_argument("--no-growth", action="store_true", help="leave out 500 car parks")
    return asyncio.run(_measure(parser.parse_args(arguments)))


async def _measure(asked: argparse.Namespace) -> Report:
    first = LAST - dt.timedelta(days=asked.days - 1)
    raw_days = asked.days if asked.raw is None else min(asked.raw, asked.days)
    past = Past(first=first, days=asked.days, step_seconds=1, raw_days=raw_days)
    figures, details = await _with_database(past, asked)
    if not asked.no_growth:
        grown, growth = await _growth()
        figures += grown
        details["growth"] = growth
    return Report("history", figures, details)


async def _with_database(
    past: Past, asked: argparse.Namespace
) -> tuple[list[Figure], dict[str, object]]:
    async with _server(asked.keep) as pool:
        loaded = await _loaded(pool, past, asked)
        days = [
            await roll_up_day(pool, loaded.lot_ids, past.span[1] - DAY_MS) for _ in range(ROUNDS)
        ]
        month = await _month(pool, past)
        report, page = await _report(pool, past)
        disk = await sizes(pool)
    share = YEAR_ROWS / loaded.rows
    windows_share = YEAR_DAYS * 5 / (past.days * asked.lots)
    figures = [
        at_most(
            "a month's indicators of all car parks, from PostgreSQL", month, REPORT_SECONDS, "s"
        ),
        at_most("a month's report, gathered and written", report, REPORT_SECONDS, "s"),
        at_most("its page of twelve sections with all pictures, drawn", page, PAGE_SECONDS, "s"),
        at_most("a new day rolled up, all car parks", median(days), DAY_SECONDS, "s"),
        shown("rows", loaded.rows, ""),
        shown("raw rows of a year of five on disk", disk["observation"] * share / 1e9, "GB"),
        shown("windows of a year of five on disk", _windows(disk) * windows_share / 1e9, "GB"),
        shown("rows written a second", loaded.rows / loaded.raw_seconds, "1/s"),
    ]
    return figures, _details(loaded, disk, days)


async def _loaded(pool: asyncpg.Pool, past: Past, asked: argparse.Namespace) -> Loaded:
    """The past as it is kept, or written now."""
    kept = asked.keep and asked.keep / "loaded.json"
    if kept and kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Loaded)
    loaded = await load(pool, past, asked.lots, _rolled_days(past, asked.rolled))
    _say(f"{loaded.rows:,} rows in {loaded.raw_seconds:,.0f} s")
    if kept:
        kept.write_bytes(msgspec.json.encode(loaded))
    return loaded


def _rolled_days(past: Past, wanted: int) -> int:
    """Where older days have windows alone, a day needs whole raw days around it."""
    most = past.raw_days if past.raw_days == past.days else past.raw_days - 2
    return min(wanted, max(most, 1))


@asynccontextmanager
async def _server(keep: Path | None = None) -> AsyncIterator[asyncpg.Pool]:
    """A server of its own, gone afterwards with all it holds unless it is kept."""
    with tempfile.TemporaryDirectory(prefix="zhibo-history-") as made:
        folder = keep or Path(made)
        postgres = await prepare_postgres(folder / "pg", folder, OPTIONS)
        async with running(postgres) as url:
            await database.migrate(url)
            async with database.pool(url) as pool:
                yield pool


def _say(words: str) -> None:
    print(f"history: {words}", file=sys.stderr, flush=True)


def _windows(disk: dict[str, int]) -> int:
    return sum(size for table, size in disk.items() if table != "observation")


def _details(loaded: Loaded, disk: dict[str, int], days: Sequence[float]) -> dict[str, object]:
    return {
        "lots": len(loaded.lot_ids),
        "days": loaded.past.days,
        "rolled_days": loaded.rolled_days,
        "rolled_seconds_a_day": sorted(loaded.rolled_seconds),
        "new_day_seconds": list(days),
        "bytes": disk,
    }


async def _month(pool: asyncpg.Pool, past: Past) -> float:
    """Seconds for every figure of the last month, the middle round: nothing is remembered."""
    start_ms = date_start_ms(LAST.replace(day=1))
    span = Span(max(start_ms, past.span[0]), past.span[1])
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await _indicators(pool, await read_facts(pool, span.until_ms), span)
        taken.append(time.perf_counter() - begun)
    _say(f"a month's figures: {median(taken):.2f} s")
    return median(taken)


async def _report(pool: asyncpg.Pool, past: Past) -> tuple[float, float]:
    """Seconds until the month's report is written, and until its page is drawn from that."""
    written, drawn = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        facts = await gather(pool, month_of(LAST), (), past.span[1])
        report = await asyncio.to_thread(write_report, facts)
        written.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        await asyncio.to_thread(whole, report, picture_inside)
        drawn.append(time.perf_counter() - begun)
    _say(f"the report: {median(written):.2f} s, its page: {median(drawn):.2f} s")
    return median(written), median(drawn)


async def _indicators(pool: asyncpg.Pool, facts: Sequence[Facts], span: Span) -> None:
    now_ms, calendar = span.until_ms, Calendar()
    quarters = [await read_observed(pool, one, span, 15, now_ms) for one in facts]
    minutes = [
        (await read_minutes(pool, one.facts.lot_id, *one.period)).within(one) for one in quarters
    ]
    refusals = [
        refused.estimate(one, calendar, finer) for one, finer in zip(quarters, minutes, strict=True)
    ]
    for lots in (*([one] for one in quarters), quarters):
        for formula in _FORMULAS:
            formula(*lots)
    balance.balance(*quarters)
    found_space.found_in(list(zip(quarters, refusals, minutes, strict=True)))
    vitals.congestion_index(*zip(quarters, refusals, strict=True))


_FORMULAS = (
    congestion.turnover,
    congestion.mean_stay_derived,
    congestion.time_occupancy,
    congestion.peak_saturation,
    congestion.peak_hour_saturation,
    congestion.saturated_minutes,
    congestion.full_time_share,
    congestion.target_share,
    congestion.data_access_rate,
)


async def _growth() -> tuple[list[Figure], dict[str, object]]:
    """A day of few and of many car parks: what a row costs to roll up, and to gather."""
    told = {}
    for lots in (FEW_LOTS, MANY_LOTS):
        past = Past(first=LAST, days=1, raw_days=1, step_seconds=MANY_STEP_SECONDS)
        async with _server() as pool:
            loaded = await load(pool, past, lots, rolled_days=1)
            gathered = await _month(pool, past)
        told[lots] = {
            "rows": loaded.rows,
            "rolled_us_a_row": loaded.rolled_seconds[0] / loaded.rows * 1e6,
            "gathered_us_a_row": gathered / loaded.rows * 1e6,
        }
    figures = [
        at_most(
            f"cost a row of {MANY_LOTS} car parks against {FEW_LOTS}, {name}",
            told[MANY_LOTS][key] / told[FEW_LOTS][key],
            GROWTH_MOST,
            "",
        )
        for name, key in (("rolled up", "rolled_us_a_row"), ("gathered", "gathered_us_a_row"))
    ]
    return figures, {str(lots): one for lots, one in told.items()}
