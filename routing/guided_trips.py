"""Follows guided trips: links opened, arrivals entries explain, car parks that fill meanwhile."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from redis.asyncio import Redis

from gateway.process import is_cancelled
from occupancy.effect.advice import Coming
from occupancy.lot import OpeningState
from occupancy.restriction import closing_at
from routing import promise_store, trip_store
from routing.candidate import PROBABLY_FULL_BELOW
from routing.patience import AwayError
from routing.promise import Explained, coming_of, due_of, explain, minute_of
from routing.promise_store import LotPromises
from routing.reason import Code, Reason, because, chance_words
from routing.service import Guidance
from routing.trip import Trip, arrive, as_seen_at, choose, is_open
from routing.trip_promise import promise_of

MATCH_SECONDS = 3.0

log = structlog.get_logger()


class Standing(msgspec.Struct, frozen=True):
    """A trip as it stands; `advice` None means: go on."""

    trip: Trip
    chance_now: float | None = None
    advice: Reason | None = None


class GuidedTrips:
    """Trips that are under way, over all processes."""

    def __init__(self, guidance: Guidance, redis: Redis) -> None:
        self._guidance = guidance
        self._redis = redis
        self._matched: dict[str, tuple[int, int]] = {}

    async def find(self, trip_id: str) -> Standing | None:
        """Raises AwayError while Redis is away."""
        ask = self._guidance.patience.ask
        trip = await ask(lambda: trip_store.find_trip(self._redis, trip_id))
        if trip is None:
            return None
        return self._standing(trip, await self._promises([trip.lot_id]))

    async def choose(self, trip_id: str, lot_id: str) -> Trip | None:
        """The driver goes to `lot_id`; what he was promised goes with him. Raises AwayError."""
        guidance, now_ms = self._guidance, self._guidance.clock()
        changed = await guidance.patience.ask(
            lambda: trip_store.change_trip(
                self._redis, trip_id, lambda trip: choose(trip, lot_id, now_ms)
            )
        )
        if changed is None:
            return None
        before, after = changed
        guidance.tell(after)
        if before.lot_id != after.lot_id:
            await guidance.desk.release(before.lot_id, trip_id)
        if is_open(after, now_ms) and not after.is_plain:
            wanted = promise_of(after, guidance.settings.follow_chosen)
            limit = after.shown[after.lot_id].limit
            await guidance.desk.hold(after.lot_id, wanted, limit, strengthen=True)
        return after

    async def list_endangered(self) -> list[Standing]:
        """Open trips whose car park has closed or will probably be full, for drivers to be told.

        Raises AwayError.
        """
        found = await self._promises(list(self._guidance.lots))
        trip_ids = [p.trip_id for held in found.values() for p in held.promises]
        if not trip_ids:
            return []
        ask = self._guidance.patience.ask
        trips = await ask(lambda: trip_store.find_trips(self._redis, trip_ids))
        standing = (self._standing(trip, found) for trip in trips)
        return [one for one in standing if one.advice is not None]

    async def keep_matching(self) -> None:
        """Match entries with promises until cancelled."""
        while not is_cancelled():
            try:
                await self.match_entries()
            except AwayError:
                log.debug("entries are matched later: Redis is away")
            await asyncio.sleep(MATCH_SECONDS)

    async def match_entries(self) -> list[str]:
        """Take off what entries explain; the trips that arrived. Raises AwayError."""
        guidance = self._guidance
        entries = {
            lot_id: (picture.epoch, picture.entries_total)
            for lot_id, picture in guidance.pictures.items()
        }
        moved = [lot_id for lot_id in entries if self._matched.get(lot_id) != entries[lot_id]]
        arrived: list[str] = []
        for lot_id, held in (await self._promises(moved)).items():
            seen = held.seen
            if seen is None or (seen.epoch, seen.entries_total) < entries[lot_id]:
                after = explain(held.promises, seen, entries[lot_id], guidance.clock())
                if await self._settle(lot_id, held, after):
                    arrived += after.arrived
            self._matched[lot_id] = entries[lot_id]
        return arrived

    async def _settle(self, lot_id: str, held: LotPromises, after: Explained) -> bool:
        ask, now_ms = self._guidance.patience.ask, self._guidance.clock()
        if not await ask(lambda: promise_store.settle(self._redis, lot_id, held, after)):
            return False
        for trip_id in after.arrived:
            await self._arrive(trip_id, now_ms)
        return True

    async def _arrive(self, trip_id: str, now_ms: int) -> None:
        changed = await self._guidance.patience.ask(
            lambda: trip_store.change_trip(self._redis, trip_id, lambda trip: arrive(trip, now_ms))
        )
        if changed is not None:
            self._guidance.tell(changed[1])

    async def count_on_the_way(self, lot_id: str) -> int | None:
        """Drivers who hold a promise there; None while Redis does not answer."""
        try:
            return len((await self._promises([lot_id]))[lot_id].promises)
        except AwayError:
            return None

    async def list_coming(self) -> dict[str, Coming] | None:
        """What is promised of each car park; None while Redis does not answer."""
        now_minute = minute_of(self._guidance.clock())
        try:
            found = await self._promises(list(self._guidance.lots))
        except AwayError:
            return None
        return {lot_id: coming_of(held.promises, now_minute) for lot_id, held in found.items()}

    async def _promises(self, lot_ids: Sequence[str]) -> dict[str, LotPromises]:
        return await self._guidance.patience.ask(lambda: promise_store.read(self._redis, lot_ids))

    def _standing(self, trip: Trip, found: dict[str, LotPromises]) -> Standing:
        """What a driver under way should know."""
        guidance = self._guidance
        now_ms = guidance.clock()
        trip = as_seen_at(trip, now_ms)
        lot = guidance.lots.get(trip.lot_id)
        if not is_open(trip, now_ms) or lot is None:
            return Standing(trip)
        picture = guidance.pictures.get(trip.lot_id)
        is_shut = picture is not None and closing_at(picture.closings, trip.arrives_ms)
        if is_shut or lot.opening is OpeningState.CLOSED:
            return Standing(trip, 0.0, because(Code.CLOSED))
        if trip.is_plain:
            return Standing(trip)
        others = (p for p in found[trip.lot_id].promises if p.trip_id != trip.trip_id)
        due = due_of(others, {})
        promised = due.by(minute_of(trip.arrives_ms), minute_of(now_ms))
        outlook = guidance.expect(trip.lot_id, trip.arrives_ms)
        chance = outlook.chance_of_at_least(1, promised)
        if chance >= PROBABLY_FULL_BELOW:
            return Standing(trip, chance)
        return Standing(trip, chance, because(Code.PROBABLY_FULL, **chance_words(chance)))
