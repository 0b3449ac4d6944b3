"""What a package above adds to the web service: its routes, and the loops that run beside them."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from occupancy import database
from occupancy.effect.advice import Guiding
from occupancy.web.outlook import OutlookOf
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf


@dataclass(frozen=True)
class Ground:
    """What a floor stands on: the live pictures, the tariffs, both servers, the clock."""

    showcase: Showcase
    shelf: TariffShelf
    connections: database.Pool
    redis: Redis
    clock: Callable[[], int]


@dataclass(frozen=True)
class Floor:
    """Routes to serve, and loops (by name) to run until the service ends.

    `on_the_way` counts the drivers that are guided to a car park now, `guiding` tells more;
    `outlook` is what is expected of a car park in the next hours.
    """

    routes: Sequence[Route] = ()
    loops: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    on_the_way: Callable[[str], Awaitable[int | None]] | None = None
    outlook: OutlookOf | None = None
    guiding: Guiding | None = None


Builder = Callable[[Ground], Floor]
