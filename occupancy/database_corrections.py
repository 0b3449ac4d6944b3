"""Corrections and truth checks in PostgreSQL: added, never changed."""

import datetime as dt

import asyncpg
import msgspec

from gateway.correction import Correction
from occupancy import database_audit
from occupancy.audit import Entry
from occupancy.correction import Count, correct
from occupancy.database import Connection, Pool
from occupancy.live import LiveOccupancy
from occupancy.truth_check import TruthCheck


class Made(msgspec.Struct, frozen=True):
    """A correction as it was made: what the counters said before, what a person found, and why."""

    lot_id: str
    at_ms: int
    cars_inside: int
    cars_by_counters: int | None
    reason: str
    by: str


async def add_correction(connections: Pool, picture: LiveOccupancy, count: Count) -> Correction:
    """Record an operator's count with its reason, and the audit's record of it.

    Raises BadCountError before anything is kept.
    """
    made = correct(picture, count, number=0)
    async with connections.acquire() as connection, connection.transaction():
        number = await _add(connection, picture, count, made)
        entry = Entry(
            who=count.counted_by,
            action="calibrate",
            subject=f"lot {picture.lot_id}",
            reason=count.reason,
            lot_id=picture.lot_id,
            before={"cars_by_counters": picture.cars_inside, "cars_by_machines": picture.cars_seen},
            after={"correction": number, "cars_inside": made.cars_inside},
        )
        await database_audit.append(connection, entry)
    return correct(picture, count, number)


async def _add(
    connection: Connection, picture: LiveOccupancy, count: Count, made: Correction
) -> int:
    number: int = await connection.fetchval(
        "INSERT INTO correction (lot_id, epoch, sequence, cars_inside, entries_total, exits_total, "
        "unseen_cars, cars_by_counters, cars_by_machines, reason, corrected_by, corrected_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING number",
        *(picture.lot_id, picture.epoch, picture.sequence),
        *(made.cars_inside, made.entries_total, made.exits_total, made.unseen_cars),
        *(picture.cars_inside, picture.cars_seen),
        *(count.reason, count.counted_by, _time(count.at_ms)),
    )
    return number


async def list_newest_corrections(connections: Pool) -> dict[str, Correction]:
    """The correction that is in force for each car park that ever had one."""
    rows = await connections.fetch(
        "SELECT DISTINCT ON (lot_id) * FROM correction ORDER BY lot_id, number DESC"
    )
    return {row["lot_id"]: _correction(row) for row in rows}


async def add_check(connections: Pool, check: TruthCheck) -> bool:
    """Keep a check; False if this night's was kept already."""
    added = await connections.fetchval(
        "INSERT INTO truth_check VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
        "ON CONFLICT DO NOTHING RETURNING true",
        *(check.lot_id, _time(check.checked_at_ms), check.night, check.asked_by),
        *(check.epoch, check.sequence, check.capacity, check.entries_total, check.exits_total),
        *(check.cars_by_counters, check.cars_by_machines, check.unseen_cars),
        *(check.drift_cars, check.drift_since_last_cars),
    )
    return bool(added)


async def list_checks(connections: Pool, lot_id: str, most: int) -> list[TruthCheck]:
    """The newest first."""
    rows = await connections.fetch(
        "SELECT * FROM truth_check WHERE lot_id = $1 ORDER BY checked_at DESC LIMIT $2",
        lot_id,
        most,
    )
    return [_check(row) for row in rows]


async def list_checks_between(connections: Pool, from_ms: int, to_ms: int) -> list[TruthCheck]:
    """Of all car parks, in order of time."""
    rows = await connections.fetch(
        "SELECT * FROM truth_check WHERE checked_at >= $1 AND checked_at < $2 "
        "ORDER BY checked_at, lot_id",
        *(_time(from_ms), _time(to_ms)),
    )
    return [_check(row) for row in rows]


async def list_made_between(connections: Pool, from_ms: int, to_ms: int) -> list[Made]:
    """Corrections of all car parks, in order of time."""
    rows = await connections.fetch(
        "SELECT * FROM correction WHERE corrected_at >= $1 AND corrected_at < $2 ORDER BY number",
        *(_time(from_ms), _time(to_ms)),
    )
    return [
        Made(
            row["lot_id"],
            round(row["corrected_at"].timestamp() * 1_000),
            row["cars_inside"],
            row["cars_by_counters"],
            row["reason"],
            row["corrected_by"],
        )
        for row in rows
    ]


async def list_checked_nights(connections: Pool, night: dt.date) -> set[str]:
    """The car parks whose check of this night is kept."""
    rows = await connections.fetch("SELECT lot_id FROM truth_check WHERE night = $1", night)
    return {row["lot_id"] for row in rows}


def _correction(row: asyncpg.Record) -> Correction:
    return Correction(
        number=row["number"],
        epoch=row["epoch"],
        cars_inside=row["cars_inside"],
        entries_total=row["entries_total"],
        exits_total=row["exits_total"],
        at_ms=round(row["corrected_at"].timestamp() * 1_000),
        unseen_cars=row["unseen_cars"],
    )


def _check(row: asyncpg.Record) -> TruthCheck:
    names = (name for name in TruthCheck.__struct_fields__ if name != "checked_at_ms")
    told = {name: row[name] for name in names}
    return TruthCheck(checked_at_ms=round(row["checked_at"].timestamp() * 1_000), **told)


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
