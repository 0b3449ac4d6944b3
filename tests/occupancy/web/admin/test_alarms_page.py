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
        "severity": "critical",
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
    nothing = await browser.send(path, {**form, "severity": "dreadful"})
    assert "请选择级别" in nothing.words
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


RULE = {
    "threshold": "60",
    "hysteresis": "5",
    "raise_after_seconds": "10",
    "clear_after_seconds": "20",
    "is_on": "yes",
    "severity": "minor",
    "reason": "夜里慢",
}


async def test_a_rule_is_set_otherwise_for_one_car_park_and_taken_back(office: Desk) -> None:
    browser = await office.at_work("chen", Role.MANAGER)
    path = "/admin/rules/device_offline/kangle"
    assert "按全区规则执行" in (await browser.get(path)).words
    before = (await browser.get(path)).hidden()
    assert (await browser.send(path, RULE)).status == 303
    assert "单独设置" in (await browser.get("/admin/rules")).words
    late = await browser.post(path, {**before, **RULE, "threshold": "70"})
    assert late.status == 409
    assert 'value="70"' in late.text
    empty = await browser.send(f"{path}/withdraw", {"withdraw_reason": " "}, page=path)
    assert empty.status == 400
    assert 'id="error-withdraw_reason"' in empty.text
    stale = await browser.post(
        f"{path}/withdraw", {**before, "version": "9", "withdraw_reason": "完了"}
    )
    assert stale.status == 409
    done = await browser.send(f"{path}/withdraw", {"withdraw_reason": "完了"}, page=path)
    assert done.status == 303
    again = {"csrf": before["csrf"], "version": "2", "withdraw_reason": "完了"}
    assert (await browser.post(f"{path}/withdraw", again)).status == 409
    assert "单独设置 级别" not in (await browser.get("/admin/rules")).words
    assert (await browser.get("/admin/rules/device_offline/nowhere")).status == 404


async def test_the_towns_rules_and_steps_are_not_for_somebody_of_one_car_park(
    office: Desk,
) -> None:
    browser = await office.at_work("sanda-manager", Role.MANAGER, ["sanda"])
    assert (await browser.send("/admin/rules/drift/sanda", RULE)).status == 303
    for path in ("/admin/rules/drift", "/admin/escalation/critical/1"):
        answer = await browser.post(path, {"csrf": await browser.token(), **RULE})
        assert answer.status == 403
        assert "管" in answer.words


STEP = {"after_minutes": "15", "by_webhook": "", "mail_to": "boss@parking.example", "reason": "x"}


async def test_a_step_of_escalation_is_added_changed_and_taken_back(office: Desk) -> None:
    browser = await office.at_work("chen", Role.MANAGER)
    first, second = "/admin/escalation/minor/1", "/admin/escalation/minor/2"
    early = await browser.send(second, STEP)
    assert "请先设第 1 步" in early.words
    assert (await browser.send(first, STEP)).status == 303
    stale = await browser.post(
        first, {"csrf": await browser.token(), "version": "0", **STEP, "after_minutes": "16"}
    )
    assert stale.status == 409
    assert 'value="16"' in stale.text
    assert (await browser.send(second, {**STEP, "after_minutes": "60"})).status == 303
    listed_ones = (await browser.get("/admin/rules")).words
    assert "60 分钟" in listed_ones
    assert "boss@parking.example" in listed_ones
    blocked = await browser.send(f"{first}/withdraw", {"withdraw_reason": "x"}, page=first)
    assert "请先撤销" in blocked.words or blocked.status == 303
    gone = await browser.send(f"{second}/withdraw", {"withdraw_reason": "x"}, page=second)
    assert gone.status == 303
    assert "60 分钟" not in (await browser.get("/admin/rules")).words
    for path in ("/admin/escalation/dreadful/1", "/admin/escalation/minor/6"):
        assert (await browser.get(path)).status == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"after_minutes": "soon"}, "after_minutes"),
        ({"after_minutes": "99999"}, "after_minutes"),
        ({"mail_to": ""}, "mail_to"),
        ({"mail_to": "no address"}, "mail_to"),
        ({"mail_to": "a@b\nbcc:\u00a0x"}, "mail_to"),
        ({"mail_to": "\n".join(f"a{n}@b.example" for n in range(21))}, "mail_to"),
        ({"reason": " "}, "reason"),
    ],
)
async def test_a_step_that_cannot_be_is_refused_beside_its_field(
    office: Desk, wrong: dict[str, str], field: str
) -> None:
    browser = await office.at_work("chen", Role.MANAGER)
    answer = await browser.send("/admin/escalation/critical/1", {**STEP, **wrong})
    assert answer.status == 400
    assert f'id="error-{field}"' in answer.text
    assert await office.connections.fetchval("SELECT count(*) FROM escalation_step") == 0
