"""A count by a person: recorded with its reason, asked again where it is much, taken back."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database_audit
from occupancy.database_audit import Wanted
from occupancy.permissions import Role
from occupancy.web.admin.undo import OPEN_MS
from tests.occupancy.web.admin.desk import Browser, Desk, desk

PATH = "/admin/calibrate/kangle"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.clock.now_ms = await now_of(connections)
        inside(running, 1, 30)
        yield running


async def now_of(connections: asyncpg.Pool) -> int:
    """The audit has PostgreSQL's clock."""
    return int(await connections.fetchval("SELECT extract(epoch FROM now()) * 1000"))


def inside(office: Desk, sequence: int, cars: int) -> None:
    office.served.show("kangle", sequence, cars_inside=cars)


async def corrections(office: Desk) -> list[tuple[int, str, str]]:
    rows = await office.connections.fetch(
        "SELECT cars_inside, reason, corrected_by FROM correction ORDER BY number"
    )
    return [tuple(row) for row in rows]


async def calibrate(browser: Browser, counted: object, reason: str = "夜间盘点") -> int:
    return (await browser.send(PATH, {"counted": str(counted), "reason": reason})).status


async def test_a_count_is_recorded_with_who_and_why(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    page = await browser.get(PATH)
    assert "系统在场（计数器） 30 辆" in page.words
    assert await calibrate(browser, 33) == 303
    assert await corrections(office) == [(33, "夜间盘点", "wang")]
    (trace,) = await database_audit.list_newest(office.connections, 9, Wanted(action="calibrate"))
    assert (trace.who, trace.reason, trace.lot_id) == ("wang", "夜间盘点", "kangle")
    assert (trace.before["cars_by_counters"], trace.after["cars_inside"]) == (30, 33)


@pytest.mark.parametrize(
    ("counted", "reason", "words"),
    [
        ("", "盘点", "请填写盘点到的在场车辆数"),
        ("-3", "盘点", "不是车辆数"),
        ("3.5", "盘点", "不是车辆数"),
        ("九十", "盘点", "不是车辆数"),
        ("٣", "盘点", "不是车辆数"),
        ("9999999999999999999999", "盘点", "不是车辆数"),
        ("100000", "盘点", "个车位，盘点数不能是"),
        ("33", "  ", "请填写原因"),
        ("33", "长" * 201, "原因最多 200 个字，现在是 201 个"),
    ],
)
async def test_a_count_that_cannot_be_is_refused_beside_its_field(
    office: Desk, counted: str, reason: str, words: str
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    answer = await browser.send(PATH, {"counted": counted, "reason": reason})
    assert answer.status == 400
    assert words in answer.words
    assert 'aria-invalid="true"' in answer.text
    assert await corrections(office) == []


async def test_much_is_asked_for_again_before_it_counts(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    asked = await browser.send(PATH, {"counted": "10", "reason": "夜间盘点"})
    assert asked.status == 200
    assert "确认校准为 10 辆" in asked.words
    assert await corrections(office) == []
    sure = await browser.post(PATH, {**asked.hidden(), "counted": "10", "reason": "夜间盘点"})
    assert sure.status == 303
    assert await corrections(office) == [(10, "夜间盘点", "wang")]


async def test_ten_cars_are_not_much(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    assert await calibrate(browser, 20) == 303


async def test_two_at_once_the_second_sees_what_the_first_did(office: Desk) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    li = await office.at_work("li", Role.OPERATOR)
    before = (await li.get(PATH)).hidden()
    await calibrate(wang, 33)
    office.served.show("kangle", 2, cars_inside=33, correction_number=1)
    late = await li.post(PATH, {**before, "counted": "31", "reason": "我也数了"})
    assert late.status == 409
    assert "别人刚刚校准过" in late.words
    assert "33" in late.words
    assert 'value="31"' in late.text
    assert await corrections(office) == [(33, "夜间盘点", "wang")]


async def test_a_count_is_taken_back_by_another_record(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    await calibrate(browser, 33)
    inside(office, 2, 36)  # three more came in since
    done = await browser.send(PATH + "/undo", {}, page=PATH)
    assert done.status == 303
    assert [cars for cars, _, _ in await corrections(office)] == [33, 33]
    assert (await corrections(office))[1][1].startswith("撤销 #")
    again = await browser.send(PATH + "/undo", {}, page=PATH)
    assert again.status == 409, "what takes back is not taken back"


async def test_after_ten_minutes_nothing_is_taken_back(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    await calibrate(browser, 33)
    office.served.clock.now_ms += OPEN_MS + 60_000  # PostgreSQL has its own clock
    inside(office, 2, 36)
    late = await browser.send(PATH + "/undo", {}, page=PATH)
    assert late.status == 409
    assert "10 分钟" in late.words
    assert len(await corrections(office)) == 1


async def test_a_silent_car_park_is_not_calibrated(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    office.served.clock.now_ms += 100_000
    answer = await browser.send(PATH, {"counted": "33", "reason": "盘点"})
    assert answer.status == 400
    assert "失联" in answer.words
    assert await corrections(office) == []


async def test_html_in_a_reason_is_shown_as_text(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    await calibrate(browser, 33, "<script>alert(1)</script>")
    for path in (PATH, "/admin/", "/admin/lots/kangle/log"):
        page = await browser.get(path)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text, path
