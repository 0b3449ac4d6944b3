"""A token that all processes share through Redis, and that one of them renews for all.

token     string `zhibo:v1:wechat:{name}:token`: gone before WeChat lets it go
claim     string `zhibo:v1:wechat:{name}:claim`: somebody renews it
renewed   stream `zhibo:v1:wechat:{name}:renewed`: what the others wait for
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from routing.patience import AwayError, Patience

CLAIM_MS = 8_000
TURN_MS = 900
TURNS = 9
EARLY_SECONDS = 300  # WeChat lets an old token live on for about so long

# KEYS: token. ARGV: the value that was refused. Another process may have renewed it meanwhile.
_DROP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class Fetched(msgspec.Struct, frozen=True):
    """A token and how long it lives."""

    value: str
    seconds: int


Fetch = Callable[[str], Awaitable[Fetched]]


class SharedToken:
    """`fetch(refused)` asks WeChat for a token other than the refused one."""

    def __init__(self, redis: Redis, name: str, fetch: Fetch, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._fetch = fetch
        self._clock = clock
        self._patience = Patience(clock)
        self._token = f"zhibo:v1:wechat:{{{name}}}:token"
        self._claim = f"zhibo:v1:wechat:{{{name}}}:claim"
        self._renewed = f"zhibo:v1:wechat:{{{name}}}:renewed"
        self._turn = asyncio.Lock()
        self._own = ""
        self._own_until_ms = 0
        self._refused = ""

    async def get(self) -> str:
        """A token that holds. Raises WechatError."""
        async with self._turn:
            try:
                return await self._shared()
            except AwayError:
                return await self._alone()

    async def refuse(self, value: str) -> None:
        """WeChat does not take this one any more: the next `get` brings another."""
        self._refused = value
        if self._own == value:
            self._own_until_ms = 0
        try:
            await self._patience.ask(lambda: self._dropped(value))
        except AwayError:
            return

    async def _shared(self) -> str:
        for _ in range(TURNS):
            seen = await self._patience.ask(self._newest)
            held = await self._patience.ask(lambda: self._redis.get(self._token))
            if held is not None:
                return cast("bytes", held).decode()
            if await self._patience.ask(self._is_ours):
                return await self._renew()
            await self._patience.ask(partial(self._wait, seen))
        return await self._alone()

    async def _renew(self) -> str:
        try:
            fetched = await self._ask_wechat()
            kept_ms = max(fetched.seconds - EARLY_SECONDS, 1) * 1_000
            await self._patience.ask(lambda: self._keep(fetched.value, kept_ms))
        finally:
            # Whoever waits looks again, also when there is none: the next one tries.
            await self._patience.ask(self._tell)
        return fetched.value

    async def _alone(self) -> str:
        """Without Redis each process asks by itself; WeChat gives all of them the same one."""
        if self._clock() >= self._own_until_ms:
            await self._ask_wechat()
        return self._own

    async def _ask_wechat(self) -> Fetched:
        fetched = await self._fetch(self._refused)
        self._own = fetched.value
        self._own_until_ms = self._clock() + (fetched.seconds - EARLY_SECONDS) * 1_000
        return fetched

    async def _is_ours(self) -> bool:
        return bool(await self._redis.set(self._claim, b"1", px=CLAIM_MS, nx=True))

    async def _keep(self, value: str, kept_ms: int) -> None:
        await self._redis.set(self._token, value, px=kept_ms)

    async def _tell(self) -> None:
        await self._redis.delete(self._claim)
        await self._redis.xadd(self._renewed, {"at": "1"}, maxlen=1, approximate=False)

    async def _newest(self) -> bytes:
        entries: Any = await self._redis.xrevrange(self._renewed, count=1)
        return cast("bytes", entries[0][0]) if entries else b"0-0"

    async def _wait(self, seen: bytes) -> None:
        await self._redis.xread({self._renewed: seen}, count=1, block=TURN_MS)

    async def _dropped(self, value: str) -> None:
        await self._redis.eval(_DROP, 1, self._token, value)
