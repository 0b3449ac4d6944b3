"""Observations a second from the Redis streams into PostgreSQL, against psql's own COPY."""

import asyncio
import cProfile
import io
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec
from redis.asyncio import Redis

from gateway import stream
from gateway.config import list_shipped, load_config
from gateway.observation import Observation
from gateway.process import now_ms
from gateway.redis_client import connect
from gateway.station_state import StationState
from occupancy import database, embedded, history
from occupancy.embedded import prepare_postgres, prepare_valkey, running
from occupancy.history import Position
from occupancy.lot_file import load_shipped
from occupancy.recorder import Recorder
from tests.bench.outbox import poll_all
from tests.bench.report import Report, at_least, shown

ROWS_A_LOT = 60_000
BATCH = 300  # what the uplink sends in one entry
ROUNDS = 3
DISTINCT_STATES = 300
NEEDED_A_SECOND, NEEDED_SHARE = 100_000, 0.15
# What docs/operations.md advises for a history server; the guarantees all stay on.
OPTIONS = ("max_wal_size=4GB", "shared_buffers=256MB", "synchronous_commit=on", "fsync=on")
LOOK_SECONDS = 0.02
TOP_LINES = 25


def measure(arguments: list[str]) -> Report:
    """`zhibo bench ingest [rows a lot]`."""
    rows = int(arguments[0]) if arguments else ROWS_A_LOT
    return asyncio.run(_measure(rows))


async def _measure(rows_a_lot: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="zhibo-ingest-") as folder:
        where = Path(folder)
        postgres = await prepare_postgres(where / "pg", where, OPTIONS)
        valkey = prepare_valkey(where / "redis", where)
        async with running(postgres) as postgres_url, running(valkey) as redis_url:
            await database.migrate(postgres_url)
            rounds = [await _round(postgres_url, redis_url, rows_a_lot) for _ in range(ROUNDS)]
            profile = await _profiled(postgres_url, redis_url, rows_a_lot // 3)
    rate = statistics.median(recorded for recorded, _ in rounds)
    copied = statistics.median(copied for _, copied in rounds)
    share = statistics.median(recorded / copied for recorded, copied in rounds)
    figures = [
        at_least("observations recorded, all guarantees on", rate, NEEDED_A_SECOND, "1/s"),
        at_least("of psql's COPY of the same rows, same run", share, NEEDED_SHARE, ""),
        shown("psql's COPY of the same rows", copied, "1/s"),
    ]
    about = {"lots": 5, "rows_a_lot": rows_a_lot, "observations_an_entry": BATCH}
    return Report("ingest", figures, {**about, "rounds": rounds, "profile": profile})


async def _round(postgres_url: str, redis_url: str, rows_a_lot: int) -> tuple[float, float]:
    """Rows a second by the recorder, then by psql."""
    async with connect(redis_url) as redis, database.pool(postgres_url) as connections:
        await _empty(redis, connections)
        total = await _fill(redis, rows_a_lot)
        seconds = await _record(redis, connections, rows_a_lot)
        print(f"ingest: {total / seconds:,.0f}/s recorded", file=sys.stderr)
        copied = await _copy(connections, postgres_url, total)
        print(f"ingest: {copied:,.0f}/s copied by psql", file=sys.stderr)
    return total / seconds, copied


async def _empty(redis: Redis, connections: asyncpg.Pool) -> None:
    await redis.flushdb()
    await connections.execute("TRUNCATE observation, watermark, lease, gateway_epoch")
    today = history.day_of(now_ms())
    await history.prepare_days(connections, today, 2)


async def _fill(redis: Redis, rows_a_lot: int) -> int:
    """Every lot's stream as a gateway would have left it after a long outage."""
    total = 0
    for path in list_shipped():
        states = _states(path)
        for start in range(0, rows_a_lot, BATCH):
            numbers = range(start + 1, min(start + BATCH, rows_a_lot) + 1)
            batch = tuple(_placed(states[number % len(states)], number) for number in numbers)
            await stream.publish_history(redis, batch)
            total += len(batch)
    return total


def _states(path: Path) -> list[Observation]:
    """A busy hour of this car park, each second another."""
    config = load_config(path)
    state, start_ms = StationState(config, {}, None, 0), now_ms() - 3_600_000
    found = []
    for second in range(DISTINCT_STATES):
        poll_all(state, config, second, start_ms + second * 1_000)
        found.append(state.observe(start_ms + second * 1_000, second * 1_000))
    return found


def _placed(state: Observation, number: int) -> Observation:
    return msgspec.structs.replace(state, epoch=1, sequence=number, previous_sequence=number - 1)


async def _record(redis: Redis, connections: asyncpg.Pool, rows_a_lot: int) -> float:
    """Seconds until one recorder has written everything."""
    lots = {lot.lot_id: lot for lot in load_shipped()}
    recorder = Recorder(redis, connections, lots, [], now_ms)
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        work = [group.create_task(recorder.keep_history(lot_id), name=lot_id) for lot_id in lots]
        while not await _is_done(connections, len(lots), rows_a_lot):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        elapsed = time.perf_counter() - start
        for task in work:
            task.cancel()
    assert await connections.fetchval("SELECT count(*) FROM observation") == rows_a_lot * len(lots)
    return elapsed


async def _is_done(connections: asyncpg.Pool, lots: int, rows_a_lot: int) -> bool:
    marks = await history.list_watermarks(connections)
    return len(marks) == lots and set(marks.values()) == {Position(1, rows_a_lot)}


async def _copy(connections: asyncpg.Pool, postgres_url: str, rows: int) -> float:
    """The very rows that were recorded, out to a file and back in with \\copy."""
    with tempfile.TemporaryDirectory(prefix="zhibo-copy-") as folder:
        file = Path(folder) / "rows.csv"
        await _psql(postgres_url, f"\\copy (SELECT * FROM observation) TO '{file}' CSV")  # noqa: S608
        await connections.execute("TRUNCATE observation")
        start = time.perf_counter()
        await _psql(postgres_url, f"\\copy observation FROM '{file}' CSV")
        return rows / (time.perf_counter() - start)


async def _psql(postgres_url: str, command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(embedded.postgres_program("psql")), "-q", "-d", postgres_url, "-c", command
    )
    assert await process.wait() == 0


async def _profiled(postgres_url: str, redis_url: str, rows_a_lot: int) -> Sequence[str]:
    """Where one recorder's own time goes, the most expensive first."""
    rows_a_lot -= rows_a_lot % BATCH
    async with connect(redis_url) as redis, database.pool(postgres_url) as connections:
        await _empty(redis, connections)
        await _fill(redis, rows_a_lot)
        profile = cProfile.Profile()
        profile.enable()
        await _record(redis, connections, rows_a_lot)
        profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(TOP_LINES)
    return [line for line in text.getvalue().splitlines() if line.strip()]
