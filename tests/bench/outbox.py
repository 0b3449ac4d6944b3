"""The outbox: commits a second, the slowest of a hundred, and what a row weighs.

A part of the bench `faults`, which calls `measure_outbox` and
`measure_catching_up`; `python -m tests.bench.outbox` alone.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from redis.asyncio import Redis

from gateway import stream
from gateway.config import GatewayConfig, Role, list_shipped, load_config
from gateway.decode import Value
from gateway.observation import encode_batch
from gateway.outbox import Memory, Outbox
from gateway.outbox_thread import OutboxThread
from gateway.reading import Reading
from gateway.redis_client import connect
from gateway.signs import to_registers
from gateway.station_state import StationState
from gateway.uplink import Uplink
from occupancy.embedded import prepare_valkey, running
from tests.bench.report import Figure, at_least, at_most, shown

LOT = "zhanqian"
NOW_MS = 1_800_000_000_000
COMMITS = 2_000
DAY_SECONDS = 86_400
READ_ROWS = 20_000
BATCH = 300
BACKLOG_ROWS = 10_000


def measure_outbox() -> list[Figure]:
    """Figures; the commits are shown beside what the same disk gives a bare SQLite."""
    with tempfile.TemporaryDirectory(prefix="zhibo-outbox-") as folder:
        bare = _bare_commits(Path(folder))
        outbox = Outbox(Path(folder) / "bench.sqlite", NOW_MS)
        print(f"outbox: {COMMITS} commits of {LOT}'s whole state", file=sys.stderr)
        seconds = _commit(outbox, COMMITS)
        row_bytes = _bytes_a_row(outbox)
        read_a_second = _read(outbox)
        outbox.close()
    seconds.sort()
    return [
        shown("outbox commits", len(seconds) / sum(seconds), "1/s"),
        shown("outbox commit p50", seconds[len(seconds) // 2] * 1_000, "ms"),
        shown("outbox commit p99", seconds[len(seconds) * 99 // 100] * 1_000, "ms"),
        shown("bare SQLite commits, same disk, one row of 1 kB", bare, "1/s"),
        at_most("outbox bytes a row", row_bytes, 64_000_000 / DAY_SECONDS, "B"),
        at_most("outbox of a day offline", row_bytes * DAY_SECONDS / 1_000_000, 64, "MB"),
        at_least("outbox rows read and packed for sending", read_a_second, 1_440, "1/s"),
    ]


def _bare_commits(folder: Path) -> float:
    """What the disk gives: the same synchronous mode, nothing of ours around it."""
    import sqlite3  # noqa: PLC0415  # the rules hold it to the outbox

    database = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, payload BLOB)")
    start = time.perf_counter()
    for _ in range(COMMITS):
        database.execute("INSERT INTO row (payload) VALUES (?)", (bytes(1_000),))
    elapsed = time.perf_counter() - start
    database.close()
    return COMMITS / elapsed


def _commit(outbox: Outbox, times: int) -> list[float]:
    config = next(c for c in map(load_config, list_shipped()) if c.car_park.lot_id == LOT)
    state, taken = StationState(config, {}, None, 0), []
    for second in range(times):
        at_ms = NOW_MS + second * 1_000
        poll_all(state, config, second, at_ms)
        news = state.observe(at_ms, second * 1_000)
        memory = Memory(dict(state.counters), state.anchor)
        start = time.perf_counter()
        outbox.append(news, memory, counts=second % 10 == 0)
        taken.append(time.perf_counter() - start)
    return taken


def poll_all(state: StationState, config: GatewayConfig, second: int, at_ms: int) -> None:
    """A busy hour: each device answers at its own moment, a few of them with something new."""
    for place, device in enumerate(config.car_park.devices):
        answer = _ANSWERS[device.role](second + place * 7)
        state.fold(Reading(device.device_id, answer, at_ms - place * 37 % 500), second * 1_000)
        if device.role is Role.SIGN:
            state.order_face(device.device_id, _face(second))


def _group(turn: int) -> dict[str, Value]:
    cars = 4 + turn // 20 % 12
    return {
        "group_state": "working",
        "pallets": tuple(pallet < cars for pallet in range(32)),
        "storing_queue": turn // 15 % 3,
        "fetching_queue": turn // 25 % 2,
        "cycle_seconds": 60.0 + turn // 30 % 9,
    }


def _face(second: int) -> tuple[str, ...]:
    return (str(90 - second // 10 % 40),)


_ANSWERS: dict[Role, Callable[[int], dict[str, Value]]] = {
    Role.LANE: lambda turn: {"count": 1_000 + turn // 10},
    Role.GROUP: _group,
    Role.SIGN: lambda turn: to_registers((str(90 - turn // 10 % 40),)),
}


def _bytes_a_row(outbox: Outbox) -> float:
    return outbox.bytes_used() / outbox.rows()


def _read(outbox: Outbox) -> float:
    start, rows = time.perf_counter(), 0
    while rows < READ_ROWS:
        batch = outbox.read_after(rows * 7 % (COMMITS - BATCH), BATCH)
        encode_batch(batch)
        rows += len(batch)
    return rows / (time.perf_counter() - start)


def measure_catching_up() -> list[Figure]:
    """A backlog through the uplink into a Valkey while new observations go on being made."""
    with tempfile.TemporaryDirectory(prefix="zhibo-uplink-") as folder:
        return asyncio.run(_catch_up(Path(folder)))


async def _catch_up(folder: Path) -> list[Figure]:
    outbox = Outbox(folder / "bench.sqlite", NOW_MS)
    print(f"uplink: {BACKLOG_ROWS} rows behind", file=sys.stderr)
    _commit(outbox, BACKLOG_ROWS)
    newest = outbox.newest()
    assert newest is not None
    thread, ages = OutboxThread(outbox), []
    async with running(prepare_valkey(folder / "redis", folder)) as url, connect(url) as redis:
        uplink = Uplink(thread, newest, redis, LOT, lambda: NOW_MS, time.monotonic)
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(uplink.run(), name="uplink")
            while not uplink.is_connected or uplink.backlog > BATCH:
                placed = await thread.append(newest, Memory(), counts=True)
                uplink.tell(placed)
                ages.append(await _seconds_until_said(redis, placed.sequence))
            elapsed = time.perf_counter() - start
            sending.cancel()
    thread.close()
    return [
        at_least("backlog sent while live", BACKLOG_ROWS / elapsed, DAY_SECONDS / 60, "1/s"),
        at_most("age of the newest state meanwhile, worst", max(ages), 2, "s"),
        shown("age of the newest state meanwhile, median", statistics.median(ages), "s"),
    ]


async def _seconds_until_said(redis: Redis, sequence: int) -> float:
    start = time.perf_counter()
    while True:
        entries = await stream.read_now(redis, {LOT: "0-0"}, 5)
        if entries and entries[-1][2].observation.sequence >= sequence:
            return time.perf_counter() - start
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    for figure in (*measure_outbox(), *measure_catching_up()):
        print(f"{figure.name}: {figure.value:,.2f} {figure.unit} ({figure.goal})")
