"""The loop that pushes vital signs to the command centre: signed, tried again, each state once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database, database_vital_push, database_vitals, escalation_sender, history
from occupancy.escalation import pause_seconds
from occupancy.vital_config import PushSettings
from occupancy.vital_push import DuePush, delivery_of, message_of

LOOK_SECONDS = 10.0
LEASE_SECONDS = 60.0
LEASE_NAME = "*vital push"  # no car park's name may begin so
HOLD_SECONDS = 60.0  # longer than an attempt: who died in it is followed after that

log = structlog.get_logger()


@dataclass
class VitalPusher:
    """`clock` is UTC milliseconds; without an address there is nothing to do."""

    connections: database.Pool
    clock: Callable[[], int]
    name: str
    settings: PushSettings

    async def run(self) -> None:
        """Look until cancelled; while PostgreSQL is away everything stays due."""
        while self.settings.webhook and not is_cancelled():
            try:
                if await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS):
                    await self.look()
            except database.NOT_READY as trouble:
                log.info("pushing waits for PostgreSQL", reason=str(trouble))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what is due, the oldest first; an address that is away is asked once a look."""
        for due in await database_vital_push.list_due(self.connections, self.clock()):
            if await database_vital_push.claim(
                self.connections, due, self.clock(), HOLD_SECONDS
            ) and not await self._tell(due):
                return

    async def _tell(self, due: DuePush) -> bool:
        vitals = await database_vitals.list_spans(
            self.connections, due.grain, (), due.from_ms, due.from_ms + 1
        )
        body = msgspec.json.encode(message_of(due, vitals))
        webhook, secret = self.settings
        try:
            await escalation_sender.post_signed(webhook, secret, body, delivery_of(due))
        except escalation_sender.TROUBLES as trouble:
            words = (str(trouble) or type(trouble).__name__)[:200]
            log.warning("vital signs could not be pushed", reason=words)
            pause = pause_seconds(due.attempts + 1)
            await database_vital_push.note_trouble(
                self.connections, due, words, self.clock(), pause
            )
            return False
        await database_vital_push.note_delivered(self.connections, due, self.clock())
        return True
