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
from routing.geocoder import Geocoder
from routing.spoken_name import plain, without_fillers

LOOK_EVERY_SECONDS = 20.0
PROBABLY_OURS = 0.6

log = structlog.get_logger()


class DestinationShelf:
    """Holds the gazetteer; while PostgreSQL is away the last one known serves."""

    def __init__(self, geocoder: Geocoder | None = None) -> None:
        self._geocoder = geocoder
        self._known: Sequence[Destination] = ()
        self.take(load_shipped())

    def search(self, words: str) -> Finding:
        return self._gazetteer.find(words)

    async def look_up(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        """As `find`; what our own list does not nearly know, the geocoder is asked for."""
        best, others = self.find(words)
        if best is not None or self._geocoder is None:
            return best, others
        offered = self._geocoder.remembered(words.strip())
        if offered is not None:
            return offered, (offered,)
        if self._is_near(words):
            return best, others
        found = await self._geocoder.find(words)
        asked = without_fillers(plain(words))
        same = (asked, f"三水{asked}", f"三水区{asked}")
        exact = [one for one in found if plain(one.name) in same]
        return (exact[0] if len(exact) == 1 else None), (*found, *others)

    def _is_near(self, words: str) -> bool:
        """Whether one of ours is probably meant: then it is asked about, and nobody else."""
        candidates = self.search(words).candidates
        return bool(candidates) and candidates[0].score >= PROBABLY_OURS

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
