"""A gate system's post to plain values: signature checked, moments in UTC, plates left behind."""

import hashlib
import hmac
import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from gateway.datum import Point, to_wgs84
from gateway.moment import moment_ms
from gateway.observation import Direction
from gateway.push_dialect import Algorithm, Dialect, Money, Over, Signature

SENT_WITHIN_MS = 300_000
RECORD_WITHIN_MS = 7 * 86_400_000
NUMBER_LONGEST = 64
RECORDS_MOST = 1_000
AREAS_MOST = 64
SPACES_MOST = 100_000
FEE_FEN_MOST = 10_000_000
_DIGEST_BYTES = 16
_HASHES = {Algorithm.SHA256: hashlib.sha256, Algorithm.MD5: hashlib.md5}


class Refusal(StrEnum):
    """Why a post was not taken; the label in the metrics."""

    MALFORMED = "malformed"
    SIGNATURE = "signature"
    REPLAYED = "replayed"
    TIME = "time"
    TOO_LARGE = "too_large"
    COUNT = "count"
    UNKNOWN_PARK = "unknown_park"


class Role(StrEnum):
    """A field by what it is for us, where its vendor's name is not known."""

    NONCE = "nonce"
    AREA = "area"
    TOTAL = "total"


class BadPushError(Exception):
    """A post is refused. `field` is the vendor's name for it; no value of a post is repeated."""

    def __init__(self, kind: Refusal, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.kind = kind
        self.field = field
        self.words = words


class Passage(msgspec.Struct, frozen=True):
    """One car through a gate. There is no place for a plate."""

    number: str
    direction: Direction
    at_ms: int
    fee_fen: int | None = None


class AreaCount(msgspec.Struct, frozen=True):
    """What the gate system says of one area ("all" where it has none)."""

    area_id: str
    total: int
    remaining: int


class Push(msgspec.Struct, frozen=True):
    """One post. With neither counts nor passages it is a heartbeat."""

    sent_at_ms: int
    nonce: str
    counts: tuple[AreaCount, ...]
    passages: tuple[Passage, ...]
    place: Point | None = None  # WGS-84, where the sender says that it is


def read_fields(body: bytes) -> dict[str, Any]:
    """Raises BadPushError."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadPushError(Refusal.MALFORMED, "body", "must be one JSON object") from None


def check_signature(
    recipe: Signature,
    secret: bytes,
    body: bytes,
    fields: Mapping[str, Any],
    headers: Mapping[str, str],
) -> None:
    """Raises BadPushError."""
    given = (headers if recipe.over is Over.BODY else fields).get(recipe.place)
    if not isinstance(given, str):
        raise BadPushError(Refusal.SIGNATURE, recipe.place, "the signature is missing")
    expected = sign(recipe, secret, body, fields)
    # what is no text at all, as a header may be, is no signature either
    said = given.lower().encode(errors="backslashreplace")
    if not hmac.compare_digest(said, expected.encode()):
        raise BadPushError(Refusal.SIGNATURE, recipe.place, "the signature does not fit")


def sign(recipe: Signature, secret: bytes, body: bytes, fields: Mapping[str, Any]) -> str:
    """What the sender must have written."""
    said = body if recipe.over is Over.BODY else _sorted_fields(recipe, fields)
    if recipe.algorithm is Algorithm.HMAC_SHA256:
        return hmac.digest(secret, said, "sha256").hex()
    if recipe.over is Over.SORTED_FIELDS:
        said += f"&{recipe.secret_name}=".encode()
    return _HASHES[recipe.algorithm](said + secret).hexdigest()


def _sorted_fields(recipe: Signature, fields: Mapping[str, Any]) -> bytes:
    named = sorted((name, fields[name]) for name in fields if name != recipe.place)
    return b"&".join(name.encode() + b"=" + _as_signed(value) for name, value in named)


def _as_signed(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value, order="sorted")


def read_push(dialect: Dialect, fields: Mapping[str, Any], now_ms: int) -> Push:
    """The post's meaning at `now_ms`. Raises BadPushError."""
    sent_at_ms = _moment(dialect, fields, dialect.sent_at)
    if abs(now_ms - sent_at_ms) > SENT_WITHIN_MS:
        words = f"is more than {SENT_WITHIN_MS // 1_000} s from our clock; set yours by NTP"
        raise BadPushError(Refusal.TIME, dialect.sent_at, words)
    return Push(
        sent_at_ms,
        _text(fields, dialect.nonce),
        _read_counts(dialect, fields),
        _read_passages(dialect, fields, now_ms),
        _read_place(dialect, fields),
    )


def named_by(dialect: Dialect, refusal: BadPushError) -> BadPushError:
    """The refusal with the vendor's own name of its field."""
    counts = dialect.counts
    names: dict[str, str] = {
        Role.NONCE: dialect.nonce,
        Role.AREA: counts.area_id or counts.total,
        Role.TOTAL: counts.total,
    }
    if not isinstance(refusal.field, Role):
        return refusal
    return BadPushError(refusal.kind, names[refusal.field], refusal.words)


def hidden(push: Push, secret: bytes) -> Push:
    """The post with digests for its nonce and its records' numbers, under the sender's secret.

    A gate system that puts a plate into them has not put it onto our disk.
    """
    key = hashlib.blake2b(secret).digest()

    def digest(text: str) -> str:
        return hashlib.blake2b(text.encode(), key=key, digest_size=_DIGEST_BYTES).hexdigest()

    passages = tuple(
        msgspec.structs.replace(passage, number=digest(passage.number)) for passage in push.passages
    )
    return msgspec.structs.replace(push, nonce=digest(push.nonce), passages=passages)


def _read_counts(dialect: Dialect, fields: Mapping[str, Any]) -> tuple[AreaCount, ...]:
    names = dialect.counts
    if names.areas and names.areas in fields:
        listed = _objects(fields, names.areas, AREAS_MOST)
        areas = tuple(_count(dialect, area, _text(area, names.area_id)) for area in listed)
        if len({area.area_id for area in areas}) < len(areas):
            raise BadPushError(Refusal.COUNT, names.area_id, "stands twice in one post")
        return areas
    if names.total in fields or names.remaining in fields:
        return (_count(dialect, fields, "all"),)
    return ()


def _count(dialect: Dialect, fields: Mapping[str, Any], area_id: str) -> AreaCount:
    names = dialect.counts
    total, remaining = _spaces(fields, names.total), _spaces(fields, names.remaining)
    if remaining > total:
        words = f"{remaining} remaining of {total} in area {area_id!r} cannot be"
        raise BadPushError(Refusal.COUNT, names.remaining, words)
    return AreaCount(area_id, total, remaining)


def _read_passages(dialect: Dialect, fields: Mapping[str, Any], now_ms: int) -> tuple[Passage, ...]:
    names = dialect.records
    if names.records not in fields:
        return ()
    listed = _objects(fields, names.records, RECORDS_MOST)
    return tuple(_passage(dialect, record, now_ms) for record in listed)


def _passage(dialect: Dialect, record: Mapping[str, Any], now_ms: int) -> Passage:
    names = dialect.records
    at_ms = _moment(dialect, record, names.at)
    if not now_ms - RECORD_WITHIN_MS <= at_ms <= now_ms + SENT_WITHIN_MS:
        words = "lies in the future or more than 7 days back"
        raise BadPushError(Refusal.TIME, names.at, words)
    said = str(record.get(names.direction))
    directions = {names.entry: Direction.ENTRY, names.exit: Direction.EXIT}
    if said not in directions:
        words = f"must be {names.entry!r} or {names.exit!r}"
        raise BadPushError(Refusal.MALFORMED, names.direction, words)
    return Passage(_text(record, names.number), directions[said], at_ms, _read_fee(dialect, record))


def _read_fee(dialect: Dialect, record: Mapping[str, Any]) -> int | None:
    """In fen; what is no whole number of fen is refused, not rounded."""
    name = dialect.records.fee
    if dialect.money is None or record.get(name) is None:
        return None
    told, fen = record[name], Decimal(-1)
    if isinstance(told, int | float | str) and not isinstance(told, bool):
        try:
            fen = Decimal(str(told)) * (100 if dialect.money is Money.YUAN else 1)
        except ArithmeticError:  # no number, or one beyond all numbers
            fen = Decimal(-1)
    if not fen.is_finite() or not 0 <= fen <= FEE_FEN_MOST or fen != int(fen):
        words = f"must be an amount in {dialect.money}, a whole number of fen"
        raise BadPushError(Refusal.MALFORMED, name, words)
    return int(fen)


def _read_place(dialect: Dialect, fields: Mapping[str, Any]) -> Point | None:
    """Where the car park is by its own word; None where it says nothing of it."""
    names = dialect.place
    if names is None or (names.latitude not in fields and names.longitude not in fields):
        return None
    latitude = _degrees(fields, names.latitude, 90)
    return to_wgs84(names.datum, latitude, _degrees(fields, names.longitude, 180))


def _degrees(fields: Mapping[str, Any], name: str, most: float) -> float:
    try:
        degrees = float(fields.get(name, ""))
    except (TypeError, ValueError):
        degrees = math.nan
    if not abs(degrees) <= most:  # NaN is not, either
        raise BadPushError(Refusal.MALFORMED, name, f"must be degrees from -{most} to {most}")
    return degrees


def _objects(fields: Mapping[str, Any], name: str, most: int) -> list[dict[str, Any]]:
    value = fields[name]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadPushError(Refusal.MALFORMED, name, "must be a list of objects")
    if len(value) > most:
        raise BadPushError(Refusal.MALFORMED, name, f"has more than {most} in one post")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    is_text = isinstance(value, int | str) and not isinstance(value, bool)
    text = str(value) if is_text else ""
    if not 0 < len(text) <= NUMBER_LONGEST or not text.isprintable():
        words = f"must be a text of 1 to {NUMBER_LONGEST} printable characters"
        raise BadPushError(Refusal.MALFORMED, name, words)
    return text


def _spaces(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= SPACES_MOST:
        words = f"must be a whole number from 0 to {SPACES_MOST}"
        raise BadPushError(Refusal.COUNT, name, words)
    return value


def _moment(dialect: Dialect, fields: Mapping[str, Any], name: str) -> int:
    try:
        return moment_ms(dialect.time, fields.get(name))
    except ValueError:
        words = f"must be a moment written as {dialect.time}"
        raise BadPushError(Refusal.MALFORMED, name, words) from None
