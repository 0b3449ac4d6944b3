"""Nobody comes in who may not, nothing typed is lost, and no other site can press a button."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import ROLES, Permission, Role
from occupancy.session_store import IDLE_MS
from occupancy.web.admin.admin_route import Access, AdminRoute
from occupancy.web.bodies import BODY_BYTES
from tests.occupancy.web.admin.desk import Browser, Desk, desk

CALIBRATE = "/admin/calibrate/kangle"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.show("kangle", 1)
        yield running


def pages_of(office: Desk) -> list[AdminRoute]:
    assert office.served.face.admin is not None
    return [page for page in office.served.face.admin.pages if not page.path.endswith("/stream")]


def address_of(page: AdminRoute, lot_id: str = "kangle") -> str:
    return page.path.format(**{**dict.fromkeys(_NUMBERS, "1"), **_NAMES, "lot": lot_id})


_NUMBERS = ("number", "draft", "alarm", "sign", "tariff", "version", "year")
_NAMES = {
    "joining": "xinyuan",
    "name": "boss",
    "kind": "drift",
    "site": "kangle",
    "list": "quality",
    "severity": "critical",
    "step": "1",
    "period": "2026-10",
    "file": "heat.svg",
}


async def ask(browser: Browser, page: AdminRoute, lot_id: str = "kangle") -> int:
    """The status; a form is sent empty but with its token."""
    address = address_of(page, lot_id)
    if page.method == "GET":
        return (await browser.get(address)).status
    return (await browser.post(address, {"csrf": await browser.token()})).status


async def test_every_page_but_the_login_sends_a_stranger_to_the_login(office: Desk) -> None:
    stranger = office.browser()
    for page in pages_of(office):
        if page.needs is Access.ANYBODY or page.method != "GET":
            continue
        answer = await stranger.get(address_of(page))
        assert answer.status == 303, page.path
        assert answer.where.startswith("/admin/login"), page.path


@pytest.mark.parametrize("role", Role)
async def test_each_role_comes_where_its_permissions_say_and_nowhere_else(
    office: Desk, role: Role
) -> None:
    await office.hire("boss", Role.ADMIN)
    browser = await office.at_work("somebody", role)
    wrong = []
    for page in pages_of(office):
        if not isinstance(page.needs, Permission):
            continue
        is_let_in = await ask(browser, page) != 403
        if is_let_in != (page.needs in ROLES[role]):
            wrong.append((page.method, page.path))
    assert wrong == []


async def test_somebody_of_one_car_park_does_nothing_at_another(office: Desk) -> None:
    browser = await office.at_work("sanda-manager", Role.MANAGER, ["sanda"])
    statuses = {
        (page.method, page.path): await ask(browser, page) for page in pages_of(office) if page.lot
    }
    assert statuses
    assert {status for status in statuses.values() if status not in (403, 404)} == set()
    assert 'data-lot="kangle"' not in (await browser.get("/admin/")).text


async def test_a_form_without_its_token_changes_nothing(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    for token in ("", "forged", "x" * 500):
        form = {"csrf": token, "counted": "90", "reason": "夜间盘点", "known": "0"}
        answer = await browser.post(CALIBRATE, form)
        assert answer.status == 403
        assert "没有任何改动" in answer.words
    assert await office.connections.fetchval("SELECT count(*) FROM correction") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_of_another_site_is_refused_even_with_the_token(
    office: Desk, headers: dict[str, str]
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    form = {"csrf": await browser.token(), "counted": "90", "reason": "夜间盘点", "known": "0"}
    assert (await browser.post(CALIBRATE, form, **headers)).status == 403
    assert await office.connections.fetchval("SELECT count(*) FROM correction") == 0


async def test_what_was_typed_into_a_form_is_there_again_after_logging_in(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    hidden = (await browser.get(CALIBRATE)).hidden()
    office.served.clock.now_ms += IDLE_MS
    office.served.show("kangle", 2)
    late = await browser.post(CALIBRATE, {**hidden, "counted": "91", "reason": "雨天<b>盘点"})
    assert late.status == 303
    login = await browser.get(late.where)
    form = {**login.hidden(), "name": "wang", "password": "correct-horse-battery"}
    entered = await browser.post("/admin/login", form)
    assert entered.where.startswith(f"{CALIBRATE}?typed=")
    again = await browser.get(entered.where)
    assert 'value="91"' in again.text
    assert "雨天&lt;b&gt;盘点" in again.text
    assert "放回表单" in again.words
    assert "放回表单" not in (await browser.get(entered.where)).words


async def test_what_one_person_typed_is_not_shown_to_another(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    hidden = (await browser.get(CALIBRATE)).hidden()
    office.served.clock.now_ms += IDLE_MS
    late = await browser.post(CALIBRATE, {**hidden, "counted": "91", "reason": "盘点"})
    other = await office.at_work("li", Role.OPERATOR)
    typed = late.where.partition("typed=")[2]
    assert 'value="91"' not in (await other.get(f"{CALIBRATE}?typed={typed}")).text


async def test_a_page_that_is_idle_for_too_long_is_locked(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    office.served.clock.now_ms += IDLE_MS
    assert (await browser.get("/admin/")).status == 303


async def test_a_body_that_is_too_large_is_refused_in_words(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    form = {"csrf": await browser.token(), "reason": "长" * BODY_BYTES}
    answer = await browser.post(CALIBRATE, form)
    assert answer.status == 413
    assert "内容过长" in answer.words


async def test_a_page_may_load_only_what_carries_its_nonce(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    first, second = await browser.get("/admin/"), await browser.get("/admin/")
    policies = [page.headers["Content-Security-Policy"] for page in (first, second)]
    assert policies[0] != policies[1]
    assert all("unsafe" not in policy and "default-src 'none'" in policy for policy in policies)
    assert "<style" not in first.text
    assert " style=" not in first.text
    assert " onclick=" not in first.text
    assert first.headers["Cache-Control"] == "no-store"


async def test_a_wrong_address_is_a_page_in_words(office: Desk) -> None:
    answer = await office.browser().get("/admin/<b>nothing")
    assert answer.status == 404
    assert "<b>nothing" not in answer.text


async def test_cookies_are_for_https_unless_one_sits_at_the_machine(office: Desk) -> None:
    near = await office.browser().get("/admin/login")
    far = await office.browser().get("/admin/login", Host="parking.example")
    assert "Secure" not in near.headers["Set-Cookie"]
    assert far.headers["Set-Cookie"].startswith("__Host-")
    assert all(word in far.headers["Set-Cookie"] for word in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert "Strict-Transport-Security" in far.headers
