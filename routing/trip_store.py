"""Guided trips in Redis while they are under way, and what a driver was told moments ago.

trip     string `zhibo:v1:trip:{id}`: the trip; gone a while after its last hour
answer   string `zhibo:v1:answer:{key}`: what was answered to one driver's question: the first of
         several processes that answer wins, the others repeat it; gone after a short window
current  string `zhibo:v1:driver:{key}`: the trip this driver was last shown; gone with it

A driver's key is a digest of what his program calls itself; it stands in no trip.
"""

from collections.abc import Callable, Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from routing.trip import Trip

KEPT_MS = 2 * 3_600_000
_TRIES = 5
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Trip)

# KEYS: trip. ARGV: as it was read, as it shall be.
_REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
"""


def trip_key(trip_id: str) -> str:
    return f"zhibo:v1:trip:{trip_id}"


def answer_key(digest: str) -> str:
    return f"zhibo:v1:answer:{digest}"


def driver_key(digest: str) -> str:
    return f"zhibo:v1:driver:{digest}"


async def write_trip(redis: Redis, trip: Trip, now_ms: int, digest: str = "") -> None:
    """Keep the trip; with a driver's digest it is the one he was shown last."""
    left_ms = max(trip.expires_ms - now_ms, 1)
    async with redis.pipeline(transaction=False) as round_:
        round_.set(trip_key(trip.trip_id), _encoder.encode(trip), px=left_ms + KEPT_MS)
        if digest:
            round_.set(driver_key(digest), trip.trip_id, px=left_ms)
        await round_.execute()


async def find_trip(redis: Redis, trip_id: str) -> Trip | None:
    raw = await redis.get(trip_key(trip_id))
    return None if raw is None else _decoder.decode(cast("bytes", raw))


async def find_trips(redis: Redis, trip_ids: Sequence[str]) -> list[Trip]:
    """Those that are still known, asked in one round."""
    async with redis.pipeline(transaction=False) as round_:
        for trip_id in trip_ids:
            round_.get(trip_key(trip_id))
        answers = cast("list[bytes | None]", await round_.execute())
    return [_decoder.decode(raw) for raw in answers if raw is not None]


async def change_trip(
    redis: Redis, trip_id: str, change: Callable[[Trip], Trip]
) -> tuple[Trip, Trip] | None:
    """Apply `change` whoever else changes it; the trip before and after, None if it is not there.

    Raises TimeoutError when others change it all the time.
    """
    for _ in range(_TRIES):
        raw = await redis.get(trip_key(trip_id))
        if raw is None:
            return None
        before = _decoder.decode(cast("bytes", raw))
        after = change(before)
        if after == before:
            return before, before
        new = _encoder.encode(after)
        if await redis.eval(_REPLACE, 1, trip_key(trip_id), cast("bytes", raw), new):
            return before, after
    raise TimeoutError(trip_id)


async def find_answer(redis: Redis, digest: str) -> bytes | None:
    return cast("bytes | None", await redis.get(answer_key(digest)))


async def settle_answer(redis: Redis, digest: str, answer: bytes, kept_ms: int) -> bytes:
    """Keep this answer unless one was given meanwhile; the one that holds."""
    earlier = await redis.set(answer_key(digest), answer, px=kept_ms, nx=True, get=True)
    return answer if earlier is None else cast("bytes", earlier)


async def find_current(redis: Redis, digest: str) -> str | None:
    raw = await redis.get(driver_key(digest))
    return None if raw is None else cast("bytes", raw).decode()
