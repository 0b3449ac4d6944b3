"""How long a serial bus is busy with a read: characters on the wire, silences, turnaround."""

from enum import StrEnum

import msgspec

from gateway.decode import Block

_SILENT_CHARACTERS = 3.5  # between frames: Modbus over serial line V1.02, 2.5.1.1
_FAST_SILENCE_SECONDS = 0.001_75  # above 19,200 baud the silence shrinks no more
_FAST_BAUD = 19_200
_TURNAROUND_SECONDS = 0.005
_REQUEST_BYTES = 8
_REPLY_OVERHEAD_BYTES = 5  # unit, function, size, CRC


class Parity(StrEnum):
    """The parity bit of a serial line."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"


class SerialSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a serial adapter is set; `device` is its path, best one of /dev/serial/by-id."""

    device: str
    baud: int = 9_600
    parity: Parity = Parity.NONE
    stop_bits: int = 1

    @property
    def bits_a_character(self) -> int:
        return 1 + 8 + (self.parity is not Parity.NONE) + self.stop_bits


def silence_seconds(line: SerialSettings) -> float:
    """What must lie between two frames, so that a device knows where one begins."""
    if line.baud > _FAST_BAUD:
        return _FAST_SILENCE_SECONDS
    return _SILENT_CHARACTERS * line.bits_a_character / line.baud


def read_seconds(line: SerialSettings, block: Block) -> float:
    """From the request's first bit until the bus is free for the next."""
    reply_bytes = -(-block.size // 8) if block.table.holds_bits else 2 * block.size
    characters = _REQUEST_BYTES + _REPLY_OVERHEAD_BYTES + reply_bytes
    on_the_wire = characters * line.bits_a_character / line.baud
    return on_the_wire + _TURNAROUND_SECONDS + 2 * silence_seconds(line)
