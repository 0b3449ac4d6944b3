"""The gateway's memory: counters and observations in one SQLite transaction, kept until recorded.

WAL with synchronous FULL: what was committed survives a kill and a power cut; a torn last page is
rolled back at the next open. A row leaves when PostgreSQL has it and it is a day old.
"""

import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from gateway.counter import CounterState
from gateway.observation import Observation, decode_batch, encode_batch
from gateway.reconcile import Anchor

DAY_MS = 86_400_000
PAGE_BYTES = 4_096
DEFAULT_BYTES = 1 << 30
PRUNE_ROWS = 1_000
THIN_ROWS = 2_000
_EPOCH_RANDOM_BITS = 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (device_id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anchor (one INTEGER PRIMARY KEY CHECK (one = 1), state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS row (
    sequence INTEGER PRIMARY KEY,
    written_at_ms INTEGER NOT NULL,
    counts INTEGER NOT NULL,
    payload BLOB NOT NULL
);
"""

log = structlog.get_logger()


class Memory(msgspec.Struct, frozen=True):
    """What a gateway must not forget: every counter's state and the last verified count."""

    counters: Mapping[str, CounterState] = {}
    anchor: Anchor | None = None


class OutboxFullError(Exception):
    """The disk (or the outbox's size limit) takes no more, and nothing may be thinned."""


class OutboxBrokenError(Exception):
    """The outbox file is not a database any more; it has been set aside."""


def born_epoch(now_ms: int, above: int = 0) -> int:
    """A new epoch: later births are higher, and no two gateways draw the same."""
    random_part = secrets.randbits(_EPOCH_RANDOM_BITS)
    return max((now_ms // 1_000) << _EPOCH_RANDOM_BITS, above + 1) + random_part


class Outbox:
    """Opened by one process; not safe across threads."""

    def __init__(self, path: Path, now_ms: int, size_limit_bytes: int = DEFAULT_BYTES) -> None:
        self.path = path
        self._database = _open(path, size_limit_bytes)
        with self._transaction():
            self._database.execute(
                "INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('sequence', 0), "
                "('recorded', 0), ('published', 0)",
                (born_epoch(now_ms),),
            )
        self.epoch = self._meta("epoch")
        self.sequence = self._meta("sequence")
        self.recorded = self._meta("recorded")

    def close(self) -> None:
        self._database.close()

    def counters(self) -> dict[str, CounterState]:
        rows = self._database.execute("SELECT device_id, state FROM counter")
        return {id_: msgspec.msgpack.decode(state, type=CounterState) for id_, state in rows}

    def anchor(self) -> Anchor | None:
        row = self._database.execute("SELECT state FROM anchor").fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Anchor)

    def newest(self) -> Observation | None:
        row = self._database.execute(
            "SELECT payload FROM row ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return None if row is None else _unpack(row[0])

    def append(self, observation: Observation, memory: Memory, *, counts: bool) -> Observation:
        """Commit what changed of the memory and the observation that says so; it gets its place.

        `counts` says that a running total moved: such a row is never thinned. Raises
        OutboxFullError, and then neither is written.
        """
        placed = msgspec.structs.replace(
            observation,
            epoch=self.epoch,
            sequence=self.sequence + 1,
            previous_sequence=self.sequence,
        )
        try:
            self._write(placed, memory, counts=counts)
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode not in _FULL:
                raise
            self._thin_for(placed, memory, counts=counts)
        self.sequence = placed.sequence
        return placed

    def _thin_for(self, placed: Observation, memory: Memory, *, counts: bool) -> None:
        """Make room by dropping the oldest snapshots that no count hangs on, then write."""
        try:
            if not self._thin():
                raise OutboxFullError(f"{self.path} is full of counts that nobody has recorded")
            self._write(placed, memory, counts=counts)
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode not in _FULL:
                raise
            raise OutboxFullError(f"{self.path}: the disk is full") from None

    def _write(self, placed: Observation, memory: Memory, *, counts: bool) -> None:
        with self._transaction():
            self._database.execute(
                "INSERT INTO row VALUES (?, ?, ?, ?)",
                (placed.sequence, placed.observed_at_ms, counts, _pack(placed)),
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO counter VALUES (?, ?)",
                [(id_, msgspec.msgpack.encode(state)) for id_, state in memory.counters.items()],
            )
            if memory.anchor is not None:
                self._database.execute(
                    "INSERT OR REPLACE INTO anchor VALUES (1, ?)",
                    (msgspec.msgpack.encode(memory.anchor),),
                )
            self._set_meta("sequence", placed.sequence)

    def read_after(self, sequence: int, limit: int) -> tuple[Observation, ...]:
        """Up to `limit` observations behind `sequence`, each naming the kept one before it."""
        rows = self._database.execute(
            "SELECT sequence, payload FROM row WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (sequence, limit),
        ).fetchall()
        before = self._kept_before(sequence + 1)
        observations = []
        for kept, payload in rows:
            observations.append(
                msgspec.structs.replace(
                    _unpack(payload), epoch=self.epoch, previous_sequence=before
                )
            )
            before = kept
        return tuple(observations)

    def _kept_before(self, sequence: int) -> int:
        row = self._database.execute(
            "SELECT max(sequence) FROM row WHERE sequence < ?", (sequence,)
        ).fetchone()
        return max(row[0] or 0, min(self.recorded, sequence - 1))

    def note_recorded(self, sequence: int, now_ms: int) -> None:
        """PostgreSQL holds everything up to `sequence`: prune what is a day old as well."""
        if sequence <= self.recorded and sequence != self.recorded:
            return
        with self._transaction():
            self._set_meta("recorded", sequence)
            self._database.execute(
                "DELETE FROM row WHERE sequence IN (SELECT sequence FROM row "
                "WHERE sequence <= ? AND written_at_ms < ? ORDER BY sequence LIMIT ?)",
                (sequence, now_ms - DAY_MS, PRUNE_ROWS),
            )
        self.recorded = sequence

    def note_published(self) -> None:
        """Something under this epoch has left the house: it can be born again no more."""
        if not self._meta("published"):
            with self._transaction():
                self._set_meta("published", 1)

    def bear_again(self, now_ms: int, above: int) -> None:
        """Take an epoch above the server's, as long as nothing was ever published under ours."""
        if self._meta("published"):
            return
        epoch = born_epoch(now_ms, above)
        with self._transaction():
            self._set_meta("epoch", epoch)
        self.epoch = epoch

    def rows(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM row").fetchone()[0]
        return count

    def bytes_used(self) -> int:
        pages: int = self._database.execute("PRAGMA page_count").fetchone()[0]
        free: int = self._database.execute("PRAGMA freelist_count").fetchone()[0]
        return (pages - free) * PAGE_BYTES

    def _thin(self) -> int:
        """Drop every other of the oldest snapshots without a count; how many went."""
        with self._transaction():
            return (
                self._database.execute(
                    "DELETE FROM row WHERE sequence IN (SELECT sequence FROM row WHERE NOT counts "
                    "AND sequence % 2 = 1 AND sequence < ? ORDER BY sequence LIMIT ?)",
                    (self.sequence, THIN_ROWS),
                ).rowcount
                or self._database.execute(
                    "DELETE FROM row WHERE sequence IN (SELECT sequence FROM row WHERE NOT counts "
                    "AND sequence < ? ORDER BY sequence LIMIT ?)",
                    (self.sequence, THIN_ROWS),
                ).rowcount
            )

    def _meta(self, name: str) -> int:
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        value: int = row[0]
        return value

    def _set_meta(self, name: str, value: int) -> None:
        self._database.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._database)


class _Transaction:
    """BEGIN IMMEDIATE, then COMMIT or ROLLBACK; a failed COMMIT is rolled back, too."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._roll_back()
            return
        try:
            self._database.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")


_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_WRITE)


def _open(path: Path, size_limit_bytes: int) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path, size_limit_bytes)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        aside = _set_aside(path)
        log.exception("the outbox was broken and begins anew", outbox=str(path), kept=str(aside))
        return _connect(path, size_limit_bytes)


def _connect(path: Path, size_limit_bytes: int) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA max_page_count = {size_limit_bytes // PAGE_BYTES}")
        database.executescript(_SCHEMA)
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def _pack(observation: Observation) -> bytes:
    return encode_batch((observation,))


def _unpack(payload: bytes) -> Observation:
    (observation,) = decode_batch(payload)
    return observation
