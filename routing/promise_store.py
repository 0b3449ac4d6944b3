"""Promises in Redis, shared by all processes: within the limit, once, and gone by themselves.

promises   hash `zhibo:v1:{lot}:promises`: trip id to its promise, `!seen` to how far the lot's
           entries have been matched; it expires behind its last promise. One key a lot: every
           script touches one slot.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from routing.promise import Explained, Promise, Seen

_SEEN = b"!seen"
_PARTS = 6

# KEYS: promises. ARGV: trip id, share, from, until, limit, expires, now, raise (0 or 1).
# The same arithmetic as routing.promise.room_for; a test holds them together.
_HOLD = """
local key, trip = KEYS[1], ARGV[1]
local share, from_, until_ = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, expires, now = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local rows, last = redis.call('HGETALL', key), expires
local others, own = {}, nil
for i = 1, #rows, 2 do
  if rows[i] ~= '!seen' then
    local s, b, f, u, l, e = string.match(rows[i + 1], '^(.-)|(.-)|(.-)|(.-)|(.-)|(.-)$')
    local p = {share = tonumber(s), booked = b, from = tonumber(f), till = tonumber(u),
               limit = tonumber(l), expires = tonumber(e)}
    if p.expires <= now then redis.call('HDEL', key, rows[i])
    elseif rows[i] == trip then own = p
    else
      others[#others + 1] = p
      if p.expires > last then last = p.expires end
    end
  end
end
if own and (ARGV[8] == '0' or own.share >= share) then return string.format('%.6f', own.share) end
local function due(at)
  local sum = 0
  for _, p in ipairs(others) do if p.from <= at then sum = sum + p.share end end
  return sum
end
local room = limit - due(until_)
for _, p in ipairs(others) do
  if p.till >= from_ then room = math.min(room, p.limit - due(p.till)) end
end
local granted = math.min(share, math.max(0, room))
if own and granted <= own.share then return string.format('%.6f', own.share) end
-- Rounded down: six digits written must not be more than there was room for.
granted = math.floor(granted * 1000000) / 1000000
if granted <= 0 then return '0' end
local text = string.format('%.6f', granted)
redis.call('HSET', key, trip, table.concat(
  {text, text, ARGV[3], ARGV[4], ARGV[5], ARGV[6]}, '|'))
redis.call('PEXPIRE', key, math.max(last - now, redis.call('PTTL', key)))
return text
"""

# KEYS: promises. ARGV: the mark as it was read, the new one, how long to keep it, then trip id, its
# promise as it was read and what is left of it (nothing: consumed). Whoever comes second does
# nothing.
_SETTLE = """
if (redis.call('HGET', KEYS[1], '!seen') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], '!seen', ARGV[2])
for i = 4, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
    else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
  end
end
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])))
return 1
"""
SEEN_KEPT_MS = 3_600_000


class LotPromises(msgspec.Struct, frozen=True):
    """What is promised of one lot; `raw` as it was read, for whoever changes it."""

    promises: tuple[Promise, ...] = ()
    seen: Seen | None = None
    raw: dict[str, str] = {}


def promises_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:promises"


async def hold(
    redis: Redis, lot_id: str, wanted: Promise, now_ms: int, *, strengthen: bool = False
) -> float:
    """Book what there is room for; the share that is held now, 0 for none.

    A retry of the same trip changes nothing; `strengthen` lets its share grow.
    """
    granted = await redis.eval(
        _HOLD,
        1,
        promises_key(lot_id),
        wanted.trip_id,
        f"{wanted.share:.6f}",
        str(wanted.from_ms),
        str(wanted.until_ms),
        f"{wanted.limit:.6f}",
        str(wanted.expires_ms),
        str(now_ms),
        "1" if strengthen else "0",
    )
    return float(granted)


async def release(redis: Redis, lot_id: str, trip_id: str) -> None:
    """The driver goes elsewhere."""
    await redis.hdel(promises_key(lot_id), trip_id)


async def read(redis: Redis, lot_ids: Sequence[str]) -> dict[str, LotPromises]:
    """What is promised of each lot, asked in one round."""
    async with redis.pipeline(transaction=False) as round_:
        for lot_id in lot_ids:
            round_.hgetall(promises_key(lot_id))
        answers = cast("list[dict[bytes, bytes]]", await round_.execute())
    return {lot_id: _decoded(answer) for lot_id, answer in zip(lot_ids, answers, strict=True)}


async def settle(redis: Redis, lot_id: str, before: LotPromises, after: Explained) -> bool:
    """Write what entries left of the promises; False if another process was first."""
    left = {promise.trip_id: promise for promise in after.promises}
    changes: list[str] = []
    for trip_id, raw in before.raw.items():
        if trip_id != _SEEN.decode():
            now = left.get(trip_id)
            changes += [trip_id, raw, "" if now is None else _encoded(now)]
    seen = after.seen
    mark = f"{seen.epoch}|{seen.entries_total}|{seen.at_ms}|{seen.per_minute:.6f}"
    was = before.raw.get(_SEEN.decode(), "")
    key = promises_key(lot_id)
    return bool(await redis.eval(_SETTLE, 1, key, was, mark, str(SEEN_KEPT_MS), *changes))


def _decoded(answer: dict[bytes, bytes]) -> LotPromises:
    raw = {name.decode(): value.decode() for name, value in answer.items()}
    mark = raw.get(_SEEN.decode())
    promises = (_promise(name, text) for name, text in raw.items() if name != _SEEN.decode())
    return LotPromises(tuple(_readable(promises)), None if mark is None else _seen(mark), raw)


def _readable(promises: Iterable[Promise | None]) -> Iterable[Promise]:
    return (promise for promise in promises if promise is not None)


def _promise(trip_id: str, text: str) -> Promise | None:
    """None for what a newer version wrote in another way."""
    parts = text.split("|")
    if len(parts) != _PARTS:
        return None
    share, booked, from_ms, until_ms, limit, expires_ms = parts
    return Promise(
        trip_id,
        float(share),
        float(booked),
        int(from_ms),
        int(until_ms),
        float(limit),
        int(expires_ms),
    )


def _encoded(promise: Promise) -> str:
    return (
        f"{promise.share:.6f}|{promise.booked:.6f}|{promise.from_ms}|{promise.until_ms}"
        f"|{promise.limit:.6f}|{promise.expires_ms}"
    )


def _seen(mark: str) -> Seen:
    epoch, total, at_ms, per_minute = mark.split("|")
    return Seen(int(epoch), int(total), int(at_ms), float(per_minute))
