"""The certificates of our servers, looked at every hour: for alarms, metrics, the health page."""

import asyncio
from collections.abc import Iterable, Sequence

from gateway.certificate import Term, endpoints
from gateway.certificate_look import look_at

LOOK_SECONDS = 3_600.0
NOT_YET = "nobody has looked yet"


class Certificates:
    """What was last seen of each server among these (setting, address) pairs."""

    def __init__(self, addresses: Iterable[tuple[str, str]] = ()) -> None:
        self._endpoints = endpoints(addresses)
        self.terms: Sequence[Term] = [Term(one, None, NOT_YET) for one in self._endpoints]

    async def look(self) -> None:
        self.terms = await look_at(self._endpoints)

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)
