"""Travel times from a map service, remembered for a while; without an answer they are unknown."""

import math
from collections.abc import Callable, Sequence

import structlog
from cachetools import TTLCache

from occupancy.lot import Place
from routing.map_client import MapClient, NoAnswerError
from routing.map_services import BadAnswerError, Mode, Service, ask_ways, read_ways

REMEMBERED_SECONDS = 300.0
MOST_REMEMBERED = 20_000
GRID_DECIMALS = 3  # about a hundred metres: no exact place is remembered

log = structlog.get_logger()


class AskedTravelTimes:
    """Asks one service. What it does not tell is NaN, and the straight line stands in."""

    def __init__(
        self, service: Service, client: MapClient, key: str, clock: Callable[[], int]
    ) -> None:
        self._service = service
        self._client = client
        self._key = key
        self._known: TTLCache[tuple[object, ...], float] = TTLCache(
            MOST_REMEMBERED, REMEMBERED_SECONDS, timer=lambda: clock() / 1_000
        )

    async def drive_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return await self._minutes(Mode.DRIVE, origin, to)

    async def walk_minutes(self, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        return await self._minutes(Mode.WALK, origin, to)

    async def _minutes(self, mode: Mode, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        keys = [(mode, _cell(origin), place.latitude, place.longitude) for place in to]
        missing = [place for key, place in zip(keys, to, strict=True) if key not in self._known]
        if missing:
            told = await self._ask(mode, origin, missing)
            unknown = (key for key in keys if key not in self._known)
            self._known.update(zip(list(unknown), told, strict=False))
        return [self._known.get(key, math.nan) for key in keys]

    async def _ask(self, mode: Mode, origin: Place, to: Sequence[Place]) -> Sequence[float]:
        """Nothing where the service does not answer or answers nonsense."""
        requests = ask_ways(self._service, mode, origin, to, self._key)
        try:
            return await self._client.ask(
                requests, lambda answers: read_ways(self._service, answers, len(to))
            )
        except NoAnswerError as trouble:
            log.debug("no travel times", service=self._service.value, reason=str(trouble))
        except BadAnswerError as trouble:
            log.info("no travel times", service=self._service.value, reason=str(trouble))
        return ()


def _cell(place: Place) -> tuple[float, float]:
    return round(place.latitude, GRID_DECIMALS), round(place.longitude, GRID_DECIMALS)
