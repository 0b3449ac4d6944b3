"""A name server of a test's own: what it knows is on this machine, everything else is unknown."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

_HEADER_BYTES, _A = 12, 1
_ANSWERED, _UNKNOWN = 0x8180, 0x8183
_LIVES_SECONDS = 1


class Names(asyncio.DatagramProtocol):
    """Names that are known; there may come more."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = set(known)
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(self._answer(data), addr)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _answer(self, asked: bytes) -> bytes:
        """RFC 1035: the question again, with an address where one is known."""
        end = asked.index(0, _HEADER_BYTES)
        name = _name(asked[_HEADER_BYTES:end])
        (kind,) = struct.unpack_from(">H", asked, end + 1)
        question = asked[_HEADER_BYTES : end + 5]
        found = b""
        if name in self.known and kind == _A:
            fields = (0xC000 | _HEADER_BYTES, _A, 1, _LIVES_SECONDS, 4)
            found = struct.pack(">HHHIH", *fields) + bytes((127, 0, 0, 1))
        flags = _ANSWERED if name in self.known else _UNKNOWN
        return asked[:2] + struct.pack(">5H", flags, 1, bool(found), 0, 0) + question + found


def _name(labels: bytes) -> str:
    length, *_ = labels
    rest = labels[1 + length :]
    return labels[1 : 1 + length].decode() + (f".{_name(rest)}" if rest else "")


@asynccontextmanager
async def name_server(*known: str) -> AsyncIterator[Names]:
    loop = asyncio.get_running_loop()
    _, names = await loop.create_datagram_endpoint(lambda: Names(known), ("127.0.0.1", 0))
    try:
        yield names
    finally:
        names.close()
