"""The open alarms in Redis: written whole by their keeper, read whole by everybody.

alarms    string `zhibo:v1:alarms`: AlarmSheet; its time tells whether the keeper still looks
"""

from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis

from occupancy.alarm import Alarm

KEY = "zhibo:v1:alarms"
log = structlog.get_logger()


class AlarmSheet(msgspec.Struct, frozen=True):
    """All alarms that are open at one moment (UTC milliseconds)."""

    at_ms: int
    alarms: tuple[Alarm, ...]


async def write(redis: Redis, sheet: AlarmSheet) -> None:
    await redis.set(KEY, msgspec.msgpack.encode(sheet))


async def read(redis: Redis) -> AlarmSheet | None:
    """What the keeper wrote last; None if nothing can be read."""
    raw = await redis.get(KEY)
    if raw is None:
        return None
    try:
        return msgspec.msgpack.decode(cast("bytes", raw), type=AlarmSheet)
    except (msgspec.DecodeError, msgspec.ValidationError) as reason:
        log.warning("the alarms cannot be read", reason=str(reason))
        return None
