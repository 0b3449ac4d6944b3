"""How long an operator's deeds take in Chromium, against a running service of five car parks."""

import datetime as dt
import time
from collections.abc import Awaitable

from playwright.async_api import BrowserContext, Page, expect

from gateway.process import now_ms
from gateway.redis_client import connect
from occupancy import database, snapshot
from occupancy.lot_file import load_shipped
from occupancy.web.formats import SHANGHAI
from tests.bench.pages_town import hire, picture
from tests.bench.service import service
from tests.browser.chromium import chromium
from tests.browser.desk_deeds import Hands
from tests.occupancy.test_alarm_desk import raised

TABS, CHANGES = 8, 12
COUNT = '[data-lot="kangle"] [data-field="count"]'
_PAINTED = """
() => new Promise((found) => new PerformanceObserver(
  (list) => found(list.getEntries().at(-1).startTime),
).observe({ type: 'largest-contentful-paint', buffered: true }))
"""


async def deeds() -> dict[str, float]:
    """Seconds of each interaction by its name."""
    async with service(settings={"ZHIBO_READS_A_MINUTE": "100000"}) as served:
        address = f"http://127.0.0.1:{served.ports[0]}"
        (key,) = await hire(served.postgres_url, served.redis_url, 1)
        async with database.pool(served.postgres_url) as pool:
            await raised(pool, "kangle-g1")
        async with chromium() as browser:
            context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
            await context.add_cookies([{"name": "zhibo-session", "value": key, "url": address}])
            hands = Hands(await context.new_page(), address)
            told = await _by_hand(hands)
            told["gate event to eight tabs, p95"] = await _events(context, hands, served.redis_url)
            await context.close()
    return told


async def _by_hand(hands: Hands) -> dict[str, float]:
    told = {"worst lot found": await _seconds(hands.find_worst())}
    told["overview painted"] = float(await hands.page.evaluate(_PAINTED)) / 1_000
    told["search result after the last key"] = await hands.search("kl", "康乐") / 1_000
    await hands.open("/admin/alarms")
    told["acknowledge with a note"] = await _seconds(hands.acknowledge("在看"))
    told["calibrate"] = await _seconds(hands.calibrate("kangle", 84, "夜间盘点"))
    until = dt.datetime.fromtimestamp(now_ms() / 1_000, tz=SHANGHAI) + dt.timedelta(hours=2)
    told["close with preview and reopening"] = await _seconds(hands.close("sanda", until, "检修"))
    return told


async def _seconds(deed: Awaitable[object]) -> float:
    begun = time.monotonic()
    await deed
    return time.monotonic() - begun


async def _events(context: BrowserContext, hands: Hands, redis_url: str) -> float:
    """From a new picture to the last of eight tabs that shows it."""
    tabs = [await context.new_page() for _ in range(TABS)]
    for tab in tabs:
        await Hands(tab, hands.page.url.partition("/admin")[0]).open("/admin/")
    lot, took = next(one for one in load_shipped() if one.lot_id == "kangle"), []
    async with connect(redis_url) as redis:
        run_id = await snapshot.read_run_id(redis)
        for number in range(CHANGES):
            news = picture(lot, 10_000_000 + number, 40 + number)
            begun = time.monotonic()
            await snapshot.write(redis, run_id, news)
            for tab in tabs:
                await _shows(tab, str(lot.capacity - 40 - number))
            took.append(time.monotonic() - begun)
    for tab in tabs:
        await tab.close()
    return sorted(took)[int(len(took) * 0.95)]


async def _shows(tab: Page, count: str) -> None:
    await expect(tab.locator(COUNT)).to_have_text(count, timeout=10_000)
