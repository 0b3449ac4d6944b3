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
from redis.asyncio.client import Pipeline

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


async def recall(redis: Redis, digest: str, asked: str = "") -> tuple[bytes | None, str | None]:
    """In one round: what was answered to this question, and the trip its driver was shown last.

    `digest` stands for a driver, `asked` for him and his question.
    """
    async with redis.pipeline(transaction=False) as round_:
        round_.get(driver_key(digest))
        if asked:
            round_.get(answer_key(asked))
        trip_id, *answers = cast("list[bytes | None]", await round_.execute())
    return (answers[0] if answers else None), (None if trip_id is None else trip_id.decode())


async def keep(redis: Redis, trip: Trip, now_ms: int, digest: str = "") -> None:
    """Keep the trip; with a driver's digest it is the one he was shown last."""
    async with redis.pipeline(transaction=False) as round_:
        _set_trip(round_, trip, now_ms, digest)
        await round_.execute()


async def keep_answer(
    redis: Redis,
    trip: Trip | None,
    now_ms: int,
    digest: str,
    asked: str,
    answer: bytes,
    kept_ms: int,
) -> bytes:
    """In one round, and the answer unless one was given meanwhile; the one that holds."""
    async with redis.pipeline(transaction=False) as round_:
        _set_trip(round_, trip, now_ms, digest)
        round_.set(answer_key(asked), answer, px=kept_ms, nx=True, get=True)
        earlier = cast("bytes | None", (await round_.execute())[-1])
    return answer if earlier is None else earlier


def _set_trip(round_: Pipeline, trip: Trip | None, now_ms: int, digest: str) -> None:
    if trip is None:
        return
    left_ms = max(trip.expires_ms - now_ms, 1)
    round_.set(trip_key(trip.trip_id), _encoder.encode(trip), px=left_ms + KEPT_MS)
    if digest:
        round_.set(driver_key(digest), trip.trip_id, px=left_ms)


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
