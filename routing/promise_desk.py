"""Promises of all processes; while Redis is away, those that this process makes itself."""

from collections.abc import Callable, Sequence

import msgspec
from redis.asyncio import Redis

from routing import promise_store
from routing.patience import AwayError, Patience
from routing.promise import Promise, room_for
from routing.promise_store import LotPromises


class Held(msgspec.Struct, frozen=True):
    """What is promised of each lot; not shared while Redis is away."""

    by_lot: dict[str, LotPromises]
    is_shared: bool


class PromiseDesk:
    """Reads, holds and releases promises; `clock` is UTC milliseconds."""

    def __init__(self, redis: Redis, patience: Patience, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._patience = patience
        self._clock = clock
        self._own: dict[str, dict[str, Promise]] = {}

    async def read(self, lot_ids: Sequence[str]) -> Held:
        try:
            by_lot = await self._patience.ask(lambda: promise_store.read(self._redis, lot_ids))
        except AwayError:
            own = {lot_id: LotPromises(self._alive(lot_id)) for lot_id in lot_ids}
            return Held(own, is_shared=False)
        self._own.clear()
        return Held(by_lot, is_shared=True)

    async def hold(self, lot_id: str, wanted: Promise, *, strengthen: bool = False) -> float:
        """The share that is held now; within the limit, and once."""
        now_ms = self._clock()
        try:
            return await self._patience.ask(
                lambda: promise_store.hold(
                    self._redis, lot_id, wanted, now_ms, strengthen=strengthen
                )
            )
        except AwayError:
            return self._hold_here(lot_id, wanted, now_ms)

    async def release(self, lot_id: str, trip_id: str) -> None:
        self._own.get(lot_id, {}).pop(trip_id, None)
        try:
            await self._patience.ask(lambda: promise_store.release(self._redis, lot_id, trip_id))
        except AwayError:
            return  # it expires by itself

    def _hold_here(self, lot_id: str, wanted: Promise, now_ms: int) -> float:
        own = self._own.setdefault(lot_id, {})
        if wanted.trip_id in own:
            return own[wanted.trip_id].share
        share = room_for(wanted, self._alive(lot_id), now_ms)
        if share > 0:
            own[wanted.trip_id] = msgspec.structs.replace(wanted, share=share, booked=share)
        return share

    def _alive(self, lot_id: str) -> tuple[Promise, ...]:
        now_ms = self._clock()
        own = self._own.get(lot_id, {})
        for trip_id in [p.trip_id for p in own.values() if p.expires_ms <= now_ms]:
            del own[trip_id]
        return tuple(own.values())
