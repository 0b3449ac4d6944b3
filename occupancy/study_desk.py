"""Asking for a what-if study and withdrawing it, each with its record in the audit."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from occupancy import database_audit, database_studies
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.edit import SettledError
from occupancy.lot import Lot
from occupancy.study import StudyWish, require_possible


class NoSuchStudyError(Exception):
    """There is none of this number."""


async def ask(
    connections: Pool, lots: Mapping[str, Lot], wish: StudyWish, *, by: str, today: dt.date
) -> int:
    """Its number; whoever plays studies takes it up by itself. Raises BadEditError."""
    possible = require_possible(wish, lots, today)
    async with connections.acquire() as connection, connection.transaction():
        number = await database_studies.add_study(connection, possible, by)
        after: Mapping[str, object] = msgspec.to_builtins(possible)
        entry = Entry(by, "ask_study", f"study {number}", possible.name, "", None, after)
        await database_audit.append(connection, entry)
    return number


async def withdraw(connections: Pool, number: int, *, by: str) -> None:
    """Raises NoSuchStudyError, SettledError where it has ended."""
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_studies.find_study(connection, number)
        if kept is None:
            raise NoSuchStudyError(f"没有第 {number} 号方案")
        if not await database_studies.withdraw_study(connection, number, by):
            raise SettledError("它已经算完或已撤回")
        entry = Entry(by, "withdraw_study", f"study {number}", kept.wish.name, "", None, {})
        await database_audit.append(connection, entry)
