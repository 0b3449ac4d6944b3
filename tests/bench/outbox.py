"""The outbox: commits a second, the slowest of a hundred, and what a row weighs.

A part of the bench `faults`, which calls `measure_outbox`; `python -m tests.bench.outbox` alone.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.config import GatewayConfig, Role, list_shipped, load_config
from gateway.decode import Value
from gateway.observation import encode_batch
from gateway.outbox import Memory, Outbox
from gateway.reading import Reading
from gateway.signs import to_registers
from gateway.station_state import StationState
from tests.bench.report import Figure, at_least, at_most, shown

LOT = "zhanqian"
NOW_MS = 1_800_000_000_000
COMMITS = 2_000
DAY_SECONDS = 86_400
READ_ROWS = 20_000
BATCH = 300


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
        _poll_all(state, config, second, at_ms)
        news = state.observe(at_ms, second * 1_000)
        memory = Memory(dict(state.counters), state.anchor)
        start = time.perf_counter()
        outbox.append(news, memory, counts=second % 10 == 0)
        taken.append(time.perf_counter() - start)
    return taken


def _poll_all(state: StationState, config: GatewayConfig, second: int, at_ms: int) -> None:
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


if __name__ == "__main__":
    for figure in measure_outbox():
        print(f"{figure.name}: {figure.value:,.2f} {figure.unit} ({figure.goal})")
