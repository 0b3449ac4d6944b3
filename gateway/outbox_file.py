"""The outbox's file: its tables, how it is opened, and what is done with a broken one."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

PAGE_BYTES = 4_096
VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (device_id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anchor (one INTEGER PRIMARY KEY CHECK (one = 1), state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS pushed (number TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (
    nonce TEXT PRIMARY KEY, sent_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dictionary (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS observation (
    sequence INTEGER PRIMARY KEY,
    age_ms INTEGER NOT NULL,
    counts INTEGER NOT NULL,
    dictionary INTEGER NOT NULL,
    payload BLOB NOT NULL
);
"""
_TABLES = set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", _SCHEMA))
# A full disk shows as SQLITE_FULL, or as a failed write where the file system says so late.
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF
_WAYS_OUT = {
    sqlite3.SQLITE_BUSY: "another gateway has it: stop that one first",
    sqlite3.SQLITE_FULL: "the disk is full: free some of it",
}
BUSY_SECONDS = 2.0  # a gateway that is stopping lets go within it

log = structlog.get_logger()


class UnusableOutboxError(Exception):
    """The outbox cannot be opened; the message names the file and the way out."""


def is_full(refusal: sqlite3.Error) -> bool:
    return refusal.sqlite_errorcode & _PRIMARY_CODE in _FULL


def open_outbox(path: Path, size_limit_bytes: int) -> sqlite3.Connection:
    """Open or make the file; a broken one is set aside and a new one begun.

    Raises UnusableOutboxError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _connect(path, size_limit_bytes)
    except OSError as reason:
        raise UnusableOutboxError(f"{path}: {reason.strerror}; choose another folder") from None
    except sqlite3.DatabaseError as trouble:
        code = trouble.sqlite_errorcode & _PRIMARY_CODE
        if code not in _BROKEN:
            way_out = _WAYS_OUT.get(code, "choose another folder")
            raise UnusableOutboxError(f"{path}: {trouble}; {way_out}") from None
        aside = _set_aside(path)
        log.error(  # noqa: TRY400  # the reason says it
            "the outbox is broken: a new one begins, under a new epoch",
            outbox=str(path),
            reason=str(trouble),
            kept_as=str(aside),
        )
        return _connect(path, size_limit_bytes)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: a COMMIT that fails is rolled back, too."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _connect(path: Path, size_limit_bytes: int) -> sqlite3.Connection:
    database = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database, path, size_limit_bytes)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: Path, size_limit_bytes: int) -> None:
    # Two processes with one outbox would give out the same sequences. Said before the first read,
    # it also spares the shared memory file, which a full disk would refuse.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise UnusableOutboxError(
            f"{path} was written by a newer version (format {version}, this one knows {VERSION}): "
            "install that version again, or move the file away"
        )
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA max_page_count = {size_limit_bytes // PAGE_BYTES}")
    # An older version's file lacks the newest tables, and is still that version's to go back to.
    # What is whole is not written to: it must open on a full disk, too.
    if version == 0 or _TABLES - _tables(database):
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {VERSION}")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        broken = sqlite3.DatabaseError(verdict)
        broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise broken


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}


def _set_aside(path: Path) -> Path:
    """Rename the file and its log: a person may still want what is in them."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
