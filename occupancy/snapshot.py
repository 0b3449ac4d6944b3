"""The live picture in Redis: written by whoever is newer, read whole, then followed.

picture   hash `zhibo:v1:{lot}:picture`: run id of the server, position, LiveOccupancy; a server
          that restarted has another run id, and what an older one left is not believed
told      channel `zhibo:v1:told`: the pictures that were written together, as one message; who
          does not understand it, or hears nothing, asks for all of them every few seconds
"""

from collections.abc import AsyncIterator, Iterable
from itertools import compress
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis

from gateway.process import is_cancelled
from gateway.redis_client import is_cluster
from occupancy.live import LiveOccupancy

CHANNEL = "zhibo:v1:told"
ASK_SECONDS = 2.0
log = structlog.get_logger()
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LiveOccupancy)
_told_decoder = msgspec.msgpack.Decoder(tuple[msgspec.Raw, ...])

# KEYS: picture. ARGV: run id, epoch, sequence, picture. Newer wins, whoever writes. The position
# is compared as two numbers: an epoch fits a double exactly (52 bits).
_WRITE_IF_NEWER = """
local held = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'sequence')
if held[1] == ARGV[1] then
  local epoch, sequence = tonumber(held[2]), tonumber(held[3])
  if epoch > tonumber(ARGV[2]) then return 0 end
  if epoch == tonumber(ARGV[2]) and sequence >= tonumber(ARGV[3]) then return 0 end
end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[2], 'sequence', ARGV[3],
           'picture', ARGV[4])
return 1
"""


def picture_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:picture"


async def read_run_id(redis: Redis) -> str:
    """Which server process this is: another one may have lost what we wrote.

    A cluster is many processes, and what one loses another one has: it is one and the same.
    """
    if is_cluster(redis):
        return "cluster"
    return str((await redis.info("server"))["run_id"])


async def read_server_version(redis: Redis) -> tuple[int, int]:
    """The server's version, once a write has shown that it takes them."""
    await redis.set("zhibo:v1:doctor", "1", ex=10)
    version = str((await redis.info("server"))["redis_version"])
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


async def write(redis: Redis, run_id: str, picture: LiveOccupancy) -> bool:
    """Write and announce the picture unless a newer one is there; whether it was written."""
    return bool(await write_all(redis, run_id, [picture]))


async def write_all(redis: Redis, run_id: str, pictures: Iterable[LiveOccupancy]) -> int:
    """The same with many in one question, announced as one message; how many were written.

    Followers hear only of what was written: an older picture that came late is none of theirs.
    """
    pipe, encoded = redis.pipeline(transaction=False), []
    for picture in pictures:
        encoded.append(msgspec.Raw(_encoder.encode(picture)))
        place = (run_id, str(picture.epoch), str(picture.sequence))
        pipe.eval(_WRITE_IF_NEWER, 1, picture_key(picture.lot_id), *place, bytes(encoded[-1]))
    is_written = await pipe.execute()
    told = list(compress(encoded, is_written))
    if told:
        await redis.publish(CHANNEL, _encoder.encode(told))
    return len(told)


async def read_all(redis: Redis, lot_ids: Iterable[str]) -> list[LiveOccupancy]:
    """The pictures this server process holds; none for a lot it knows nothing of."""
    run_id = (await read_run_id(redis)).encode()
    pipe = redis.pipeline(transaction=False)
    for lot_id in lot_ids:
        pipe.hmget(picture_key(lot_id), ["run", "picture"])
    held = cast("list[tuple[bytes | None, bytes | None]]", await pipe.execute())
    return _decoded(
        payload for written_for, payload in held if written_for == run_id and payload is not None
    )


async def follow(redis: Redis, lot_ids: Iterable[str]) -> AsyncIterator[list[LiveOccupancy]]:
    """All pictures, then each change; all of them again every few seconds, should one be lost.

    `lot_ids` is asked anew each time: car parks come and leave.
    Raises RedisError or OSError when the link is lost: the caller says so and follows again.
    """
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(CHANNEL)
        while not is_cancelled():
            yield await read_all(redis, list(lot_ids))
            while not is_cancelled():
                message = await channel.get_message(timeout=ASK_SECONDS)
                if message is None:
                    break
                yield _decoded(_payloads(message["data"]))


def _payloads(message: bytes) -> tuple[msgspec.Raw, ...]:
    try:
        return _told_decoder.decode(message)
    except msgspec.DecodeError as reason:
        log.warning("a message that is no list of pictures was left out", reason=str(reason))
        return ()


def _decoded(payloads: Iterable[bytes | msgspec.Raw]) -> list[LiveOccupancy]:
    """Those that can be read: one that cannot must not hide the others."""
    pictures = []
    for payload in payloads:
        try:
            pictures.append(_decoder.decode(payload))
        except msgspec.DecodeError as reason:
            log.warning("a picture that cannot be read was left out", reason=str(reason))
    return pictures
