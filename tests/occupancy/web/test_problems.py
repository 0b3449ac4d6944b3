"""Whatever is sent, the answer is a document that says what is wrong, and never our fault."""

import asyncio
import string
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from occupancy.web import bodies
from tests.occupancy.web.faces import Served, served

LOTS = "/v1/lots"
PATHS = [
    LOTS,
    "/v1/lots/kangle",
    "/v1/lots/kangle/history",
    "/v1/lots/kangle/tariff",
    "/v1/quote",
    "/v1/stream",
    "/openapi.json",
    "/docs",
    "/healthz",
    "/readyz",
    "/metrics",
    "/board",
    "/board/trends",
    "/favicon.ico",
]


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        running.show("kangle", 1)
        yield running


async def exchanged(shown: Served, sent: bytes) -> bytes:
    """The whole answer to raw bytes, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shown.port)
    writer.write(sent)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_unknown_address_is_a_document(shown: Served) -> None:
    problem = await shown.get("/v2/lots", status=404)
    assert problem == {
        "title": "There is no such thing",
        "status": 404,
        "detail": "nothing is served at /v2/lots",
    }


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/board"])
async def test_an_unknown_parameter_is_named(shown: Served, path: str) -> None:
    problem = await shown.get(f"{path}?colour=red", status=400)
    assert problem["field"] == "colour"
    assert "colour" in problem["detail"]


async def test_a_page_that_was_shared_passes_over_what_was_added(shown: Served) -> None:
    async with shown.http.get(shown.url("/board?from=timeline&isappinstalled=0")) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_another_method_is_told_which_ones_there_are(shown: Served, method: str) -> None:
    async with shown.http.request(method, shown.url(LOTS)) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert answer.content_type == "application/problem+json"
        assert (await answer.json(content_type=None))["choices"] == ["GET", "HEAD", "OPTIONS"]


async def test_a_browser_that_asks_first_is_answered(shown: Served) -> None:
    async with shown.http.options(shown.url("/v1/quotes")) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


async def test_public_data_may_be_read_by_any_page_and_pages_by_none(shown: Served) -> None:
    for path, foreign in (("/v1/lots", "*"), ("/openapi.json", "*"), ("/board", None)):
        async with shown.http.get(shown.url(path)) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == foreign


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/static/nothing.js"])
async def test_every_answer_is_guarded(shown: Served, path: str) -> None:
    async with shown.http.get(shown.url(path)) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Date"].endswith("GMT")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"stays": 1}', b'{"stays": [], "x": 1}']
)
async def test_a_wrong_body_is_refused(shown: Served, body: bytes) -> None:
    async with shown.http.post(shown.url("/v1/quotes"), data=body) as answer:
        assert answer.status == 400
        assert (await answer.json(content_type=None))["detail"]


async def test_a_body_beyond_the_limit_is_refused(shown: Served) -> None:
    body = b" " * (bodies.BODY_BYTES + 1)
    async with shown.http.post(shown.url("/v1/quotes"), data=body) as answer:
        assert answer.status == 413


async def test_a_body_that_does_not_come_is_given_up(
    shown: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", shown.port)
    writer.write(b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(10):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/lots/\xff\xfe HTTP/1.1",
        b"GET /\xe5\xba\xb7 HTTP/1.1",
        b"GET /v1/lots/%ff HTTP/1.1",
        b"GET /v1/lots/%00 HTTP/1.1",
        b"GET /v1/lots/%ed%a0%80 HTTP/1.1",
        b"GET /v1/lots?%ff=%fe HTTP/1.1",
        b"GET /v1/lots/kangle/history?step=%ed%a0%80 HTTP/1.1",
        b"GET /v1/quote?lot=%ff HTTP/1.1",
        b"GET http://[::1 HTTP/1.1",
        b"GET //v1//lots HTTP/1.1",
        b"GET /static/../lots HTTP/1.1",
        b"GET /static/%2e%2e%2fboard.html HTTP/1.1",
        b"BREW /v1/lots HTTP/1.1",
        b"nonsense",
        b"GET /v1/lots HTTP/9.9",
    ],
)
async def test_no_request_line_is_our_fault(shown: Served, line: bytes) -> None:
    head = await exchanged(shown, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), head[:200]


@pytest.mark.parametrize(
    "header",
    [
        b"Accept-Encoding: \xff",
        b"If-None-Match: \xff\xfe",
        b"Last-Event-ID: \xff",
        b"X-Request-Id: \xff",
        b"Accept-Encoding: " + b"gzip;q=" * 500,
    ],
)
async def test_no_header_is_our_fault(shown: Served, header: bytes) -> None:
    sent = b"GET /v1/lots HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n\r\n"
    assert (await exchanged(shown, sent)).startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


TEXT = st.text(
    alphabet=st.one_of(st.sampled_from(string.printable), st.characters(codec="utf-8")), max_size=40
)
TIMES = st.one_of(TEXT, st.datetimes().map(lambda at: at.isoformat() + "Z"))
STEPS = st.one_of(TEXT, st.from_regex(r"P[0-9]{0,20}[DHTMS]{0,4}[0-9]{0,12}[HMS]?", fullmatch=True))


async def test_no_query_is_our_fault() -> None:
    async with served() as shown:
        shown.show("kangle", 1)
        loop = asyncio.get_running_loop()
        asked: list[URL] = []

        @given(
            path=st.sampled_from(PATHS),
            query=st.dictionaries(
                st.sampled_from(["from", "to", "step", "lot", "stay", "vehicle", "t", "x"]),
                st.one_of(TEXT, TIMES, STEPS),
                max_size=4,
            ),
        )
        @settings(
            max_examples=400,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        def gather(path: str, query: dict[str, str]) -> None:
            words = "&".join(f"{name}={quote(value)}" for name, value in query.items())
            asked.append(URL(shown.url(path) + "?" + words, encoded=True))

        await loop.run_in_executor(None, gather)
        for url in asked:
            await _must_not_be_our_fault(shown.http, url)


async def _must_not_be_our_fault(http: aiohttp.ClientSession, url: URL) -> None:
    async with http.get(url) as answer:
        if answer.status == 503:  # the databases are away in this test, and said to be
            assert b"away" in await answer.read() or url.path == "/readyz"
        else:
            assert answer.status in {200, 302, 400, 404}, url
        if answer.status == 400:
            problem: dict[str, Any] = msgspec.json.decode(await answer.read())
            assert problem["detail"], url
