"""Facts of the car parks in PostgreSQL: edited by those who saw their last state, and counted."""

from typing import NamedTuple

import msgspec

from occupancy.database import Connection, Pool
from occupancy.lot import Lot


class KeptLot(NamedTuple):
    """A car park as it is kept: how often it was edited, and by whom last."""

    lot: Lot
    version: int
    changed_by: str


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


async def read_revision(connections: Pool) -> int:
    """How often any car park was edited."""
    number = await connections.fetchval("SELECT number FROM revision WHERE thing = 'lots'")
    return int(number or 0)


def _kept(facts: str, version: int, changed_by: str) -> KeptLot:
    return KeptLot(msgspec.json.decode(facts, type=Lot), version, changed_by)


_SELECT = "SELECT facts, version, changed_by FROM lot"
