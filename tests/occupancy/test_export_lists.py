"""Each list fits its columns, says what the database says, and is filtered as it was asked for."""

import csv
import io
from collections.abc import AsyncIterable, Sequence
from datetime import date

import asyncpg
import pytest

from occupancy import calendar_desk, database_alarms, database_audit, database_tariffs, history
from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.audit import Entry
from occupancy.calendar import DayType
from occupancy.calendar_year import DayChange
from occupancy.database_audit import Wanted
from occupancy.explore import Plan, Subject
from occupancy.export import BOM, every, write_csv
from occupancy.export_cells import Column, Row, local_time
from occupancy.export_lists import (
    ALARMS,
    AUDIT,
    CALENDAR,
    COMPARED,
    EXPLORED,
    VERSIONS,
    alarm_rows,
    audit_rows,
    calendar_rows,
    explored_rows,
    version_rows,
)
from occupancy.history import Position
from occupancy.tariff_file import shipped_tariffs
from tests.builders import MORNING_MS, an_observation
from tests.rows import written

QUARTER = 900_000


async def read(columns: Sequence[Column], rows: AsyncIterable[Row]) -> list[dict[str, str]]:
    content = b"".join([part async for part in write_csv(columns, rows)])
    text = content.removeprefix(BOM).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def append(pool: asyncpg.Pool, who: str, subject: str, reason: str) -> None:
    entry = Entry(who, "edit", subject, reason, before={"x": 1}, after=None)
    await database_audit.append(pool, entry)


async def test_the_audit_is_told_newest_first_with_its_filter(
    connections: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_audit, "_PAGE", 2)
    for number in range(5):
        await append(connections, "li", "lot kangle", f"=cmd {number}")
    await append(connections, "wang", "lot sanda", "盘点")
    told = await read(AUDIT, audit_rows(connections, Wanted("lot kangle", "li")))
    assert [one["原因"] for one in told] == [f"'=cmd {number}" for number in (4, 3, 2, 1, 0)]
    assert (told[0]["之前"], told[0]["之后"]) == ('{"x":1}', "")
    assert len(await read(AUDIT, audit_rows(connections))) == 6


async def test_alarms_are_told_with_what_became_of_them(connections: asyncpg.Pool) -> None:
    key = Key(AlarmKind.LOT_SILENT, "kangle", "kangle")
    alarm = Alarm(key, Severity.CRITICAL, "数据失联", MORNING_MS, None)
    await database_alarms.save(connections, alarm)
    open_ones = await database_alarms.list_open(connections)
    (told,) = await read(ALARMS, every(alarm_rows(open_ones)))
    assert (told["停车场"], told["内容"], told["恢复（北京时间）"]) == ("kangle", "数据失联", "")
    assert told["发生（北京时间）"] == str(local_time(MORNING_MS))


async def test_versions_are_told_with_their_times(connections: asyncpg.Pool) -> None:
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    versions = await database_tariffs.list_versions(connections, "kangle")
    (told,) = await read(VERSIONS, every(version_rows(versions)))
    assert (told["编号"], told["版本"], told["撤回人"]) == ("kangle", "1", "")
    assert told["生效（北京时间）"] == "2026-01-01 00:00:00"


async def test_a_year_is_told_with_what_was_changed(connections: asyncpg.Pool) -> None:
    friday = date(2027, 10, 1)
    changes = [DayChange(friday, DayType.PUBLIC_HOLIDAY)]
    await calendar_desk.change_days(
        connections, changes, by="wang", reason="国办通知", now_ms=MORNING_MS
    )
    year = await calendar_desk.read_year(connections, 2027)
    told = {one["日期"]: one for one in await read(CALENDAR, every(calendar_rows(year)))}
    assert len(told) == 365
    day = told["2027-10-01"]
    assert (day["类型"], day["公布的类型"], day["修改人"]) == ("法定节假日", "工作日", "wang")
    assert told["2027-10-04"]["修改人"] == ""


async def test_steps_are_told_lot_by_lot_and_a_gap_is_empty(connections: asyncpg.Pool) -> None:
    rows = [
        an_observation(n + 1, observed_at_ms=MORNING_MS + n * QUARTER - 1_000, entries_total=n)
        for n in range(2)
    ]
    await history.record(connections, "kangle", written(*rows), Position(0, 0))
    plan = Plan(MORNING_MS, MORNING_MS + 2 * QUARTER, 900)
    names = {Subject("kangle"): "康乐路", Subject("sanda"): "三达路"}
    told = await read(EXPLORED, explored_rows(connections, names, plan))
    cells = [(one["停车场"], one["在场"], one["进场"], one["数据完整"]) for one in told]
    assert cells == [
        ("康乐路", "12.0", "1", "1.0"),
        ("康乐路", "12.0", "", "1.0"),
        ("三达路", "", "", "0.0"),
        ("三达路", "", "", "0.0"),
    ]
    compared = await read(COMPARED, explored_rows(connections, names, plan, 1))
    assert compared[0]["对比时间（北京时间）"] == str(local_time(MORNING_MS - 7 * 86_400_000))
    assert compared[0]["对比在场"] == ""
