"""The loop that tells somebody outside of alarms nobody acknowledges, beside the duty."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.process import is_cancelled
from occupancy import database, database_escalation, escalation_sender
from occupancy.database import Pool
from occupancy.escalation import Due, pause_seconds
from occupancy.escalation_config import EscalationSettings

LOOK_SECONDS = 5.0

log = structlog.get_logger()


@dataclass
class Escalator:
    """`is_on_duty` says whether it is our turn: of several recorders one tells."""

    connections: Pool
    settings: EscalationSettings
    is_on_duty: Callable[[], bool]

    async def run(self) -> None:
        """Look until cancelled; without a channel there is nothing to do."""
        while not is_cancelled():
            if self.settings.channels and self.is_on_duty():
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what is due, one after the other: a slow receiver holds up no recorder."""
        try:
            found = await database_escalation.list_due(
                self.connections, self.settings.minutes, self.settings.channels
            )
            for due in found:
                await self._tell(due)
        except database.NOT_READY as trouble:
            log.info("escalation waits for PostgreSQL", reason=str(trouble))

    async def _tell(self, due: Due) -> None:
        try:
            await escalation_sender.tell(self.settings, due)
        except escalation_sender.TROUBLES as trouble:
            words = str(trouble) or type(trouble).__name__
            pause = pause_seconds(due.attempts + 1)
            log.warning("an alarm could not be told", alarm=due.alarm_id, reason=words)
            await database_escalation.note_attempt(
                self.connections, due, trouble=words[:200], pause_seconds=pause
            )
        else:
            log.info("an alarm was told outside", alarm=due.alarm_id, channel=due.channel.value)
            await database_escalation.note_attempt(self.connections, due)
