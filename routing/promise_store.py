"""Promises in Redis, shared by all processes: within the limit, once, and gone by themselves.

due        hash `zhibo:v1:{lot}:due`: cars promised by window (`from|until`, minutes since 1970),
           and by minute the newest limit (`<until`): small however many drivers there are
promises   hash `zhibo:v1:{lot}:promises`: trip id to its promise, `!seen` to how far the lot's
           entries have been matched

Both under the lot's hash tag: every script touches one slot. Both expire when nobody writes.
"""

from collections.abc import Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from routing.promise import GRACE_MINUTES, STANDS_MINUTES, Due, Explained, Promise, Seen, minute_of

KEPT_MINUTES = 60
_SEEN = "!seen"
_LIMIT = "<"

# What both scripts begin with. `take` changes a window's cars; none left, no window.
_TOGETHER = """
local due, promises = KEYS[1], KEYS[2]
local function keep(minutes)
  for _, key in ipairs(KEYS) do
    local left = redis.call('PTTL', key)
    if left < minutes * 60000 then redis.call('PEXPIRE', key, minutes * 60000) end
  end
end
local function take(window, cars)
  local left = (tonumber(redis.call('HGET', due, window)) or 0) + cars
  if left > 0.000001 then redis.call('HSET', due, window, string.format('%.6f', left))
  else redis.call('HDEL', due, window) end
end
"""

# KEYS: due, promises. ARGV: trip id, share, from, until, limit, now, grace, strengthen, kept,
# stands.
# The same arithmetic as routing.promise.Due; a test holds them together.
_HOLD = (
    _TOGETHER
    + """
local trip, share = ARGV[1], tonumber(ARGV[2])
local from_, until_, limit = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now, grace, stands = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[10])
local own, own_from, own_until = 0, nil, nil
local before = redis.call('HGET', promises, trip)
if before then
  local s, b, f, u = string.match(before, '^(.-)|(.-)|(.-)|(.-)$')
  if tonumber(u) + grace > now then own, own_from, own_until = tonumber(s), f, u end
  if own_from and (ARGV[8] == '0' or own >= share) then return s end
end
local rows, windows, limits = redis.call('HGETALL', due), {}, {}
for i = 1, #rows, 2 do
  local minute = string.match(rows[i], '^<(%d+)$')
  if minute then
    if tonumber(minute) + grace <= now then redis.call('HDEL', due, rows[i])
    else limits[tonumber(minute)] = tonumber(rows[i + 1]) end
  else
    local f, u = string.match(rows[i], '^(%d+)|(%d+)$')
    if tonumber(u) + grace <= now then redis.call('HDEL', due, rows[i])
    else
      local cars = tonumber(rows[i + 1])
      if f == own_from and u == own_until then cars = cars - own end
      windows[#windows + 1] = {from = tonumber(f), leaves = tonumber(u) + stands, cars = cars}
    end
  end
end
limits[until_] = limit
local room = nil
for minute, most in pairs(limits) do
  if minute >= from_ and minute <= until_ + stands then
    for _, window in ipairs(windows) do
      if window.from <= minute and minute <= window.leaves then most = most - window.cars end
    end
    if room == nil or most < room then room = most end
  end
end
-- Rounded down: the six digits written must not be more than there was room for.
local granted = math.floor(math.min(share, math.max(0, room)) * 1000000) / 1000000
redis.call('HSET', due, '<' .. ARGV[4], ARGV[5])
if granted > own then
  if own_from then take(own_from .. '|' .. own_until, -own) end
  take(ARGV[3] .. '|' .. ARGV[4], granted)
  local text = string.format('%.6f', granted)
  redis.call('HSET', promises, trip, text .. '|' .. text .. '|' .. ARGV[3] .. '|' .. ARGV[4])
else granted = own end
keep(math.max(until_ - now, 0) + tonumber(ARGV[9]))
return string.format('%.6f', granted)
"""
)

# KEYS: due, promises. ARGV: trip id.
_RELEASE = (
    _TOGETHER
    + """
local before = redis.call('HGET', promises, ARGV[1])
if not before then return 0 end
local s, b, f, u = string.match(before, '^(.-)|(.-)|(.-)|(.-)$')
take(f .. '|' .. u, -tonumber(s))
return redis.call('HDEL', promises, ARGV[1])
"""
)

# KEYS: due, promises. ARGV: the mark as it was read, the new one, minutes to keep them, then trip
# id, its promise as it was read, its share now, its promise now (nothing: consumed). Whoever
# comes second does nothing.
_SETTLE = (
    _TOGETHER
    + """
if (redis.call('HGET', promises, '!seen') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', promises, '!seen', ARGV[2])
for i = 4, #ARGV, 4 do
  if redis.call('HGET', promises, ARGV[i]) == ARGV[i + 1] then
    local s, b, f, u = string.match(ARGV[i + 1], '^(.-)|(.-)|(.-)|(.-)$')
    take(f .. '|' .. u, tonumber(ARGV[i + 2]) - tonumber(s))
    if ARGV[i + 3] == '' then redis.call('HDEL', promises, ARGV[i])
    else redis.call('HSET', promises, ARGV[i], ARGV[i + 3]) end
  end
end
keep(tonumber(ARGV[3]))
return 1
"""
)


class LotPromises(msgspec.Struct, frozen=True):
    """Each promise of one lot; `raw` as it was read, for whoever changes it."""

    promises: tuple[Promise, ...] = ()
    seen: Seen | None = None
    raw: dict[str, str] = {}


def keys_of(lot_id: str) -> tuple[str, str]:
    return f"zhibo:v1:{{{lot_id}}}:due", f"zhibo:v1:{{{lot_id}}}:promises"


async def hold(
    redis: Redis,
    lot_id: str,
    wanted: Promise,
    limit: float,
    now_ms: int,
    *,
    strengthen: bool = False,
) -> float:
    """Book what there is room for; the share that is held now, 0 for none.

    A retry of the same trip changes nothing; `strengthen` lets its share grow.
    """
    granted = await redis.eval(
        _HOLD,
        2,
        *keys_of(lot_id),
        wanted.trip_id,
        f"{wanted.share:.6f}",
        str(wanted.from_minute),
        str(wanted.until_minute),
        f"{limit:.6f}",
        str(minute_of(now_ms)),
        str(GRACE_MINUTES),
        "1" if strengthen else "0",
        str(KEPT_MINUTES),
        str(STANDS_MINUTES),
    )
    return float(granted)


async def release(redis: Redis, lot_id: str, trip_id: str) -> None:
    """The driver goes elsewhere."""
    await redis.eval(_RELEASE, 2, *keys_of(lot_id), trip_id)


async def read_due(redis: Redis, lot_ids: Sequence[str]) -> dict[str, Due]:
    """What is promised of each lot, added up; asked in one round."""
    answers = await _read(redis, [keys_of(lot_id)[0] for lot_id in lot_ids])
    return {lot_id: _due(answer) for lot_id, answer in zip(lot_ids, answers, strict=True)}


async def read(redis: Redis, lot_ids: Sequence[str]) -> dict[str, LotPromises]:
    """Every single promise of each lot, asked in one round."""
    answers = await _read(redis, [keys_of(lot_id)[1] for lot_id in lot_ids])
    return {lot_id: _decoded(answer) for lot_id, answer in zip(lot_ids, answers, strict=True)}


async def settle(redis: Redis, lot_id: str, before: LotPromises, after: Explained) -> bool:
    """Write what entries left of the promises; False if another process was first."""
    left = {promise.trip_id: promise for promise in after.promises}
    changes: list[str] = []
    for trip_id, raw in before.raw.items():
        now = left.get(trip_id)
        if now is not None:
            if _encoded(now) != raw:
                changes += [trip_id, raw, f"{now.share:.6f}", _encoded(now)]
        elif trip_id != _SEEN:
            changes += [trip_id, raw, "0", ""]
    seen = after.seen
    mark = f"{seen.epoch}|{seen.entries_total}|{seen.at_ms}|{seen.per_minute:.6f}"
    was, kept = before.raw.get(_SEEN, ""), str(KEPT_MINUTES)
    return bool(await redis.eval(_SETTLE, 2, *keys_of(lot_id), was, mark, kept, *changes))


async def _read(redis: Redis, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
    if not keys:
        return []
    async with redis.pipeline(transaction=False) as round_:
        for key in keys:
            round_.hgetall(key)
        return cast("list[dict[bytes, bytes]]", await round_.execute())


def _due(answer: dict[bytes, bytes]) -> Due:
    cars: dict[tuple[int, int], float] = {}
    limits: dict[int, float] = {}
    for name, value in answer.items():
        text = name.decode()
        if text.startswith(_LIMIT):
            limits[int(text[1:])] = float(value)
        else:
            begins, _, ends = text.partition("|")
            cars[int(begins), int(ends)] = float(value)
    return Due(cars, limits)


def _decoded(answer: dict[bytes, bytes]) -> LotPromises:
    raw = {name.decode(): value.decode() for name, value in answer.items()}
    mark = raw.get(_SEEN)
    promises = (_promise(name, text) for name, text in raw.items() if name != _SEEN)
    seen = None if mark is None else _seen(mark)
    return LotPromises(tuple(promises), seen, raw)


def _promise(trip_id: str, text: str) -> Promise:
    share, booked, begins, ends = text.split("|")
    return Promise(trip_id, float(share), float(booked), int(begins), int(ends))


def _encoded(promise: Promise) -> str:
    window = f"{promise.from_minute}|{promise.until_minute}"
    return f"{promise.share:.6f}|{promise.booked:.6f}|{window}"


def _seen(mark: str) -> Seen:
    epoch, total, at_ms, per_minute = mark.split("|")
    return Seen(int(epoch), int(total), int(at_ms), float(per_minute))
