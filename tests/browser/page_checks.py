"""What holds for every page at every size, by script: the list of `shared/ui.md`."""

import gzip
import re

from playwright.async_api import Page

from tests.browser.watched import Watched, axe

SCREENS = [(390, 844), (768, 1024), (1440, 900), (1920, 1080)]
HTML_BYTES, SCRIPT_BYTES = 100_000, 60_000
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Buttons and links that stand alone: what a link in a sentence may be smaller than.
_TARGETS = """
(least) => [...document.querySelectorAll(
    'button, .button, input, select, textarea, nav a, .tabs a')]
  .filter((e) => e.type !== 'hidden' && e.getClientRects().length && !e.disabled)
  .map((e) => [e, (e.closest('label.check') || e).getBoundingClientRect()])
  .filter(([e, box]) => box.width < least || box.height < least)
  .map(([e, box]) => `${e.outerHTML.slice(0, 90)}: ${box.width | 0} x ${box.height | 0}`)
"""
# Scrolled into view, the middle of each button is the button itself and nothing over it.
_COVERED = """
() => [...document.querySelectorAll('main button, main .button')]
  .filter((e) => e.getClientRects().length)
  .filter((e) => {
    e.scrollIntoView({ block: 'center', inline: 'center' });
    const box = e.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return !hit || !(e.contains(hit) || hit.contains(e));
  }).map((e) => e.outerHTML.slice(0, 120))
"""
_PILLS = """
() => [...document.querySelectorAll('.pill, .severity, .state')]
  .filter((e) => !e.querySelector('svg') ||
    !(e.textContent.trim() || e.querySelector('[aria-label]')))
  .map((e) => e.outerHTML.slice(0, 120))
"""
_TEXTS = """
() => { const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const text = walk.currentNode.textContent.trim();
    if (text && !walk.currentNode.parentElement.closest('code, pre, script')) found.push(text); }
  return found; }
"""
_HAN_THEN_ASCII = re.compile(r"[一-鿿][,;:!?]|[,;:!?][一-鿿]")


async def looks_right(
    page: Watched, width: int, height: int, *, with_axe: bool = True
) -> list[str]:
    """What is wrong with the page that is open, at this size."""
    await page.page.set_viewport_size({"width": width, "height": height})
    await page.page.evaluate("scrollTo(0, 0)")
    found = [f"axe: {one}" for one in await axe(page)] if with_axe else []
    sideways = await page.page.evaluate(_SIDEWAYS)
    if sideways > 0:
        found.append(f"{sideways} px sideways")
    found += [f"covered: {one}" for one in await page.page.evaluate(_COVERED)]
    found += [f"small: {one}" for one in await page.page.evaluate(_TARGETS, 24)]
    return found


async def reads_right(page: Watched) -> list[str]:
    """What is wrong with it at any size."""
    found = [f"no shape or word: {one}" for one in await page.page.evaluate(_PILLS)]
    texts = await page.page.evaluate(_TEXTS)
    found += [f"punctuation: {text}" for text in texts if _HAN_THEN_ASCII.search(text)]
    html = await page.page.content()
    if len(html.encode()) > HTML_BYTES:
        found.append(f"{len(html)} characters of HTML")
    return found


async def touches_right(page: Watched) -> list[str]:
    """For a context with a touch screen: nothing under 44 px."""
    return [f"small: {one}" for one in await page.page.evaluate(_TARGETS, 43.5)]


async def grows_right(page: Page) -> list[str]:
    """Text twice as large: half the width."""
    await page.set_viewport_size({"width": 720, "height": 450})
    sideways = await page.evaluate(_SIDEWAYS)
    return [f"{sideways} px sideways at 200 %"] if sideways > 0 else []


async def script_bytes(page: Watched) -> int:
    """Gzipped, all the scripts that it asked for."""
    urls = {url for url in page.requests if url.endswith(".js")}
    bodies = [await (await page.page.request.get(url)).body() for url in urls]
    return sum(len(gzip.compress(body)) for body in bodies)
