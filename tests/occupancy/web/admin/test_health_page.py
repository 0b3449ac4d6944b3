"""Somebody on duty without a shell sees how the service itself is doing."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.certificate import Term
from occupancy import database_alarms
from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.alarm_board import AlarmSheet
from occupancy.certificate_alarms import certificate_conditions
from occupancy.certificates import Certificates
from occupancy.permissions import Role
from occupancy.web.admin.language import ENGLISH, told
from occupancy.web.server import Behind
from tests.builders import MORNING_MS
from tests.occupancy.test_alarm_desk import listed, now_of
from tests.occupancy.web.admin.desk import Answer, Browser, Desk, desk

DAY_MS = 86_400_000
REDIS = "证书 cache:6379（ZHIBO_REDIS_URL）"
BROKER = "证书 broker:8883（ZHIBO_MQTT_URL）"
WORDS = "cache:6379（ZHIBO_REDIS_URL）的证书快到期了"
ALARM = Alarm(
    Key(AlarmKind.CERTIFICATE_ENDS, "district", "cache:6379（ZHIBO_REDIS_URL）"),
    *(Severity.MINOR, WORDS, MORNING_MS),
)


@pytest.fixture
def certificates() -> Certificates:
    addresses = [("ZHIBO_REDIS_URL", "rediss://cache"), ("ZHIBO_MQTT_URL", "mqtts://broker")]
    return Certificates(addresses)


@pytest.fixture
async def office(
    connections: asyncpg.Pool, redis: Redis, certificates: Certificates
) -> AsyncIterator[Desk]:
    async with desk(connections, redis, beside=Behind(certificates=certificates)) as running:
        running.served.clock.now_ms = await now_of(connections)
        yield running


def part(page: Answer, name: str) -> str:
    """The state and the words of one part."""
    rows = [re.sub(r"<[^>]*>", " ", row) for row in page.text.split("<tr>")]
    (found,) = [" ".join(row.split()) for row in rows if name in row]
    return found.removeprefix(name).strip()


async def test_each_certificate_has_its_line_with_the_days_left(
    office: Desk, certificates: Certificates
) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    assert part(await wang.get("/admin/health"), REDIS) == "有问题 还没有看过"
    now_ms = office.served.clock.now_ms
    cache, broker = (one.endpoint for one in certificates.terms)
    certificates.terms = [Term(cache, now_ms + 90 * DAY_MS), Term(broker, None, "no answer")]
    page = await wang.get("/admin/health")
    assert part(page, REDIS).startswith("正常 还有 90 天到期（")
    assert part(page, BROKER) == "有问题 看不到证书：no answer"
    certificates.terms = [Term(cache, now_ms + 14 * DAY_MS - 1), Term(broker, now_ms)]
    page = await wang.get("/admin/health")
    assert part(page, REDIS).startswith("有问题 还有 13 天到期（")
    assert part(page, BROKER).startswith("有问题 已于 ")


async def _raise(office: Desk) -> str:
    """The address of its page."""
    await database_alarms.save(office.connections, ALARM)
    office.served.face.alarms.take_in(AlarmSheet(MORNING_MS, (ALARM,)))
    (kept,) = await listed(office.connections)
    return f"/admin/alarms/{kept.alarm_id}"


async def _seen_at(browser: Browser) -> list[bool]:
    paths = ("/admin/", "/admin/alarms", "/admin/search?q=cache")
    return ["快到期了" in (await browser.get(path)).words for path in paths]


async def test_an_alarm_of_the_service_is_seen_and_dealt_with_by_who_holds_the_town(
    office: Desk,
) -> None:
    path = await _raise(office)
    wang = await office.at_work("wang", Role.OPERATOR)
    assert await _seen_at(wang) == [True] * 3
    assert 'href="/admin/health"' in (await wang.get(path)).text.partition("<h1>")[2]
    assert (await wang.send(path, {"deed": "acknowledge", "note": "在换"})).status == 303
    assert [one.acknowledged_by for one in await listed(office.connections)] == ["wang"]


async def test_who_holds_some_car_parks_sees_none_of_it_and_his_pages_stand(office: Desk) -> None:
    path = await _raise(office)
    li = await office.at_work("li", Role.OPERATOR, ["kangle"])
    assert await _seen_at(li) == [False] * 3
    assert (await li.get(path)).status == 404
    form = {"csrf": await li.token(), "deed": "acknowledge", "version": "1"}
    assert (await li.post(path, form)).status == 404
    assert (await li.get("/admin/health")).status == 200


async def test_an_alarm_of_the_service_has_one_rule_and_no_quiet_window(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    rule = await chen.get("/admin/rules/certificate_ends")
    assert "14" in rule.text
    assert "天以内" in rule.words
    assert "升到阈值加回差以上才算恢复" in rule.words
    assert "为某个车场单独设置" not in rule.words
    assert "为某个车场单独设置" in (await chen.get("/admin/rules/drift")).words
    own = "/admin/rules/certificate_ends/kangle"
    assert (await chen.get(own)).status == 404
    assert (await chen.post(own, {"csrf": await chen.token()})).status == 404
    wu = await office.at_work("wu", Role.MANAGER, ["kangle"])
    page = (await wu.get("/admin/rules")).text
    assert "/admin/rules/drift/kangle" in page
    assert own not in page
    assert 'value="certificate_ends"' not in (await chen.get("/admin/quiet")).text
    form = {"lot": "kangle", "kinds": "certificate_ends", "reason": "换证书"}
    times = {"from": "2030-01-01T00:00", "until": "2030-01-02T00:00"}
    refused = await chen.send("/admin/quiet", {**form, **times})
    assert refused.status == 400
    assert "不属于任何车场" in refused.words


@pytest.mark.parametrize("days", [1, 0])
def test_the_whole_sentence_of_an_alarm_has_its_english(
    certificates: Certificates, days: int
) -> None:
    expires_ms = MORNING_MS + days * DAY_MS
    terms = [Term(one.endpoint, expires_ms) for one in certificates.terms]
    for condition in certificate_conditions(terms, MORNING_MS):
        assert told(condition.words, ENGLISH).isascii()
