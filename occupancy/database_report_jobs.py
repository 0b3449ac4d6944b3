"""Reports that somebody waits for, in PostgreSQL: asked once, worked on by one, followed by all."""

from collections.abc import Mapping
from typing import Any

from occupancy.database import Connection, Pool
from occupancy.database_report_versions import days_and_lots, subject_of
from occupancy.report.kept import Job, JobState, Subject

_COLUMNS = (
    "job_id, first_day, last_day, lots, note, asked_by, "
    "(extract(epoch FROM asked_at) * 1000)::bigint AS asked_at_ms, "
    "state, progress, stage, trouble, attempts, report_id"
)
_OPEN = "state IN ('waiting', 'running')"


async def ask(connections: Pool | Connection, subject: Subject, note: str, by: str) -> Job:
    """The job of this subject; one that is open already is the same."""
    await connections.execute(
        "INSERT INTO report_job (first_day, last_day, lots, note, asked_by) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        *(*days_and_lots(subject), note, by),
    )
    job = await find_newest(connections, subject)
    assert job is not None  # noqa: S101 -- it was added, or stood in the way
    return job


async def count_open(connections: Pool, by: str) -> int:
    """How many this person waits for."""
    query = f"SELECT count(*) FROM report_job WHERE {_OPEN} AND asked_by = $1"  # noqa: S608 -- ours
    return int(await connections.fetchval(query, by))


async def find_newest(connections: Pool | Connection, subject: Subject) -> Job | None:
    row = await connections.fetchrow(
        f"SELECT {_COLUMNS} FROM report_job WHERE first_day = $1 AND last_day = $2 AND lots = $3 "  # noqa: S608 -- ours
        "ORDER BY job_id DESC LIMIT 1",
        *days_and_lots(subject),
    )
    return None if row is None else _job(row)


async def list_open(connections: Pool, most: int) -> list[Job]:
    rows = await connections.fetch(
        f"SELECT {_COLUMNS} FROM report_job WHERE {_OPEN} ORDER BY job_id LIMIT $1",  # noqa: S608 -- ours
        most,
    )
    return [_job(row) for row in rows]


async def claim(connections: Pool, hold_seconds: float) -> Job | None:
    """The next job, ours for so long; one whose worker was not heard of since is taken over."""
    row = await connections.fetchrow(
        f"UPDATE report_job SET state = 'running', attempts = attempts + 1, progress = 0, "  # noqa: S608 -- ours
        "stage = '', held_until = now() + make_interval(secs => $1) WHERE job_id = ("
        "SELECT job_id FROM report_job WHERE state = 'waiting' "
        "OR (state = 'running' AND held_until < now()) ORDER BY job_id "
        f"FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING {_COLUMNS}",
        hold_seconds,
    )
    return None if row is None else _job(row)


async def note_progress(
    connections: Pool, job: Job, progress: float, stage: str, hold_seconds: float
) -> bool:
    """False when somebody else has taken it over: then it is no longer ours."""
    kept = await connections.fetchval(
        "UPDATE report_job SET progress = $3, stage = $4, "
        "held_until = now() + make_interval(secs => $5) "
        "WHERE job_id = $1 AND attempts = $2 AND state = 'running' RETURNING true",
        *(job.job_id, job.attempts, progress, stage, hold_seconds),
    )
    return bool(kept)


async def finish(connection: Connection, job: Job, report_id: int) -> bool:
    """In the transaction that keeps the report. False when it is no longer ours."""
    done = await connection.fetchval(
        "UPDATE report_job SET state = 'done', progress = 1, stage = '', report_id = $3 "
        "WHERE job_id = $1 AND attempts = $2 AND state = 'running' RETURNING true",
        *(job.job_id, job.attempts, report_id),
    )
    return bool(done)


async def fail(connections: Pool, job: Job, trouble: str) -> None:
    await connections.execute(
        "UPDATE report_job SET state = 'failed', trouble = $3 "
        "WHERE job_id = $1 AND attempts = $2 AND state = 'running'",
        *(job.job_id, job.attempts, trouble),
    )


def _job(row: Mapping[str, Any]) -> Job:
    return Job(
        row["job_id"],
        subject_of(row),
        row["note"],
        row["asked_by"],
        row["asked_at_ms"],
        JobState(row["state"]),
        row["progress"],
        row["stage"],
        row["trouble"],
        row["attempts"],
        row["report_id"],
    )
