"""The driver's page on a phone: whole without a script, light, true, large where asked."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.chromium import chromium
from tests.browser.stage import Stage
from tests.browser.watched import Watched, axe, watched
from tests.wechat.driver_stage import HOSPITAL, Desk, driver_stage
from wechat.driver_page import Unclear

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: dict[str, Any] = {"width": 390, "height": 844}
PATHS = ["/m/", "/m/?to=人民医院", "/m/lots/kangle", "/m/prices", "/m/report", "/m/privacy"]
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
# Whatever can be touched, but links in running text and what is hidden.
TOUCHED = """
() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter((e) => e.getClientRects().length)
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
"""
SIZES = """
() => [...document.querySelectorAll('body *')]
  .filter((e) => e.getClientRects().length && !e.closest('svg, .hidden')
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
  .map((e) => [e.outerHTML.slice(0, 80), parseFloat(getComputedStyle(e).fontSize)])
"""
PAINTED = """
() => new Promise((found) => new PerformanceObserver(
  (list) => found(list.getEntries().at(-1).startTime),
).observe({type: 'largest-contentful-paint', buffered: true}))
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def desk() -> Desk:
    return Desk(answer=HOSPITAL)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(desk: Desk) -> AsyncIterator[Stage]:
    async with driver_stage(desk) as made:
        made.free_all()
        yield made


def of(lot_id: str, field: str) -> str:
    return f'[data-lot="{lot_id}"] [data-field="{field}"]'


async def first(page: Watched, selector: str) -> str:
    return ((await page.page.locator(selector).first.text_content()) or "").strip()


async def test_a_destination_is_answered_with_where_to_park_and_why(
    browser: Browser, stage: Stage, desk: Desk
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.goto(stage.url("/m/"))
        await page.page.fill("#to", "人民医院")
        await page.page.select_option("#stay", "180")
        await page.page.select_option("#prefer", "near")
        await page.page.click("text=找车位 >> nth=0")
        await expect(page.page.locator("h2").first).to_have_text("去三水区人民医院")
        assert desk.asked == [("人民医院", 180, "near")]
        assert await first(page, of("kangle", "count")) == "约 52 位"
        assert "步行约 3 分钟" in await first(page, ".reasons")
        link = page.page.locator(".go .button").first
        assert await link.get_attribute("href") == "/v1/trips/abc/go"
        await page.page.click("summary")
        assert "到达时多半已满" in await first(page, "details ul")
        assert page.complaints == []


async def test_an_unclear_destination_offers_what_may_have_been_meant(
    browser: Browser, stage: Stage, desk: Desk
) -> None:
    desk.answer = Unclear("有几个地方叫这个名字", ("西南公园", "森林公园"))
    async with watched(browser, **PHONE, java_script_enabled=False) as page:
        await page.page.goto(stage.url("/m/?to=公园&stay=60"))
        assert "有几个地方" in await first(page, ".problem")
        desk.answer = HOSPITAL
        await page.page.click("text=森林公园")
        assert desk.asked[-1] == ("森林公园", 60, "")


async def test_the_essentials_need_no_script(browser: Browser, stage: Stage) -> None:
    async with watched(browser, **PHONE, java_script_enabled=False) as page:
        await page.page.goto(stage.url("/m/lots/kangle"))
        assert await first(page, of("kangle", "count")) == "约 52 位"
        before = await first(page, "[data-total]")
        await page.page.locator("#length").evaluate("(e) => { e.value = 720 }")
        await page.page.click("text=算一算")
        assert "stay=720" in page.page.url
        assert await first(page, "[data-total]") != before
        assert "投诉电话" in await first(page, "dl")
        assert re.fullmatch(r"\d\d:\d\d 前离场免费", await first(page, "[data-free]"))
        assert (await page.page.locator(".go a").first.get_attribute("href") or "").startswith(
            "https://uri.amap.com/"
        )


async def test_numbers_follow_without_a_reload_and_age_to_a_dash(
    browser: Browser, stage: Stage
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.clock.install()
        await page.page.goto(stage.url("/m/lots/kangle"))
        stage.free("kangle", 41)
        await page.page.clock.run_for(16_000)
        await page.until_text(of("kangle", "count"), "约 41 位")
        stage.free("kangle", 0)
        await page.page.clock.run_for(16_000)
        await page.until_text(of("kangle", "count"), "满")
        stage.age(91)
        await page.page.clock.run_for(16_000)
        await page.until_text(of("kangle", "count"), "—")
        await page.until_text(of("kangle", "word"), "数据失联")


async def test_without_a_net_the_page_says_so_and_shows_no_old_number(
    browser: Browser, stage: Stage
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.clock.install()
        await page.page.goto(stage.url("/m/lots/kangle"))
        await page.page.clock.run_for(2_000)
        await page.until_text(of("kangle", "age"), re.compile("前更新"))
        await page.page.context.set_offline(offline=True)
        await page.page.clock.run_for(60_000)
        await expect(page.page.locator("[data-lost]")).to_be_visible()
        await page.page.clock.run_for(60_000)
        await page.until_text(of("kangle", "count"), "—")


async def test_the_slider_prices_a_stay_without_a_reload(browser: Browser, stage: Stage) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.goto(stage.url("/m/lots/kangle?stay=30"))
        before = await first(page, "[data-total]")
        await page.page.locator("#length").fill("720")
        await page.until_text("[data-stay]", "12 小时")
        await expect(page.page.locator("[data-total]")).not_to_have_text(before)
        assert await page.page.locator("[data-lines] td").count() > 0
        assert page.complaints == []


async def test_a_report_is_kept_and_what_is_wrong_with_one_is_said(
    browser: Browser, stage: Stage, desk: Desk
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.goto(stage.url("/m/report?lot=sanda"))
        await page.page.select_option("#kind", "wrong_number")
        await page.page.fill("#words", "二层是空的 <b>")
        desk.is_open = False
        await page.page.click("button >> text=提交")
        assert "还在下面" in await first(page, ".problem")
        assert await page.page.locator("#words").input_value() == "二层是空的 <b>"
        desk.is_open = True
        await page.page.click("button >> text=提交")
        assert "已收到" in await first(page, ".thanks")
        assert desk.kept == [("sanda", "wrong_number", "二层是空的 <b>")]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, stage: Stage, path: str, scheme: str) -> None:
    stage.free("zhongshan", 0)
    async with watched(browser, **PHONE, color_scheme=scheme) as page:
        await page.page.goto(stage.url(path))
        assert await axe(page) == []
        await page.page.goto(stage.url(path + ("&" if "?" in path else "?") + "elder=1"))
        assert await axe(page) == []
        assert page.complaints == []


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_goes_sideways(browser: Browser, stage: Stage, path: str, width: int) -> None:
    for mode in ("", "elder=1"):
        async with watched(browser, width=width, height=844) as page:
            await page.page.goto(stage.url(path + ("&" if "?" in path else "?") + mode))
            assert await page.page.evaluate(NO_SIDEWAYS), (path, width, mode)


@pytest.mark.parametrize("path", PATHS)
async def test_the_elders_version_is_large_to_read_and_to_touch(
    browser: Browser, stage: Stage, path: str
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.goto(stage.url(path + ("&" if "?" in path else "?") + "elder=1"))
        small = [found for found in await page.page.evaluate(SIZES) if found[1] < 18]
        assert small == []
        narrow = [found for found in await page.page.evaluate(TOUCHED) if found[1] < 60]
        assert narrow == []
        await page.page.click("nav a >> nth=1")
        assert "elder=1" in page.page.url


@pytest.mark.parametrize("path", PATHS)
async def test_everything_can_be_touched_with_a_thumb(
    browser: Browser, stage: Stage, path: str
) -> None:
    async with watched(browser, **PHONE) as page:
        await page.page.goto(stage.url(path))
        assert [found for found in await page.page.evaluate(TOUCHED) if found[1] < 44] == []


async def test_the_first_load_is_light_and_paints_soon_on_a_slow_line(
    browser: Browser, stage: Stage
) -> None:
    async with watched(browser, **PHONE) as page:
        line = await page.page.context.new_cdp_session(page.page)
        await line.send("Network.enable")
        await line.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": 150,
                "downloadThroughput": 1_600_000 / 8,
                "uploadThroughput": 750_000 / 8,
            },
        )
        sizes: list[float] = []
        line.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        await page.page.goto(stage.url("/m/?to=人民医院"))
        painted_ms = await page.page.evaluate(PAINTED)
        assert painted_ms < 1_500
        assert sum(sizes) <= 100_000
        assert all(url.startswith(stage.url("/")) for url in page.requests)
