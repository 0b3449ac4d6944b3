"""Coming in, the second factor, and leaving again."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import structlog.testing
from redis.asyncio import Redis

from occupancy import operators
from occupancy.database_users import MOST_FAILURES_OF_ACCOUNT
from occupancy.password_rules import PasswordRules
from occupancy.permissions import Role
from occupancy.web.server import Behind
from tests.occupancy.web.admin.desk import PASSWORD, Answer, Browser, Desk, desk


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        yield running


def cookie_of(browser: Browser) -> str:
    return next((c.value for c in browser.http.cookie_jar if c.key == "zhibo-session"), "")


async def test_whoever_logs_in_comes_where_he_wanted_to_go(office: Desk) -> None:
    await office.hire("wang", Role.OPERATOR)
    browser = office.browser()
    login = await browser.get((await browser.get("/admin/quality")).where)
    form = {**login.hidden(), "name": "wang", "password": PASSWORD}
    assert (await browser.post("/admin/login", form)).where == "/admin/quality"
    assert (await browser.get("/admin/quality")).status == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/admin//evil", "/board", "/admin/\\x"]
)
async def test_nobody_is_led_elsewhere_by_a_link_to_the_login(office: Desk, target: str) -> None:
    await office.hire("wang", Role.OPERATOR)
    browser = office.browser()
    login = await browser.get("/admin/login")
    form = {**login.hidden(), "name": "wang", "password": PASSWORD, "next": target}
    assert (await browser.post("/admin/login", form)).where == "/admin/"


async def test_a_wrong_password_and_an_unknown_name_look_the_same(office: Desk) -> None:
    await office.hire("wang", Role.OPERATOR)
    known = await office.browser().log_in("wang", "wrong-wrong-wrong")
    unknown = await office.browser().log_in("nobody", "wrong-wrong-wrong")
    assert known.status == unknown.status == 401
    assert known.words == unknown.words
    assert "不匹配" in known.words


async def test_log_ins_and_refusals_are_logged_and_nothing_that_was_typed(office: Desk) -> None:
    await office.hire("wang", Role.AUDITOR)
    with structlog.testing.capture_logs() as logged:
        await office.browser().log_in("my-secret-typed-as-a-name", "wrong-wrong-wrong")
        wang = office.browser()
        await wang.log_in("wang")
        assert (await wang.get("/admin/")).status == 403
    told = [(one["event"], one.get("name")) for one in logged]
    assert told == [("log-in refused", None), ("logged in", "wang"), ("not allowed", "wang")]
    assert "secret" not in str(logged)
    assert "wrong-wrong" not in str(logged)


async def test_too_many_failures_are_refused_for_names_nobody_has_as_well(office: Desk) -> None:
    await office.hire("wang", Role.OPERATOR)
    answers: dict[str, Answer] = {}
    for name in ("wang", "nobody"):
        browser = office.browser()
        for _ in range(MOST_FAILURES_OF_ACCOUNT):
            assert (await browser.log_in(name, "wrong-wrong-wrong")).status == 401
        answers[name] = await browser.log_in(name)
    assert answers["wang"].status == answers["nobody"].status == 429
    assert answers["wang"].words == answers["nobody"].words


async def test_a_login_form_must_come_back_from_the_browser_that_was_given_it(
    office: Desk,
) -> None:
    await office.hire("wang", Role.OPERATOR)
    page = await office.browser().get("/admin/login")
    stolen = {**page.hidden(), "name": "wang", "password": PASSWORD}
    assert (await office.browser().post("/admin/login", stolen)).status == 403


async def test_an_administrator_sets_up_a_second_factor_before_anything_else(
    office: Desk,
) -> None:
    await office.hire("boss", Role.ADMIN)
    browser = office.browser()
    assert (await browser.log_in("boss")).where.startswith("/admin/second-factor")
    assert (await browser.get("/admin/")).where == "/admin/second-factor"
    wrong = await browser.send("/admin/second-factor", {"code": "000000"})
    assert wrong.status == 401
    before = cookie_of(browser)
    await office.enrol(browser)
    assert cookie_of(browser) != before
    assert (await browser.get("/admin/users")).status == 200


async def test_the_second_factor_is_asked_for_at_every_log_in(office: Desk) -> None:
    await office.hire("boss", Role.ADMIN)
    first = office.browser()
    await first.log_in("boss")
    secret = await office.enrol(first)
    second = office.browser()
    await second.log_in("boss")
    assert (await second.get("/admin/users")).status == 303
    used = await second.send("/admin/second-factor", {"code": office.code(secret)})
    assert used.status == 401, "a code is good for once"
    office.served.clock.now_ms += 30_000
    fresh = await second.send("/admin/second-factor", {"code": office.code(secret)})
    assert fresh.status == 303
    assert (await second.get("/admin/users")).status == 200


async def test_a_recovery_code_stands_in_once(office: Desk) -> None:
    await office.hire("boss", Role.ADMIN)
    first = office.browser()
    await first.log_in("boss")
    page = await first.get("/admin/second-factor")
    secret = page.text.partition("<code>")[2].partition("</code>")[0]
    shown = await first.send("/admin/second-factor", {"code": office.code(secret)})
    code = shown.text.partition("<li><code>")[2].partition("</code>")[0]
    for expected in (303, 401):
        browser = office.browser()
        await browser.log_in("boss")
        answer = await browser.send("/admin/second-factor", {"code": code})
        assert answer.status == expected


async def test_logging_out_ends_the_session_on_the_server(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    key = cookie_of(browser)
    await browser.send("/admin/logout", {}, page="/admin/me")
    thief = office.browser()
    thief.headers["Cookie"] = f"zhibo-session={key}"
    assert (await thief.get("/admin/")).status == 303


async def test_a_new_password_ends_every_other_session(office: Desk) -> None:
    here, there = await office.at_work("wang", Role.OPERATOR), office.browser()
    await there.log_in("wang")
    new = "another-long-password"
    form = {"password_old": PASSWORD, "password_new": new, "password_again": new}
    assert (await here.send("/admin/me", form)).status == 303
    assert (await here.get("/admin/")).status == 200
    assert (await there.get("/admin/")).status == 303
    assert (await office.browser().log_in("wang")).status == 401
    assert (await office.browser().log_in("wang", new)).status == 303


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"password_old": PASSWORD, "password_new": "short"}, "12 到 128 个字符"),
        ({"password_old": PASSWORD, "password_new": "wang-2026-wang"}, "不要有用户名"),
        ({"password_old": PASSWORD, "password_new": "aaaaaaaaaaaaaa"}, "不同的字符"),
        ({"password_old": PASSWORD, "password_new": "password1234"}, "太常见"),
        ({"password_old": PASSWORD, "password_new": "x1y2z3-different"}, "不一样"),
        ({"password_old": "wrong-wrong-wrong", "password_new": "x1y2z3-different"}, "密码不对"),
        ({}, "请填写"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_beside_its_field(
    office: Desk, form: dict[str, str], words: str
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    again = "x1y2z3-different" if "不对" in words else "something-else-1"
    answer = await browser.send("/admin/me", {**form, "password_again": again})
    assert answer.status in (400, 401)
    assert words in answer.words
    assert (await office.browser().log_in("wang")).status == 303


async def test_sessions_are_listed_and_ended_one_by_one_or_all_others(office: Desk) -> None:
    here = await office.at_work("wang", Role.OPERATOR)
    others = [office.browser() for _ in range(3)]
    for one in others:
        await one.log_in("wang")
    page = await here.get("/admin/me")
    assert page.text.count('name="which" value="') == 4
    which = page.text.partition('name="which" value="')[2].partition('"')[0]
    token = await here.token()
    await here.post("/admin/me/sessions", {"csrf": token, "which": which})
    statuses = [(await one.get("/admin/")).status for one in others]
    assert sorted(statuses) == [200, 200, 303]
    await here.post("/admin/me/sessions", {"csrf": token, "which": "others"})
    assert {(await one.get("/admin/")).status for one in others} == {303}
    assert (await here.get("/admin/")).status == 200


async def test_the_pages_speak_english_when_asked_and_remember_it(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    assert 'lang="zh-CN"' in (await browser.get("/admin/")).text
    assert "Overview" in (await browser.get("/admin/?lang=en")).words
    assert "Overview" in (await browser.get("/admin/")).words
    assert "总览" in (await browser.get("/admin/?lang=zh-CN")).words


async def test_who_was_given_a_password_chooses_his_own_before_anything_else(
    office: Desk,
) -> None:
    made = await operators.add_operator(office.connections, "wang", Role.OPERATOR, (), "test")
    browser = office.browser()
    await browser.log_in("wang", made.password)
    assert (await browser.get("/admin/")).where == "/admin/me"
    page = await browser.get("/admin/me")
    assert "密码是别人给的" in page.words
    form = {"csrf": page.hidden()["csrf"], "counted": "1", "reason": "x"}
    assert (await browser.post("/admin/calibrate/kangle", form)).where == "/admin/me"
    same = dict.fromkeys(("password_old", "password_new", "password_again"), made.password)
    assert "和现在的一样" in (await browser.send("/admin/me", same)).words
    own = {**same, "password_new": PASSWORD, "password_again": PASSWORD}
    assert (await browser.send("/admin/me", own)).status == 303
    assert (await browser.get("/admin/")).status == 200


async def test_a_password_that_is_too_old_is_changed_before_anything_else(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with desk(
        connections, redis, beside=Behind(password_rules=PasswordRules(3, 90))
    ) as office:
        browser = await office.at_work("wang", Role.OPERATOR)
        at = office.served.clock.now_ms / 1_000
        await connections.execute("UPDATE operator SET password_at = to_timestamp($1)", at)
        office.served.clock.now_ms += 5_000  # the gate believes an operator for two seconds
        assert (await browser.get("/admin/")).status == 200
        await connections.execute(
            "UPDATE operator SET password_at = to_timestamp($1)", at - 91 * 86_400
        )
        office.served.clock.now_ms += 5_000
        assert (await browser.get("/admin/")).where == "/admin/me"
        assert "90 天" in (await browser.get("/admin/me")).words
        poor = await browser.send(
            "/admin/me",
            {"password_old": PASSWORD, "password_new": "waiting for trains", "password_again": ""},
        )
        assert "至少要有 3 种" in poor.words
