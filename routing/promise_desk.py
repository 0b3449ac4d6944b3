"""Promises of all processes; while Redis is away, those that this process makes itself."""

from collections.abc import Callable, Sequence

import msgspec
from redis.asyncio import Redis

from routing import promise_store
from routing.patience import AwayError, Patience
from routing.promise import Due, Promise, due_of, is_over, minute_of


class Held(msgspec.Struct, frozen=True):
    """What is promised of each lot; not shared while Redis is away."""

    due: dict[str, Due]
    is_shared: bool


class _OwnBook:
    """One lot's promises in memory."""

    def __init__(self) -> None:
        self._promises: dict[str, Promise] = {}
        self._limits: dict[int, float] = {}

    def due(self) -> Due:
        return due_of(self._promises.values(), self._limits)

    def hold(self, wanted: Promise, limit: float, now_minute: int) -> float:
        held = self._promises.get(wanted.trip_id)
        if held is not None:
            return held.share
        for promise in [p for p in self._promises.values() if is_over(p, now_minute)]:
            del self._promises[promise.trip_id]
        share = self.due().room_for(wanted, limit, now_minute)
        self._limits[wanted.until_minute] = limit
        if share > 0:
            promise = msgspec.structs.replace(wanted, share=share, booked=share)
            self._promises[wanted.trip_id] = promise
        return share

    def release(self, trip_id: str) -> None:
        self._promises.pop(trip_id, None)


class PromiseDesk:
    """Reads, holds and releases promises; `clock` is UTC milliseconds."""

    def __init__(self, redis: Redis, patience: Patience, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._patience = patience
        self._clock = clock
        self._own: dict[str, _OwnBook] = {}

    async def read(self, lot_ids: Sequence[str]) -> Held:
        try:
            due = await self._patience.ask(lambda: promise_store.read_due(self._redis, lot_ids))
        except AwayError:
            own = {lot_id: self._book(lot_id).due() for lot_id in lot_ids}
            return Held(own, is_shared=False)
        self._own.clear()
        return Held(due, is_shared=True)

    async def hold(
        self, lot_id: str, wanted: Promise, limit: float, *, strengthen: bool = False
    ) -> float:
        """The share that is held now; within the limit, and once."""
        now_ms = self._clock()
        try:
            return await self._patience.ask(
                lambda: promise_store.hold(
                    self._redis, lot_id, wanted, limit, now_ms, strengthen=strengthen
                )
            )
        except AwayError:
            return self._book(lot_id).hold(wanted, limit, minute_of(now_ms))

    async def release(self, lot_id: str, trip_id: str) -> None:
        self._book(lot_id).release(trip_id)
        try:
            await self._patience.ask(lambda: promise_store.release(self._redis, lot_id, trip_id))
        except AwayError:
            return  # it expires by itself

    def _book(self, lot_id: str) -> _OwnBook:
        return self._own.setdefault(lot_id, _OwnBook())
