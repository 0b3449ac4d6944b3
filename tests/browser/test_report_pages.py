"""The planners' report in a real browser, at every size, light and dark, and on paper."""

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Role
from tests.browser.chromium import chromium
from tests.browser.desk_stage import DeskStage, at_the_desk
from tests.browser.page_checks import SCREENS, grows_right, looks_right, reads_right, touches_right
from tests.browser.watched import Watched, watched
from tests.occupancy.report.test_press import press
from tests.occupancy.web.admin.desk import Browser
from tests.report_builder import OCTOBER

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

REPORT, OTHER = "/reports/2026-10", "/reports/2026-09"
PAGES = (REPORT, f"{REPORT}/v1", f"{REPORT}/compare?with=2026-09", f"{REPORT}/compare?with=2026-08")
_BROKEN = "[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)"


async def planner_with_reports(stage: DeskStage) -> Browser:
    stage.desk.served.clock.now_ms = OCTOBER.end_ms + 86_400_000
    planner = await stage.desk.at_work("li", Role.PLANNER)
    for path in (REPORT, OTHER):
        assert (await planner.get(path)).status == 202
        assert await press(stage.desk.connections).work_next()
    return planner


async def findings(page: Watched, stage: DeskStage, path: str) -> list[str]:
    page.complaints.clear()
    await page.page.goto(stage.url(path))
    found = [f"no picture: {one}" for one in await page.page.evaluate(_BROKEN)]
    for scheme in ("light", "dark"):
        await page.page.emulate_media(color_scheme=scheme)
        for width, height in SCREENS:
            wrong = await looks_right(page, width, height)
            found += [f"{scheme} {width}: {one}" for one in wrong]
    found += await reads_right(page)
    found += await grows_right(page.page)
    return [f"{path} {one}" for one in [*found, *page.complaints]]


async def test_a_report_is_right_at_every_size_light_and_dark(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        planner = await planner_with_reports(stage)
        found = []
        async with watched(browser, width=1440, height=900) as page:
            await stage.enter(page.page.context, planner)
            for path in PAGES:
                found += await findings(page, stage, path)
    assert "\n".join(found) == ""


async def test_a_finger_hits_every_button_and_the_contents_fold(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        planner = await planner_with_reports(stage)
        async with watched(browser, width=390, height=844, has_touch=True, is_mobile=True) as page:
            await stage.enter(page.page.context, planner)
            await page.page.goto(stage.url(REPORT))
            contents = page.page.locator("details.toc")
            assert not await contents.locator("a").first.is_visible()
            await contents.locator("summary").click()
            assert await contents.locator("a").first.is_visible()
            found = await touches_right(page)
            await contents.get_by_text("12 数据质量与方法").click()
            assert page.page.url.endswith("#s12")
    assert found == []


async def test_on_the_desk_the_contents_stand_at_the_left_of_the_paper(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        planner = await planner_with_reports(stage)
        async with watched(browser, width=1440, height=900) as page:
            await stage.enter(page.page.context, planner)
            await page.page.goto(stage.url(REPORT))
            contents = await page.page.locator("nav.toc").first.bounding_box()
            paper = await page.page.locator("article.paper").bounding_box()
    assert contents is not None
    assert paper is not None
    assert contents["x"] + contents["width"] <= paper["x"]
    assert paper["y"] < 120
    assert paper["width"] > 800


async def test_the_page_of_a_report_that_is_being_made_goes_there_by_itself(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        stage.desk.served.clock.now_ms = OCTOBER.end_ms + 86_400_000
        planner = await stage.desk.at_work("li", Role.PLANNER)
        async with watched(browser, width=1440, height=900) as page:
            await stage.enter(page.page.context, planner)
            await page.page.goto(stage.url(REPORT))
            await page.until_text("#progress", "0% 排队中")
            assert await press(connections).work_next()
            await page.page.wait_for_selector("article.paper", timeout=10_000)
            assert page.page.url == stage.url(REPORT)
    assert page.complaints == []


async def test_print_leaves_the_paper_and_nothing_else(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        planner = await planner_with_reports(stage)
        async with watched(browser, width=1440, height=900) as page:
            await stage.enter(page.page.context, planner)
            await page.page.goto(stage.url(REPORT))
            await page.page.emulate_media(media="print", color_scheme="dark")
            for hidden in (".bar", ".toc.wide", "#versions"):
                assert not await page.page.locator(hidden).is_visible()
            ground = "getComputedStyle(document.querySelector('article.paper')).backgroundColor"
            assert await page.page.evaluate(ground) == "rgb(255, 255, 255)"
