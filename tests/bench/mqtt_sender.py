"""Bay sensors that cost next to nothing: packets made beforehand, over a bare MQTT connection.

Waves begin at a line on stdin. At QoS 1 every message is acknowledged, a window at a time.
"""

import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from itertools import chain

from gateway.bay_map import load_bay_map
from gateway.process import now_ms
from lot_sim.bay_sensors import BaySensors, Sent

WINDOW = 200  # messages before the acknowledgements are waited for
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"  # 3.1.1, clean, no keepalive, no name
_CONNACK = b"\x20\x02\x00\x00"
_LAST_ID = 65_535


def packets(sensors: Sequence[str], rounds: int, qos: int) -> Iterator[bytes]:
    """Every sensor once a round, taken and empty in turn, as one PUBLISH each."""
    said = BaySensors(load_bay_map("common"), "mall", sensors, "1")
    messages = chain.from_iterable(
        said.say(dict.fromkeys(sensors, n % 2 == 1), now_ms()) for n in range(rounds)
    )
    for n, one in enumerate(messages):
        yield _publish(one, qos, n % _LAST_ID + 1)


def _publish(message: Sent, qos: int, number: int) -> bytes:
    """Retained. MQTT 3.1.1, 3.3."""
    topic = message.topic.encode()
    told = struct.pack(">H", len(topic)) + topic
    body = told + (struct.pack(">H", number) if qos else b"") + message.payload
    return bytes([0x31 | qos << 1]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)


def cut(made: Sequence[bytes], length: int) -> Iterator[Sequence[bytes]]:
    return (made[at : at + length] for at in range(0, len(made), length))


class Connection:
    """To the broker."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._answers = self._socket.makefile("rb")
        self._socket.sendall(_CONNECT)
        if self._answers.read(len(_CONNACK)) != _CONNACK:
            raise SystemExit("the broker does not take the sensors")

    def send(self, wave: Sequence[bytes], qos: int) -> None:
        for window in cut(wave, WINDOW):
            self._socket.sendall(b"".join(window))
            for packet in window if qos else ():
                self._await_acknowledgement(packet)

    def _await_acknowledgement(self, packet: bytes) -> None:
        """They come in the order of the messages. MQTT 3.1.1, 4.6."""
        topic_at = 2 if packet[1] < 0x80 else 3
        (topic_length,) = struct.unpack_from(">H", packet, topic_at)
        at = topic_at + 2 + topic_length
        if self._answers.read(4) != b"\x40\x02" + packet[at : at + 2]:
            raise SystemExit("the broker acknowledged another message than was sent")


def main(port: int, bays: int, rounds: int, rounds_a_wave: int, qos: int) -> None:
    """Says `ready`, then sends a wave for every line that comes."""
    made = list(packets([f"s{n}" for n in range(bays)], rounds, qos))
    connection = Connection(port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for wave in cut(made, bays * rounds_a_wave):
        sys.stdin.readline()
        connection.send(wave, qos)
    sys.stdin.readline()  # a connection that closes may take unread messages with it


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
