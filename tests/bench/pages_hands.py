"""How long an operator's deeds take in Chromium, against a running service of five car parks."""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Sequence

from playwright.async_api import Browser, Page, expect

from gateway.process import now_ms
from gateway.redis_client import connect
from occupancy import database, snapshot
from occupancy.live import STALE_AFTER_MS
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.web.formats import SHANGHAI
from tests.bench.pages_town import be_heard, hire, picture
from tests.bench.service import service
from tests.browser.chromium import chromium
from tests.browser.desk_deeds import Hands
from tests.faults.proxy import Link, Mode, link_to
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
    silent = _Silent()
    async with service(settings={"ZHIBO_READS_A_MINUTE": "100000"}, hearing=silent.hear) as served:
        urls = (served.postgres_url, served.redis_url)
        async with database.pool(served.postgres_url) as pool:
            await raised(pool, "kangle-g1")
        (operator,) = await hire(*urls, 1)
        (manager,) = await hire(*urls, 1, Role.MANAGER)
        (approver,) = await hire(*urls, 1, Role.APPROVER)
        async with link_to("127.0.0.1", served.ports[0]) as link, chromium() as browser:
            address = f"http://127.0.0.1:{link.port}"
            one, chen, lin = [
                await _seated(browser, address, key) for key in (operator, manager, approver)
            ]
            watching = Hands(await one.page.context.new_page(), address)
            async with asyncio.TaskGroup() as group:
                marked = group.create_task(silent.marked(watching), name="watch the silent one")
                told = await _by_hand(one, chen)
                told |= await _tariff(chen, lin)
                told["gate event to eight tabs, p95"] = await _events(one, served.redis_url)
            told["stale marked, after its 90 s"] = marked.result()
            told |= await _link(one, link)
    return told


class _Silent:
    """The last car park of all: heard once and never again."""

    def __init__(self) -> None:
        self._lot = load_shipped()[-1]
        self._heard_ms = 0

    async def hear(self, redis_url: str, lots: Sequence[Lot]) -> None:
        async with connect(redis_url) as redis:
            run_id = await snapshot.read_run_id(redis)
            self._heard_ms = now_ms()
            await snapshot.write(redis, run_id, picture(self._lot, 1, 40))
        await be_heard(redis_url, [lot for lot in lots if lot != self._lot])

    async def marked(self, hands: Hands) -> float:
        """Seconds from its ninetieth of silence until an open page says so."""
        await hands.open("/admin/")
        row = hands.page.locator(f'tr[data-lot="{self._lot.lot_id}"]')
        await expect(row).to_have_class("no_data", timeout=150_000)
        return (now_ms() - self._heard_ms - STALE_AFTER_MS) / 1_000


async def _seated(browser: Browser, address: str, key: str) -> Hands:
    context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    await context.add_cookies([{"name": "zhibo-session", "value": key, "url": address}])
    return Hands(await context.new_page(), address)


async def _by_hand(hands: Hands, other: Hands) -> dict[str, float]:
    told = {"worst lot found": await _seconds(hands.find_worst())}
    told["overview painted"] = float(await hands.page.evaluate(_PAINTED)) / 1_000
    told["search result after the last key"] = await hands.search("kl", "康乐") / 1_000
    await other.open("/admin/alarms")
    await hands.open("/admin/alarms")
    told["acknowledge with a note"] = await _seconds(hands.acknowledge("在看"))
    told["others see it"] = await _seconds(
        expect(other.page.locator("tbody")).to_contain_text("已确认", timeout=10_000)
    )
    told["calibrate"] = await _seconds(hands.calibrate("kangle", 84, "夜间盘点"))
    until = dt.datetime.fromtimestamp(now_ms() / 1_000, tz=SHANGHAI) + dt.timedelta(hours=2)
    told["close with preview and reopening"] = await _seconds(hands.close("sanda", until, "检修"))
    told["override a sign"] = await _seconds(hands.take_over("junction-north", 4, until))
    told["a month of quarters as XLSX, three clicks"] = await _seconds(other.export_month())
    return told


async def _tariff(author: Hands, other: Hands) -> dict[str, float]:
    """From the list to a version that a second person has approved, and one look in between."""
    begun = time.monotonic()
    draft = await author.draft("kangle", "康乐路新标准")
    await other.approve(draft)
    return {"tariff version, edit to approval": time.monotonic() - begun}


async def _link(hands: Hands, link: Link) -> dict[str, float]:
    """A link that is cut without a word, and comes back."""
    await hands.open("/admin/")
    link.become(Mode.BLACK_HOLE)
    lost = await _seconds(expect(hands.page.locator("[data-lost]")).to_be_visible(timeout=20_000))
    link.become(Mode.PASS)
    word = hands.page.locator("[data-live-word]")
    back = await _seconds(expect(word).to_have_text("实时", timeout=30_000))
    return {"lost link banner": lost, "fresh after return": back}


async def _seconds(deed: Awaitable[object]) -> float:
    begun = time.monotonic()
    await deed
    return time.monotonic() - begun


async def _events(hands: Hands, redis_url: str) -> float:
    """From a new picture to the last of eight tabs that shows it."""
    tabs = [await hands.page.context.new_page() for _ in range(TABS)]
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
