"""Heads of the audit noted outside the database: signed, one line each, read back doubted."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from occupancy.audit import Head

_LINE = re.compile(r"(\d{1,15}) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{128})")
UNNOTED_MS = 2 * 3_600_000  # a record this old must have been noted


class NotedHead(NamedTuple):
    """The head as it was at a moment, UTC milliseconds."""

    at_ms: int
    head: Head


class BadHeadError(Exception):
    """A line of the noted heads is not what our key has signed; the message names it."""


def write_line(noted: NotedHead, key: Ed25519PrivateKey) -> str:
    words = _words(noted)
    return f"{words} {key.sign(words.encode()).hex()}\n"


def read_lines(text: str, key: Ed25519PublicKey) -> list[NotedHead]:
    """Every noted head, the oldest first. Raises BadHeadError."""
    noted: list[NotedHead] = []
    for number, line in enumerate(text.splitlines(), 1):
        one = _read(line, key, number)
        if noted and one.head.number < noted[-1].head.number:
            raise BadHeadError(f"line {number} is older than the one before it")
        noted.append(one)
    return noted


def find_unnoted(newest: int, records: Sequence[tuple[int, int]], now_ms: int) -> str | None:
    """Whether records (number, UTC milliseconds) are noted nowhere that should be; in words."""
    for number, at_ms in records:
        if number > newest and now_ms - at_ms >= UNNOTED_MS:
            hours = (now_ms - at_ms) // 3_600_000
            return (
                f"record {number} is {hours} h old and noted nowhere outside (newest noted: "
                f"{newest}): is a recorder running, and is this the folder it writes to?"
            )
    return None


def _read(line: str, key: Ed25519PublicKey, number: int) -> NotedHead:
    match = _LINE.fullmatch(line)
    if match is None:
        raise BadHeadError(f"line {number} is no noted head")
    noted = NotedHead(int(match[1]), Head(int(match[2]), bytes.fromhex(match[3])))
    try:
        key.verify(bytes.fromhex(match[4]), _words(noted).encode())
    except InvalidSignature:
        raise BadHeadError(f"line {number} was not signed with this key") from None
    return noted


def _words(noted: NotedHead) -> str:
    return f"{noted.at_ms} {noted.head.number} {noted.head.hash.hex()}"
