"""All days of a change or none, each change in the audit, and every change can be undone."""

import asyncio
from datetime import date

import asyncpg
import pytest

from occupancy import calendar_desk, database, database_audit, database_tariffs
from occupancy.calendar import DayType, day_of
from occupancy.calendar_desk import NoSuchChangeError
from occupancy.calendar_year import BadDaysError, DayChange
from occupancy.edit import BadEditError, StaleEditError
from tests.builders import MORNING_MS

HOLIDAY, MAKEUP = date(2027, 10, 1), date(2027, 10, 9)
CHANGES = [
    DayChange(HOLIDAY, DayType.PUBLIC_HOLIDAY),
    DayChange(MAKEUP, DayType.MAKEUP_WORKDAY),
]
KNOWN = {day_of(HOLIDAY): DayType.PUBLIC_HOLIDAY, day_of(MAKEUP): DayType.MAKEUP_WORKDAY}


async def change(pool: asyncpg.Pool, *changes: DayChange, reason: str = "国办通知") -> int:
    return await calendar_desk.change_days(
        pool, changes or CHANGES, by="wang", reason=reason, now_ms=MORNING_MS
    )


async def undo(pool: asyncpg.Pool, number: int, now_ms: int = MORNING_MS) -> int:
    return await calendar_desk.undo_change(pool, number, by="li", reason="录错年份", now_ms=now_ms)


async def test_a_notice_of_days_is_kept_at_once_with_one_record(
    postgres_url: str, connections: asyncpg.Pool
) -> None:
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        number = await change(web)
    assert await database_tariffs.list_overrides(connections) == KNOWN
    record = await database_audit.find_record(connections, number)
    assert record is not None
    assert (record.who, record.action, record.subject, record.reason) == (
        "wang", "change_calendar", "calendar", "国办通知",
    )  # fmt: skip
    assert record.before == {"2027-10-01": None, "2027-10-09": None}
    assert record.after == {"2027-10-01": "public_holiday", "2027-10-09": "makeup_workday"}
    days = {one.day: one for one in await calendar_desk.read_year(connections, 2027)}
    override = days[HOLIDAY].override
    assert override is not None
    assert (override.reason, override.changed_by) == ("国办通知", "wang")


async def test_one_bad_day_keeps_all_others_out(connections: asyncpg.Pool) -> None:
    bad = DayChange(HOLIDAY, DayType.MAKEUP_WORKDAY)  # a Friday
    with pytest.raises(BadDaysError):
        await change(connections, CHANGES[1], bad)
    with pytest.raises(BadEditError):
        await change(connections, *CHANGES, reason="")
    assert await database_tariffs.list_overrides(connections) == {}
    assert await database_audit.list_newest(connections, 9) == []


async def test_a_day_somebody_changed_meanwhile_brings_both_and_keeps_theirs(
    connections: asyncpg.Pool,
) -> None:
    await change(connections)
    mine = DayChange(HOLIDAY, DayType.WORKDAY, seen=None)
    with pytest.raises(StaleEditError) as conflict:
        await change(connections, mine)
    assert conflict.value.mine == {HOLIDAY: DayType.WORKDAY}
    assert conflict.value.theirs == {HOLIDAY: DayType.PUBLIC_HOLIDAY}
    assert await database_tariffs.list_overrides(connections) == KNOWN


async def test_of_two_who_change_a_day_at_once_one_wins(connections: asyncpg.Pool) -> None:
    answers = await asyncio.gather(change(connections), change(connections), return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["StaleEditError", "int"]


async def test_undo_brings_back_what_was_and_can_be_undone_itself(
    connections: asyncpg.Pool,
) -> None:
    await change(connections)
    number = await change(
        connections,
        DayChange(HOLIDAY, DayType.WORKDAY, seen=DayType.PUBLIC_HOLIDAY),
        DayChange(MAKEUP, None, seen=DayType.MAKEUP_WORKDAY),
    )
    assert await database_tariffs.list_overrides(connections) == {day_of(HOLIDAY): DayType.WORKDAY}
    undone = await undo(connections, number)
    assert await database_tariffs.list_overrides(connections) == KNOWN
    await undo(connections, undone)
    assert await database_tariffs.list_overrides(connections) == {day_of(HOLIDAY): DayType.WORKDAY}
    (newest, *_) = await database_audit.list_newest(connections, 1)
    assert (newest.who, newest.action) == ("li", "undo_calendar")


async def test_undo_does_not_run_over_a_later_change(connections: asyncpg.Pool) -> None:
    number = await change(connections)
    await change(connections, DayChange(HOLIDAY, None, seen=DayType.PUBLIC_HOLIDAY))
    with pytest.raises(StaleEditError):
        await undo(connections, number)
    assert await database_tariffs.list_overrides(connections) == {
        day_of(MAKEUP): DayType.MAKEUP_WORKDAY
    }


async def test_undo_of_days_that_are_over_or_of_something_else_is_refused(
    connections: asyncpg.Pool,
) -> None:
    number = await change(connections)
    with pytest.raises(BadDaysError, match="已过去"):
        await undo(connections, number, now_ms=MORNING_MS + 400 * 86_400_000)
    with pytest.raises(NoSuchChangeError, match="99"):
        await undo(connections, 99)
