"""The destinations this process knows: from PostgreSQL, read again when operators edit them."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database
from routing.database_destinations import list_destinations, seed_destinations
from routing.destination import BadDestinationError, Destination, check
from routing.destination_file import load_shipped
from routing.gazetteer import Finding, Gazetteer

LOOK_EVERY_SECONDS = 20.0

log = structlog.get_logger()


class DestinationShelf:
    """Holds the gazetteer; while PostgreSQL is away the last one known serves."""

    def __init__(self) -> None:
        self._known: Sequence[Destination] = ()
        self.take(load_shipped())

    def search(self, words: str) -> Finding:
        return self._gazetteer.find(words)

    def find(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        """The one that is clear, or was named by its id; and those that may be meant."""
        by_id = self._by_id.get(words.strip())
        if by_id is not None:
            return by_id, (by_id,)
        finding = self.search(words)
        return finding.best, [match.destination for match in finding.candidates]

    async def keep_fresh(self, connections: database.Pool) -> None:
        """Look for edits until cancelled; the shipped ones go into an empty table first."""
        is_seeded = False
        while not is_cancelled():
            try:
                if not is_seeded:
                    await seed_destinations(connections, load_shipped())
                    is_seeded = True
                self.take(await list_destinations(connections))
            except database.NOT_READY as trouble:
                log.info("the destinations known so far serve", reason=str(trouble))
            except (msgspec.DecodeError, BadDestinationError) as trouble:
                log.error("the stored destinations cannot be used", reason=str(trouble))  # noqa: TRY400
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def take(self, destinations: Sequence[Destination]) -> None:
        """Find these from now on. Raises BadDestinationError."""
        if self._known and tuple(destinations) == tuple(self._known):
            return
        check(tuple(destinations))
        self._known, self._gazetteer = destinations, Gazetteer(destinations)
        self._by_id = {one.destination_id: one for one in destinations}
