"""A past of any length for `zhibo bench history`: raw rows a second apart, and their windows."""

import asyncio
import datetime as dt
import io
import sys
import time
from collections.abc import Sequence

import asyncpg
import msgspec

from occupancy import database, database_rollup
from occupancy.copy_rows import TABLE_COLUMNS, write
from occupancy.lot_file import load_shipped
from occupancy.rollup import DAY_MS, LEVELS_MINUTES
from tests.recorded_month import Past, write_windows
from tests.recorded_samples import Samples, history_rows, sample
from tests.recorded_story import HOUR_MS, LotStory, tell

AT_ONCE = 2
SAMPLED_DAYS = 5  # in memory at once, whatever the length of the past
COPY_SECONDS = 600


class Loaded(msgspec.Struct, frozen=True):
    """What was written, and how long each part took in seconds."""

    lot_ids: tuple[str, ...]
    past: Past
    rolled_days: int
    rows: int
    raw_seconds: float
    rolled_seconds: tuple[float, ...]  # one figure a day, all car parks


async def load(connections: asyncpg.Pool, past: Past, lots: int, rolled_days: int) -> Loaded:
    """Raw rows of every day. The last `rolled_days` are rolled up by the room that does it in
    service; windows of the days before are worked out beside it, as a test holds equal."""
    stories = _stories(past, lots)
    facts = {lot.lot_id: lot for lot in load_shipped()}
    named = [
        msgspec.structs.replace(facts[one.lot_id.partition("-")[0]], lot_id=one.lot_id)
        for one in stories
    ]
    await database.seed_lots(connections, named)
    begun = time.perf_counter()
    rows = 0
    starts = _starts(past.span)
    for first, following in zip(starts, [*starts[1:], past.span[1]], strict=True):
        rows += await _write_days(connections, stories, past, first, rolled_days)
        seconds = time.perf_counter() - begun
        left = (past.span[1] - following) // DAY_MS
        _say(f"{rows:,} rows, {rows / seconds:,.0f}/s, {left} of {past.days} days to go")
    raw_seconds = time.perf_counter() - begun
    lot_ids = tuple(one.lot_id for one in stories)
    rolled = []
    for back in reversed(range(rolled_days)):
        taken = await roll_up_day(connections, lot_ids, past.span[1] - (back + 1) * DAY_MS)
        rolled.append(taken)
        _say(f"a day rolled up in {taken:.1f} s, {back} to go")
    await connections.execute("VACUUM ANALYZE rollup_1, rollup_15, rollup_60")
    return Loaded(lot_ids, past, rolled_days, rows, raw_seconds, tuple(rolled))


def _say(words: str) -> None:
    print(f"history: {words}", file=sys.stderr, flush=True)


async def roll_up_day(connections: asyncpg.Pool, lot_ids: Sequence[str], start_ms: int) -> float:
    """Seconds for a local day of all car parks."""
    begun = time.perf_counter()
    for lot_id in lot_ids:
        await database_rollup.rebuild(connections, lot_id, start_ms, start_ms + DAY_MS)
    return time.perf_counter() - begun


def _starts(span: tuple[int, int]) -> list[int]:
    """Where parts of the load begin: at UTC midnights, so that no partition is written twice."""
    midnight_ms = -(-span[0] // DAY_MS) * DAY_MS
    return [span[0], *range(midnight_ms, span[1], SAMPLED_DAYS * DAY_MS)]


def _stories(past: Past, lots: int) -> list[LotStory]:
    """The five car parks, and beyond them the same again under other names."""
    told = tell(past.first, past.days, past.seed)
    copies = -(-lots // len(told))
    return [
        _renamed(one, f"{one.lot_id}-{copy}" if copy else one.lot_id)
        for copy in range(copies)
        for one in told
    ][:lots]


def _renamed(story: LotStory, lot_id: str) -> LotStory:
    return LotStory(
        lot_id,
        story.spaces,
        at_ms=story.at_ms,
        occupied=story.occupied,
        usable=story.usable,
        entered_ms=story.entered_ms,
        gone_ms=story.gone_ms,
    )


async def _write_days(
    connections: asyncpg.Pool,
    stories: Sequence[LotStory],
    past: Past,
    first: int,
    rolled_days: int,
) -> int:
    """Some UTC days of all car parks, each a partition; the last may be a part of a day."""
    midnight_ms = -(-first // DAY_MS) * DAY_MS
    whole_ms = midnight_ms if midnight_ms > first else first + SAMPLED_DAYS * DAY_MS
    span = (first, min(whole_ms, past.span[1]))
    told = [await asyncio.to_thread(_sampled, one, past, span) for one in stories]
    unrolled_ms = past.span[1] - rolled_days * DAY_MS
    for one in told:
        if span[0] < unrolled_ms:
            until_ms = min(span[1], unrolled_ms)
            await write_windows(connections, one.between(span[0], until_ms), (span[0], until_ms))
    raw_ms = past.span[1] - past.raw_days * DAY_MS
    told = [one.between(max(span[0], raw_ms), span[1]) for one in told]
    gate = asyncio.Semaphore(AT_ONCE)
    days = range(max(span[0], raw_ms) // DAY_MS, -(-span[1] // DAY_MS))
    async with asyncio.TaskGroup() as group:
        for day in days:
            parts = [one.between(day * DAY_MS, (day + 1) * DAY_MS) for one in told]
            group.create_task(_write_day(connections, parts, day, gate), name=f"day {day}")
    return sum(len(one) for one in told)


def _sampled(story: LotStory, past: Past, span: tuple[int, int]) -> Samples:
    return sample(story, span, past.step_seconds)


async def _write_day(
    connections: asyncpg.Pool, parts: Sequence[Samples], day: int, gate: asyncio.Semaphore
) -> None:
    """A new table and its rows in one transaction: so PostgreSQL need not log them.

    It becomes a partition when it is full: its index is built from what is there, once.
    """
    async with gate, connections.acquire() as connection, connection.transaction():
        first, until = (dt.date(1970, 1, 1) + dt.timedelta(days=day + n) for n in (0, 1))
        name = f"observation_{first:%Y%m%d}"
        is_new = await connection.fetchval("SELECT to_regclass($1)", name) is None
        if is_new:
            await connection.execute(
                f"CREATE TABLE {name} (LIKE observation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            )
        for told in parts:
            if len(told):
                payload = await asyncio.to_thread(_payload, told)
                await connection.copy_to_table(
                    name,
                    source=io.BytesIO(payload),
                    columns=TABLE_COLUMNS,
                    format="binary",
                    timeout=COPY_SECONDS,
                )
        if is_new:
            await connection.execute(
                f"ALTER TABLE observation ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{first} 00:00+00') TO ('{until} 00:00+00')",
                timeout=COPY_SECONDS,
            )


def _payload(told: Samples) -> bytes:
    first_sequence = int(told.at_ms[0]) // 1_000
    return write(history_rows(told, first_sequence), 0, int(told.at_ms[-1]) + HOUR_MS).payload


async def sizes(connections: asyncpg.Pool) -> dict[str, int]:
    """Bytes on disk, indexes included, by table."""
    tables = ("observation", *(f"rollup_{level}" for level in LEVELS_MINUTES))
    return {
        table: await connections.fetchval(
            "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_partition_tree($1)", table
        )
        for table in tables
    }
