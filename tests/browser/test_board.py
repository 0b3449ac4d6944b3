"""The big screen in a real browser."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import chromium
from tests.browser.page_checks import looks_right
from tests.browser.stage import Stage, staged
from tests.browser.watched import NO_SHARED_WORKER, Watched, axe, watched
from tests.faults.proxy import Mode, link_to

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SCREENS = [(390, 844), (768, 1024), (1440, 900), (1920, 1080)]
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
STANDS_STILL = "document.documentElement.scrollHeight <= document.documentElement.clientHeight"
# Everything the page says, but ages and what comes from history a moment later.
SAYS = """
() => [...document.querySelectorAll('main *')]
  .filter((e) => !e.children.length && e.innerText && e.getClientRects().length)
  .filter((e) => !e.closest('.foot, .flows, .trend'))
  .map((e) => e.innerText.trim()).filter(Boolean)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged() as made:
        made.free_all()
        yield made


async def every_state(stage: Stage) -> None:
    """Free, almost full with a jam, full, silent; a stage may close a lot besides."""
    stage.age(91)
    for lot_id, spaces in {"kangle": 52, "sanda": 91, "zhongshan": 1}.items():
        stage.free(lot_id, spaces)
    stage.free("zhanqian", 23, jammed=True)


async def opened(page: Watched, stage: Stage) -> None:
    await page.page.goto(stage.url("/board"))
    await page.until_live()


async def test_numbers_change_without_a_reload(browser: Browser, stage: Stage) -> None:
    async with watched(browser) as page:
        await opened(page, stage)
        assert await page.count_of("kangle") == "52"
        assert await page.text('[data-total="free"]') == "318"
        stage.free("kangle", 41)
        await page.until_count("kangle", "41")
        await page.until_text('[data-total="free"]', "307")
        assert await page.text('[data-mark="kangle"] .label') == "41"
        stage.free("zhongshan", 0)
        await page.until_count("zhongshan", "满")
        assert page.complaints == []


async def test_numbers_change_also_without_shared_workers(browser: Browser, stage: Stage) -> None:
    async with watched(browser, before=NO_SHARED_WORKER) as page:
        await opened(page, stage)
        stage.free("sanda", 7)
        await page.until_count("sanda", "7")
        assert page.complaints == []


async def test_eight_tabs_live_on_one_stream(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context()
    pages = [Watched(await context.new_page()) for _ in range(8)]
    for page in pages:
        await opened(page, stage)
    stage.free("kangle", 33)
    for page in pages:
        await page.until_count("kangle", "33")
    assert stage.running.face.stream.readers == 1
    await context.close()


@pytest.mark.parametrize("fault", [Mode.REFUSE, Mode.BLACK_HOLE])
async def test_a_lost_link_is_said_and_the_return_is_fresh(
    browser: Browser, stage: Stage, fault: Mode
) -> None:
    async with link_to("127.0.0.1", stage.running.port) as link, watched(browser) as page:
        await page.page.goto(f"http://127.0.0.1:{link.port}/board")
        await page.until_live()
        notice = page.page.locator("[data-link-lost]")
        assert not await notice.is_visible()
        link.become(fault)
        await notice.wait_for(state="visible", timeout=5_500)
        assert "与服务器的连接已中断" in await notice.inner_text()
        stage.free("kangle", 9)
        link.become(Mode.PASS)
        # A half-open line has to be given up first; a refused one is tried every second.
        await page.until_count("kangle", "9", seconds=12 if fault is Mode.BLACK_HOLE else 4)
        await notice.wait_for(state="hidden", timeout=3_000)


async def test_without_a_link_no_number_outlives_ninety_seconds(
    browser: Browser, stage: Stage
) -> None:
    async with link_to("127.0.0.1", stage.running.port) as link, watched(browser) as page:
        await page.page.clock.install()
        await page.page.goto(f"http://127.0.0.1:{link.port}/board")
        await page.until_live()
        link.become(Mode.REFUSE)
        await page.page.clock.run_for(95_000)
        assert await page.page.locator(".lot.no_data").count() == 5
        counts = await page.page.locator("[data-field=count]").all_inner_texts()
        assert set(counts) == {"—"}
        assert await page.text('[data-total="free"]') == "—"


async def test_redis_away_is_said_like_a_lost_link(browser: Browser, stage: Stage) -> None:
    async with watched(browser) as page:
        await opened(page, stage)
        stage.running.face.showcase.link_lost_since_ms = stage.running.clock.now_ms
        await page.page.locator("[data-link-lost]").wait_for(state="visible", timeout=5_000)
        stage.running.face.showcase.link_lost_since_ms = None
        await page.page.locator("[data-link-lost]").wait_for(state="hidden", timeout=5_000)


async def test_every_status_has_a_shape_a_word_and_a_number(browser: Browser) -> None:
    async with staged(closed=["sanda"]) as stage, watched(browser) as page:
        stage.free_all()
        await every_state(stage)
        await opened(page, stage)
        tiles = await page.page.locator(".lot").evaluate_all(_STATES)
    assert sorted(tiles) == [
        ["almost_full", "较满", "23", "#shape-almost_full", "inline"],
        ["closed", "关闭", "关", "#shape-closed", "inline"],
        ["full", "已满", "满", "#shape-full", "inline"],
        ["no_data", "数据失联", "—", "#shape-no_data", "inline"],
        ["open", "空闲", "52", "#shape-open", "inline"],
    ]


_STATES = """
(tiles) => tiles.map((tile) => {
  const status = tile.className.split(' ').pop();
  const mark = document.querySelector(`[data-mark=${tile.dataset.lot}] .shape.${status}`);
  return [
    status,
    tile.querySelector('[data-field=word]').innerText,
    tile.querySelector('[data-field=count]').innerText,
    tile.querySelector('[data-field=shape]').getAttribute('href'),
    getComputedStyle(mark).display,
  ];
})
"""


async def test_the_first_paint_says_what_the_script_says(browser: Browser) -> None:
    async with staged(closed=["sanda"]) as stage:
        stage.free_all()
        await every_state(stage)
        async with watched(browser, java_script_enabled=False) as page:
            await page.page.goto(stage.url("/board"))
            before = await page.page.locator("main").inner_text()
        async with watched(browser) as page:
            await opened(page, stage)
            said: list[str] = await page.page.evaluate(SAYS)
    assert len(said) > 60
    missing = [words for words in said if words not in before]
    assert missing == []


@pytest.mark.parametrize(("width", "height"), SCREENS)
async def test_it_fits_every_screen(
    browser: Browser, stage: Stage, width: int, height: int
) -> None:
    await every_state(stage)
    async with watched(browser, width=width, height=height) as page:
        await opened(page, stage)
        await page.page.evaluate(_WIDEST)
        assert await page.page.evaluate(NO_SIDEWAYS)
        if width >= 1440:
            assert await page.page.evaluate(STANDS_STILL)
            assert await page.page.evaluate(_CUT_OFF) == []
        assert page.complaints == []


# The widest a lot can become: three digits, a trend, a jam and a busy day.
_WIDEST = """
() => document.querySelectorAll('.tile.open').forEach((tile) => {
  const put = (name, text) => { tile.querySelector(`[data-field=${name}]`).textContent = text; };
  put('count', '188'); put('trend', '↘ 减少中'); put('usable', '216'); put('note', '停用 108 位');
  put('age', '59 分钟前更新'); put('flow', '24 时 进 1888 出 1888');
})
"""
# Elements whose text is cut off by their own box or by their tile.
_CUT_OFF = """
() => [...document.querySelectorAll('.tile *, .panel *, header *, footer *')]
  .filter((e) => !e.children.length && e.innerText)
  .filter((e) => {
    const box = e.getBoundingClientRect();
    const around = (e.closest('.tile, .panel') || document.body).getBoundingClientRect();
    return box.right > around.right + 1 || box.bottom > around.bottom + 1;
  }).map((e) => e.innerText)
"""


async def test_numbers_are_legible_from_eight_metres(browser: Browser, stage: Stage) -> None:
    """A 55-inch screen has 0.63 mm a pixel; a digit should be a two-hundredth of the way."""
    async with watched(browser) as page:
        await opened(page, stage)
        size = await page.page.locator("[data-field=count]").first.evaluate(
            "(e) => parseFloat(getComputedStyle(e).fontSize)"
        )
    digit_height = 0.73 * size
    assert digit_height * 0.63 >= 8_000 / 200


async def test_text_twice_as_large_loses_nothing(browser: Browser, stage: Stage) -> None:
    """A browser that zooms to 200 % lays the page out on half the width."""
    async with watched(browser, width=960, height=540) as page:
        await opened(page, stage)
        assert await page.page.evaluate(NO_SIDEWAYS)
        size = await page.page.locator(".foot").first.evaluate(
            "(e) => parseFloat(getComputedStyle(e).fontSize)"
        )
    assert size >= 14


@pytest.mark.parametrize(("width", "height"), SCREENS)
async def test_axe_finds_nothing(browser: Browser, width: int, height: int) -> None:
    async with (
        staged(closed=["sanda"]) as stage,
        watched(browser, width=width, height=height) as page,
    ):
        stage.free_all()
        await every_state(stage)
        await opened(page, stage)
        assert await axe(page) == []
        await page.page.goto(stage.url("/docs"))
        assert await looks_right(page, width, height) == []


async def test_it_is_light_and_comes_from_here_alone(browser: Browser, stage: Stage) -> None:
    async with watched(browser) as page:
        await opened(page, stage)
        html = await (await page.page.request.get(stage.url("/board"))).body()
        assert len(html) <= 100_000
        scripts = {url for url in page.requests if url.endswith(".js")}
        bodies = [await (await page.page.request.get(url)).body() for url in scripts]
        assert sum(len(gzip.compress(body)) for body in bodies) <= 60_000
        assert all(url.startswith(stage.url("/")) for url in page.requests)
        assert page.complaints == []


async def test_a_change_reaches_the_screen_within_a_second(browser: Browser, stage: Stage) -> None:
    async with watched(browser) as page:
        await opened(page, stage)
        for spaces in range(60, 70):
            stage.free("huochezhan", spaces)
            await page.until_count("huochezhan", str(spaces), seconds=2)
            await asyncio.sleep(0)
