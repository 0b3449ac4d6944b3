"""A Modbus line for tests and benchmarks: answers from a rule, misbehaves on command.

Written from the protocol's tables, not with the library under test. Behind `rtu_over_tcp` it is a
serial server: what comes late from the bus goes to whoever is connected then.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import cast

from gateway.config import LinkKind

READ_BITS = (1, 2)
READ_WORDS = (3, 4)
WRITE = 16
BUSY_CODE = 6
NO_SUCH_ADDRESS = 2
BITS_A_CHARACTER = 10  # 8N1 with its start and stop bit
TURNAROUND_SECONDS = 0.005


class Act(Enum):
    """What the line does with one request."""

    ANSWER = auto()
    SILENT = auto()
    LATE = auto()  # the answer is held until release() or the next request
    SHORT = auto()  # one address fewer than asked
    BUSY = auto()
    REFUSE = auto()  # exception: no such address
    BREAK = auto()  # close the connection instead of answering
    OTHER_FUNCTION = auto()  # the answer to a question of another function
    IN_PIECES = auto()


@dataclass(frozen=True)
class Request:
    """One question as it came over the line; `words` are what shall be written."""

    unit: int
    function: int
    address: int
    count: int
    words: tuple[int, ...] = ()


def _nothing(_: Request) -> Act:
    return Act.ANSWER


@dataclass
class FieldLine:
    """`value(unit, address)` is what stands there; written words win over it."""

    kind: LinkKind = LinkKind.TCP
    value: Callable[[int, int], int] = lambda unit, address: (unit * 1_000 + address) % 65_536
    script: Callable[[Request], Act] = _nothing
    requests: list[Request] = field(default_factory=list)
    written: dict[tuple[int, int], int] = field(default_factory=dict)
    held: list[bytes] = field(default_factory=list)
    baud: int = 0  # of the bus behind it; 0 answers at once
    port: int = 0
    connections: int = 0
    _open: "list[Connection]" = field(default_factory=list)
    _bus_free_at: float = 0.0

    def send(self, connection: "Connection", asked_bytes: int, frame: bytes) -> None:
        """Answer, after as long as both frames take on the bus."""
        if not self.baud:
            connection.transport.write(frame)
            return
        loop = asyncio.get_running_loop()
        seconds = (asked_bytes + len(frame)) * BITS_A_CHARACTER / self.baud + TURNAROUND_SECONDS
        self._bus_free_at = max(loop.time(), self._bus_free_at) + seconds
        loop.call_at(self._bus_free_at, connection.write, frame)

    def release(self) -> None:
        """Late answers arrive now, on the newest connection."""
        for frame in self.held:
            self._open[-1].transport.write(frame)
        self.held.clear()

    def break_all(self) -> None:
        for connection in list(self._open):
            connection.transport.abort()

    def word(self, unit: int, address: int) -> int:
        return self.written.get((unit, address), self.value(unit, address))

    def answer(self, request: Request) -> bytes:
        """The protocol data unit of a device that does as it is told."""
        if request.function == WRITE:
            for offset, word in enumerate(request.words):
                self.written[request.unit, request.address + offset] = word
            return struct.pack(">BHH", WRITE, request.address, request.count)
        addresses = range(request.address, request.address + request.count)
        words = [self.word(request.unit, address) for address in addresses]
        if request.function in READ_BITS:
            packed = sum((word & 1) << n for n, word in enumerate(words))
            size = -(-request.count // 8)
            return bytes([request.function, size]) + packed.to_bytes(size, "little")
        return struct.pack(f">BB{len(words)}H", request.function, 2 * len(words), *words)


@asynccontextmanager
async def serving(line: FieldLine, port: int = 0) -> AsyncIterator[FieldLine]:
    """Serve `line` on a free port of the loopback until the block ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(line), "127.0.0.1", port)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.break_all()
        await server.wait_closed()


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, line: FieldLine) -> None:
        self._line = line
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._line.connections += 1
        self._line._open.append(self)  # noqa: SLF001

    def connection_lost(self, _: Exception | None) -> None:
        self._line._open.remove(self)  # noqa: SLF001

    def write(self, frame: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(frame)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        parse = _parse_tcp if self._line.kind is LinkKind.TCP else _parse_rtu
        while found := parse(self._buffer):
            used, transaction, request = found
            self._buffer = self._buffer[used:]
            self._serve(transaction, request, used)

    def _serve(self, transaction: int, request: Request, asked_bytes: int) -> None:
        line = self._line
        line.requests.append(request)
        act = line.script(request)
        line.release()
        match act:
            case Act.SILENT:
                return
            case Act.BREAK:
                self.transport.abort()
            case Act.LATE:
                line.held.append(self._frame(transaction, request, line.answer(request)))
            case Act.IN_PIECES:
                for byte in self._frame(transaction, request, line.answer(request)):
                    self.transport.write(bytes([byte]))
            case _:
                pdu = _spoilt(act, line, request)
                line.send(self, asked_bytes, self._frame(transaction, request, pdu))

    def _frame(self, transaction: int, request: Request, pdu: bytes) -> bytes:
        if self._line.kind is LinkKind.TCP:
            return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, request.unit) + pdu
        body = bytes([request.unit]) + pdu
        return body + crc(body)


def _spoilt(act: Act, line: FieldLine, request: Request) -> bytes:
    match act:
        case Act.SHORT:
            return line.answer(replace(request, count=request.count - 1))
        case Act.OTHER_FUNCTION:
            other = {1: 2, 2: 1, 3: 4, 4: 3, WRITE: 3}[request.function]
            return line.answer(replace(request, function=other))
        case Act.BUSY:
            return bytes([request.function | 0x80, BUSY_CODE])
        case Act.REFUSE:
            return bytes([request.function | 0x80, NO_SUCH_ADDRESS])
        case _:
            return line.answer(request)


def _parse_tcp(buffer: bytes) -> tuple[int, int, Request] | None:
    if len(buffer) < 7 or len(buffer) < (size := 6 + int.from_bytes(buffer[4:6], "big")):
        return None
    return size, int.from_bytes(buffer[:2], "big"), _request(buffer[6:size])


def _parse_rtu(buffer: bytes) -> tuple[int, int, Request] | None:
    if len(buffer) < 8:
        return None
    size = 9 + buffer[6] if buffer[1] == WRITE else 8
    if len(buffer) < size:
        return None
    assert crc(buffer[: size - 2]) == buffer[size - 2 : size]
    return size, 0, _request(buffer[: size - 2])


def _request(body: bytes) -> Request:
    unit, function, address, count = struct.unpack_from(">BBHH", body)
    words = struct.unpack_from(f">{count}H", body, 7) if function == WRITE else ()
    return Request(unit, function, address, count, words)


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first: Modbus over serial line V1.02, 6.2.2."""
    value = 0xFFFF
    for byte in body:
        value = (value >> 8) ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return struct.pack("<H", value)


def _crc_entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


_CRC_TABLE = [_crc_entry(byte) for byte in range(256)]
