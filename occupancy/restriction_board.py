"""Closures, reservations and overrides in Redis: for a recorder that starts without PostgreSQL.

restrictions  string `zhibo:v1:restrictions`: RestrictionSheet, as PostgreSQL last told it
"""

from typing import cast

import msgspec
from redis.asyncio import Redis

from occupancy.override import Override
from occupancy.restriction import Restriction

KEY = "zhibo:v1:restrictions"


class RestrictionSheet(msgspec.Struct, frozen=True):
    """Everything that holds now or will."""

    restrictions: tuple[Restriction, ...] = ()
    overrides: tuple[Override, ...] = ()

    def of(self, lot_id: str) -> tuple[Restriction, ...]:
        return tuple(one for one in self.restrictions if one.lot_id == lot_id)


async def write(redis: Redis, sheet: RestrictionSheet) -> None:
    await redis.set(KEY, msgspec.msgpack.encode(sheet))


async def read(redis: Redis) -> RestrictionSheet:
    """What was told last; nothing where nothing can be read."""
    raw = await redis.get(KEY)
    try:
        return msgspec.msgpack.decode(cast("bytes", raw or b""), type=RestrictionSheet)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return RestrictionSheet()
