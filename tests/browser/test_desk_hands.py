"""The operators' pages under people's hands: few clicks, keys alone, two at once, on paper."""

import datetime as dt
import re

import asyncpg
import pytest
from playwright.async_api import BrowserContext, Page, expect
from redis.asyncio import Redis

from occupancy import database_tariffs, session_store
from occupancy.permissions import Role
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.formats import SHANGHAI
from tests.browser.chromium import chromium
from tests.browser.desk_deeds import Hands
from tests.browser.desk_stage import DeskStage, at_the_desk
from tests.browser.stage import USUAL
from tests.browser.watched import watched
from tests.occupancy.test_alarm_desk import raised
from tests.occupancy.web.admin.desk import PASSWORD
from tests.occupancy.web.admin.test_calibration import now_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

FOCUS = """
() => { const e = document.activeElement;
  const look = getComputedStyle(e), box = e.getBoundingClientRect();
  const ring = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
  return { name: e.id || e.getAttribute('href') || e.textContent.trim().slice(0, 20) || e.tagName,
    tag: e.tagName, isSeen: ring && box.width > 0 && box.height > 0,
    inside: !!e.closest('#content') }; }
"""
REACHABLE = """
() => [...document.querySelectorAll('#content a[href], #content button, #content input, ' +
    '#content select, #content textarea')]
  .filter((e) => e.getClientRects().length && !e.disabled && e.type !== 'hidden').length
"""
ON_PAPER = """
() => [...document.querySelectorAll('.top, .menu, button, .button, .filter')]
  .filter((e) => e.getClientRects().length).map((e) => e.outerHTML.slice(0, 90))
"""
PALE = """
() => [...document.querySelectorAll('#content *')]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
  .filter((e) => e.getClientRects().length)
  .filter((e) => { const [r, g, b] = getComputedStyle(e).color.match(/[\\d.]+/g).map(Number);
    const paper = e.closest('.led, .pill, .severity, svg, .grave, .button');
    return !paper && r + g + b > 480; })
  .map((e) => e.outerHTML.slice(0, 90))
"""
PAPERS = ["/admin/", "/admin/lots/kangle", "/admin/audit", "/admin/tariffs/kangle/1"]
BY_KEYS = ["/admin/", "/admin/alarms", "/admin/calibrate/kangle", "/admin/closures/kangle"]
BY_KEYS += ["/admin/signs/junction-north", "/admin/tariffs", "/admin/calendar/2026"]


async def seated(stage: DeskStage, context: BrowserContext, name: str, role: Role) -> Hands:
    person = await stage.desk.at_work(name, role)
    await stage.enter(context, person)
    return Hands(await context.new_page(), stage.url(""))


def in_hours(stage: DeskStage, hours: int) -> dt.datetime:
    now = dt.datetime.fromtimestamp(stage.desk.served.clock.now_ms / 1_000, tz=SHANGHAI)
    return now + dt.timedelta(hours=hours)


async def test_what_is_done_often_takes_few_clicks(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.desk.served.clock.now_ms = await now_of(connections)
        stage.town.free_all({**USUAL, "zhanqian": 1})
        await raised(connections, "kangle-g1")
        context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        hands = await seated(stage, context, "wang", Role.OPERATOR)
        assert "站前" in await hands.find_worst()
        assert await hands.search("kl", "康乐") < 3_000
        await hands.open("/admin/alarms")
        hands.clicks = 0
        await hands.acknowledge("在看")
        assert hands.clicks <= 2
        hands.clicks = 0
        await hands.calibrate("kangle", 84, "夜间盘点")
        assert hands.clicks <= 2
        await hands.close("sanda", in_hours(stage, 2), "设备检修")
        await hands.take_over("junction-north", 4, in_hours(stage, 1))
        await context.close()


async def test_a_month_of_quarters_is_three_clicks_away(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.desk.served.clock.now_ms = await now_of(connections)
        stage.town.free_all()
        context = await browser.new_context(locale="zh-CN", accept_downloads=True)
        hands = await seated(stage, context, "chen", Role.MANAGER)
        assert await hands.export_month() > 1_000
        assert hands.clicks <= 3
        await context.close()


async def test_two_at_the_same_draft_each_see_both_versions(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.desk.served.clock.now_ms = await now_of(connections)
        contexts = [await browser.new_context(locale="zh-CN") for _ in range(2)]
        chen = await seated(stage, contexts[0], "chen", Role.MANAGER)
        lin = await seated(stage, contexts[1], "lin", Role.MANAGER)
        await chen.open("/admin/tariffs")
        form = chen.page.locator("form[action='/admin/tariffs/kangle']")
        await form.locator("[name='reason']").fill("来文")
        await form.locator("button").click()
        await chen.page.wait_for_url(re.compile(r"/drafts/\d+"))
        path = chen.page.url.removeprefix(stage.url("")).partition("?")[0]
        await lin.open(path)
        for hands, words in ((chen, "甲"), (lin, "乙")):
            text = hands.page.locator("#text")
            changed = (await text.input_value()).replace('name = "', f'name = "{words}', 1)
            await text.fill(changed)
            await hands.page.fill("#reason", "改名")
            async with hands.page.expect_response(
                lambda answer: answer.request.method == "POST" and answer.url.endswith(path)
            ) as told:
                await hands.click("button[value='save']")
            statuses = (await told.value).status
            assert statuses == (303 if words == "甲" else 409)
        await expect(lin.page.locator("pre")).to_contain_text('name = "甲')
        assert 'name = "乙' in await lin.page.locator("#text").input_value()
        for context in contexts:
            await context.close()


async def test_what_was_typed_outlives_the_session(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.town.free_all()
        context = await browser.new_context(locale="zh-CN")
        hands = await seated(stage, context, "wang", Role.OPERATOR)
        await hands.open("/admin/calibrate/kangle")
        await hands.page.fill("#counted", "90")
        await hands.page.fill("#reason", "夜间盘点 <b>")
        await session_store.end_all(redis, "wang")
        await hands.click("form.form button")
        await hands.page.wait_for_url(re.compile("/admin/login"))
        await hands.page.fill("#name", "wang")
        await hands.page.fill("#password", PASSWORD)
        await hands.click("button.main")
        await expect(hands.page.locator(".banner.kept")).to_be_visible(timeout=15_000)
        assert await hands.page.locator("#counted").input_value() == "90"
        assert await hands.page.locator("#reason").input_value() == "夜间盘点 <b>"
        await context.close()


async def walked(page: Page) -> tuple[list[dict[str, object]], int]:
    """Every place that Tab reaches in the page's own part, and how many there are."""
    await page.keyboard.press("Tab")
    skip = await page.evaluate(FOCUS)
    assert (skip["name"], skip["isSeen"]) == ("#content", True), skip
    await page.keyboard.press("Enter")
    assert await page.evaluate("() => document.activeElement.id") == "content"
    seen: list[dict[str, object]] = []
    there = int(await page.evaluate(REACHABLE))
    for _ in range(there * 7 + 20):  # a date's field has several places of its own
        await page.keyboard.press("Tab")
        place = await page.evaluate(FOCUS)
        if not place["inside"]:
            break
        seen.append(place)
    return seen, there


async def test_every_place_is_reached_by_tab_and_seen_when_it_is(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.town.free_all()
        await raised(connections, "kangle-g1")
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        hands = await seated(stage, context, "wang", Role.OPERATOR)
        wrong = []
        for path in BY_KEYS:
            await hands.open(path)
            seen, there = await walked(hands.page)
            wrong += [f"{path} not seen: {place}" for place in seen if not place["isSeen"]]
            if path != "/admin/calendar/2026" and not seen and there:
                wrong.append(f"{path}: nothing of {there}")
        assert wrong == [], "\n".join(wrong)
        await context.close()


async def test_an_alarm_is_dealt_with_and_a_count_corrected_by_keys_alone(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.desk.served.clock.now_ms = await now_of(connections)
        stage.town.free_all()
        await raised(connections, "kangle-g1")
        context = await browser.new_context(locale="zh-CN")
        hands = await seated(stage, context, "wang", Role.OPERATOR)
        page = hands.page
        await hands.open("/admin/")
        await page.keyboard.press("g")
        await page.keyboard.press("a")
        await page.wait_for_url("**/admin/alarms")
        box = page.locator("input[name='alarms']").first
        await box.focus()
        if not await box.is_checked():
            await page.keyboard.press("Space")
        await page.locator("#note").focus()
        await page.keyboard.type("在看")
        await page.locator("form button:text-is('确认')").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".banner.done")).to_contain_text("已确认", timeout=15_000)
        await page.keyboard.press("g")
        await page.keyboard.press("c")
        await page.wait_for_url("**/admin/calibrate")
        await page.locator("a[href='/admin/calibrate/kangle']").first.focus()
        await page.keyboard.press("Enter")
        await page.locator("#counted").focus()
        await page.keyboard.type("84")
        await page.keyboard.press("Tab")
        await page.keyboard.type("夜间盘点")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("button.grave")).to_be_visible(timeout=15_000)  # it is much
        await page.locator("button.grave").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".banner.done")).to_be_visible(timeout=15_000)
        await context.close()


async def test_on_paper_stands_what_is_said_and_no_button(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        boss = await stage.boss()
        stage.every_state()
        stage.alarm()
        found = []
        async with watched(browser, width=1123, height=794, color_scheme="dark") as seen:
            await stage.enter(seen.page.context, boss)
            for path in PAPERS:
                await seen.page.goto(stage.url(path))
                await seen.page.emulate_media(media="print")
                found += [f"{path} {one}" for one in await seen.page.evaluate(ON_PAPER)]
                found += [f"{path} pale {one}" for one in await seen.page.evaluate(PALE)]
                sideways = await seen.page.evaluate(
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                )
                found += [f"{path} goes sideways"] if sideways else []
                assert len(await seen.page.pdf(format="A4")) > 10_000
                await seen.page.emulate_media(media="screen")
        assert "\n".join(found) == ""
