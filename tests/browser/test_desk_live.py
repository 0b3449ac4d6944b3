"""The operators' pages at work in a real browser: live in every tab, for every person, by keys."""

import asyncio
import re

import asyncpg
import pytest
from playwright.async_api import BrowserContext, Page, expect
from redis.asyncio import Redis

from occupancy import database_restrictions
from occupancy.permissions import Role
from tests.browser.chromium import chromium
from tests.browser.desk_stage import DeskStage, at_the_desk
from tests.browser.watched import watched
from tests.occupancy.test_alarm_desk import raised
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COUNT = '[data-lot="kangle"] [data-field="count"]'


async def opened(context: BrowserContext, stage: DeskStage, path: str = "/admin/") -> Page:
    page = await context.new_page()
    await page.goto(stage.url(path))
    await expect(page.locator("[data-live-word]")).to_have_text("实时", timeout=15_000)
    return page


async def test_eight_tabs_are_live_by_one_stream(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        stage.town.free_all()
        context = await browser.new_context(locale="zh-CN")
        await stage.enter(context, wang)
        tabs = [await opened(context, stage) for _ in range(8)]
        stage.town.free("kangle", 7)
        for tab in tabs:
            await expect(tab.locator(COUNT)).to_have_text("7", timeout=10_000)
        admin = stage.desk.served.face.admin
        assert admin is not None
        assert admin.desk.stream.readers == 1
        await context.close()


async def test_without_a_link_numbers_are_said_to_be_old_and_buttons_are_off(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        stage.town.free_all()
        context = await browser.new_context(locale="zh-CN")
        await stage.enter(context, wang)
        page = await opened(context, stage, "/admin/calibrate/kangle")
        button = page.locator("form.form button")
        await expect(button).to_be_enabled()
        await stage.desk.served.runner.cleanup()
        await expect(page.locator("[data-lost]")).to_be_visible(timeout=15_000)
        await expect(button).to_be_disabled()
        await context.close()


async def test_what_one_does_the_other_sees(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        li = await stage.desk.at_work("li", Role.OPERATOR)
        await raised(connections, "kangle-g1")
        one, other = await browser.new_context(), await browser.new_context()
        await stage.enter(one, wang)
        await stage.enter(other, li)
        seen = await opened(other, stage, "/admin/alarms")
        await expect(seen.locator(".bell b")).to_have_text("1", timeout=10_000)
        acting = await opened(one, stage, "/admin/alarms")
        await acting.fill("#note", "在看")
        await acting.get_by_role("button", name="确认", exact=True).last.click()
        await expect(acting.locator(".banner.done")).to_contain_text("已确认 1 条")
        await expect(seen.locator("tbody")).to_contain_text("wang 已确认", timeout=10_000)
        await expect(seen.locator(".bell b")).to_be_hidden()
        await one.close()
        await other.close()


async def test_a_car_park_is_closed_by_keys_alone(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        stage.town.free_all()
        async with watched(browser, width=1440, height=900) as seen:
            page = seen.page
            await stage.enter(page.context, wang)
            await page.goto(stage.url("/admin/"))
            await page.keyboard.press("/")
            await page.keyboard.type("kfty")  # 开放停用, by its initials
            hit = page.locator("#hits a").first
            await expect(hit).to_contain_text("开放", timeout=10_000)
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/admin/closures")
            await page.get_by_role("link", name="康乐路", exact=True).focus()
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/admin/closures/kangle")
            await page.locator("#wording").focus()
            await page.keyboard.type("设备检修")
            await expect(page.locator("#effect")).to_contain_text("关", timeout=10_000)
            await page.keyboard.press("Tab")
            await page.keyboard.type("年检")
            await page.keyboard.press("Enter")
            await page.wait_for_url(re.compile(r"/admin/closures\?done="))
            assert seen.complaints == []
        (made,) = await database_restrictions.list_in_force(connections)
        assert (made.lot_id, made.wording) == ("kangle", "设备检修")


async def test_too_long_a_text_is_said_while_it_is_typed(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        stage.town.free_all()
        context = await browser.new_context()
        await stage.enter(context, wang)
        page = await opened(context, stage, "/admin/calibrate/kangle")
        await page.fill("#reason", "长" * 205)
        words = await page.locator("#reason").evaluate("(e) => e.validationMessage")
        assert words == "最多 200 个字，多了 5 个"
        assert await page.locator("#reason").input_value() == "长" * 205
        await context.close()


async def test_who_is_logged_out_elsewhere_hears_nothing_more(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        wang = await stage.desk.at_work("wang", Role.OPERATOR)
        context = await browser.new_context()
        await stage.enter(context, wang)
        await opened(context, stage)
        admin = stage.desk.served.face.admin
        assert admin is not None
        await wang.send("/admin/logout", {}, page="/admin/me")
        await until(lambda: admin.desk.stream.readers == 0, within_seconds=20)
        await asyncio.sleep(0)
        await context.close()
