"""What somebody typed while his session ended, kept in Redis until he is back.

kept form  string `zhibo:v1:{kept-form:KEY}`: name, page and fields; gone after it was read, or
           after a while. KEY is drawn at random and only the browser has it.
"""

import secrets
from collections.abc import Mapping
from typing import cast

import msgspec
from redis.asyncio import Redis

KEPT_SECONDS = 1_800
SECRET = ("password", "code", "csrf")
_KEY_BYTES = 18


class KeptForm(msgspec.Struct, frozen=True):
    """The fields of one form, whose it is and where it stands."""

    name: str
    path: str
    fields: dict[str, str]


async def keep(redis: Redis, name: str, path: str, fields: Mapping[str, str]) -> str:
    """Keep the fields but passwords; the key to have them back."""
    key = secrets.token_urlsafe(_KEY_BYTES)
    open_fields = {one: value for one, value in fields.items() if not one.startswith(SECRET)}
    kept = KeptForm(name, path, open_fields)
    await redis.set(_place(key), msgspec.msgpack.encode(kept), ex=KEPT_SECONDS)
    return key


async def take(redis: Redis, name: str, path: str, key: str) -> Mapping[str, str]:
    """The fields, once, for who typed them, on their page; nothing otherwise."""
    raw = await redis.get(_place(key))
    if raw is None:
        return {}
    kept = msgspec.msgpack.decode(cast("bytes", raw), type=KeptForm)
    if (kept.name, kept.path) != (name, path):
        return {}
    await redis.delete(_place(key))
    return kept.fields


def _place(key: str) -> str:
    return f"zhibo:v1:{{kept-form:{key}}}"
