"""Drafts of tariff versions in PostgreSQL: written by those who saw the last state of them."""

from collections.abc import Mapping
from typing import Any

from occupancy.database import Connection, Pool
from occupancy.tariff_draft import Draft, DraftState


async def add_draft(connection: Connection, tariff_id: str, text: str, by: str) -> Draft:
    row = await connection.fetchrow(
        "INSERT INTO tariff_draft (tariff_id, text, authors, changed_by) "
        "VALUES ($1, $2, ARRAY[$3], $3) RETURNING *",
        *(tariff_id, text, by),
    )
    return _draft(row)


async def lock_draft(connection: Connection, draft_id: int) -> Draft | None:
    """Nobody else changes it until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM tariff_draft WHERE draft_id = $1 FOR UPDATE", draft_id
    )
    return None if row is None else _draft(row)


async def find_draft(connections: Connection | Pool, draft_id: int) -> Draft | None:
    row = await connections.fetchrow("SELECT * FROM tariff_draft WHERE draft_id = $1", draft_id)
    return None if row is None else _draft(row)


async def list_drafts(connections: Pool, tariff_id: str = "", most: int = 200) -> list[Draft]:
    """The newest first; of every tariff if none is named."""
    rows = await connections.fetch(
        "SELECT * FROM tariff_draft WHERE $1 = '' OR tariff_id = $1 "
        "ORDER BY draft_id DESC LIMIT $2",
        *(tariff_id, most),
    )
    return [_draft(row) for row in rows]


async def change_draft(connection: Connection, draft: Draft) -> Draft:
    """Keep this state of a locked draft as its next edit."""
    row = await connection.fetchrow(
        "UPDATE tariff_draft SET text = $2, state = $3, authors = $4, changed_by = $5, "
        "version = $6, edit = edit + 1, changed_at = now() WHERE draft_id = $1 "
        "RETURNING *",
        *(draft.draft_id, draft.text, draft.state.value, list(draft.authors)),
        *(draft.changed_by, draft.version),
    )
    return _draft(row)


def _draft(row: Mapping[str, Any]) -> Draft:
    return Draft(
        draft_id=row["draft_id"],
        tariff_id=row["tariff_id"],
        text=row["text"],
        state=DraftState(row["state"]),
        edit=row["edit"],
        authors=tuple(row["authors"]),
        changed_by=row["changed_by"],
        changed_at_ms=round(row["changed_at"].timestamp() * 1_000),
        version=row["version"],
    )
