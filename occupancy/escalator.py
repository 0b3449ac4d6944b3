"""The loop that tells somebody outside of alarms nobody acknowledges, beside the duty."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.process import is_cancelled
from occupancy import (
    database,
    database_escalation,
    database_escalation_steps,
    escalation_sender,
)
from occupancy.database import Pool
from occupancy.escalation import Channel, Due, pause_seconds
from occupancy.escalation_config import EscalationSettings

LOOK_SECONDS = 5.0
MOST_SECONDS = 30.0  # a mail server may be slow with each of its answers
HOLD_SECONDS = 60.0  # longer than an attempt: who died in it is followed after that

log = structlog.get_logger()


@dataclass
class Escalator:
    """`is_on_duty` says whether it is our turn: of several recorders one tells."""

    connections: Pool
    settings: EscalationSettings
    is_on_duty: Callable[[], bool]

    async def run(self) -> None:
        """Look until cancelled; without a channel nobody can be told."""
        while not is_cancelled():
            if self.is_on_duty():
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what is due: a slow channel holds up neither the other one nor the recorder."""
        try:
            firsts = self.settings.first_steps
            await database_escalation_steps.keep_defaults(self.connections, firsts)
        except database.NOT_READY as trouble:
            log.info("escalation waits for PostgreSQL", reason=str(trouble))
            return
        async with asyncio.TaskGroup() as group:
            for channel in self.settings.channels:
                group.create_task(self._look_at(channel), name=f"escalation {channel.value}")

    async def _look_at(self, channel: Channel) -> None:
        try:
            for due in await database_escalation.list_due(self.connections, [channel]):
                # What was listed may have been acknowledged while others were told.
                if await database_escalation.claim(self.connections, due, HOLD_SECONDS):
                    await self._tell(due)
        except database.NOT_READY as trouble:
            log.info("escalation waits for PostgreSQL", reason=str(trouble))

    async def _tell(self, due: Due) -> None:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await escalation_sender.tell(self.settings, due)
        except escalation_sender.TROUBLES as trouble:
            words = str(trouble) or type(trouble).__name__
            pause = pause_seconds(due.attempts + 1)
            log.warning("an alarm could not be told", alarm=due.alarm_id, reason=words)
            await database_escalation.note_trouble(self.connections, due, words[:200], pause)
        else:
            told = {"alarm": due.alarm_id, "step": due.step, "channel": due.channel.value}
            log.info("an alarm was told outside", **told)
            await database_escalation.note_delivered(self.connections, due)
