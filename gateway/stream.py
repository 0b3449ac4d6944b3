"""The gateway's face to Redis: keys, fields, publish, read back. No key string stands elsewhere.

Per car park, all under one hash tag so that Redis Cluster keeps them together:

observations  stream, id `<epoch>-<last sequence>`, `r` = rows in order (gateway.history_rows):
              the whole history, resent until recorded; trimmed by MINID behind the record
now           stream, id `<epoch>-<sequence>`, `o` = batch of one, `t` = gateway clock when it
              was made, `s` = this server's clock then: only the newest, so that fresh state never
              waits behind a backlog; trimmed to a few
recorded      string `<epoch>-<sequence>`: written by the recorder once PostgreSQL has it; with a
              `!` behind it the stream has a hole after it, and the gateway shall send again
unreadable    stream of entries nobody could read, with the reason: kept by the recorder
faces         hash sign -> SignOrder: what level 2 signs shall show, and signs at entrances that
              an operator or a closure overrules; written by the service
displaced     string `<epoch>-<number>`: a gateway that was displaced by a younger epoch and still
              runs; the number grows each time it says so
correction    string, a Correction: the operator's newest count; written by the service until the
              gateway's observations say that it was taken
"""

import contextlib
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.correction import Correction
from gateway.history_rows import encode_rows
from gateway.observation import Observation, decode_batch, encode_batch
from gateway.signs import SignOrder

NOW_LENGTH = 8
UNREADABLE_LENGTH = 10_000
_OBSERVATIONS, _ROWS, _MADE_AT, _SERVER_MADE_AT = b"o", b"r", b"t", b"s"
_REFUSED_ID = "equal or smaller"
_AGAIN = "!"


class NowEntry(msgspec.Struct, frozen=True):
    """The newest observation, with the gateway's clock and the server's when it was made.

    A gateway of an older version says when it was sent, and does not know the server's clock.
    """

    observation: Observation
    made_at_ms: int
    server_made_at_ms: int | None = None


class Acknowledgement(msgspec.Struct, frozen=True):
    """What PostgreSQL holds of one car park, and whether the rest must be sent again."""

    epoch: int
    sequence: int
    send_again: bool = False


class Held(msgspec.Struct, frozen=True):
    """What the server holds of one car park: the highest ids it ever took, and the record's."""

    observations: tuple[int, int] | None
    now: tuple[int, int] | None
    recorded: Acknowledgement | None

    @property
    def newest_epoch(self) -> int:
        return max((epoch for epoch, _ in self._positions()), default=0)

    def newest_of(self, epoch: int) -> int:
        """The highest sequence of this epoch anywhere; 0 if there is none."""
        return max((sequence for held, sequence in self._positions() if held == epoch), default=0)

    def top_of(self, epoch: int) -> int:
        """The highest sequence in the history of this epoch; 0 if there is none."""
        return _sequence_of(self.observations, epoch)

    def now_of(self, epoch: int) -> int:
        """The sequence of this epoch that was said last; 0 if there is none."""
        return _sequence_of(self.now, epoch)

    def _positions(self) -> list[tuple[int, int]]:
        held = self.recorded
        recorded = None if held is None else (held.epoch, held.sequence)
        return [p for p in (self.observations, self.now, recorded) if p is not None]


class HistoryEntry(msgspec.Struct, frozen=True):
    """One stream entry: its id and its raw batch, decoded by whoever can report a bad one."""

    entry_id: bytes
    payload: bytes | None


def observations_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:observations"


def now_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:now"


def recorded_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:recorded"


def unreadable_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:unreadable"


def faces_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:faces"


def displaced_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:displaced"


def correction_key(lot_id: str) -> str:
    return f"zhibo:v1:{{{lot_id}}}:correction"


def entry_id(epoch: int, sequence: int) -> str:
    return f"{epoch}-{sequence}"


def position_of(entry: bytes | str) -> tuple[int, int]:
    text = entry.decode() if isinstance(entry, bytes) else entry
    epoch, _, sequence = text.partition("-")
    return int(epoch), int(sequence)


def _sequence_of(position: tuple[int, int] | None, epoch: int) -> int:
    return position[1] if position is not None and position[0] == epoch else 0


async def publish_now(redis: Redis, entry: NowEntry) -> bool:
    """Say the newest state; False if the server already has this or a newer one."""
    news = entry.observation
    fields = {_OBSERVATIONS: encode_batch((news,)), _MADE_AT: str(entry.made_at_ms).encode()}
    if entry.server_made_at_ms is not None:
        fields[_SERVER_MADE_AT] = str(entry.server_made_at_ms).encode()
    place = entry_id(news.epoch, news.sequence)
    return await _add(redis, now_key(news.lot_id), place, fields, keep=NOW_LENGTH)


async def read_clock(redis: Redis) -> int:
    """The server's clock, UTC milliseconds."""
    seconds, microseconds = await redis.time()
    return seconds * 1_000 + microseconds // 1_000


async def publish_history(redis: Redis, batch: tuple[Observation, ...]) -> bool:
    """Add a batch in order; False if the server already has its last one or a newer one."""
    last = batch[-1]
    return await _add(
        redis,
        observations_key(last.lot_id),
        entry_id(last.epoch, last.sequence),
        {_ROWS: encode_rows(batch)},
    )


async def _add(
    redis: Redis, key: str, explicit_id: str, fields: dict[bytes, bytes], keep: int | None = None
) -> bool:
    try:
        await redis.xadd(key, fields, id=explicit_id, maxlen=keep, approximate=False)  # type: ignore[arg-type]
    except ResponseError as refusal:
        # The explicit id makes the command idempotent: a repeat is refused, also after trimming.
        if _REFUSED_ID in str(refusal):
            return False
        raise
    return True


async def read_top(redis: Redis, key: str) -> tuple[int, int] | None:
    """The highest id the server ever took for this stream; None if there is no stream."""
    try:
        info = await redis.xinfo_stream(key)
    except ResponseError as refusal:
        if "no such key" in str(refusal):
            return None
        raise
    return position_of(info["last-generated-id"])


async def read_held(redis: Redis, lot_id: str) -> Held:
    """What the server holds now: it may have restarted with less than it had."""
    return Held(
        await read_top(redis, observations_key(lot_id)),
        await read_top(redis, now_key(lot_id)),
        await read_acknowledged(redis, lot_id),
    )


async def read_now(
    redis: Redis, after: Mapping[str, str], block_ms: int
) -> list[tuple[str, str, NowEntry]]:
    """Newer (lot_id, entry id, entry) of each lot in `after` (lot_id to last id seen)."""
    lots = {now_key(lot_id): lot_id for lot_id in after}
    positions = {key: after[lot_id] for key, lot_id in lots.items()}
    answer = await redis.xread(positions, block=block_ms, count=NOW_LENGTH)  # type: ignore[arg-type]
    return [
        (lots[_text(key)], _text(id_), _now_entry(fields))
        for key, entries in _streams(answer)
        for id_, fields in entries
    ]


async def read_history(redis: Redis, lot_id: str, after: str, count: int) -> list[HistoryEntry]:
    """Entries whose id is above `after`, in order; at once, also when there are none."""
    answer = await redis.xrange(observations_key(lot_id), min=f"({after}", count=count)
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", answer)
    return [HistoryEntry(id_, fields.get(_ROWS)) for id_, fields in entries]


async def acknowledge(redis: Redis, lot_id: str, epoch: int, sequence: int) -> None:
    """Tell the gateway what PostgreSQL holds, then trim the stream behind it."""
    await redis.set(recorded_key(lot_id), entry_id(epoch, sequence))
    await redis.xtrim(observations_key(lot_id), minid=entry_id(epoch, sequence), approximate=False)


async def ask_again(redis: Redis, lot_id: str, epoch: int, sequence: int) -> None:
    """Tell the gateway that the stream has a hole behind this position."""
    await redis.set(recorded_key(lot_id), entry_id(epoch, sequence) + _AGAIN)


async def read_acknowledged(redis: Redis, lot_id: str) -> Acknowledgement | None:
    answer = await redis.get(recorded_key(lot_id))
    if answer is None:
        return None
    text = _text(cast("bytes", answer))
    return Acknowledgement(*position_of(text.removesuffix(_AGAIN)), text.endswith(_AGAIN))


async def begin_again(redis: Redis, lot_id: str) -> None:
    """Drop the stream so that lower ids are taken again: only its one writer may do so."""
    await redis.delete(observations_key(lot_id))


async def set_aside(redis: Redis, lot_id: str, entry: HistoryEntry, reason: str) -> None:
    """Keep an entry that cannot be read, with the reason, for a person to look at."""
    fields = {b"entry": entry.entry_id, b"reason": reason.encode(), _ROWS: entry.payload or b""}
    await redis.xadd(unreadable_key(lot_id), fields, maxlen=UNREADABLE_LENGTH)  # type: ignore[arg-type]


async def count_unreadable(redis: Redis, lot_id: str) -> int:
    """Entries that were set aside and that nobody has cleared away yet."""
    return int(await redis.xlen(unreadable_key(lot_id)))


async def order_faces(redis: Redis, lot_id: str, orders: Iterable[SignOrder]) -> None:
    faces = {order.sign_id: msgspec.msgpack.encode(order) for order in orders}
    if faces:
        await redis.hset(faces_key(lot_id), mapping=faces)  # type: ignore[arg-type]


async def withdraw_face(redis: Redis, lot_id: str, sign_id: str) -> None:
    """Its gateway shows its own number again."""
    await redis.hdel(faces_key(lot_id), sign_id)


async def read_faces(redis: Redis, lot_id: str) -> dict[str, SignOrder]:
    """The orders that can be read, by sign; an unreadable one is no order."""
    answer = cast("dict[bytes, bytes]", await redis.hgetall(faces_key(lot_id)))
    orders = {}
    for sign_id, raw in answer.items():
        with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
            orders[_text(sign_id)] = msgspec.msgpack.decode(raw, type=SignOrder)
    return orders


async def say_displaced(redis: Redis, lot_id: str, epoch: int, number: int) -> None:
    """A gateway that no longer speaks for the car park says that it is still there."""
    await redis.set(displaced_key(lot_id), entry_id(epoch, number))


async def read_displaced(redis: Redis, lot_id: str) -> tuple[int, int] | None:
    """The epoch of a displaced gateway and its growing number; None if there never was one."""
    answer = await redis.get(displaced_key(lot_id))
    return None if answer is None else position_of(answer)


async def order_correction(redis: Redis, lot_id: str, correction: Correction) -> None:
    await redis.set(correction_key(lot_id), msgspec.msgpack.encode(correction))


async def read_correction(redis: Redis, lot_id: str) -> Correction | None:
    """The newest count that was ordered; an unreadable one is none."""
    raw = await redis.get(correction_key(lot_id))
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        return None if raw is None else msgspec.msgpack.decode(cast("bytes", raw), type=Correction)
    return None


def _now_entry(fields: Mapping[bytes, bytes]) -> NowEntry:
    (observation,) = decode_batch(fields[_OBSERVATIONS])
    server_made_at = fields.get(_SERVER_MADE_AT)
    return NowEntry(
        observation,
        int(fields[_MADE_AT]),
        None if server_made_at is None else int(server_made_at),
    )


def _streams(
    answer: object,
) -> list[tuple[bytes, list[tuple[bytes, Mapping[bytes, bytes]]]]]:
    """One shape for what RESP2 (list) and RESP3 (map) clients return from XREAD."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [(key, [e for part in parts for e in part]) for key, parts in answer.items()]
    return answer  # type: ignore[return-value]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
