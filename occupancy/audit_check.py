"""`zhibo audit verify`: the chain against itself and against every head that was noted outside."""

from collections.abc import Sequence
from typing import NamedTuple

from occupancy import database_audit
from occupancy.audit import Head
from occupancy.audit_head import BadHeadError, find_unnoted
from occupancy.audit_notes import AuditNotes, NoKeyError
from occupancy.database import Pool


class Verdict(NamedTuple):
    """Whether the audit is whole, in words."""

    is_whole: bool
    words: str


async def verify(
    connections: Pool, notes: AuditNotes, by_hand: Sequence[Head], now_ms: int
) -> Verdict:
    """`by_hand` are heads somebody wrote down himself."""
    try:
        noted = notes.read()
    except (BadHeadError, NoKeyError) as trouble:
        return Verdict(is_whole=False, words=f"{notes.folder}: {trouble}")
    known = [*(one.head for one in noted), *by_hand]
    head, flaw = await database_audit.verify(connections, known)
    newest = max((one.number for one in known), default=0)
    oldest_unnoted = await database_audit.list_since(connections, newest, 1)
    flaw = flaw or find_unnoted(newest, oldest_unnoted, now_ms)
    if flaw:
        return Verdict(is_whole=False, words=flaw)
    return Verdict(
        is_whole=True,
        words=f"whole: {head.number} records, held against {len(known)} noted heads up to "
        f"{newest}; the head is {head.number}:{head.hash.hex()}",
    )
