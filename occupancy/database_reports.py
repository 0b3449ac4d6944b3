"""What citizens report in PostgreSQL: beside what we showed at that moment, without a name."""

import datetime as dt

import asyncpg
import msgspec

from occupancy.database import Pool


class CitizenReport(msgspec.Struct, frozen=True):
    """One report; what was shown then is None where nothing was."""

    lot_id: str
    kind: str
    words: str
    free_shown: int | None
    quality_shown: str | None
    reported_at_ms: int


async def add_report(connections: Pool, report: CitizenReport) -> None:
    await connections.execute(
        "INSERT INTO citizen_report (lot_id, kind, words, free_shown, quality_shown, reported_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        *(report.lot_id, report.kind, report.words),
        *(report.free_shown, report.quality_shown),
        dt.datetime.fromtimestamp(report.reported_at_ms / 1_000, tz=dt.UTC),
    )


async def list_reports(
    connections: Pool, lot_id: str | None = None, most: int = 100
) -> list[CitizenReport]:
    """Of one car park or of all; the newest first."""
    rows = await connections.fetch(
        "SELECT * FROM citizen_report WHERE $1::text IS NULL OR lot_id = $1 "
        "ORDER BY reported_at DESC, number DESC LIMIT $2",
        lot_id,
        most,
    )
    return [_report(row) for row in rows]


async def count_reports(connections: Pool, from_ms: int, to_ms: int) -> list[tuple[str, str, int]]:
    """Car park, kind and how often it was reported in a span."""
    rows = await connections.fetch(
        "SELECT lot_id, kind, count(*) AS times FROM citizen_report "
        "WHERE reported_at >= to_timestamp($1) AND reported_at < to_timestamp($2) "
        "GROUP BY lot_id, kind ORDER BY lot_id, kind",
        *(from_ms / 1_000, to_ms / 1_000),
    )
    return [(row["lot_id"], row["kind"], row["times"]) for row in rows]


def _report(row: asyncpg.Record) -> CitizenReport:
    return CitizenReport(
        lot_id=row["lot_id"],
        kind=row["kind"],
        words=row["words"],
        free_shown=row["free_shown"],
        quality_shown=row["quality_shown"],
        reported_at_ms=round(row["reported_at"].timestamp() * 1_000),
    )
