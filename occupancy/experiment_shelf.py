"""The experiment that runs now, as this process knows it: read again when a planner changes one."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.process import is_cancelled
from occupancy import database
from occupancy.database_experiments import list_started
from occupancy.database_tariffs import read_revisions
from occupancy.effect.experiment import Experiment

LOOK_EVERY_SECONDS = 1.0
THING = "experiments"

log = structlog.get_logger()


class ExperimentShelf:
    """Holds what was started. Without PostgreSQL the last known holds; at first nothing."""

    def __init__(self) -> None:
        self._known: Sequence[Experiment] = ()
        self._revision: int | None = None
        self._is_away = False

    def running(self, now_ms: int) -> Experiment | None:
        """At most one runs at a moment: the desk sees to it."""
        return next((one for one in self._known if one.is_running(now_ms)), None)

    def take(self, experiments: Sequence[Experiment]) -> None:
        self._known = experiments

    async def keep_fresh(self, connections: database.Pool) -> None:
        """Look for changes until cancelled."""
        while not is_cancelled():
            await self.look(connections)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self, connections: database.Pool) -> None:
        try:
            revision = (await read_revisions(connections)).get(THING)
            if revision != self._revision:
                self.take(await list_started(connections))
        except database.NOT_READY as trouble:
            if not self._is_away:
                words = "PostgreSQL is away: the experiment known so far goes on"
                log.warning(words, reason=str(trouble))
            self._is_away = True
        else:
            self._is_away = False
            # As it was before the reading: what came meanwhile is read again.
            self._revision = revision
