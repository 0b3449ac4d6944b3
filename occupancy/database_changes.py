"""Changes that planners named, in PostgreSQL: noted once, withdrawn with a reason, never edited."""

from typing import Any

import msgspec

from occupancy.calendar import date_of, day_of
from occupancy.database import Connection, Pool
from occupancy.database_restrictions import time_of
from occupancy.effect.change import Change, ChangeKind
from occupancy.effect.metric import Metric


class KeptChange(msgspec.Struct, frozen=True):
    """A change with who named it and why, and what its days could show, computed beforehand."""

    number: int
    change: Change
    detectable: float | None
    reason: str
    noted_by: str
    noted_ms: int
    withdrawn_by: str | None = None
    withdrawn_ms: int | None = None
    withdraw_reason: str | None = None


async def add_change(
    connection: Connection,
    change: Change,
    detectable: float | None,
    *,
    reason: str,
    by: str,
    now_ms: int,
) -> KeptChange:
    row = await connection.fetchrow(
        "INSERT INTO known_change (name, kind, lot_id, place, since, metric, before_days, "
        "after_days, detectable, reason, noted_by, noted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *",
        *(change.name, change.kind.value, change.lot_id, change.place, date_of(change.day)),
        *(change.metric.value, change.before_days, change.after_days, detectable),
        *(reason, by, time_of(now_ms)),
    )
    return _kept(row)


async def list_changes(connections: Pool) -> list[KeptChange]:
    """The newest first."""
    rows = await connections.fetch("SELECT * FROM known_change ORDER BY since DESC, number DESC")
    return [_kept(row) for row in rows]


async def find_change(connections: Pool | Connection, number: int) -> KeptChange | None:
    row = await connections.fetchrow("SELECT * FROM known_change WHERE number = $1", number)
    return None if row is None else _kept(row)


async def mark_withdrawn(
    connection: Connection, number: int, *, reason: str, by: str, now_ms: int
) -> bool:
    """False: somebody was faster."""
    done = await connection.execute(
        "UPDATE known_change SET withdrawn_by = $2, withdrawn_at = $3, withdraw_reason = $4 "
        "WHERE number = $1 AND withdrawn_at IS NULL",
        *(number, by, time_of(now_ms), reason),
    )
    return bool(done == "UPDATE 1")


def _kept(row: Any) -> KeptChange:  # noqa: ANN401  # asyncpg's record
    change = Change(
        name=row["name"],
        kind=ChangeKind(row["kind"]),
        lot_id=row["lot_id"],
        place=row["place"],
        day=day_of(row["since"]),
        metric=Metric(row["metric"]),
        before_days=row["before_days"],
        after_days=row["after_days"],
    )
    withdrawn_at = row["withdrawn_at"]
    return KeptChange(
        number=row["number"],
        change=change,
        detectable=row["detectable"],
        reason=row["reason"],
        noted_by=row["noted_by"],
        noted_ms=round(row["noted_at"].timestamp() * 1_000),
        withdrawn_by=row["withdrawn_by"],
        withdrawn_ms=None if withdrawn_at is None else round(withdrawn_at.timestamp() * 1_000),
        withdraw_reason=row["withdraw_reason"],
    )
