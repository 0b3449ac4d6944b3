"""Running processes follow edited facts: they look at a counter, and read if it moved."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database, database_lots
from occupancy.lot import Lot

LOOK_EVERY_SECONDS = 1.0
Know = Callable[[Mapping[str, Lot]], None]

log = structlog.get_logger()


class LotWatch:
    """Calls `know` with every car park's facts whenever one of them was edited."""

    def __init__(self, connections: database.Pool, know: Know) -> None:
        self._connections = connections
        self._know = know
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
                lots = await database.list_lots(self._connections)
                self._know({lot.lot_id: lot for lot in lots})
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
