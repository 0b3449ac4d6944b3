"""How often one address may ask, over all workers: counted here, added up in Redis once a second.

asked     hash `zhibo:v1:{asked}:MINUTE`: one field an address and kind, how often it asked in this
          minute; gone two minutes after
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.process import is_cancelled
from occupancy.web.addresses import client_address, is_loopback
from occupancy.web.problems import Problem
from occupancy.web.problems import answer as problem_answer

MINUTE_MS = 60_000
SYNC_SECONDS = 1.0
MOST_ADDRESSES = 50_000  # a minute's; more of them share what is left
UNLIMITED = ("/static/", "/admin", "/healthz", "/readyz", "/metrics", "/wechat")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


class RateLimits:
    """What addresses asked in this minute. `clock` is UTC milliseconds.

    Between two looks at Redis each worker knows only its own share of the last second.
    """

    def __init__(self, clock: Callable[[], int], reads: int, writes: int) -> None:
        self._clock = clock
        self._most = {"r": reads, "w": writes}
        self._minute = 0
        self._unsaid: Counter[str] = Counter()
        self._totals: dict[str, int] = {}

    @web.middleware
    async def refuse_too_many(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(UNLIMITED):
            return await handler(request)
        address = client_address(request)
        if is_loopback(address) or self.take(address, is_write=request.method == "POST"):
            return await handler(request)
        wait_seconds = 60 - self._clock() // 1_000 % 60
        words = f"this address has asked too often; again in {wait_seconds} s"
        refusal = problem_answer(Problem(429, words))
        refusal.headers["Retry-After"] = str(wait_seconds)
        return refusal

    def take(self, address: str, *, is_write: bool) -> bool:
        """Whether it may ask once more in this minute; noted if so."""
        self._turn()
        kind = "w" if is_write else "r"
        key = f"{kind} {address}"
        asked = self._totals.get(key, 0) + self._unsaid[key]
        if asked >= self._most[kind]:
            return False
        if key not in self._unsaid and len(self._unsaid) >= MOST_ADDRESSES:
            key = f"{kind} others"
        self._unsaid[key] += 1
        return True

    async def keep_adding_up(self, redis: Redis) -> None:
        """Share with the other workers until cancelled; while Redis is away each counts alone."""
        while not is_cancelled():
            try:
                await self.share(redis)
            except (RedisError, OSError, TimeoutError) as trouble:
                log.debug("rate limits are counted here alone", reason=str(trouble))
            await asyncio.sleep(SYNC_SECONDS)

    async def share(self, redis: Redis) -> None:
        """Say what was asked here and learn what was asked everywhere."""
        self._turn()
        if not self._unsaid:
            return
        said, self._unsaid = self._unsaid, Counter()
        place = f"zhibo:v1:{{asked}}:{self._minute}"
        pipe = redis.pipeline(transaction=False)
        for key, times in said.items():
            pipe.hincrby(place, key, times)
        pipe.expire(place, 120)
        try:
            *totals, _ = await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            self._unsaid.update(said)
            raise
        self._totals.update(zip(said, totals, strict=True))

    def _turn(self) -> None:
        """A new minute begins at nought."""
        minute = self._clock() // MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            self._unsaid.clear()
            self._totals.clear()
