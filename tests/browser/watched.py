"""A page that remembers everything a browser complained about."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from re import Pattern
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

_REPORTS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI));
"""
# Of what passes nobody is told, and most of a run is telling.
_AXE = """
async () => (await axe.run({
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'],
})).violations.map((one) => [one.id, one.nodes.map((node) => node.html),
  one.nodes[0].failureSummary])
"""
NO_SHARED_WORKER = "delete window.SharedWorker;"


@dataclass
class Watched:
    """A page, its complaints and the addresses it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        return ((await self.page.locator(selector).text_content()) or "").strip()

    async def count_of(self, lot_id: str) -> str:
        return await self.text(f'[data-lot="{lot_id}"] [data-field="count"]')

    async def until_text(
        self, selector: str, text: str | Pattern[str], seconds: float = 10
    ) -> None:
        await expect(self.page.locator(selector).first).to_have_text(text, timeout=seconds * 1_000)

    async def until_count(self, lot_id: str, text: str, seconds: float = 10) -> None:
        await self.until_text(f'[data-lot="{lot_id}"] [data-field="count"]', text, seconds)

    async def until_live(self) -> None:
        """Until the stream has been heard: the server writes a time, the script an age."""
        await self.until_text('[data-field="age"]', re.compile("前更新|刚刚更新"))


@asynccontextmanager
async def watched(
    browser: Browser,
    *,
    width: int = 1920,
    height: int = 1080,
    before: str = "",
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[Watched]:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", **options
    )
    try:
        yield await _watch(await context.new_page(), before)
    finally:
        await context.close()


async def _watch(page: Page, before: str) -> Watched:
    seen = Watched(page)

    async def only_from_here(route: Route) -> None:
        if route.request.url.startswith("http://127.0.0.1:"):
            await route.fallback()
        else:
            seen.complaints.append(f"asks elsewhere: {route.request.url}")
            await route.abort()

    def console(message: Any) -> None:  # noqa: ANN401
        if message.type in ("error", "warning"):
            seen.complaints.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    await page.route("**/*", only_from_here)
    await page.add_init_script(_REPORTS + before)
    return seen


async def axe(page: Watched) -> list[Any]:
    """What axe finds against WCAG 2.2 AA: rule, nodes, why."""
    if not await page.page.evaluate("'axe' in window"):
        source = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
        await page.page.evaluate(source)
    found: list[Any] = await page.page.evaluate(_AXE)
    return found
