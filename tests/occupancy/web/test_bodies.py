"""What is sent is read as far as its address allows, and refused in words beyond that."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.web import bodies
from occupancy.web.bodies import BODY_BYTES, BODY_BYTES_OF
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.faces import Served

FORM = b"application/x-www-form-urlencoded"
MANY = b"multipart/form-data"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        yield running


async def exchanged(shown: Served, path: str, kind: bytes, headers: bytes, body: bytes) -> bytes:
    """The first line of the answer to raw bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shown.port)
    begun = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    writer.write(begun + b"Content-Type: " + kind + b"\r\n" + headers + b"\r\n" + body)
    async with asyncio.timeout(10):
        answer = await reader.readline()
    writer.close()
    return answer


def taken(shown: Served) -> set[str]:
    """Every address something can be sent to."""
    routes = shown.face.app.router.routes()
    return {
        route.resource.canonical for route in routes if route.method == "POST" and route.resource
    }


def address(path: str) -> str:
    """One that this pattern fits."""
    return re.sub(r"{\w+}", "1", path)


async def test_every_address_with_a_limit_of_its_own_is_served(office: Desk) -> None:
    own = {path for path in BODY_BYTES_OF if path.startswith("/admin")}
    assert own <= taken(office.served)


async def test_one_byte_more_than_an_address_takes_is_refused(office: Desk) -> None:
    wrong = []
    for path in sorted(taken(office.served)):
        most = BODY_BYTES_OF.get(path, BODY_BYTES)
        for size in (most, most + 1):
            headers = f"Content-Length: {size}\r\n".encode()
            line = await exchanged(office.served, address(path), FORM, headers, b"a" * size)
            if (b" 413 " in line) != (size > most):
                wrong.append((path, size, line))
    assert wrong == []


PART = b'--x\r\nContent-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("kind", "header", "body"),
    [
        (FORM, b"", b"\xff="),
        (FORM + b"; charset=nothing", b"", b"a="),
        (FORM + b"; charset=utf-16", b"", b"a=b"),
        (FORM, b"Content-Encoding: gzip\r\n", b"a=b"),
        (FORM, b"", b"&" * 8_000),
        (MANY, b"", b"a=b"),
        (MANY + b"; boundary=x", b"", b"a=b"),
        (MANY + b"; boundary=x", b"", b"--x\r\n\r\na\r"),
        (MANY + b"; boundary=x", b"", PART + b'; filename="b"\r\n\r\nc\r\n--x--'),
        (MANY + b"; boundary=x", b"", PART + b"\r\nContent-Type: a/b; charset=?\r\n\r\nc\r\n--x--"),
        (b"application/json", b"", b"{"),
    ],
)
@pytest.mark.parametrize("path", ["/admin/login", "/v1/quotes"])
async def test_no_body_is_our_fault(
    office: Desk, path: str, kind: bytes, header: bytes, body: bytes
) -> None:
    headers = header + f"Content-Length: {len(body)}\r\n".encode()
    line = await exchanged(office.served, path, kind, headers, body)
    assert line.startswith(b"HTTP/1.1 4"), line


async def test_a_body_in_wrong_pieces_is_no_fault_of_ours(office: Desk) -> None:
    headers = b"Transfer-Encoding: chunked\r\n"
    line = await exchanged(office.served, "/v1/quotes", FORM, headers, b"zz\r\n")
    assert line.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), line


async def test_a_form_that_comes_too_slowly_is_given_up(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a byte comes now and then."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", office.served.port)
    writer.write(b"POST /admin/login HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n")
    writer.write(b"Content-Type: " + FORM + b"\r\n\r\n")

    answer = b""
    async with asyncio.timeout(10):
        while not answer:
            writer.write(b"a")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    answer = await reader.readline()
    assert b" 408 " in answer
    writer.close()
