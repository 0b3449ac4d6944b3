"""Lists as files and the past as curves: with the filter, the scope, and no formula in any cell."""

import csv
import io
from collections.abc import AsyncIterator
from html import unescape

import asyncpg
import openpyxl
import pytest
from redis.asyncio import Redis

from occupancy import database_audit, database_corrections, database_tariffs
from occupancy.audit import Entry
from occupancy.permissions import Role
from occupancy.tariff_file import shipped_tariffs
from occupancy.truth_check import TruthCheck
from occupancy.web.admin.fields import local_field
from tests.occupancy.test_alarm_desk import raised
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.occupancy.web.admin.test_calibration import now_of

HOUR_MS = 3_600_000
NOON_MS = 1_790_000_000_000


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.clock.now_ms = await now_of(connections)
        running.served.show("kangle", 1)
        running.served.show("sanda", 1)
        yield running


def checked(lot_id: str) -> TruthCheck:
    """Counters 60, machines 57, one car found by an operator."""
    return TruthCheck(lot_id, NOON_MS, None, "wang", 1, 1, 100, 90, 30, 60, 57, 1, 2)


async def bytes_of(browser: Browser, path: str) -> bytes:
    async with browser.http.get(browser.desk.served.url(path)) as answer:
        assert answer.status == 200, await answer.text()
        assert "attachment" in answer.headers["Content-Disposition"]
        return await answer.read()


async def rows_of(browser: Browser, path: str) -> list[list[str]]:
    raw = await bytes_of(browser, path)
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


async def test_a_list_is_had_for_programs_and_for_people(office: Desk) -> None:
    await database_audit.append(
        office.connections, Entry("li", "close", "lot kangle", "=1+1", "kangle")
    )
    browser = await office.at_work("aud", Role.APPROVER)
    head, *rows = await rows_of(browser, "/admin/exports/audit.csv?who=li")
    assert "操作人" in head
    assert len(rows) == 1
    assert "'=1+1" in rows[0]
    book = openpyxl.load_workbook(io.BytesIO(await bytes_of(browser, "/admin/exports/audit.xlsx")))
    cells = [cell for row in book.active.iter_rows() for cell in row]  # type: ignore[union-attr]
    (told,) = [cell for cell in cells if cell.value == "=1+1"]
    assert told.data_type == "s"


async def test_alarms_are_had_with_the_filter_of_their_page(office: Desk) -> None:
    await raised(office.connections, "kangle-g1", "kangle-g2")
    browser = await office.at_work("wang", Role.OPERATOR)
    _, *every = await rows_of(browser, "/admin/exports/alarms.csv")
    assert len(every) == 2
    _, *some = await rows_of(browser, "/admin/exports/alarms.csv?text=g2")
    assert ["kangle-g2" in row for row in some] == [True]
    other = await office.at_work("li", Role.OPERATOR, ["sanda"])
    assert (await rows_of(other, "/admin/exports/alarms.csv"))[1:] == []


async def test_everybody_has_only_his_car_parks(office: Desk) -> None:
    browser = await office.at_work("li", Role.OPERATOR, ["sanda"])
    _, *rows = await rows_of(browser, "/admin/exports/quality.csv")
    assert [row[0] for row in rows] == ["三达路"]
    answer = await browser.get("/admin/exports/history.csv?lot=kangle&from=x&to=y")
    assert answer.status in (400, 404)
    assert (await browser.get("/admin/exports/audit.csv")).status == 403


async def test_the_past_is_had_a_row_a_quarter(office: Desk) -> None:
    browser = await office.at_work("plan", Role.PLANNER)
    now_ms = office.served.clock.now_ms
    begins, ends = local_field(now_ms - 24 * HOUR_MS), local_field(now_ms)
    _, *rows = await rows_of(
        browser, f"/admin/exports/history.csv?lot=kangle&from={begins}&to={ends}"
    )
    assert 96 <= len(rows) <= 98
    assert {row[0] for row in rows} == {"康乐路立体停车场"}


async def test_who_works_here_is_had_by_those_who_manage_it_and_no_secret_with_it(
    office: Desk,
) -> None:
    await office.hire("li", Role.OPERATOR, ["sanda"])
    boss = await office.at_work("boss", Role.ADMIN)
    _, *rows = await rows_of(boss, "/admin/exports/users.csv")
    assert rows == [
        ["boss", "管理员", "全部", "已设置", "正常"],
        ["li", "值班员", "三达路", "未设置", "正常"],
    ]
    planner = await office.at_work("plan", Role.PLANNER)
    assert (await planner.get("/admin/exports/users.xlsx")).status == 403


async def test_truth_checks_and_tariffs_are_had_of_his_own_car_parks(office: Desk) -> None:
    await database_tariffs.seed_tariffs(office.connections, shipped_tariffs())
    for lot_id in ("kangle", "sanda"):
        await database_corrections.add_check(office.connections, checked(lot_id))
    browser = await office.at_work("li", Role.OPERATOR, ["sanda"])
    _, *checks = await rows_of(browser, "/admin/exports/truth.csv")
    assert [[row[0], *row[3:7]] for row in checks] == [["三达路", "60", "57", "1", "2"]]
    tariff_id = office.served.lots["sanda"].tariff_id
    _, *versions = await rows_of(browser, "/admin/exports/tariffs.csv")
    assert {row[0] for row in versions} == {tariff_id}


async def test_a_list_is_had_from_its_page_with_its_filter(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    for page, wanted in {
        "/admin/audit?who=a%26b": "audit.csv?who=a%26b",
        "/admin/alarms?lot=kangle": "alarms.xlsx?lot=kangle&amp;open=1",
        "/admin/devices": "devices.csv",
        "/admin/quality": "quality.xlsx",
        "/admin/users": "users.csv",
        "/admin/tariffs": "tariffs.csv",
    }.items():
        opened = await boss.get(page)
        assert f'"/admin/exports/{wanted}"' in opened.text, page
        await bytes_of(boss, f"/admin/exports/{unescape(wanted)}")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=x&to=2026-01-02T00:00", "请填写时间"),
        ("from=2026-01-02T00:00&to=2026-01-01T00:00", "结束时间必须晚于"),
        ("from=1999-01-01T00:00&to=2026-01-01T00:00", "20"),
    ],
)
async def test_a_wrong_period_is_said_before_anything_is_sent(
    office: Desk, query: str, words: str
) -> None:
    browser = await office.at_work("plan", Role.PLANNER)
    for ending in ("csv", "xlsx"):
        answer = await browser.get(f"/admin/exports/history.{ending}?{query}")
        assert answer.status == 400
        assert words in answer.words
    assert (await browser.get("/admin/exports/secrets.csv")).status == 404


async def test_what_is_explored_is_drawn_and_told(office: Desk) -> None:
    browser = await office.at_work("plan", Role.PLANNER)
    page = await browser.get("/admin/explore?lot=kangle&weeks_back=1")
    assert page.status == 200
    assert "/admin/explore/data?lot=kangle" in page.text
    now_ms = office.served.clock.now_ms
    query = f"lot=kangle&from={local_field(now_ms - HOUR_MS)}&to={local_field(now_ms)}"
    data = await browser.get(f"/admin/explore/data?{query}&weeks_back=1")
    assert data.status == 200
    assert '"before":{' in data.text
    for wrong in ("lot=nothing", "part=roof", "part=group-99", "weeks_back=x", "from=x"):
        assert (await browser.get(f"/admin/explore?lot=kangle&{wrong}")).status in (200, 400, 404)
        assert (await browser.get(f"/admin/explore/data?{query}&{wrong}")).status != 500
    assert (await browser.get("/admin/explore/data?lot=kangle&from=x")).status == 400
