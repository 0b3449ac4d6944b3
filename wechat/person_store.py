"""What is held of a citizen while he talks to us, in Redis, and gone by itself.

session   string `zhibo:v1:wechat:{person}:session`: half an hour after the last message
window    hash   `zhibo:v1:wechat:{person}:window`: how many messages of our own he may get
reminder  string `zhibo:v1:wechat:{person}:remind:{kind}`: the only place with an openid; whoever
          takes it out sends it, so that one consent sends one message
due       zset   `zhibo:v1:wechat:reminders`: what to look at, without a name

`person` is a digest (wechat.pseudonym); all keys of one person share a slot and go together.
"""

from enum import StrEnum
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from wechat.session import Session

SESSION_MS = 30 * 60_000
TALK_MS, TALK_MESSAGES = 48 * 3_600_000, 5  # after a message of his
TOUCH_MS, TOUCH_MESSAGES = 60_000, 3  # after a click, a scan, or following
DUE = "zhibo:v1:wechat:reminders"
_session = msgspec.msgpack.Decoder(Session)

# KEYS: window. ARGV: now. Gives 1 and takes one off where a message may be sent.
_TAKE = """
for _, name in ipairs({'touch', 'talk'}) do
  local left = tonumber(redis.call('HGET', KEYS[1], name) or '0')
  local until_ms = tonumber(redis.call('HGET', KEYS[1], name .. '_until') or '0')
  if left > 0 and until_ms > tonumber(ARGV[1]) then
    redis.call('HINCRBY', KEYS[1], name, -1)
    return 1
  end
end
return 0
"""


class ReminderKind(StrEnum):
    """What a citizen wants to hear of."""

    FULL = "full"
    FREE = "free"


class Reminder(msgspec.Struct, frozen=True):
    """One consent. `at_ms` is when it falls due (FREE) or when it ends unsent (FULL)."""

    kind: ReminderKind
    openid: str
    lot_id: str
    at_ms: int
    destination: str = ""
    has_notice: bool = False


class Due(msgspec.Struct, frozen=True, array_like=True):
    """What stands in the list of reminders: nobody's name."""

    kind: ReminderKind
    lot_id: str
    person: str


_reminder = msgspec.msgpack.Decoder(Reminder)
_due = msgspec.json.Decoder(Due)


def _key(person: str, what: str) -> str:
    return f"zhibo:v1:wechat:{{{person}}}:{what}"


async def find_session(redis: Redis, person: str) -> Session:
    raw = await redis.get(_key(person, "session"))
    try:
        return Session() if raw is None else _session.decode(cast("bytes", raw))
    except msgspec.DecodeError:  # of a version before this one
        return Session()


async def keep_session(redis: Redis, person: str, session: Session) -> None:
    await redis.set(_key(person, "session"), msgspec.msgpack.encode(session), px=SESSION_MS)


async def open_window(redis: Redis, person: str, now_ms: int, *, is_talk: bool) -> None:
    """He wrote, or touched something: so many messages of our own are allowed from now."""
    name, kept_ms, left = (
        ("talk", TALK_MS, TALK_MESSAGES) if is_talk else ("touch", TOUCH_MS, TOUCH_MESSAGES)
    )
    key = _key(person, "window")
    async with redis.pipeline(transaction=False) as round_:
        round_.hset(key, mapping={name: left, f"{name}_until": now_ms + kept_ms})
        round_.pexpire(key, TALK_MS)
        await round_.execute()


async def take_message(redis: Redis, person: str, now_ms: int) -> bool:
    """Whether one more message of our own is allowed; it counts as sent."""
    return bool(await redis.eval(_TAKE, 1, _key(person, "window"), now_ms))


async def set_reminder(redis: Redis, person: str, reminder: Reminder, now_ms: int) -> None:
    """Instead of an earlier one of its kind."""
    kept_ms = max(reminder.at_ms - now_ms, 0) + SESSION_MS
    before = await redis.set(
        _key(person, f"remind:{reminder.kind}"),
        msgspec.msgpack.encode(reminder),
        px=kept_ms,
        get=True,
    )
    if before is not None:
        earlier = _reminder.decode(cast("bytes", before))
        await drop_due(redis, Due(earlier.kind, earlier.lot_id, person))
    due = Due(reminder.kind, reminder.lot_id, person)
    await redis.zadd(DUE, {msgspec.json.encode(due): reminder.at_ms})


async def list_due(redis: Redis, most: int) -> list[tuple[Due, int]]:
    """The reminders that are set, the earliest first, with their times."""
    found: Any = await redis.zrange(DUE, 0, most - 1, withscores=True)
    return [(_due.decode(cast("bytes", raw)), int(at_ms)) for raw, at_ms in found]


async def take_reminder(redis: Redis, due: Due) -> Reminder | None:
    """Out of the list; None when it was cancelled, or another process took it."""
    raw = await redis.getdel(_key(due.person, f"remind:{due.kind}"))
    await drop_due(redis, due)
    return None if raw is None else _reminder.decode(cast("bytes", raw))


async def drop_due(redis: Redis, due: Due) -> None:
    await redis.zrem(DUE, msgspec.json.encode(due))


async def forget_reminders(redis: Redis, person: str) -> None:
    keys = [_key(person, f"remind:{kind}") for kind in ReminderKind]
    await redis.delete(*keys)


async def forget(redis: Redis, person: str) -> int:
    """Everything; how many things were held."""
    names = ["session", "window", *(f"remind:{kind}" for kind in ReminderKind)]
    return int(await redis.delete(*(_key(person, name) for name in names)))
