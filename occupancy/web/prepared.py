"""Answers whose bytes, headers included, were made before anybody asked."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

import msgspec
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from occupancy.web.security import headers_for

GZIP_LEVEL = 5
TAKEN_WITHIN_SECONDS = 30.0
JSON = "application/json"
_OK, _NOT_MODIFIED = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n"
_ZERO_WEIGHT = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True)
class Variant:
    """One coding of a body under its own strong tag."""

    tag: str
    head: bytes
    head_unchanged: bytes
    body: bytes


@dataclass(frozen=True)
class Prepared:
    """An answer, plain and packed."""

    plain: Variant
    packed: Variant

    def answer(self, request: web.Request, now_ms: int) -> web.StreamResponse:
        """Whole, or 304 for a reader that knows its tag."""
        variant = self.packed if takes_gzip(request) else self.plain
        known = request.headers.get("If-None-Match")
        if known is not None and (variant.tag in known or known.strip() == "*"):
            return ReadyResponse(304, variant.head_unchanged, b"", now_ms)
        return ReadyResponse(200, variant.head, variant.body, now_ms)


class ReadyResponse(web.StreamResponse):
    """Goes to the socket in one piece; only the date is put in.

    It takes aiohttp's way round: making the headers anew would cost a third of the requests.
    """

    def __init__(self, status: int, head: bytes, body: bytes, now_ms: int) -> None:
        super().__init__(status=status)
        self._parts = (head, _date_line(now_ms // 1_000), body)
        self._stays_open = False

    @property
    def keep_alive(self) -> bool:
        return self._stays_open

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self._stays_open = request.keep_alive and request.version >= HttpVersion11
        head, date, body = self._parts
        end = b"\r\n" if self._stays_open else b"Connection: close\r\n\r\n"
        transport.write(b"".join((head, date, end, b"" if request.method == "HEAD" else body)))
        if transport.get_write_buffer_size():
            await _wait_until_taken(request, transport)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """All has been written."""


async def _wait_until_taken(request: web.BaseRequest, transport: asyncio.Transport) -> None:
    """A reader that asks on without taking the answers has to wait, and not for ever."""
    try:
        async with asyncio.timeout(TAKEN_WITHIN_SECONDS):
            await request.writer.drain()
    except TimeoutError:
        transport.abort()


def prepare(content: object, path: str) -> Prepared:
    """`content` as JSON, served under `path`."""
    return prepare_bytes(msgspec.json.encode(content), path, JSON, "no-cache")


def prepare_bytes(
    body: bytes,
    path: str,
    content_type: str,
    caching: str,
    more: Mapping[str, str] | None = None,
) -> Prepared:
    """`more` are headers of this answer alone."""
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    headers = {
        "Cache-Control": caching,
        "Vary": "Accept-Encoding",
        **headers_for(path, content_type),
        **(more or {}),
    }
    packed = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Prepared(
        _variant(f'"{tag}"', headers, content_type, body),
        _variant(f'"{tag}-gz"', {**headers, "Content-Encoding": "gzip"}, content_type, packed),
    )


def takes_gzip(request: web.Request) -> bool:
    """Whether the reader takes gzip; `gzip;q=0` says that it does not."""
    accepted = request.headers.get("Accept-Encoding")
    if accepted is None:
        return False
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return not _ZERO_WEIGHT.fullmatch(weight.replace(" ", ""))
    return False


def _variant(tag: str, headers: dict[str, str], content_type: str, body: bytes) -> Variant:
    common = {"ETag": tag, **headers}
    whole = {**common, "Content-Type": content_type, "Content-Length": str(len(body))}
    return Variant(tag, _OK + _lines(whole), _NOT_MODIFIED + _lines(common), body)


def _lines(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


@lru_cache(maxsize=2)
def _date_line(now_seconds: int) -> bytes:
    return f"Date: {formatdate(now_seconds, usegmt=True)}\r\n".encode("ascii")
