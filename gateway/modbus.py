"""The only Modbus client: one connection, one request at a time, no reply credited to another.

pymodbus does the framing. Its own retries and reconnects are off: on RTU framing a reply that
comes after the time-out would be taken as the answer of the next request, for ever, so every
time-out closes the connection and the next request opens a new one.
"""

import asyncio
import logging
import os
import struct
import termios
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import cast

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

from gateway.bus_timing import silence_seconds
from gateway.config import Link, LinkKind
from gateway.decode import Block, Word
from gateway.reading import FailureKind
from gateway.register_map import WRITE_FUNCTION, Table

_UNIT_AND_CRC_BYTES = 3
_BUSY_CODES = (5, 6)  # acknowledge, server device busy: Modbus application protocol V1.1b3, 7

# pymodbus logs every silence as an error of its own; whoever asked says it, and once.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class _Tolerant(FramerBase):
    """What no decoder understands is no answer; pymodbus would log a traceback for it."""

    def handleFrame(  # noqa: N802  # pymodbus calls it so
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        try:
            return super().handleFrame(data, exp_devid, exp_tid)
        except (ModbusException, IndexError, ValueError, struct.error):
            return len(data), None


class _TcpFramer(_Tolerant, FramerSocket):
    """Modbus TCP."""


class _RtuFramer(_Tolerant, FramerRTU):
    """Modbus RTU, over TCP or on a serial line."""

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        """End at the frame's end: pymodbus throws away what follows, the answer behind a stray."""
        used, unit, transaction, frame = super().decode(data)
        if frame:
            used = data.index(bytes([unit]) + frame) + len(frame) + _UNIT_AND_CRC_BYTES
        return used, unit, transaction, frame


_FRAMERS = {
    LinkKind.TCP: _TcpFramer,
    LinkKind.RTU_OVER_TCP: _RtuFramer,
    LinkKind.RTU: _RtuFramer,
}
_Client = AsyncModbusTcpClient | AsyncModbusSerialClient


class ModbusFailure(Exception):  # noqa: N818  # a failed poll is an event, not an error of ours
    """A request brought nothing: `kind` says why."""

    def __init__(self, kind: FailureKind, note: str) -> None:
        super().__init__(f"{kind}: {note}")
        self.kind = kind
        self.note = note

    @property
    def of_the_line(self) -> bool:
        """Whether the connection itself is at fault, not the device behind it."""
        return self.kind in (FailureKind.REFUSED, FailureKind.BROKEN)


class ModbusLine:
    """One link; opened when needed, closed at every doubt."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._client: _Client | None = None
        self._silence_seconds = silence_seconds(link.serial) if link.serial else 0.0

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.connected

    async def open(self, timeout_ms: int) -> None:
        """Connect unless connected. Raises ModbusFailure(REFUSED)."""
        if self.is_open:
            return
        self.close()
        client = self._new_client(timeout_ms / 1_000)
        client.ctx.framer = _FRAMERS[self.link.kind](DecodePDU(is_server=False))
        if not await _connects(client):
            client.close()
            raise ModbusFailure(FailureKind.REFUSED, self._refusal())
        self._client = client

    def _new_client(self, timeout_seconds: float) -> _Client:
        line = self.link.serial
        if line is None:
            return AsyncModbusTcpClient(
                self.link.host,
                port=self.link.port,
                timeout=timeout_seconds,
                retries=0,
                reconnect_delay=0,
                trace_connect=self._connection_changed,
            )
        return AsyncModbusSerialClient(
            line.device,
            baudrate=line.baud,
            parity=line.parity.value,
            stopbits=line.stop_bits,
            timeout=timeout_seconds,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._connection_changed,
        )

    def _refusal(self) -> str:
        if self.link.serial:
            why = _why_shut(Path(self.link.serial.device))
            return f"{self.link.place} cannot be opened: {why}"
        return f"{self.link.place} does not accept a connection"

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connection_changed(self, connected: bool) -> None:  # noqa: FBT001  # pymodbus calls it so
        """Tell a waiting request at once: pymodbus would let it wait for its time-out."""
        if connected or self._client is None:
            return
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException("the connection broke while we waited"))
            waiting.exception()  # perhaps nobody waits: then asyncio shall not complain

    async def read(self, unit: int, block: Block, timeout_ms: int) -> Sequence[Word]:
        """The block's words, as many as asked. Raises ModbusFailure."""
        await self.open(timeout_ms)
        client = self._open_client(timeout_ms)
        ask = {
            Table.COIL: client.read_coils,
            Table.DISCRETE: client.read_discrete_inputs,
            Table.INPUT: client.read_input_registers,
            Table.HOLDING: client.read_holding_registers,
        }[block.table]
        request = ask(block.address, count=block.size, device_id=unit)
        answer = await self._answer(request, block.table.read_function)
        if block.table.holds_bits:
            return self._exactly(cast("list[bool]", answer.bits), block, rounded_up=True)
        return self._exactly(cast("list[int]", answer.registers), block, rounded_up=False)

    async def write(self, unit: int, address: int, words: list[int], timeout_ms: int) -> None:
        """Write holding registers (function 16 only). Raises ModbusFailure."""
        await self.open(timeout_ms)
        client = self._open_client(timeout_ms)
        request = client.write_registers(address, words, device_id=unit)
        answer = await self._answer(request, WRITE_FUNCTION)
        if answer.address != address:
            self.close()
            note = f"wrote to address {address}, the device says {answer.address}"
            raise ModbusFailure(FailureKind.STRAY_REPLY, note)

    def _open_client(self, timeout_ms: int) -> _Client:
        assert self._client is not None  # noqa: S101  # open() has just returned
        self._client.ctx.comm_params.timeout_connect = timeout_ms / 1_000
        return self._client

    async def _answer(self, request: Awaitable[ModbusPDU], function: int) -> ModbusPDU:
        if self._silence_seconds:
            # Devices on a bus find a frame's beginning by the silence before it.
            await asyncio.sleep(self._silence_seconds)
        try:
            answer = await request
        except RuntimeError:
            # uvloop refuses to write to what the other side has just closed.
            self.close()
            raise ModbusFailure(FailureKind.BROKEN, "the device hung up") from None
        except (ConnectionException, OSError) as broken:
            self.close()
            raise ModbusFailure(FailureKind.BROKEN, str(broken)) from None
        except ModbusIOException:
            # The late reply must never meet the next request: RTU has no transaction id.
            self.close()
            raise ModbusFailure(FailureKind.TIMEOUT, "asked, no answer in time") from None
        except ModbusException as refusal:
            self.close()
            raise ModbusFailure(FailureKind.BROKEN, str(refusal)) from None
        if answer.isError():
            raise _said_no(answer)
        if answer.function_code != function:
            # On RTU framing pymodbus takes any reply of the unit; this one was another's.
            self.close()
            note = f"asked function {function}, got an answer to {answer.function_code}"
            raise ModbusFailure(FailureKind.STRAY_REPLY, note)
        return answer

    def _exactly(self, words: Sequence[Word], block: Block, *, rounded_up: bool) -> Sequence[Word]:
        """A short reply is no error to pymodbus; bits come padded to whole bytes."""
        expected = -(-block.size // 8) * 8 if rounded_up else block.size
        if len(words) != expected:
            self.close()
            note = f"asked {block.size} addresses from {block.address}, got {len(words)}"
            raise ModbusFailure(FailureKind.SHORT_REPLY, note)
        return words[: block.size]


def _why_shut(port: Path) -> str:
    if not port.exists():
        return "there is no such port now"
    if not port.is_char_device():
        return "it is no serial port"
    if not os.access(port, os.R_OK | os.W_OK):
        return "this user may not use it"
    return "another program has it open, or it is no serial port"


async def _connects(client: _Client) -> bool:
    try:
        return await client.connect()
    except termios.error:  # a path that is no serial port; pyserial lets it through
        return False


def _said_no(answer: ModbusPDU) -> ModbusFailure:
    code = answer.exception_code
    kind = FailureKind.BUSY if code in _BUSY_CODES else FailureKind.EXCEPTION
    return ModbusFailure(kind, f"the device answered exception {code}")
