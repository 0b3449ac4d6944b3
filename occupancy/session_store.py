"""Operators' sessions in Redis: found by a digest of their key, listed, and ended one by one.

sessions  hash `zhibo:v1:{operator:NAME}:sessions`: one field a session, named by the SHA-256 of its
          key, which only the browser has. The lifetimes stand in the value and are judged by our
          clock; Redis's own expiry only tidies up.
"""

import hashlib
import secrets
from typing import cast

import msgspec
from redis.asyncio import Redis

IDLE_MS = 30 * 60_000
LIFETIME_MS = 12 * 3_600_000
TOUCH_MS = 60_000
_KEY_BYTES = 24
_KEEP = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
"""


class Session(msgspec.Struct, frozen=True):
    """One browser that logged in; times are UTC milliseconds."""

    name: str
    generation: int
    csrf: str
    began_at_ms: int
    seen_at_ms: int
    address: str
    browser: str
    is_proven: bool = False  # the second factor, too, where one is needed
    proposed_secret: str = ""

    def is_alive(self, now_ms: int) -> bool:
        return now_ms - self.seen_at_ms < IDLE_MS and 0 <= now_ms - self.began_at_ms < LIFETIME_MS


async def begin(redis: Redis, session: Session, replaced_key: str = "") -> str:
    """Keep the session and give its key; the session of `replaced_key` ends."""
    key = f"{session.name}.{secrets.token_urlsafe(_KEY_BYTES)}"
    place = _place(session.name)
    pipe = redis.pipeline(transaction=True)
    if name_in(replaced_key) == session.name:
        pipe.hdel(place, digest(replaced_key))
    pipe.hset(place, digest(key), msgspec.msgpack.encode(session))
    pipe.pexpire(place, LIFETIME_MS)
    await pipe.execute()
    return key


async def find(redis: Redis, key: str, now_ms: int) -> Session | None:
    """The live session of this key; looking for it does not keep it from falling idle."""
    name = name_in(key)
    if not name:
        return None
    raw = await redis.hget(_place(name), digest(key))
    if raw is None:
        return None
    session = msgspec.msgpack.decode(cast("bytes", raw), type=Session)
    if not session.is_alive(now_ms):
        await end(redis, name, digest(key))
        return None
    return session


async def touch(redis: Redis, key: str, session: Session, now_ms: int) -> None:
    """Its operator has done something: it falls idle later."""
    if now_ms - session.seen_at_ms >= TOUCH_MS:
        await _keep(redis, key, msgspec.structs.replace(session, seen_at_ms=now_ms))


async def propose_secret(redis: Redis, key: str, session: Session, secret: str) -> None:
    """Remember the second factor that is being set up until it has been proven."""
    await _keep(redis, key, msgspec.structs.replace(session, proposed_secret=secret))


async def _keep(redis: Redis, key: str, session: Session) -> None:
    """Only as long as it is there: who ended it meanwhile has ended it."""
    place, packed = _place(session.name), msgspec.msgpack.encode(session)
    await redis.eval(_KEEP, 1, place, digest(key), packed)


async def list_of(redis: Redis, name: str, now_ms: int) -> dict[str, Session]:
    """An operator's live sessions by their digests."""
    raw = await redis.hgetall(_place(name))
    known = {
        _text(which): msgspec.msgpack.decode(cast("bytes", value), type=Session)
        for which, value in raw.items()
    }
    return {which: session for which, session in known.items() if session.is_alive(now_ms)}


async def end(redis: Redis, name: str, which: str) -> None:
    await redis.hdel(_place(name), which)


async def end_all(redis: Redis, name: str) -> None:
    await redis.delete(_place(name))


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def make_csrf() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


def name_in(key: str) -> str:
    return key.rpartition(".")[0]


def _place(name: str) -> str:
    return f"zhibo:v1:{{operator:{name}}}:sessions"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
