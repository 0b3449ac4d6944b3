"""Notes the head of the audit outside the database every hour, and when the duty is taken."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.process import is_cancelled
from occupancy import database, database_audit
from occupancy.audit import Head
from occupancy.audit_head import NotedHead
from occupancy.audit_notes import AuditNotes, NoKeyError

LOOK_SECONDS = 5.0
HOUR_MS = 3_600_000
_NOTHING = Head(0, b"")

log = structlog.get_logger()


@dataclass
class AuditKeeper:
    """Of several recorders the one on duty notes; `clock` is UTC milliseconds."""

    connections: database.Pool
    notes: AuditNotes
    clock: Callable[[], int]
    is_on_duty: Callable[[], bool]
    _noted: Head = field(default=_NOTHING)
    _at_ms: int | None = None

    async def run(self) -> None:
        """Look until cancelled; what cannot be written is said and tried again."""
        while not is_cancelled():
            if self.is_on_duty():
                await self.look()
            else:
                self._at_ms = None
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        now_ms = self.clock()
        if self._at_ms is not None and 0 <= now_ms - self._at_ms < HOUR_MS:
            return
        try:
            head = await database_audit.read_head(self.connections)
            if head not in (self._noted, Head(0, head.hash)):
                await asyncio.to_thread(self.notes.note, NotedHead(now_ms, head))
        except database.NOT_READY as trouble:
            log.info("the audit's head waits", reason=str(trouble))
        except NoKeyError as trouble:
            log.error("the audit's head cannot be signed", reason=str(trouble))  # noqa: TRY400
        else:
            self._noted, self._at_ms = head, now_ms
