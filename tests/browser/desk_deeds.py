"""What an operator does by hand, as a script does it: each says how many clicks it took."""

import datetime as dt
import re

from playwright.async_api import Page, expect

SOON_MS = 15_000
FLUSH = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Hands:
    """One operator at one page; counts his clicks. `address` is where the service is."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.clicks = 0
        self._address = address

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self._address}{path}")
        await expect(self.page.locator("[data-live-word]")).to_have_text("实时", timeout=SOON_MS)

    async def click(self, selector: str) -> None:
        self.clicks += 1
        await self.page.locator(selector).first.click()

    async def find_worst(self) -> str:
        """Open the overview; the name of the tightest car park, from the first row."""
        await self.open("/admin/")
        return (await self.page.locator("tr[data-lot] td.name a").first.text_content()) or ""

    async def acknowledge(self, note: str) -> None:
        """On the alarms' page: tick the first, write, press."""
        if not await self.page.locator("input[name='alarms']").first.is_checked():
            await self.click("input[name='alarms']")
        await self.page.fill("#note", note)
        await self.click("form button:text-is('确认')")
        await expect(self.page.locator(".banner.done")).to_contain_text("已确认", timeout=SOON_MS)

    async def calibrate(self, lot_id: str, cars: int, reason: str) -> None:
        await self.open(f"/admin/calibrate/{lot_id}")
        await self.page.fill("#counted", str(cars))
        await self.page.fill("#reason", reason)
        await self.click("form.form button")
        if await self.page.locator("button.grave").count():  # asked again where it is much
            await self.click("button.grave")
        await expect(self.page.locator(".banner.done")).to_be_visible(timeout=SOON_MS)

    async def close(self, lot_id: str, until: dt.datetime, wording: str) -> None:
        """With a look at what it does, and a time at which it opens again."""
        await self.open(f"/admin/closures/{lot_id}")
        await self.page.fill("#until", f"{until:%Y-%m-%dT%H:%M}")
        await expect(self.page.locator("#effect")).to_contain_text("关", timeout=SOON_MS)
        await self.page.fill("#wording", wording)
        await self.page.fill("#reason", "年检")
        await self.click("form.form > button.grave")
        await expect(self.page.locator(".banner.done")).to_be_visible(timeout=SOON_MS)

    async def take_over(self, sign_id: str, lines: int, until: dt.datetime) -> None:
        await self.open(f"/admin/signs/{sign_id}")
        for number in range(1, lines + 1):
            await self.page.fill(f"#line{number}", "满")
        await self.page.fill("#until", f"{until:%Y-%m-%dT%H:%M}")
        await self.page.fill("#reason", "现场管制")
        await self.click("button.grave")
        await expect(self.page.locator(".banner.done")).to_be_visible(timeout=SOON_MS)

    async def export_month(self) -> int:
        """A month of quarters as XLSX, from the overview; bytes of the file."""
        await self.open("/admin/")
        self.clicks = 0
        await self.click(".menu a[href='/admin/exports']")
        async with self.page.expect_download(timeout=60_000) as coming:
            await self.click("button:has-text('XLSX'), a:has-text('XLSX')")
        return (await (await coming.value).path()).stat().st_size

    async def draft(self, tariff_id: str, name: str) -> str:
        """The next version of a tariff by another name, handed in for review; its address."""
        await self.open("/admin/tariffs")
        form = self.page.locator(f"form[action='/admin/tariffs/{tariff_id}']")
        await form.locator("[name='reason']").fill("来文")
        await form.locator("button").click()
        await self.page.wait_for_url(re.compile(r"/drafts/\d+"))
        text = self.page.locator("#text")
        changed = re.sub('name = ".*"', f'name = "{name}"', await text.input_value(), count=1)
        await text.fill(changed)
        await expect(self.page.locator("#review")).to_contain_text(name, timeout=SOON_MS)
        await self.page.fill("#reason", "改名")
        await self.click("button[value='submit']")
        await expect(self.page.locator(".banner.done")).to_be_visible(timeout=SOON_MS)
        return self.page.url.removeprefix(self._address).partition("?")[0]

    async def approve(self, draft: str) -> None:
        await self.open(draft)
        await self.page.fill("#reason", "核对无误")
        await self.click("button[value='approve']")
        await expect(self.page.locator(".banner.done")).to_be_visible(timeout=SOON_MS)

    async def search(self, letters: str, finds: str) -> float:
        """Milliseconds from the last key to the result, by the browser's own clock."""
        await self.page.locator("#search").fill("")
        await self.page.locator("#search").press_sequentially(letters[:-1], delay=30)
        await self.page.evaluate(_WATCH_HITS, finds)
        await self.page.locator("#search").press(letters[-1])
        took = await self.page.evaluate("() => window.zhiboFound")
        return float(took)


_WATCH_HITS = """
(words) => { window.zhiboFound = new Promise((found) => {
  let pressed = 0;
  document.querySelector('#search').addEventListener('keydown', () => {
    pressed = performance.now(); }, { once: true });
  new MutationObserver((_, watching) => {
    if (!pressed || !document.querySelector('#hits').textContent.includes(words)) return;
    watching.disconnect();
    found(performance.now() - pressed);
  }).observe(document.querySelector('#hits'), { childList: true, subtree: true });
}); }
"""
