"""An experiment's pages in a real browser: planned, and judged with its pictures."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy import change_desk, database_experiments, experiment_desk
from occupancy.calendar import day_of
from occupancy.effect.change import Change, ChangeKind
from occupancy.effect.metric import Metric
from occupancy.experiment_desk import Wish
from occupancy.lot_file import load_shipped
from occupancy.rollup import DAY_MS, day_start_ms, local_day
from tests.browser.chromium import chromium
from tests.browser.desk_stage import DeskStage, at_the_desk
from tests.browser.page_checks import SCREENS, looks_right, reads_right
from tests.browser.watched import Watched, watched
from tests.recorded_month import Past, record_month, record_period

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
HOME = "/admin/guidance"
USUAL = (390, 1440)  # the widths at which axe looks


async def changes(connections: asyncpg.Pool, now_ms: int) -> Sequence[int]:
    """One that is judged from recorded days, and one whose days are to come."""
    first = dt.date(2026, 9, 10)
    await record_period(connections, Past(first=first, days=21, raw_days=0, seed="autumn"))
    sign = Change(
        *("中山路口加诱导屏", ChangeKind.SIGN, "zhongshan", "人民路口"),
        *(day_of(dt.date(2026, 10, 5)), Metric.SATURATED_MINUTES, 25, 26),
    )
    price = replace(sign, name="康乐路涨价 <b>", kind=ChangeKind.PRICE, day=local_day(now_ms) + 3)
    lots = {lot.lot_id for lot in load_shipped()}
    kept = [
        await change_desk.note(connections, lots, one, by="li", reason="年度评估", now_ms=now_ms)
        for one in (sign, price)
    ]
    return [one.number for one in kept]


async def experiments(connections: asyncpg.Pool, now_ms: int) -> Sequence[int]:
    """One that is over, judged from recorded days, and one that is planned."""
    await record_month(connections)
    first = day_of(dt.date(2026, 10, 2))
    then_ms = day_start_ms(first) - DAY_MS
    wish = Wish(Metric.SATURATED_MINUTES, 120, first, 28)
    made = [
        await experiment_desk.plan(
            connections, wish, by="li", reason="年度评估 <b>", now_ms=then_ms
        )
    ]
    await experiment_desk.start(connections, made[0].number, by="li", reason="批准", now_ms=then_ms)
    tomorrow = local_day(now_ms) + 1
    wish = Wish(Metric.REFUSED, 1_440, tomorrow, 28)
    made.append(
        await experiment_desk.plan(connections, wish, by="li", reason="秋季", now_ms=now_ms)
    )
    return [one.number for one in made]


@pytest.fixture
async def stage(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[DeskStage]:
    async with at_the_desk(connections, redis) as made:
        made.every_state()
        yield made


async def findings(page: Watched, path: str) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        await page.page.emulate_media(color_scheme=scheme)
        for width, height in SCREENS:
            wrong = await looks_right(page, width, height, with_axe=width in USUAL)
            found += [f"{path} {scheme} {width}: {one}" for one in wrong]
    return [*found, *await reads_right(page), *page.complaints]


async def test_experiments_are_right_at_every_size_light_and_dark(
    stage: DeskStage, connections: asyncpg.Pool
) -> None:
    boss = await stage.boss()
    numbers = await experiments(connections, stage.desk.served.clock.now_ms)
    named = await changes(connections, stage.desk.served.clock.now_ms)
    async with chromium() as browser, watched(browser, width=1440, height=900) as page:
        await stage.enter(page.page.context, boss)
        found = []
        paths = [f"{HOME}/{number}" for number in numbers]
        paths += [f"{HOME}/changes/{number}" for number in named]
        for path in (HOME, *paths):
            await page.page.goto(stage.url(path))
            await page.until_text("[data-live-word]", "实时")
            found += await findings(page, path)
        await page.page.goto(stage.url(f"{HOME}/new"))
        await page.page.wait_for_selector("#preview .blocks .on")
        found += await findings(page, f"{HOME}/new")
        await page.page.goto(stage.url(f"{HOME}/changes/new"))
        await page.page.wait_for_selector("#preview .facts")
        found += await findings(page, f"{HOME}/changes/new")
    assert "\n".join(found) == ""
    assert len(await database_experiments.list_experiments(connections)) == len(numbers)
