"""Closures, reservations and sign overrides in PostgreSQL: made, ended, never changed."""

import datetime as dt
from typing import Any

import msgspec

from occupancy.database import Connection, Pool
from occupancy.override import Override
from occupancy.restriction import Extent, Restriction


class KeptRestriction(msgspec.Struct, frozen=True):
    """A restriction with who made it and why, and who ended it."""

    restriction: Restriction
    reason: str
    made_by: str
    made_at_ms: int
    ended_at_ms: int | None
    ended_by: str | None


async def add_restriction(
    connection: Connection, made: Restriction, reason: str, by: str
) -> Restriction:
    number = await connection.fetchval(
        "INSERT INTO restriction (lot_id, extent, part, spaces, from_at, until_at, wording, "
        "reason, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number",
        *(made.lot_id, made.extent.value, made.part, made.spaces, time_of(made.from_ms)),
        *(None if made.until_ms is None else time_of(made.until_ms), made.wording, reason, by),
    )
    return msgspec.structs.replace(made, number=number)


async def lock_restriction(connection: Connection, number: int) -> KeptRestriction | None:
    row = await connection.fetchrow(
        "SELECT * FROM restriction WHERE number = $1 FOR UPDATE", number
    )
    return None if row is None else _kept(row)


async def find_restriction(connections: Pool, number: int) -> KeptRestriction | None:
    row = await connections.fetchrow("SELECT * FROM restriction WHERE number = $1", number)
    return None if row is None else _kept(row)


async def end_restriction(connection: Connection, number: int, by: str) -> None:
    await connection.execute(
        "UPDATE restriction SET ended_at = now(), ended_by = $2 WHERE number = $1", number, by
    )


async def list_in_force(connections: Pool) -> list[Restriction]:
    """Everything that holds now or will, by PostgreSQL's clock."""
    rows = await connections.fetch(
        "SELECT * FROM restriction WHERE ended_at IS NULL "
        "AND (until_at IS NULL OR until_at > now()) ORDER BY number"
    )
    return [_kept(row).restriction for row in rows]


async def list_restrictions(
    connections: Pool, most: int, lot_id: str | None = None
) -> list[KeptRestriction]:
    """The newest first."""
    rows = await connections.fetch(
        "SELECT * FROM restriction WHERE ($2::text IS NULL OR lot_id = $2) "
        "ORDER BY number DESC LIMIT $1",
        *(most, lot_id),
    )
    return [_kept(row) for row in rows]


async def list_between(connections: Pool, from_ms: int, to_ms: int) -> list[KeptRestriction]:
    """Those that held at some time of a span, the oldest first."""
    rows = await connections.fetch(
        "SELECT * FROM restriction WHERE from_at < $2 "
        "AND coalesce(least(until_at, ended_at), 'infinity') > $1 "
        "AND coalesce(ended_at, 'infinity') > from_at ORDER BY number",
        *(time_of(from_ms), time_of(to_ms)),
    )
    return [_kept(row) for row in rows]


async def add_override(connection: Connection, made: Override) -> Override:
    """In place of the one that holds for this sign."""
    await connection.execute(
        "UPDATE sign_override SET ended_at = now(), ended_by = $2 "
        "WHERE sign_id = $1 AND ended_at IS NULL AND until_at > now()",
        *(made.sign_id, made.made_by),
    )
    row = await connection.fetchrow(
        "INSERT INTO sign_override (sign_id, lines, until_at, is_test, reason, made_by) "
        "VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
        *(made.sign_id, list(made.lines), time_of(made.until_ms)),
        *(made.is_test, made.reason, made.made_by),
    )
    return _override(row)


async def find_override(connection: Connection | Pool, number: int) -> Override | None:
    row = await connection.fetchrow("SELECT * FROM sign_override WHERE number = $1", number)
    return None if row is None else _override(row)


async def end_override(connection: Connection, number: int, by: str) -> bool:
    """False if it was over before."""
    ended = await connection.fetchval(
        "UPDATE sign_override SET ended_at = now(), ended_by = $2 "
        "WHERE number = $1 AND ended_at IS NULL AND until_at > now() RETURNING true",
        *(number, by),
    )
    return bool(ended)


async def list_overrides_in_force(connections: Pool) -> list[Override]:
    rows = await connections.fetch(
        "SELECT * FROM sign_override WHERE ended_at IS NULL AND until_at > now() ORDER BY number"
    )
    return [_override(row) for row in rows]


async def list_overrides(connections: Pool, sign_id: str, most: int) -> list[Override]:
    """The newest first."""
    rows = await connections.fetch(
        "SELECT * FROM sign_override WHERE sign_id = $1 ORDER BY number DESC LIMIT $2",
        *(sign_id, most),
    )
    return [_override(row) for row in rows]


def time_of(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


def _kept(row: Any) -> KeptRestriction:  # noqa: ANN401  # asyncpg's record
    return KeptRestriction(
        Restriction(
            row["number"],
            row["lot_id"],
            Extent(row["extent"]),
            _ms(row["from_at"]) or 0,
            _ms(row["until_at"]),
            row["wording"],
            row["part"],
            row["spaces"],
        ),
        row["reason"],
        row["made_by"],
        _ms(row["made_at"]) or 0,
        _ms(row["ended_at"]),
        row["ended_by"],
    )


def _override(row: Any) -> Override:  # noqa: ANN401
    return Override(
        row["number"],
        row["sign_id"],
        tuple(row["lines"]),
        _ms(row["from_at"]) or 0,
        _ms(row["until_at"]) or 0,
        row["is_test"],
        row["reason"],
        row["made_by"],
        _ms(row["ended_at"]),
        row["ended_by"],
    )


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000)
