"""Files of the pages: for ever under a name of their content, and only from here."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.occupancy.web.faces import Served, served


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        yield running


async def page(shown: Served, path: str) -> str:
    async with shown.http.get(shown.url(path)) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.parametrize("path", ["/board", "/docs"])
async def test_a_page_names_only_files_that_are_there(shown: Served, path: str) -> None:
    addresses = set(re.findall(r'(?:src|href)="([^"#]+)"', await page(shown, path)))
    assert addresses
    for address in addresses:
        assert address.startswith("/"), "nothing comes from elsewhere"
        async with shown.http.get(shown.url(address)) as answer:
            assert answer.status == 200, address


@pytest.mark.parametrize("path", ["/board", "/docs"])
async def test_a_page_has_no_script_and_no_style_inside(shown: Served, path: str) -> None:
    text = await page(shown, path)
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\bstyle=|\son[a-z]+=|javascript:", text)


async def test_a_file_is_kept_for_ever_and_comes_packed(shown: Served) -> None:
    address = shown.face.static.url("board.css")
    assert re.fullmatch(r"/static/board\.[0-9a-f]{12}\.css", address)
    async with shown.http.get(shown.url(address)) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        tag = answer.headers["ETag"]
    async with shown.http.get(shown.url(address), headers={"If-None-Match": tag}) as again:
        assert again.status == 304


async def test_the_worker_stays_at_one_address_and_is_asked_for_again(shown: Served) -> None:
    async with shown.http.get(shown.url("/board/live-worker.js")) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_a_file_by_its_plain_name_or_an_old_one_is_not_there(shown: Served) -> None:
    for name in ("board.css", "board.000000000000.css", "icon.svg"):
        assert (await shown.get(f"/static/{name}", status=404))["status"] == 404


async def test_there_is_an_icon(shown: Served) -> None:
    async with shown.http.get(shown.url("/favicon.ico")) as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
