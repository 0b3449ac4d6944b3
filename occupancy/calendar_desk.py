"""Holidays and make-up workdays changed by operators: all days of a change or none, with undo."""

from collections.abc import Sequence
from datetime import date

from occupancy import database_audit, database_calendar
from occupancy.audit import Entry, Recorded
from occupancy.calendar import DayType
from occupancy.calendar_year import DayChange, YearDay, days_of_year, require_changes
from occupancy.database import Connection, Pool
from occupancy.edit import StaleEditError, require_reason
from occupancy.tariff_clock import DAY_MINUTES, local_minute

SUBJECT = "calendar"
CHANGED, UNDONE = "change_calendar", "undo_calendar"


class NoSuchChangeError(Exception):
    """The audit has no change of the calendar under this number."""


async def read_year(connections: Pool, year: int) -> tuple[YearDay, ...]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return days_of_year(year, await database_calendar.read_overrides(connections, first, last))


async def change_days(
    connections: Pool, changes: Sequence[DayChange], *, by: str, reason: str, now_ms: int
) -> int:
    """The audit record's number, by which it can be undone.

    Raises BadEditError, BadDaysError (a remark a day), StaleEditError (both states of each day).
    """
    why = require_reason(reason)
    require_changes(changes, local_minute(now_ms) // DAY_MINUTES)
    async with connections.acquire() as connection, connection.transaction():
        return await _apply(connection, CHANGED, changes, by, why)


async def undo_change(connections: Pool, number: int, *, by: str, reason: str, now_ms: int) -> int:
    """Every day as it was before; raises StaleEditError where one was changed since.

    Raises NoSuchChangeError, too, and BadDaysError for days that are over.
    """
    why = require_reason(reason)
    record = await database_audit.find_record(connections, number)
    if record is None or record.action not in (CHANGED, UNDONE):
        raise NoSuchChangeError(f"第 {number} 号记录不是日历修改")
    changes = _reversed(record)
    require_changes(changes, local_minute(now_ms) // DAY_MINUTES)
    async with connections.acquire() as connection, connection.transaction():
        return await _apply(connection, UNDONE, changes, by, why)


def _reversed(record: Recorded) -> list[DayChange]:
    return [
        DayChange(date.fromisoformat(day), _type(before), _type(record.after[day]))
        for day, before in record.before.items()
    ]


def _type(written: str | None) -> DayType | None:
    return None if written is None else DayType(written)


async def _apply(
    connection: Connection, action: str, changes: Sequence[DayChange], by: str, reason: str
) -> int:
    await database_calendar.lock_calendar(connection)
    days = [change.day for change in changes]
    known = await database_calendar.read_overrides(connection, min(days), max(days))
    theirs = {day: known[day].day_type if day in known else None for day in days}
    if any(theirs[change.day] is not change.seen for change in changes):
        raise StaleEditError({change.day: change.day_type for change in changes}, theirs)
    for change in changes:
        await database_calendar.write_override(
            connection, change.day, change.day_type, by=by, reason=reason
        )
    entry = Entry(
        who=by,
        action=action,
        subject=SUBJECT,
        reason=reason,
        before={day.isoformat(): theirs[day] for day in days},
        after={change.day.isoformat(): change.day_type for change in changes},
    )
    return await database_audit.append(connection, entry)
