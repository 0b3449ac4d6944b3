"""Every operators' address that is served, also one added tomorrow: closed, and hard to hurt."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Permission, Role
from occupancy.web.admin.admin_route import Access, AdminRoute
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.occupancy.web.admin.test_gate import address_of, pages_of

OPEN = {"/admin", "/admin/login", "/admin/{rest}"}
STATIC = "/admin/static/"
HTML = '<b id="hurt" onclick="x()">&amp;"\'</b>'
TEN_MEGABYTES, CHUNK = 10 * 1024 * 1024, b"a" * 65_536
_FORM = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_NAME = re.compile(r'<(?:input|textarea|select|button)[^>]*\bname="([^"]+)"[^>]*>')
_KEPT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.show("kangle", 1)
        yield running


async def test_every_address_beside_the_login_is_behind_the_gate(office: Desk) -> None:
    """Walks what is really served, not what the pages say of themselves."""
    stranger, wrong = office.browser(), []
    declared = {(page.method, page.path): page for page in all_pages(office)}
    for route in office.served.face.app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if not path.startswith("/admin") or path in OPEN or path.startswith(STATIC):
            continue
        method = "GET" if route.method == "HEAD" else route.method
        page = declared.get((method, path))
        if page is None:
            wrong.append((route.method, path, "declares nobody who may come"))
            continue
        address = address_of(page)
        answer = await (stranger.get(address) if method == "GET" else stranger.post(address, {}))
        if answer.status != 303 or not answer.where.startswith("/admin/login"):
            wrong.append((route.method, path, str(answer.status)))
    assert wrong == []


def all_pages(office: Desk) -> list[AdminRoute]:
    admin = office.served.face.admin
    assert admin is not None
    return list(admin.pages)


async def test_only_the_login_asks_for_no_permission_and_nobody(office: Desk) -> None:
    found = {page.path for page in all_pages(office) if page.needs is Access.ANYBODY}
    assert found == {"/admin/login"}
    own = {page.path for page in all_pages(office) if not isinstance(page.needs, Permission)}
    assert own == {
        "/admin/login",
        "/admin/second-factor",
        "/admin/logout",
        "/admin/me",
        "/admin/me/sessions",
        "/admin/stream",
        "/admin/live-worker.js",
        "/admin/search",
        "/admin/search/hits",
    }


async def test_html_in_every_field_of_every_form_is_shown_as_text(office: Desk) -> None:
    """Once as the forms stand on their pages, once to every address with every field there is."""
    boss = await office.at_work("boss", Role.ADMIN)
    await office.hire("other", Role.OPERATOR)
    forms = [form for page in read_by(office) for form in await forms_of(boss, page)]
    assert len(forms) >= 15
    everywhere = {name: HTML for _, form in forms for name in form}
    forms += [(of_other(page), everywhere) for page in pages_of(office) if is_work(page, "POST")]
    wrong = [told for action, form in forms if (told := await hurt_by(boss, action, form))]
    assert wrong == []
    for page in read_by(office):
        assert 'id="hurt"' not in (await boss.get(of_other(page))).text, page.path
    assert (await boss.get("/admin/me")).status == 200


async def test_what_no_database_keeps_is_refused_in_every_field(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    await office.hire("other", Role.OPERATOR)
    forms = [form for page in read_by(office) for form in await forms_of(boss, page)]
    names = {name for _, form in forms for name in form}
    for value in ("\0", "a\0b", "9" * 400, "-1", "2026-02-30T25:61"):
        form = dict.fromkeys(names, value)
        for page in pages_of(office):
            if is_work(page, "POST"):
                assert not await hurt_by(boss, of_other(page), form), (page.path, value)
    assert (await boss.get("/admin/me")).status == 200


def is_work(page: AdminRoute, method: str) -> bool:
    return page.method == method and isinstance(page.needs, Permission)


def read_by(office: Desk) -> list[AdminRoute]:
    return [page for page in pages_of(office) if is_work(page, "GET")]


def of_other(page: AdminRoute) -> str:
    """An address at which nobody ends his own session."""
    return address_of(page).replace("/users/boss", "/users/other")


async def hurt_by(boss: Browser, action: str, form: dict[str, str]) -> str:
    """What is wrong with the answer; empty if nothing is."""
    answer = await boss.post(action, {**form, "csrf": await boss.token()})
    is_well = answer.status < 500 and answer.status != 403 and 'id="hurt"' not in answer.text
    return "" if is_well else f"{action}: {answer.status}"


async def forms_of(boss: Browser, page: AdminRoute) -> list[tuple[str, dict[str, str]]]:
    """Each form of the page with HTML in every field, its hidden ones as they are."""
    text = (await boss.get(of_other(page))).text
    found = []
    for action, inside in _FORM.findall(text):
        hidden = {name: unescape(value) for name, value in _KEPT.findall(inside)}
        fields = dict.fromkeys(_NAME.findall(inside), HTML)
        if not action.startswith(("/admin/me", "/admin/logout")):
            found.append((unescape(action), {**fields, **hidden}))
    return found


async def test_ten_megabytes_pasted_anywhere_are_refused_in_words(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    token = await boss.token()
    forms = [page for page in pages_of(office) if page.method == "POST"]
    async with asyncio.TaskGroup() as group:
        tasks = {
            page.path: group.create_task(paste(boss, address_of(page), token), name=page.path)
            for page in forms
        }
    assert {path: task.result() for path, task in tasks.items() if task.result()} == {}


async def paste(boss: Browser, address: str, token: str) -> str:
    """What is wrong with the answer; empty if nothing is."""

    async def body() -> AsyncIterator[bytes]:
        yield f"csrf={token}&reason=".encode()
        for _ in range(TEN_MEGABYTES // len(CHUNK)):
            yield CHUNK

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = boss.http.post(
        boss.desk.served.url(address), data=body(), headers=headers, allow_redirects=False
    )
    try:
        async with asked as answer:
            text = await answer.text()
    except aiohttp.ClientError as cut:
        return str(cut)
    return "" if answer.status == 413 and "内容过长" in text else str(answer.status)
