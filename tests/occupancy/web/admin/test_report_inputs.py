"""Bad input of a report from history to page: what is missing or odd is said in words, or 4xx."""

import datetime as dt
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from occupancy import closure_desk, database, database_alarms, database_rollup, history
from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.closure_desk import Wish
from occupancy.history import Position
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.report.document import Report, Section, Table
from occupancy.report.making import maker
from occupancy.report.press import Press
from occupancy.restriction import Extent
from occupancy.rollup import DAY_MS, MINUTE_MS, date_start_ms
from tests.builders import an_observation
from tests.occupancy.report.test_press import NOBODY
from tests.occupancy.web.admin.desk import Answer, Browser, Desk, desk
from tests.recorded_month import Past, record_period
from tests.recorded_story import Closure
from tests.rows import written

OCTOBER_MS = date_start_ms(dt.date(2026, 10, 1))
NOVEMBER_2_MS = OCTOBER_MS + 32 * DAY_MS
HOUR_MS = 60 * MINUTE_MS
ALL_SECTIONS = range(1, 13)


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database.seed_lots(connections, load_shipped())
    async with desk(connections, redis, load_shipped()) as running:
        running.served.clock.now_ms = NOVEMBER_2_MS
        yield running


async def opened(office: Desk, planner: Browser, path: str) -> Answer:
    """The page, once the press has made it from history."""
    waiting = await planner.get(path)
    assert waiting.status == 202, waiting.words
    clock = office.served.clock
    press = Press(office.connections, lambda: clock.now_ms, maker(()), NOBODY)
    assert await press.work_next()
    page = await planner.get(path)
    assert page.status == 200
    for number in ALL_SECTIONS:
        assert f'id="s{number}"' in page.text
    return page


async def document(planner: Browser, path: str, version: int = 1) -> Report:
    period, _, query = path.partition("?")
    told = await planner.get(f"{period}/v{version}/report.json{'?' if query else ''}{query}")
    return msgspec.json.decode(told.text, type=Report)


def table(sections: tuple[Section, ...], name: str) -> Table:
    return next(
        block
        for one in sections
        for block in one.blocks
        if isinstance(block, Table) and block.name == name
    )


@pytest.mark.parametrize("path", ["/reports/2020-01", "/reports/2026-10-05..2026-10-06"])
async def test_days_of_which_nothing_was_ever_heard_make_a_report_that_says_so(
    office: Desk, path: str
) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    page = await opened(office, planner, path)
    assert "没有收到数据，不能作出结论" in page.words
    assert "统计期内没有收到数据" in page.words
    assert "没有开放的时段" not in page.words
    assert "还没有接入数据" in page.words
    assert (await planner.get(f"{path}/v1/report.xlsx")).status == 200


async def test_a_past_with_an_opening_and_works_is_told_with_both(
    office: Desk, connections: asyncpg.Pool
) -> None:
    """Twelve days of October are recorded, and the thirteenth has begun."""
    works = (OCTOBER_MS + 16 * DAY_MS, OCTOBER_MS + 19 * DAY_MS)
    office.served.clock.now_ms = OCTOBER_MS + 21 * DAY_MS + HOUR_MS
    spaces = {lot.lot_id: lot.capacity for lot in load_shipped()}
    await record_period(
        connections,
        Past(
            first=dt.date(2026, 10, 10),
            days=12,
            raw_days=0,
            opened={"sanda": OCTOBER_MS + 14 * DAY_MS},
            closures=(Closure("zhanqian", spaces["zhanqian"], *works),),
        ),
    )
    (lot,) = (lot for lot in load_shipped() if lot.lot_id == "zhanqian")
    wish = Wish(Extent.LOT, *works, "外墙施工")
    await closure_desk.restrict(
        connections, lot, wish, by="wang", reason="施工许可", now_ms=works[0] - DAY_MS
    )
    planner = await office.at_work("li", Role.PLANNER)
    month = "/reports/2026-10"
    page = await opened(office, planner, month)
    assert "三达路：自 2026-10-15 起有数据，此前不计" in page.words
    assert (
        "站前路：自 2026-10-10 起有数据，此前不计；2026-10-17 至 2026-10-19 停用，不计入"
        in page.words
    )
    whole = await document(planner, month)
    rows = {str(row[0]): row for row in table(whole.sections, "quality").rows}
    assert rows["站前路"][7] == pytest.approx(72)
    assert all(isinstance(row[1], float) and row[1] > 0.98 for row in rows.values())

    first_half = await opened(office, planner, "/reports/2026-10-01..2026-10-14?lots=sanda")
    assert "2026 年 10 月 1 日—14 日" in first_half.words
    assert "统计期内没有收到数据，2026-10-15 起才有" in first_half.words
    in_works = await opened(office, planner, "/reports/2026-10-17..2026-10-18?lots=zhanqian")
    assert "统计期内没有开放的时段" in in_works.words
    long = await opened(office, planner, "/reports/2025-09-18..2026-10-22")
    assert "自 2026-10-10 起有数据，此前不计" in long.words
    refused = await planner.get("/reports/2025-09-17..2026-10-22")
    assert (refused.status, "共 401 天" in refused.words) == (400, True)
    unknown = await planner.get("/reports/2026-10?lots=kangle,nowhere")
    assert (unknown.status, "没有 nowhere 这个车场" in unknown.words) == (404, True)


async def test_a_version_is_called_outdated_by_corrections_and_not_by_the_running_day(
    office: Desk, connections: asyncpg.Pool
) -> None:
    start_ms = OCTOBER_MS + 30 * DAY_MS
    await record_period(connections, Past(first=dt.date(2026, 10, 31), days=2, raw_days=2))
    clock = office.served.clock
    clock.now_ms = start_ms + DAY_MS + 10 * HOUR_MS + 25 * MINUTE_MS
    path = "/reports/2026-11"
    for name in ("rollup_1", "rollup_15", "rollup_60"):
        not_yet = f"DELETE FROM {name} WHERE start >= '2026-11-01 10:25+08'"  # noqa: S608 -- ours
        await connections.execute(not_yet)
    planner = await office.at_work("li", Role.PLANNER)
    page = await opened(office, planner, path)
    assert "统计期还没有结束，本报告只算到生成时为止" in page.words
    assert "补录或更正" not in page.words
    await connections.execute(
        "UPDATE rollup_60 SET entries = entries + 7, told_ms = 3600000 "
        "WHERE start = '2026-11-01 10:00+08'"
    )
    clock.now_ms += 5 * MINUTE_MS
    assert "补录或更正" not in (await planner.get(path)).words
    await planner.send(f"{path}/v1/publish", {"reason": "周会"}, page=path)
    await connections.execute(
        "UPDATE rollup_60 SET entries = entries + 7 "
        "WHERE start = '2026-11-01 08:00+08' AND lot_id = 'sanda'"
    )
    assert "三达路在本期内的数据有补录或更正" in (await planner.get(path)).words
    again = await planner.send(f"{path}/again", {"note": "补录三达路"}, page=path)
    assert again.status == 303
    press = Press(office.connections, lambda: clock.now_ms, maker(()), NOBODY)
    assert await press.work_next()
    second = await planner.get(path)
    assert "第 2 版" in second.words
    assert "补录三达路" in second.words
    assert "在本期内的数据有补录或更正" not in second.words
    assert "在本期内的数据有补录或更正" in (await planner.get(f"{path}/v1")).words


async def test_a_gateway_whose_clock_was_set_back_loses_no_car_and_its_gap_is_told(
    office: Desk, connections: asyncpg.Pool
) -> None:
    """From 9 to 12 its clock was three hours fast; then it was set right."""
    day_ms = date_start_ms(dt.date(2026, 10, 31))
    rows = []
    for number in range(24 * 360):
        at_ms = day_ms + number * 10_000
        is_fast = 9 * HOUR_MS <= number * 10_000 < 12 * HOUR_MS
        cars = number // 36
        rows.append(
            an_observation(
                number + 1,
                observed_at_ms=at_ms + (3 * HOUR_MS if is_fast else 0),
                entries_total=100 + cars,
                exits_total=90 + cars,
            )
        )
    late = written(*rows, recorded_at_ms=day_ms + DAY_MS)
    await history.record(connections, "kangle", late, Position(0, 0))
    while due := await database_rollup.list_due(connections, 500):
        await database_rollup.roll_up(connections, due, day_ms + 2 * DAY_MS)
    alarm = Alarm(
        Key(AlarmKind.CLOCK_OFFSET, "kangle", ""),
        Severity.MINOR,
        "the clock is off by 10800 s",
        day_ms + 9 * HOUR_MS,
        day_ms + 12 * HOUR_MS,
    )
    await database_alarms.save(connections, msgspec.structs.replace(alarm, cleared_at_ms=None))
    await database_alarms.save(connections, alarm)
    planner = await office.at_work("li", Role.PLANNER)
    path = "/reports/2026-10-31..2026-10-31?lots=kangle"
    page = await opened(office, planner, path)
    assert "缺 3.0 小时" in page.words
    assert "网关时钟偏差" in page.words
    whole = await document(planner, path)
    alarms = table(whole.sections, "alarms")
    assert alarms.rows[0][1:] == ("网关时钟偏差", 1, 180.0)
    entries = await connections.fetchval("SELECT sum(entries) FROM rollup_15")
    assert entries == rows[-1].entries_total - rows[0].entries_total
