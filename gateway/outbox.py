"""The gateway's memory: counters and observations in one SQLite transaction, kept until recorded.

WAL with synchronous FULL: what was committed survives a kill and a power cut; a torn last page is
rolled back at the next open. A row leaves when PostgreSQL has it and it is a day old. Age is the
outbox's own time: the sum of the gaps between rows, each at most a few seconds, so that a clock
that is set makes no row older; a gateway that was switched off keeps its rows longer.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from gateway.counter import CounterState
from gateway.observation import Observation
from gateway.outbox_file import is_full, open_outbox, transaction
from gateway.outbox_packing import Packer, UnreadableRowError
from gateway.reconcile import Anchor

DAY_MS = 86_400_000
LONGEST_GAP_MS = 10_000
DEFAULT_BYTES = 1 << 30
PRUNE_ROWS = 1_000
THIN_ROWS = 2_000
KEEP_ONE_OF = 16
NEARLY_FULL_SHARE = 0.8
SPARE_PAGES = 16  # one row may need several
_EPOCH_RANDOM_BITS = 20

log = structlog.get_logger()


class Memory(msgspec.Struct, frozen=True):
    """What a gateway must not forget: every counter's state and the last verified count."""

    counters: Mapping[str, CounterState] = {}
    anchor: Anchor | None = None


class OutboxFullError(Exception):
    """The disk (or the outbox's size limit) takes no more, and nothing may be thinned."""


def born_epoch(now_ms: int, above: int = 0) -> int:
    """A new epoch: later births are higher, and no two gateways draw the same."""
    random_part = secrets.randbits(_EPOCH_RANDOM_BITS)
    return max((now_ms // 1_000) << _EPOCH_RANDOM_BITS, above + 1) + random_part


class Outbox:
    """Opened by one process; not safe across threads.

    Rows up to `floor` belong to an epoch that was left; `recorded` is what PostgreSQL has of ours.
    """

    def __init__(self, path: Path, now_ms: int, size_limit_bytes: int = DEFAULT_BYTES) -> None:
        self.path = path
        self._database = open_outbox(path, size_limit_bytes)
        with transaction(self._database):
            self._database.execute(
                "INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('sequence', 0), ('floor', 0), "
                "('recorded', 0), ('published', 0), ('age_ms', 0)",
                (born_epoch(now_ms),),
            )
        self.epoch = self._meta("epoch")
        self.sequence = self._meta("sequence")
        self.floor = self._meta("floor")
        self.recorded = self._meta("recorded")
        self._age_ms = self._meta("age_ms")
        self._observed_at_ms = now_ms
        self._packer = Packer(self._database)
        self._kept = Memory(self.counters(), self.anchor())

    def close(self) -> None:
        self._database.close()

    def counters(self) -> dict[str, CounterState]:
        rows = self._database.execute("SELECT device_id, state FROM counter")
        return {id_: msgspec.msgpack.decode(state, type=CounterState) for id_, state in rows}

    def pushed(self) -> list[str]:
        """Numbers of the records that were counted and not yet forgotten."""
        return [number for (number,) in self._database.execute("SELECT number FROM pushed")]

    def heard(self) -> dict[str, int]:
        """Nonces of the posts that were taken, with when each was sent, the oldest first."""
        rows = self._database.execute("SELECT nonce, sent_at_ms FROM heard ORDER BY sent_at_ms")
        return dict(rows.fetchall())

    def forget_heard(self, before_ms: int) -> None:
        """Forget nonces of posts so old that they would be refused by their time."""
        with self._committing():
            self._database.execute("DELETE FROM heard WHERE sent_at_ms < ?", (before_ms,))

    def forget_pushed(self, before_ms: int) -> list[str]:
        """Forget records so old that they would be refused by their time; says which."""
        with self._committing():
            rows = self._database.execute(
                "DELETE FROM pushed WHERE at_ms < ? RETURNING number", (before_ms,)
            ).fetchall()
        return [number for (number,) in rows]

    def anchor(self) -> Anchor | None:
        row = self._database.execute("SELECT state FROM anchor").fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Anchor)

    def newest(self) -> Observation | None:
        newest = self.read_after(self.sequence - 1, 1)
        return newest[0] if newest else None

    def append(
        self,
        observation: Observation,
        memory: Memory,
        *,
        counts: bool,
        pushed: Sequence[tuple[str, int]] = (),
        heard: Sequence[tuple[str, int]] = (),
    ) -> Observation:
        """Commit what changed of the memory and the observation that says so; it gets its place.

        `counts` says that a running total moved: such a row is never thinned. Raises
        OutboxFullError, and then neither is written. `pushed` are records counted in it, by
        number and time; `heard` are the posts that told them, by nonce and time of sending.
        """
        placed = msgspec.structs.replace(
            observation,
            epoch=self.epoch,
            sequence=self.sequence + 1,
            previous_sequence=self.sequence if self.sequence > self.floor else 0,
        )
        while not self._write(placed, memory, (pushed, heard), counts=counts):
            self._make_room()
        return placed

    def _write(
        self,
        placed: Observation,
        memory: Memory,
        posts: tuple[Sequence[tuple[str, int]], Sequence[tuple[str, int]]],
        *,
        counts: bool,
    ) -> bool:
        """Write all or nothing; False if there is no room."""
        gap_ms = placed.observed_at_ms - self._observed_at_ms
        age_ms = self._age_ms + min(max(gap_ms, 0), LONGEST_GAP_MS)
        try:
            with transaction(self._database):
                dictionary, payload = self._packer.pack(placed)
                self._database.execute(
                    "INSERT INTO observation VALUES (?, ?, ?, ?, ?)",
                    (placed.sequence, age_ms, counts, dictionary, payload),
                )
                self._keep(memory)
                pushed, heard = posts
                self._database.executemany("INSERT OR IGNORE INTO pushed VALUES (?, ?)", pushed)
                self._database.executemany("INSERT OR IGNORE INTO heard VALUES (?, ?)", heard)
                self._set_meta("sequence", placed.sequence)
                self._set_meta("age_ms", age_ms)
        except sqlite3.OperationalError as refusal:
            if not is_full(refusal):
                raise
            self._packer.reload()
            return False
        self.sequence, self._age_ms, self._kept = placed.sequence, age_ms, memory
        self._observed_at_ms = placed.observed_at_ms
        return True

    def _keep(self, memory: Memory) -> None:
        changed = [
            (device_id, msgspec.msgpack.encode(state))
            for device_id, state in memory.counters.items()
            if self._kept.counters.get(device_id) != state
        ]
        self._database.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", changed)
        if memory.anchor is not None and memory.anchor != self._kept.anchor:
            encoded = msgspec.msgpack.encode(memory.anchor)
            self._database.execute("INSERT OR REPLACE INTO anchor VALUES (1, ?)", (encoded,))

    def _make_room(self) -> None:
        """Thin where the limit is our own; a disk that others filled is not ours to empty."""
        if not self.is_at_its_limit():
            raise OutboxFullError(f"{self.path}: the disk is full; free some of it")
        if not self._thin():
            raise OutboxFullError(f"{self.path} is full of counts that nobody has recorded")

    @contextlib.contextmanager
    def _committing(self) -> Iterator[None]:
        """A transaction; raises OutboxFullError, and then nothing of it was written."""
        try:
            with transaction(self._database):
                yield
        except sqlite3.OperationalError as refusal:
            if not is_full(refusal):
                raise
            raise OutboxFullError(f"{self.path}: the disk is full; free some of it") from None

    def _thin(self) -> int:
        """Drop the oldest snapshots without a count, but one of some; then those, too."""
        return self._thin_but(KEEP_ONE_OF, 0) or self._thin_but(1, 1)

    def _thin_but(self, modulus: int, kept_remainder: int) -> int:
        with self._committing():
            return self._database.execute(
                "DELETE FROM observation WHERE sequence IN (SELECT sequence FROM observation "
                "WHERE NOT counts AND sequence % ? != ? AND sequence < ? "
                "ORDER BY sequence LIMIT ?)",
                (modulus, kept_remainder, self.sequence, THIN_ROWS),
            ).rowcount

    def read_after(self, sequence: int, limit: int) -> tuple[Observation, ...]:
        """Up to `limit` observations behind `sequence`, each naming the kept one before it.

        A row that has rotted is dropped with a word in the log: the next one says as much.
        """
        behind = max(sequence, self.floor)
        rows = self._database.execute(
            "SELECT sequence, dictionary, payload FROM observation WHERE sequence > ? "
            "ORDER BY sequence LIMIT ?",
            (behind, limit),
        ).fetchall()
        before = self._kept_before(behind + 1)
        observations = []
        for kept, dictionary, payload in rows:
            try:
                whole = self._packer.unpack(dictionary, payload)
            except UnreadableRowError:
                log.exception("a row of the outbox cannot be read", sequence=kept)
                continue
            placed = msgspec.structs.replace(whole, epoch=self.epoch, previous_sequence=before)
            observations.append(placed)
            before = kept
        return tuple(observations)

    def _kept_before(self, sequence: int) -> int:
        """The row before, or what PostgreSQL has before; 0 where our epoch begins."""
        row = self._database.execute(
            "SELECT max(sequence) FROM observation WHERE sequence > ? AND sequence < ?",
            (self.floor, sequence),
        ).fetchone()
        return max(row[0] or 0, min(self.recorded, sequence - 1))

    def note_recorded(self, sequence: int) -> None:
        """PostgreSQL holds everything up to `sequence`: prune what is a day old as well.

        On a full disk it is known until we end; then the recorder's word is read again.
        """
        known, self.recorded = self.recorded, max(self.recorded, sequence)
        with contextlib.suppress(OutboxFullError):
            if sequence > known:
                with self._committing():
                    self._set_meta("recorded", sequence)
            self._prune()

    def _prune(self) -> None:
        gone = (max(self.recorded, self.floor), self._age_ms - DAY_MS)
        oldest = self._database.execute(
            "SELECT sequence, age_ms FROM observation ORDER BY sequence LIMIT 1"
        ).fetchone()
        if oldest is None or oldest[0] > gone[0] or oldest[1] >= gone[1]:
            return
        with self._committing():
            self._database.execute(
                "DELETE FROM observation WHERE sequence IN (SELECT sequence FROM observation "
                "WHERE sequence <= ? AND age_ms < ? ORDER BY sequence LIMIT ?)",
                (*gone, PRUNE_ROWS),
            )
            self._packer.forget_unused()

    def note_published(self) -> None:
        """Something under this epoch has left the house: its rows can change it no more.

        Raises OutboxFullError, and then nothing may leave yet; the same holds for a new epoch.
        """
        if not self._meta("published"):
            with self._committing():
                self._set_meta("published", 1)

    @property
    def is_published(self) -> bool:
        return bool(self._meta("published"))

    def bear_again(self, now_ms: int, above: int) -> None:
        """Take an epoch above another's for all rows, of which none was ever published."""
        self._begin_epoch(born_epoch(now_ms, above), self.floor)

    def leave_epoch(self, now_ms: int, above: int) -> None:
        """Begin an epoch for the rows to come: this file is an old copy of what went on."""
        self._begin_epoch(born_epoch(now_ms, above), self.sequence)

    def _begin_epoch(self, epoch: int, floor: int) -> None:
        with self._committing():
            for name, value in (
                ("epoch", epoch),
                ("floor", floor),
                ("recorded", 0),
                ("published", 0),
            ):
                self._set_meta(name, value)
        self.epoch, self.floor, self.recorded = epoch, floor, 0

    def rows(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM observation").fetchone()[0]
        return count

    def bytes_used(self) -> int:
        return self._pages_used() * self._pragma("page_size")

    def bytes_limit(self) -> int:
        return self._pragma("max_page_count") * self._pragma("page_size")

    def is_nearly_full(self) -> bool:
        """Whether thinning is near: time to look why nobody records."""
        return self.bytes_used() > self.bytes_limit() * NEARLY_FULL_SHARE

    def is_at_its_limit(self) -> bool:
        return self._pages_used() + SPARE_PAGES >= self._pragma("max_page_count")

    def _pages_used(self) -> int:
        return self._pragma("page_count") - self._pragma("freelist_count")

    def _pragma(self, name: str) -> int:
        value: int = self._database.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _meta(self, name: str) -> int:
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        value: int = row[0]
        return value

    def _set_meta(self, name: str, value: int) -> None:
        self._database.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
