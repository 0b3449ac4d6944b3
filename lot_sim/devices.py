"""Modbus servers: every device answers on its own port, or on a serial bus behind one port."""

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from lot_sim import frames
from lot_sim.bus import reply_seconds, request_seconds
from lot_sim.config import HOST, LOOPBACK
from lot_sim.instruments import Answer, Instrument, Moment
from lot_sim.scenario import LinkKind

LATE_SECONDS = 0.8
_FRAME_GAP_SECONDS = 0.2  # longer silence inside a frame means that the rest will not come
_BACKLOG = 32


class PortTakenError(Exception):
    """Another program listens where ours should; the message names the port and the setting."""


Advance = Callable[[], Moment]  # let the town catch up with the clock
Connections = set[asyncio.Transport]  # those open now, to be ended with the servers


class TcpConnection(asyncio.Protocol):
    """Modbus TCP: one device, answers at once."""

    def __init__(
        self, units: Mapping[int, Instrument], advance: Advance, connections: Connections
    ) -> None:
        self._units, self._advance, self._connections = units, advance, connections
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._connections.add(self._transport)
        if any("dead_unit" in instrument.faults for instrument in self._units.values()):
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while frame := frames.take_tcp(self._buffer):
                transaction, request, self._buffer = frame
                self._serve(transaction, request)
        except frames.NotModbusError:
            self._transport.close()

    def _serve(self, transaction: int, request: frames.Request | frames.Refused) -> None:
        instrument = self._units.get(request.unit)
        if instrument is None:
            return
        answer = instrument.answer(request, self._advance())
        if answer.hangs_up:
            self._transport.close()
        elif answer.pdu is not None:
            _send(self._transport, frames.wrap_tcp(transaction, request.unit, answer.pdu), answer)


class Heard(NamedTuple):
    """A request on its way over the wire."""

    request: frames.Request | frames.Refused
    size: int
    transport: asyncio.Transport


class Bus:
    """The wire behind a serial server: one exchange after the other, whoever asks."""

    def __init__(self, units: Mapping[int, Instrument], advance: Advance) -> None:
        self._units, self._advance = units, advance
        self._waiting: deque[Heard] = deque()
        self._is_busy = False

    def carry(self, heard: Heard) -> None:
        self._waiting.append(heard)
        if not self._is_busy:
            self._is_busy = True
            self._start_next(asyncio.get_running_loop().time())

    def _start_next(self, at: float) -> None:
        if not self._waiting:
            self._is_busy = False
            return
        heard = self._waiting.popleft()
        heard_at = at + request_seconds(heard.size)
        asyncio.get_running_loop().call_at(heard_at, self._answer, heard_at, heard)

    def _answer(self, at: float, heard: Heard) -> None:
        """The device sees the request when its last byte has gone over the wire."""
        unit = heard.request.unit
        instrument = self._units.get(unit)
        answer = instrument.answer(heard.request, self._advance()) if instrument else Answer(None)
        if answer.pdu is None:
            self._start_next(at)
            return
        reply = frames.wrap_rtu(unit, answer.pdu)
        sent_at = at + reply_seconds(len(reply))
        loop = asyncio.get_running_loop()
        loop.call_at(sent_at, self._finish, sent_at, heard.transport, reply, answer)

    def _finish(
        self, at: float, transport: asyncio.Transport, reply: bytes, answer: Answer
    ) -> None:
        _send(transport, reply, answer)
        self._start_next(at)


class RtuConnection(asyncio.Protocol):
    """A client of the serial server: RTU frames over TCP."""

    def __init__(self, bus: Bus, connections: Connections) -> None:
        self._bus, self._connections = bus, connections
        self._buffer = b""
        self._heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._heard_at > _FRAME_GAP_SECONDS:
            self._buffer = b""
        self._heard_at = now
        self._buffer += data
        try:
            while frame := frames.take_rtu(self._buffer):
                request, rest = frame
                request_bytes, self._buffer = len(self._buffer) - len(rest), rest
                self._bus.carry(Heard(request, request_bytes, self._transport))
        except frames.NotModbusError:
            self._buffer = b""  # nobody on the bus answers garbage


def _send(transport: asyncio.Transport, data: bytes, answer: Answer) -> None:
    if answer.is_late:
        late = answer._replace(is_late=False)
        asyncio.get_running_loop().call_later(LATE_SECONDS, _send, transport, data, late)
    elif not transport.is_closing():
        transport.write(data)


def listen(port: int, what: str, setting: str, host: str = LOOPBACK) -> socket.socket:
    """A listening socket; port 0 takes any. Raises PortTakenError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as reason:
        listener.close()
        if reason.errno == errno.EADDRNOTAVAIL:
            words = f"{host} is no address of this machine; change {HOST.name}"
            raise PortTakenError(words) from None
        taken = reason.errno == errno.EADDRINUSE
        words = "is taken by another program" if taken else f"cannot be used: {reason.strerror}"
        raise PortTakenError(f"port {port} for {what} {words}; change {setting}") from None
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listener


Lines = dict[int, list[Instrument]]


def lines_of(instruments: Mapping[str, Instrument]) -> Lines:
    """Devices by the port they are reached on, before any offset."""
    lines: Lines = {}
    for instrument in instruments.values():
        lines.setdefault(instrument.plan.port, []).append(instrument)
    return lines


def open_lines(
    lines: Lines, port_offset: int, stack: ExitStack, host: str = LOOPBACK
) -> dict[int, socket.socket]:
    """All ports or none: the stack closes what was opened. Raises PortTakenError."""
    opened = {}
    for port, instruments in lines.items():
        what = ", ".join(instrument.plan.device_id for instrument in instruments)
        listener = listen(port + port_offset, what, "ZHIBO_MODBUS_PORT_OFFSET", host)
        opened[port] = stack.enter_context(listener)
    return opened


async def serve_line(
    instruments: list[Instrument],
    listener: socket.socket,
    advance: Advance,
    connections: Connections,
) -> asyncio.Server:
    units = {instrument.plan.unit: instrument for instrument in instruments}
    loop = asyncio.get_running_loop()
    if instruments[0].plan.kind is LinkKind.RTU_OVER_TCP:
        bus = Bus(units, advance)
        return await loop.create_server(lambda: RtuConnection(bus, connections), sock=listener)
    return await loop.create_server(
        lambda: TcpConnection(units, advance, connections), sock=listener
    )
