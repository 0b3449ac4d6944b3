"""Alarms by the page: seen with a note, many at once, refused in words."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.database_alarm_desk import DeskAlarm
from occupancy.permissions import Role
from occupancy.web.admin.fields import local_field
from tests.occupancy.test_alarm_desk import listed, now_of, raised
from tests.occupancy.web.admin.desk import Desk, desk

PATH = "/admin/alarms"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.clock.now_ms = await now_of(connections)
        yield running


def tick(*alarms: DeskAlarm) -> str:
    return "\n".join(f"{one.alarm_id}:{one.version}" for one in alarms)


async def test_an_alarm_is_acknowledged_with_a_note_by_its_own_button(office: Desk) -> None:
    one, two = await raised(office.connections, "a", "b")
    browser = await office.at_work("wang", Role.OPERATOR)
    form = {"deed": f"acknowledge-{tick(one)}", "note": "<b>在看", "alarms": tick(two)}
    assert (await browser.send(PATH, form)).status == 303
    page = await browser.get(PATH)
    assert "&lt;b&gt;在看" in page.text
    assert {a.subject: a.acknowledged_by for a in await listed(office.connections)} == {
        "a": "wang",
        "b": None,
    }


async def test_many_are_dealt_with_at_once_or_none(office: Desk) -> None:
    one, two = await raised(office.connections, "a", "b")
    browser = await office.at_work("wang", Role.OPERATOR)
    both = {"deed": "acknowledge", "note": "", "alarms": tick(one, two)}
    li = await office.at_work("li", Role.OPERATOR)
    await li.send(PATH, {"deed": f"acknowledge-{tick(two)}"})
    late = await browser.send(PATH, both)
    assert late.status == 409
    assert "刚刚被 li 处理过" in late.words
    assert [a.acknowledged_by for a in await listed(office.connections)] == ["li", None]
    now = await listed(office.connections)
    until = local_field(office.served.clock.now_ms + 3_600_000)
    put_off = {"deed": "snooze", "note": "等件", "until": until, "alarms": tick(*now)}
    assert (await browser.send(PATH, put_off)).status == 303
    assert all(a.snoozed_until_ms for a in await listed(office.connections))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"deed": "acknowledge"}, "请先勾选告警"),
        ({"deed": "acknowledge", "alarms": "999:1"}, "已经不在了"),
        ({"deed": "acknowledge", "alarms": "x:y z"}, "已经不在了"),
        ({"deed": "dance", "alarms": "1:1"}, "请选择要做什么"),
        ({"deed": "snooze", "note": "x", "until": "soon", "alarms": "1:1"}, "暂缓到什么时候"),
        ({"deed": "snooze", "note": "x", "until": "2020-01-01T00:00", "alarms": "1:1"}, "24 小时"),
        ({"deed": "assign", "to": "nobody", "alarms": "1:1"}, "没有可以登录的用户"),
        ({"deed": "acknowledge", "note": "长" * 201, "alarms": "1:1"}, "最多 200 个字"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    office: Desk, form: dict[str, str], words: str
) -> None:
    before = await raised(office.connections, "a")
    browser = await office.at_work("wang", Role.OPERATOR)
    answer = await browser.send(PATH, form)
    assert answer.status in (400, 409)
    assert words in answer.words
    assert await listed(office.connections) == before


async def test_nobody_deals_with_alarms_of_other_car_parks(office: Desk) -> None:
    (one,) = await raised(office.connections, "a")
    browser = await office.at_work("li", Role.OPERATOR, ["sanda"])
    assert "device_offline" not in (await browser.get(PATH)).text.partition("<tbody>")[2]
    form = {"csrf": await browser.token(), "deed": f"acknowledge-{tick(one)}"}
    assert (await browser.post(PATH, form)).status == 403
    assert (await browser.get(f"{PATH}/{one.alarm_id}")).status == 404


async def test_one_alarm_has_its_page_with_comments_and_what_was_done(office: Desk) -> None:
    (one,) = await raised(office.connections, "a")
    browser = await office.at_work("wang", Role.OPERATOR)
    path = f"{PATH}/{one.alarm_id}"
    assert (await browser.send(path, {"deed": "comment", "note": "派人去了"})).status == 303
    assert (await browser.send(path, {"deed": "assign", "to": "wang", "note": ""})).status == 303
    page = await browser.get(path)
    assert "派人去了" in page.words
    assert "指派告警" in page.words
    empty = await browser.send(path, {"deed": "comment", "note": " "})
    assert empty.status == 400
    assert "请填写内容" in empty.words
    stale = await browser.post(
        path, {"csrf": await browser.token(), "version": "1", "deed": "acknowledge", "note": "x"}
    )
    assert stale.status == 409
    assert 'value="x"' in stale.text


async def test_a_rule_is_changed_by_the_page_and_by_one_person_at_a_time(office: Desk) -> None:
    browser = await office.at_work("chen", Role.MANAGER)
    path = "/admin/rules/device_offline"
    form = {
        "threshold": "60",
        "hysteresis": "5",
        "raise_after_seconds": "10",
        "clear_after_seconds": "20",
        "is_on": "yes",
        "reason": "夜里慢",
    }
    before = (await browser.get(path)).hidden()
    assert (await browser.send(path, form)).status == 303
    late = await browser.post(path, {**before, **form, "threshold": "70"})
    assert late.status == 409
    assert "60" in late.words
    assert 'value="70"' in late.text
    wrong = await browser.send(path, {**form, "threshold": "many"})
    assert wrong.status == 400
    assert "不是数字" in wrong.words
    assert (await browser.get("/admin/rules/nothing")).status == 404


async def test_quiet_windows_are_set_and_ended(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    path, now_ms = "/admin/quiet", office.served.clock.now_ms
    form = {
        "lot": "kangle",
        "kinds": "drift",
        "from": local_field(now_ms),
        "until": local_field(now_ms + 3_600_000),
        "reason": "换线",
    }
    for wrong in ({"lot": ""}, {"kinds": "x"}, {"until": "2020-01-01T00:00"}, {"reason": " "}):
        assert (await browser.send(path, {**form, **wrong})).status == 400
    assert (await browser.send(path, form)).status == 303
    assert "换线" in (await browser.get(path)).words
    assert (await browser.send(path + "/1/end", {}, page=path)).status == 303
    assert (await browser.send(path + "/1/end", {}, page=path)).status == 409
