"""One pushing car park at work: posts folded in, committed together, answered when committed."""

import contextlib
from collections.abc import Callable

from redis.asyncio import Redis

from gateway.ledger_station import LedgerStation
from gateway.observation import Observation
from gateway.outbox import Outbox, OutboxFullError
from gateway.push_config import Sender
from gateway.push_ledger import NONCE_KEPT_MS, PushLedger
from gateway.push_message import RECORD_WITHIN_MS, SENT_WITHIN_MS, Passage, Push, hidden

ROWS_A_LOOK = 1_000  # at which records have grown too old


class PushStation(LedgerStation):
    """The loops of one pushing car park. `clock` is UTC ms, `monotonic` runs in seconds."""

    def __init__(
        self,
        sender: Sender,
        outbox: Outbox,
        redis: Redis,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self.sender = sender
        self.ledger = PushLedger(
            sender.park, outbox.counters(), outbox.anchor(), outbox.pushed(), outbox.heard()
        )
        super().__init__(sender.park.lot_id, self.ledger, outbox, redis, clock, monotonic)

    async def take(self, push: Push) -> tuple[Passage, ...] | None:
        """The records that were new, once they are committed; None if they could not be.

        Raises BadPushError.
        """
        push = hidden(push, self.sender.secret)
        fresh = self.ledger.take(push, self._clock(), self.uptime_ms())
        self._heard.append((push.nonce, push.sent_at_ms))
        self._records += [(passage.number, passage.at_ms) for passage in fresh]
        self.tell(counts=bool(fresh))
        if await self.committed():
            return fresh
        self.ledger.release(push.nonce)
        return None

    async def after_write(self, placed: Observation) -> None:
        """Forget records so old that they would be refused by their time."""
        if placed.sequence % ROWS_A_LOOK:
            return
        with contextlib.suppress(OutboxFullError):
            await self._outbox.forget_heard(self._clock() - NONCE_KEPT_MS)
            before_ms = self._clock() - RECORD_WITHIN_MS - SENT_WITHIN_MS
            self.ledger.forget(await self._outbox.forget_pushed(before_ms))
