"""Places that our own list does not know, from a map service; off without a key."""

from collections.abc import Callable, Sequence

import structlog
from cachetools import TTLCache

from routing.destination import Destination
from routing.map_client import MapClient, NoAnswerError
from routing.map_services import BadAnswerError, Service, ask_places, read_places
from routing.spoken_name import plain, without_fillers

REMEMBERED_SECONDS = 86_400.0
MOST_REMEMBERED = 5_000
MOST_PLACES = 5
LEAST_LETTERS = 2

log = structlog.get_logger()


class Geocoder:
    """Remembers what words mean; who asked is not known here."""

    def __init__(
        self, service: Service, client: MapClient, key: str, clock: Callable[[], int]
    ) -> None:
        self._service = service
        self._client = client
        self._key = key
        self._known: TTLCache[str, tuple[Destination, ...]] = TTLCache(
            MOST_REMEMBERED, REMEMBERED_SECONDS, timer=lambda: clock() / 1_000
        )

    def remembered(self, destination_id: str) -> Destination | None:
        """One that was offered before: who chooses it says its id."""
        return next(
            (
                one
                for several in self._known.values()
                for one in several
                if one.destination_id == destination_id
            ),
            None,
        )

    async def find(self, words: str) -> Sequence[Destination]:
        """Places inside the district with such a name; none when the service is away."""
        asked = without_fillers(plain(words))
        if len(asked) < LEAST_LETTERS:
            return ()
        if asked not in self._known:
            try:
                request = ask_places(self._service, asked, self._key)
                found = await self._client.ask(
                    [request], lambda answers: read_places(self._service, answers[0])
                )
            except NoAnswerError as trouble:
                log.debug("no places", service=self._service.value, reason=str(trouble))
                return ()
            except BadAnswerError as trouble:
                log.info("no places", service=self._service.value, reason=str(trouble))
                return ()
            self._known[asked] = tuple(
                Destination(one.place_id, one.name, "found", one.place)
                for one in found[:MOST_PLACES]
            )
        return self._known[asked]
