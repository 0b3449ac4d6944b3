"""The vital signs and the catalogue in a real browser: every size, light and dark, by finger."""

import asyncpg
import pytest

from tests.browser.chromium import chromium
from tests.browser.page_checks import (
    SCREENS,
    grows_right,
    looks_right,
    reads_right,
    touches_right,
)
from tests.browser.watched import Watched, watched
from tests.occupancy.web.faces import Served, served
from tests.occupancy.web.open_data.vital_past import after_october

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
PATHS = ("/vitals", "/open/catalogue")


async def findings(page: Watched, shown: Served, path: str) -> list[str]:
    page.complaints.clear()
    await page.page.goto(shown.url(path))
    found = []
    for scheme in ("light", "dark"):
        await page.page.emulate_media(color_scheme=scheme)
        for width, height in SCREENS:
            wrong = await looks_right(page, width, height)
            found += [f"{scheme} {width}: {one}" for one in wrong]
    found += await reads_right(page)
    found += await grows_right(page.page)
    elsewhere = [url for url in page.requests if not url.startswith(shown.url("/"))]
    return [f"{path} {one}" for one in (*found, *page.complaints, *elsewhere)]


async def test_the_open_pages_are_right_at_every_size_light_and_dark(
    connections: asyncpg.Pool,
) -> None:
    async with after_october(connections) as past, chromium() as browser:
        found = []
        async with watched(browser, width=1440, height=900) as page:
            for path in PATHS:
                found += await findings(page, past.shown, path)
        async with watched(browser, width=390, height=844, has_touch=True, is_mobile=True) as page:
            for path in PATHS:
                await page.page.goto(past.shown.url(path))
                found += [f"{path} {one}" for one in await touches_right(page)]
    assert "\n".join(found) == ""


async def test_vital_signs_without_a_past_are_right_as_well(connections: asyncpg.Pool) -> None:
    async with (
        served(connections=connections) as shown,
        chromium() as browser,
        watched(browser, width=390, height=844) as page,
    ):
        found = await findings(page, shown, "/vitals")
    assert "\n".join(found) == ""
