"""Screenshots of a running service.

`python -m tests.browser.pictures FOLDER [ADDRESS [NAME PASSWORD]]`: with an operator's name and
password (of one who needs no second factor) the operators' pages, too.
"""

import asyncio
import secrets
import sys
from pathlib import Path

from playwright.async_api import Page

from tests.browser.chromium import chromium

SIZES = {"board_1920": (1920, 1080), "board_1440": (1440, 900), "board_390": (390, 844)}
PHONE = (390, 844)
DRIVER_PAGES = {
    "driver_390": "/m/?to=人民医院",
    "driver_lot_390": "/m/lots/kangle",
    "driver_elder_390": "/m/?to=人民医院&elder=1",
}


DESK_PAGES = {
    "admin_1440": ("/admin/", (1440, 900)),
    "admin_390": ("/admin/", PHONE),
    "admin_calendar_1440": ("/admin/calendar/2026", (1440, 900)),
}


async def take_desk(folder: Path, address: str, name: str, password: str) -> None:
    """Log in as a person would, then each page."""
    async with chromium() as browser:
        context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        page = await context.new_page()
        await page.goto(f"{address}/admin/login")
        await page.fill("#name", name)
        await page.fill("#password", password)
        await page.click("button.main")
        await _choose_password(page, password)
        for picture, (path, (width, height)) in DESK_PAGES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(f"{address}{path}")
            await page.wait_for_timeout(2_500)
            await page.screenshot(path=folder / f"{picture}.png")
        await context.close()


async def _choose_password(page: Page, given: str) -> None:
    """A password that was given must be changed first; nobody needs the new one again."""
    await page.wait_for_load_state()
    if not page.url.partition("?")[0].endswith("/admin/me"):
        return
    chosen = secrets.token_urlsafe(16)
    for field, value in (("old", given), ("new", chosen), ("again", chosen)):
        await page.fill(f"#password_{field}", value)
    await page.click("form:has(#password_old) button")
    await page.wait_for_url("**/admin/me?done=*")


async def _settle(page: Page) -> None:
    await page.wait_for_function("document.querySelectorAll('.lot:not(.no_data)').length > 0")
    await page.wait_for_timeout(2_500)


async def take(folder: Path, address: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        for name, (width, height) in SIZES.items():
            page = await browser.new_page(viewport={"width": width, "height": height})
            await page.goto(f"{address}/board")
            await _settle(page)
            await page.screenshot(path=folder / f"{name}.png", full_page=width < 600)
            await page.close()
        for name, path in DRIVER_PAGES.items():
            page = await browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
            await page.goto(f"{address}{path}")
            await page.screenshot(path=folder / f"{name}.png")
            await page.close()


if __name__ == "__main__":
    where = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8080"
    asyncio.run(take(Path(sys.argv[1]), where))
    if len(sys.argv) > 4:
        asyncio.run(take_desk(Path(sys.argv[1]), where, sys.argv[3], sys.argv[4]))
