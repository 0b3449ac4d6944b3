"""Modbus requests from bytes and replies to bytes, in TCP and in RTU framing."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
WRITE_ONE, WRITE_MANY = 6, 16
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY = 1, 2, 3, 6
BIT_FUNCTIONS = (READ_COILS, READ_DISCRETE)

_READS = (READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT)
_HEADER = struct.Struct(">HHHB")
_MBAP_BYTES, _PDU_MOST = 7, 253
_FIXED_RTU_BYTES, _RTU_EXTRA = 8, 3
_WRITE_MANY_HEAD = 6  # function, address, count, byte count


class Request(NamedTuple):
    """What a client asks of one unit; `words` only for a write."""

    unit: int
    function: int
    address: int
    quantity: int
    words: tuple[int, ...] = ()


class Refused(NamedTuple):
    """A frame that is whole but asks what no device does: answered with an exception."""

    unit: int
    function: int
    code: int


class NotModbusError(Exception):
    """These bytes are no Modbus: the connection has lost its frame boundaries."""


def take_tcp(buffer: bytes) -> tuple[int, Request | Refused, bytes] | None:
    """The first frame's (transaction, request, remaining bytes); None until it is whole."""
    if len(buffer) < _MBAP_BYTES:
        return None
    transaction, protocol, length, unit = _HEADER.unpack_from(buffer)
    if protocol != 0 or not 2 <= length <= _PDU_MOST + 1:  # noqa: PLR2004 - unit and function
        raise NotModbusError(f"protocol {protocol}, length {length}")
    end = _MBAP_BYTES - 1 + length
    if len(buffer) < end:
        return None
    return transaction, parse_pdu(unit, buffer[_MBAP_BYTES:end]), buffer[end:]


def wrap_tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def take_rtu(buffer: bytes) -> tuple[Request | Refused, bytes] | None:
    """The first frame's (request, remaining bytes); None until it is whole."""
    size = _rtu_size(buffer)
    if size is None or len(buffer) < size:
        return None
    frame, rest = buffer[:size], buffer[size:]
    if crc16(frame) != 0:
        raise NotModbusError("wrong CRC")
    return parse_pdu(frame[0], frame[1:-2]), rest


def wrap_rtu(unit: int, pdu: bytes) -> bytes:
    frame = bytes([unit]) + pdu
    return frame + crc16(frame).to_bytes(2, "little")


def _rtu_size(buffer: bytes) -> int | None:
    if len(buffer) < 2:  # noqa: PLR2004 - unit and function
        return None
    if buffer[1] != WRITE_MANY:
        return _FIXED_RTU_BYTES
    head = _WRITE_MANY_HEAD + 1
    return head + buffer[head - 1] + 2 if len(buffer) >= head else None


def parse_pdu(unit: int, pdu: bytes) -> Request | Refused:
    """Read one request; what is not understood is refused with the code the standard names."""
    function = pdu[0]
    try:
        if function in _READS:
            address, count = struct.unpack(">HH", pdu[1:])
            return Request(unit, function, address, count)
        if function == WRITE_ONE:
            address, word = struct.unpack(">HH", pdu[1:])
            return Request(unit, function, address, 1, (word,))
        if function == WRITE_MANY:
            return _write_many(unit, pdu)
    except struct.error:
        return Refused(unit, function, ILLEGAL_VALUE)
    return Refused(unit, function & 0x7F, ILLEGAL_FUNCTION)


def _write_many(unit: int, pdu: bytes) -> Request | Refused:
    address, count, size = struct.unpack_from(">HHB", pdu, 1)
    if size != 2 * count or len(pdu) != _WRITE_MANY_HEAD + size:
        return Refused(unit, WRITE_MANY, ILLEGAL_VALUE)
    words = struct.unpack_from(f">{count}H", pdu, _WRITE_MANY_HEAD)
    return Request(unit, WRITE_MANY, address, count, words)


def read_reply(function: int, values: Sequence[int]) -> bytes:
    """`values` are registers, or bits as 0 and 1."""
    if function in BIT_FUNCTIONS:
        content = _packed(values)
    else:
        content = struct.pack(f">{len(values)}H", *values)
    return bytes([function, len(content)]) + content


def write_reply(request: Request) -> bytes:
    second = request.words[0] if request.function == WRITE_ONE else request.quantity
    return struct.pack(">BHH", request.function, request.address, second)


def refusal(function: int, code: int) -> bytes:
    return bytes([function | 0x80, code])


def _packed(bits: Sequence[int]) -> bytes:
    packed = bytearray(-(-len(bits) // 8))
    for i, bit in enumerate(bits):
        packed[i // 8] |= bit << (i % 8)
    return bytes(packed)


def _crc_table() -> list[int]:
    table = []
    for start in range(256):
        crc = start
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """Modbus CRC; 0 over a frame that carries its own."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc
