"""From an openid to a digest that only this month's key can make, and that nobody reads back.

pepper  string `zhibo:v1:wechat:pepper`: random, shared by all processes; a new one every 30 days
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import cast

from redis.asyncio import Redis

from routing.patience import AwayError, Patience

PEPPER = "zhibo:v1:wechat:pepper"
PEPPER_MS = 30 * 86_400_000
READ_AGAIN_MS = 60_000
_BYTES, _LETTERS = 32, 32


class Pseudonyms:
    """Without Redis nothing is held of anybody, and a key of this process alone will do."""

    def __init__(self, redis: Redis, clock: Callable[[], int], patience: Patience) -> None:
        self._redis = redis
        self._clock = clock
        self._patience = patience
        self._pepper = secrets.token_bytes(_BYTES)
        self._read_at_ms = -READ_AGAIN_MS

    async def person(self, openid: str) -> str:
        now_ms = self._clock()
        if now_ms - self._read_at_ms >= READ_AGAIN_MS:
            await self._read(now_ms)
        digest = hmac.new(self._pepper, openid.encode("utf-8", "replace"), hashlib.sha256)
        return digest.hexdigest()[:_LETTERS]

    async def _read(self, now_ms: int) -> None:
        try:
            held = await self._patience.ask(self._shared)
        except AwayError:
            return
        self._pepper, self._read_at_ms = held, now_ms

    async def _shared(self) -> bytes:
        fresh = secrets.token_bytes(_BYTES)
        held = await self._redis.set(PEPPER, fresh, px=PEPPER_MS, nx=True, get=True)
        return fresh if held is None else cast("bytes", held)
