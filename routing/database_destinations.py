"""Destinations in PostgreSQL: from the file at the first start, edited by operators afterwards."""

from collections.abc import Iterable, Sequence

import msgspec

from occupancy.database import Pool
from routing.destination import Destination, check


async def seed_destinations(connections: Pool, destinations: Iterable[Destination]) -> None:
    """Write those that ship into an empty table; what operators edited or removed stays so."""
    async with connections.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE destination IN EXCLUSIVE MODE")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM destination)"):
            return
        await connection.executemany(
            "INSERT INTO destination (destination_id, facts) VALUES ($1, $2::jsonb)",
            [(one.destination_id, msgspec.json.encode(one).decode()) for one in destinations],
        )


async def list_destinations(connections: Pool) -> tuple[Destination, ...]:
    """Raises msgspec.DecodeError for facts that cannot be read."""
    rows = await connections.fetch("SELECT facts FROM destination ORDER BY destination_id")
    return tuple(msgspec.json.decode(row["facts"], type=Destination) for row in rows)


async def write_destinations(
    connections: Pool, brought: Sequence[Destination], changed_by: str
) -> int:
    """Add destinations or replace what has their ids; how many are new.

    Raises BadDestinationError, and writes nothing, where all together would not do.
    """
    async with connections.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE destination IN EXCLUSIVE MODE")
        rows = await connection.fetch("SELECT facts FROM destination ORDER BY destination_id")
        known = [msgspec.json.decode(row["facts"], type=Destination) for row in rows]
        before = {one.destination_id for one in known}
        new = {one.destination_id for one in brought}
        check((*(one for one in known if one.destination_id not in new), *brought))
        await connection.executemany(
            "INSERT INTO destination (destination_id, facts, changed_by) "
            "VALUES ($1, $2::jsonb, $3) "
            "ON CONFLICT (destination_id) DO UPDATE SET facts = EXCLUDED.facts, "
            "changed_by = EXCLUDED.changed_by, changed_at = now()",
            [
                (one.destination_id, msgspec.json.encode(one).decode(), changed_by)
                for one in brought
            ],
        )
    return len(new - before)


async def remove_destination(connections: Pool, destination_id: str) -> bool:
    """False if there is none."""
    done = await connections.execute(
        "DELETE FROM destination WHERE destination_id = $1", destination_id
    )
    return str(done) == "DELETE 1"
