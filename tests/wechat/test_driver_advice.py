"""The driver's page with the real guidance behind it: found, asked back, sent elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from occupancy import database
from occupancy.web.floors import Ground
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing import promise_store
from routing.config import GuidanceSettings
from routing.floor import guidance_floor
from tests.browser.stage import Stage, staged
from tests.occupancy.web.faces import AWAY
from wechat.config import WechatSettings
from wechat.floor import account_floor


@asynccontextmanager
async def town(redis: Redis, *closed: str) -> AsyncIterator[Stage]:
    async with database.pool(AWAY) as away:

        def build(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
            ground = Ground(showcase, shelf, away, redis, showcase.now_ms)
            upper = account_floor(WechatSettings())
            return list(guidance_floor(GuidanceSettings(), above=upper)(ground).routes)

        async with staged(closed, above=build) as stage:
            stage.free_all()
            yield stage


async def page(stage: Stage, to: str, **query: str) -> str:
    params = {"to": to, **query}
    async with stage.running.http.get(stage.url("/m/"), params=params) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_destination_is_answered_with_car_parks_reasons_and_links(redis: Redis) -> None:
    async with town(redis) as stage:
        told = await page(stage, "人民医院", stay="180", prefer="near")
        assert "去三水区人民医院" in told
        assert "有位可能" in told
        assert "步行约" in told
        start = told.index("/v1/trips/")
        link = told[start : told.index('"', start)]
        url = stage.url(link)
        async with stage.running.http.get(url, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith("https://uri.amap.com/")


async def test_a_closed_car_park_is_left_out_with_its_reason(redis: Redis) -> None:
    async with town(redis, "kangle") as stage:
        told = await page(stage, "税务局")
        assert "没有推荐的停车场" in told
        assert "康乐路：已关闭" in told


async def test_what_may_be_meant_is_offered_and_what_is_not_here_is_said(redis: Redis) -> None:
    async with town(redis) as stage:
        unclear = await page(stage, "公园")
        assert "您说的是哪一个" in unclear
        assert "西南公园" in unclear
        nowhere = await page(stage, "asdfgh")
        assert "没有找到" in nowhere
        assert "约 52 位" in nowhere


async def cars_promised(redis: Redis) -> list[float]:
    held = await promise_store.read(redis, ["kangle", "sanda"])
    return [promise.share for lot in held.values() for promise in lot.promises]


async def test_who_loads_the_page_anew_is_promised_one_space(redis: Redis) -> None:
    async with town(redis) as stage:
        told = await page(stage, "人民医院", visit="of-mine")
        assert 'name="visit" value="of-mine"' in told
        await page(stage, "人民医院", visit="of-mine")
        await page(stage, "人民医院", visit="of-mine", stay="60")
        assert len(await cars_promised(redis)) == 1
        await page(stage, "人民医院", visit="of another")
        assert len(await cars_promised(redis)) == 2


async def test_every_new_page_is_another_visit(redis: Redis) -> None:
    async with town(redis) as stage:
        visits = set()
        for _ in range(2):
            told = await page(stage, "")
            start = told.index('name="visit" value="') + len('name="visit" value="')
            visits.add(told[start : told.index('"', start)])
        assert len(visits) == 2
        assert all(len(visit) >= 12 for visit in visits)
