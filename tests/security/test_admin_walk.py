"""Every operators' address that is served, also one added tomorrow: closed to strangers."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import Access, AdminRoute
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.admin.test_gate import address_of

OPEN = {"/admin", "/admin/login", "/admin/{rest}"}
STATIC = "/admin/static/"


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
