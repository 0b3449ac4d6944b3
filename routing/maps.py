"""The map services of one process, as its settings want them: ways and places."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from routing.config import Geocoding, MapSettings
from routing.geocoder import Geocoder
from routing.map_client import MapClient
from routing.map_services import ADDRESSES, Service
from routing.travel_time import AskedTravelTimes
from routing.ways import StraightLine, TravelTimes


@dataclass
class Maps:
    """Who tells travel times, who knows places, and what must be closed at the end."""

    travel: TravelTimes
    geocoder: Geocoder | None
    clients: list[MapClient] = field(default_factory=list)

    async def stay_open(self) -> None:
        """Until cancelled; then the connections are closed."""
        try:
            await asyncio.Event().wait()
        finally:
            for client in self.clients:
                await client.close()


def maps_of(settings: MapSettings, clock: Callable[[], int]) -> Maps:
    """`clock` is UTC milliseconds."""
    maps = Maps(StraightLine(), None)
    if settings.travel is not Service.STRAIGHT:
        address = settings.travel_url or ADDRESSES[settings.travel]
        client = MapClient(address, settings.calls_a_day, clock)
        key = settings.key_of(settings.travel)
        maps.travel = AskedTravelTimes(settings.travel, client, key, clock)
        maps.clients.append(client)
    if settings.geocoder is not Geocoding.NONE:
        service = Service(settings.geocoder.value)
        address = settings.geocoder_url or ADDRESSES[service]
        client = MapClient(address, settings.calls_a_day, clock)
        maps.geocoder = Geocoder(service, client, settings.key_of(service), clock)
        maps.clients.append(client)
    return maps
