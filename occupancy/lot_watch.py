"""Running processes follow edited facts: they look at a counter, and read if it moved."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database, database_lots
from occupancy.lot import Lot
from occupancy.lot_stage import Stage, StagedLot, by_stage

LOOK_EVERY_SECONDS = 1.0
Know = Callable[[Mapping[str, Lot]], None]
KnowAll = Callable[[Sequence[StagedLot]], None]

log = structlog.get_logger()


def nobody_asks(_: Sequence[StagedLot]) -> None:
    """Where only what is live matters."""


class LotWatch:
    """Calls `know` with every live car park whenever one was edited, came or left.

    `know_all` hears of those that join and those that were removed, too.
    """

    def __init__(
        self, connections: database.Pool, know: Know, know_all: KnowAll = nobody_asks
    ) -> None:
        self._connections = connections
        self._know = know
        self._know_all = know_all
        self._revision = -1  # at first everything is news: it may have been edited meanwhile
        self._is_away = False

    async def keep_fresh(self) -> None:
        """Look once a second until cancelled."""
        while not is_cancelled():
            await self.look()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """A dead PostgreSQL leaves the facts known so far."""
        try:
            revision = await database_lots.read_revision(self._connections)
            if revision != self._revision:
                staged = await database_lots.list_staged(self._connections)
                if staged:  # none at all: nobody has brought the first ones yet
                    self._know_all(staged)
                    self._know(by_stage(staged, Stage.LIVE))
                self._revision = revision
        except database.NOT_READY as trouble:
            if not self._is_away:
                words = "PostgreSQL is away: the car parks' facts known so far serve"
                log.warning(words, reason=str(trouble))
            self._is_away = True
        except (msgspec.DecodeError, msgspec.ValidationError) as trouble:
            # Written by a newer version or by hand: half of the facts would be worse.
            log.error("the car parks' facts cannot be read", reason=str(trouble))  # noqa: TRY400
        else:
            self._is_away = False
