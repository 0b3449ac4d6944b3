"""What an audit record says, and whether a chain of them is whole."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

START = hashlib.sha256(b"zhibo audit").digest()


class Entry(msgspec.Struct, frozen=True):
    """Who did what to which thing, why; `before` and `after` are what it was and became."""

    who: str
    action: str
    subject: str
    reason: str
    lot_id: str = ""
    before: Any = None
    after: Any = None


class Recorded(Entry, frozen=True):
    """An entry as it was recorded; PostgreSQL's clock."""

    number: int = 0
    at_ms: int = 0


class Link(NamedTuple):
    """One row: its content letter by letter, the seal before it and its own."""

    number: int
    content: str
    previous: bytes
    hash: bytes


class Head(NamedTuple):
    """The last record's number and seal: noted elsewhere, it shows what was cut off since."""

    number: int
    hash: bytes


def read(link: Link) -> Recorded:
    return msgspec.json.decode(link.content, type=Recorded)


def find_flaw(links: Iterable[Link], head: Head, noted: Iterable[Head] = ()) -> str | None:
    """The first thing that is wrong, in words; None for a chain that is whole.

    `noted` are heads that were written down earlier.
    """
    seal, number = START, 0
    due: dict[int, set[bytes]] = {}
    for one in noted:
        due.setdefault(one.number, set()).add(one.hash)
    due.pop(0, None)
    for link in links:
        if link.number != number + 1:
            return f"record {number + 1} is missing: after {number} comes {link.number}"
        number = link.number
        if link.previous != seal:
            return f"record {number} does not follow the one before it"
        seal = hashlib.sha256(link.previous + link.content.encode()).digest()
        if seal != link.hash:
            return f"record {number} was changed after it was sealed"
        if due.pop(number, {seal}) != {seal}:
            return f"record {number} is not the one that was noted"
    if (number, seal) != tuple(head):
        return f"the chain ends at record {number}, its head says {head.number}"
    return f"the chain ends at {number}, before the noted head {max(due)}" if due else None
