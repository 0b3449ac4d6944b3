"""Every page of the operators in a real browser, at every size, light and dark."""

import re

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Permission
from tests.browser.chromium import chromium
from tests.browser.desk_stage import DeskStage, at_the_desk
from tests.browser.page_checks import (
    SCREENS,
    SCRIPT_BYTES,
    grows_right,
    looks_right,
    reads_right,
    script_bytes,
    touches_right,
)
from tests.browser.watched import Watched, watched

pytestmark = [pytest.mark.browser, pytest.mark.spread, pytest.mark.timeout(400)]

SHARES = 8  # each well within its time-out, also on a busy machine
NOTHING = "/admin/nothing"
BEFORE_LOGIN = ["/admin/login", NOTHING]
USUAL = (390, 1440)  # the widths whose dark colours are gone through as well
HEAVY = ("/admin/explore",)  # the one page with a chart library
NAMES = {
    "lot": "kangle",
    "name": "boss",
    "year": "2026",
    "tariff": "kangle",
    "kind": "drift",
    "site": "kangle",
    "severity": "critical",
    "step": "1",
}
WITH_SOMETHING = (
    "/admin/me",
    "/admin/rules/certificate_ends",
    "/admin/search?q=kl",
    "/admin/studies/1",
    "/admin/explore?lot=kangle&days=7",
    "/admin/joining/xinyuan",
    "/admin/joining/new?lot=xinyuan",
)
PART_OF_A_PAGE = ("/open", "/hits", "/table", "/waiting", "/deeds", "/preview", "/rows", "/data")


def addresses(stage: DeskStage) -> list[str]:
    """Every page that a person can open without having made something first."""
    admin = stage.desk.served.face.admin
    assert admin is not None
    paths = [
        page.path.format(**NAMES)
        for page in admin.pages
        if page.method == "GET"
        and isinstance(page.needs, Permission)
        and not page.path.endswith(PART_OF_A_PAGE)
        and "." not in page.path
        and set(re.findall(r"{(\w+)}", page.path)) <= set(NAMES)
    ]
    return [*paths, *WITH_SOMETHING]


async def opened(page: Watched, stage: DeskStage, path: str) -> None:
    await page.page.goto(stage.url(path))
    if path not in BEFORE_LOGIN:
        await page.until_text("[data-live-word]", "实时")


async def findings(page: Watched, stage: DeskStage, path: str) -> list[str]:
    found = []
    page.complaints.clear()
    page.requests.clear()
    await opened(page, stage, path)
    for scheme in ("light", "dark"):
        await page.page.emulate_media(color_scheme=scheme)
        for width, height in SCREENS:
            wrong = await looks_right(
                page, width, height, with_axe=scheme == "light" or width in USUAL
            )
            found += [f"{scheme} {width}: {one}" for one in wrong]
    found += await reads_right(page)
    found += await grows_right(page.page)
    if not path.startswith(HEAVY) and await script_bytes(page) > SCRIPT_BYTES:
        found.append("too much script")
    # The browser itself tells that the wrong address is one.
    said = [one for one in page.complaints if path != NOTHING or "404" not in one]
    return [f"{path} {one}" for one in [*found, *said]]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
async def test_every_page_is_right_at_every_size_light_and_dark(
    connections: asyncpg.Pool, redis: Redis, share: int
) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        boss = await stage.boss()
        stage.every_state()
        stage.alarm()
        await stage.study()
        await stage.joining(redis)
        found = []
        async with watched(browser, width=1440, height=900) as page:
            await stage.enter(page.page.context, boss)
            for path in [*addresses(stage), *BEFORE_LOGIN][share::SHARES]:
                found += await findings(page, stage, path)
    assert "\n".join(found) == ""


@pytest.mark.timeout(900)
async def test_a_finger_hits_every_button(connections: asyncpg.Pool, redis: Redis) -> None:
    async with at_the_desk(connections, redis) as stage, chromium() as browser:
        boss = await stage.boss()
        stage.every_state()
        stage.alarm()
        await stage.study()
        await stage.joining(redis)
        found = []
        async with watched(browser, width=390, height=844, has_touch=True, is_mobile=True) as page:
            await stage.enter(page.page.context, boss)
            for path in [*addresses(stage), *BEFORE_LOGIN]:
                await opened(page, stage, path)
                found += [f"{path} {one}" for one in await touches_right(page)]
    assert "\n".join(found) == ""
