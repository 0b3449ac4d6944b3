"""Versions of the congestion report in PostgreSQL: added with their files, never changed."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from occupancy.database import Connection, Pool
from occupancy.report.document import Report
from occupancy.report.kept import KeptReport, KeptVersion, LotSums, Sources, Subject
from occupancy.report.period import make_period

_HEAD = (
    "v.report_id, v.first_day, v.last_day, v.lots, v.version, v.note, v.made_by, v.made_at, "
    "v.sha256, p.published_by, p.published_at, p.reason "
    "FROM report_version v LEFT JOIN report_publication p USING (report_id) "
)
_SUBJECT = "v.first_day = $1 AND v.last_day = $2 AND v.lots = $3 "


async def add_version(
    connection: Connection,
    subject: Subject,
    report: Report,
    sources: Sources,
    files: Mapping[str, bytes],
    *,
    by: str,
) -> int:
    """Keep a version that carries its own number, and what was made with it."""
    document = msgspec.json.encode(report)
    report_id: int = await connection.fetchval(
        "INSERT INTO report_version (first_day, last_day, lots, version, document, sha256, "
        "sources, note, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9) "
        "RETURNING report_id",
        *days_and_lots(subject),
        report.version,
        document.decode(),
        hashlib.sha256(document).digest(),
        msgspec.json.encode(sources).decode(),
        report.note,
        by,
    )
    await connection.executemany(
        "INSERT INTO report_file (report_id, name, content, sha256) VALUES ($1, $2, $3, $4)",
        [
            (report_id, name, content, hashlib.sha256(content).digest())
            for name, content in files.items()
        ],
    )
    return report_id


async def lock_subject(connection: Connection, subject: Subject) -> int:
    """The number of the next version; whoever makes it at the same time waits."""
    key = f"report {subject.period.first} {subject.period.last} {','.join(subject.lots)}"
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    newest = await connection.fetchval(
        f"SELECT max(version) FROM report_version v WHERE {_SUBJECT}",  # noqa: S608 -- ours
        *days_and_lots(subject),
    )
    return int(newest or 0) + 1


async def list_newest(connections: Pool, most: int) -> list[KeptVersion]:
    """The newest version of each subject, the latest period first."""
    rows = await connections.fetch(
        f"SELECT * FROM (SELECT DISTINCT ON (v.first_day, v.last_day, v.lots) {_HEAD} "  # noqa: S608 -- ours
        "ORDER BY v.first_day, v.last_day, v.lots, v.version DESC) AS newest "
        "ORDER BY last_day DESC, first_day DESC, lots LIMIT $1",
        most,
    )
    return [_head(row) for row in rows]


async def list_versions(connections: Pool, subject: Subject) -> list[KeptVersion]:
    """The newest first."""
    rows = await connections.fetch(
        f"SELECT {_HEAD} WHERE {_SUBJECT} ORDER BY v.version DESC",
        *days_and_lots(subject),
    )
    return [_head(row) for row in rows]


async def find_report(
    connections: Pool | Connection, subject: Subject, version: int | None = None
) -> KeptReport | None:
    """This version, or the newest."""
    row = await connections.fetchrow(
        f"SELECT v.document, v.sources, {_HEAD} WHERE {_SUBJECT} "
        "AND ($4::int IS NULL OR v.version = $4) ORDER BY v.version DESC LIMIT 1",
        *days_and_lots(subject),
        version,
    )
    return None if row is None else _kept(row)


async def get_report(connections: Pool | Connection, report_id: int) -> KeptReport:
    row = await connections.fetchrow(
        f"SELECT v.document, v.sources, {_HEAD} WHERE v.report_id = $1",
        report_id,
    )
    return _kept(row)


async def find_file(connections: Pool, report_id: int, name: str) -> bytes | None:
    content = await connections.fetchval(
        "SELECT content FROM report_file WHERE report_id = $1 AND name = $2", report_id, name
    )
    return None if content is None else bytes(content)


async def has_file(connections: Pool, report_id: int, name: str) -> bool:
    query = "SELECT EXISTS (SELECT FROM report_file WHERE report_id = $1 AND name = $2)"
    return bool(await connections.fetchval(query, report_id, name))


async def add_publication(connection: Connection, report_id: int, by: str, reason: str) -> bool:
    """False for a version that is published already."""
    added = await connection.fetchval(
        "INSERT INTO report_publication (report_id, published_by, reason) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        *(report_id, by, reason),
    )
    return bool(added)


async def read_sources(
    connections: Pool | Connection, subject: Subject, until_ms: int | None = None
) -> Sources:
    """What the history of the period adds up to now, until a moment; None: until its end."""
    end_ms = subject.period.end_ms if until_ms is None else until_ms
    span = (_time(subject.period.start_ms), _time(end_ms), list(subject.lots))
    rows = await connections.fetch(
        "SELECT lot_id, sum(told_ms)::bigint AS told_ms, sum(occupied_ms)::bigint AS occupied_ms, "
        "sum(usable_ms)::bigint AS usable_ms, sum(entries)::bigint AS entries, "
        "sum(exits)::bigint AS exits FROM rollup_60 "
        "WHERE start >= $1 AND start < $2 AND ($3::text[] = '{}' OR lot_id = ANY($3)) "
        "GROUP BY lot_id",
        *span,
    )
    corrections = await connections.fetchval(
        "SELECT count(*) FROM correction WHERE corrected_at >= $1 AND corrected_at < $2 "
        "AND ($3::text[] = '{}' OR lot_id = ANY($3))",
        *span,
    )
    sums = {
        row["lot_id"]: LotSums(*(row[name] for name in LotSums.__struct_fields__)) for row in rows
    }
    return Sources(sums, corrections, until_ms)


def days_and_lots(subject: Subject) -> tuple[dt.date, dt.date, list[str]]:
    return subject.period.first, subject.period.last, list(subject.lots)


def subject_of(row: Mapping[str, Any]) -> Subject:
    return Subject(make_period(row["first_day"], row["last_day"]), tuple(row["lots"]))


def _head(row: Mapping[str, Any]) -> KeptVersion:
    return KeptVersion(
        report_id=row["report_id"],
        subject=subject_of(row),
        version=row["version"],
        note=row["note"],
        made_by=row["made_by"],
        made_at_ms=_ms(row["made_at"]),
        sha256=bytes(row["sha256"]),
        published_by=row["published_by"],
        published_at_ms=None if row["published_at"] is None else _ms(row["published_at"]),
        publication_reason=row["reason"],
    )


def _kept(row: Mapping[str, Any]) -> KeptReport:
    document = row["document"].encode()
    sources = msgspec.json.decode(row["sources"], type=Sources)
    return KeptReport(_head(row), msgspec.json.decode(document, type=Report), document, sources)


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


def _ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1_000)
