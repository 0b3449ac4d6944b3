"""Facts of the car parks in PostgreSQL: edited by those who saw their last state, and counted."""

import datetime as dt
from typing import NamedTuple

import msgspec

from occupancy.database import Connection, Pool
from occupancy.lot import Lot
from occupancy.lot_stage import Stage, StagedLot


class KeptLot(NamedTuple):
    """A car park as it is kept: how often it was edited, by whom last, and where it stands."""

    lot: Lot
    version: int
    changed_by: str
    stage: Stage = Stage.LIVE


async def find_lot(connections: Pool, lot_id: str) -> KeptLot | None:
    row = await connections.fetchrow(f"{_SELECT} WHERE lot_id = $1", lot_id)
    return None if row is None else _kept(*row.values())


async def lock_lot(connection: Connection, lot_id: str) -> KeptLot | None:
    row = await connection.fetchrow(f"{_SELECT} WHERE lot_id = $1 FOR UPDATE", lot_id)
    return None if row is None else _kept(*row.values())


async def keep_lot(connection: Connection, lot: Lot, by: str) -> None:
    """Running processes follow within a second: a trigger counts the change."""
    await connection.execute(
        "UPDATE lot SET facts = $2::jsonb, version = version + 1, changed_by = $3, "
        "changed_at = now() WHERE lot_id = $1",
        *(lot.lot_id, msgspec.json.encode(lot).decode(), by),
    )


async def add_lot(connection: Connection, lot: Lot, by: str) -> None:
    """A car park that begins to join, or one that was removed and comes again."""
    await connection.execute(
        "INSERT INTO lot (lot_id, facts, changed_by, stage) VALUES ($1, $2::jsonb, $3, 'joining') "
        "ON CONFLICT (lot_id) DO UPDATE SET facts = excluded.facts, stage = 'joining', "
        "removed_at = NULL, version = lot.version + 1, changed_by = $3, changed_at = now() "
        "WHERE lot.stage <> 'live'",
        *(lot.lot_id, msgspec.json.encode(lot).decode(), by),
    )


async def set_live(connection: Connection, lot_id: str, now_ms: int, by: str) -> None:
    await connection.execute(
        "UPDATE lot SET stage = 'live', live_at = $2, version = version + 1, changed_by = $3, "
        "changed_at = now() WHERE lot_id = $1",
        *(lot_id, _moment(now_ms), by),
    )


async def set_removed(connection: Connection, lot_id: str, now_ms: int, by: str) -> None:
    await connection.execute(
        "UPDATE lot SET stage = 'removed', removed_at = $2, version = version + 1, "
        "changed_by = $3, changed_at = now() WHERE lot_id = $1",
        *(lot_id, _moment(now_ms), by),
    )


async def count_live(connection: Connection) -> int:
    """Those that are live, held until the transaction ends: two may not each remove the other."""
    rows = await connection.fetch("SELECT lot_id FROM lot WHERE stage = 'live' FOR UPDATE")
    return len(rows)


async def delete_joining(connection: Connection, lot_id: str) -> None:
    """It was never live: nothing but the audit remembers it."""
    await connection.execute("DELETE FROM lot WHERE lot_id = $1 AND stage = 'joining'", lot_id)


async def list_staged(connections: Pool) -> list[StagedLot]:
    """Every car park there is or was, by its id."""
    rows = await connections.fetch(
        "SELECT facts, stage, live_at, removed_at FROM lot ORDER BY lot_id"
    )
    return [
        StagedLot(
            msgspec.json.decode(row["facts"], type=Lot),
            Stage(row["stage"]),
            _ms(row["live_at"]),
            _ms(row["removed_at"]),
        )
        for row in rows
    ]


async def list_lots_since(connections: Pool, from_ms: int) -> list[Lot]:
    """Those that were live at any moment since then, also if they have been removed."""
    return [one.lot for one in await list_staged(connections) if one.was_live_after(from_ms)]


async def read_revision(connections: Pool) -> int:
    """How often any car park was edited."""
    number = await connections.fetchval("SELECT number FROM revision WHERE thing = 'lots'")
    return int(number or 0)


def _kept(facts: str, version: int, changed_by: str, stage: str) -> KeptLot:
    return KeptLot(msgspec.json.decode(facts, type=Lot), version, changed_by, Stage(stage))


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000)


_SELECT = "SELECT facts, version, changed_by, stage FROM lot"
