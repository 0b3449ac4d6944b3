"""Dialects of gate systems that push: what a vendor calls things, read from one file a dialect."""

import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from gateway.datum import Datum
from gateway.moment import TimeForm

_FOLDER = Path(__file__).parent / "dialects"


class Algorithm(StrEnum):
    """What makes the signature; always in lower-case hexadecimal when compared."""

    HMAC_SHA256 = "hmac-sha256"
    SHA256 = "sha256"
    MD5 = "md5"


class Over(StrEnum):
    """What is signed."""

    BODY = "body"  # the bytes as they came; the signature stands in a header
    SORTED_FIELDS = "sorted_fields"  # a=1&b=2&key=SECRET; inner values as compact JSON


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vendor's recipe. `place` names the header (body) or the field (sorted_fields)."""

    algorithm: Algorithm
    over: Over
    place: str
    secret_name: str = "key"  # noqa: S105  # the name of a field


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the fields of a count; `areas` lists the same fields for each area."""

    total: str
    remaining: str
    areas: str = ""
    area_id: str = ""


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the fields of entry and exit records."""

    records: str
    number: str
    direction: str
    entry: str
    exit: str
    at: str
    fee: str = ""  # of an exit, in the dialect's `money`


class Money(StrEnum):
    """What a fee is counted in; never guessed from its size."""

    YUAN = "yuan"  # "12.5"
    FEN = "fen"


class PlaceFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the fields of the car park's own place, and what they are counted in."""

    latitude: str
    longitude: str
    datum: Datum


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor's way to say it. What is not named here is never looked at: plates, photos."""

    park_code: str
    sent_at: str
    nonce: str
    time: TimeForm
    signature: Signature
    counts: Counts
    records: Records
    money: Money | None = None
    place: PlaceFields | None = None


class BadDialectError(Exception):
    """A dialect cannot be used; the message names file and field."""


def load_dialect(name: str) -> Dialect:
    """A dialect that ships. Raises BadDialectError."""
    path = _FOLDER / f"{name}.toml"
    if name not in list_dialects():
        known = ", ".join(list_dialects())
        raise BadDialectError(f"there is no dialect {name!r}; known are {known}")
    return parse_dialect(path.read_text(encoding="utf-8"), path.name)


def list_dialects() -> list[str]:
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def parse_dialect(content: str, file_name: str) -> Dialect:
    """Raises BadDialectError."""
    try:
        dialect = msgspec.convert(tomllib.loads(content), Dialect)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise BadDialectError(f"{file_name}: {reason}") from None
    if dialect.time is TimeForm.NONE:
        raise BadDialectError(f"{file_name}: time: a post must say when it was sent")
    if dialect.records.fee and dialect.money is None:
        words = 'records.fee needs money = "yuan" or "fen": it is not guessed'
        raise BadDialectError(f"{file_name}: money: {words}")
    for trouble in _troubles(dialect):
        raise BadDialectError(f"{file_name}: {trouble}")
    return dialect


def _troubles(dialect: Dialect) -> Iterator[str]:
    """Names that are missing, and names that make two things one."""
    names = _names(dialect)
    for field, name in names.items():
        if not name and field not in _MAY_BE_EMPTY:
            yield f"{field}: is empty; write the vendor's name for it"
    if bool(dialect.counts.areas) != bool(dialect.counts.area_id):
        missing = "area_id" if dialect.counts.areas else "areas"
        yield f"counts.{missing}: areas and area_id go together; name both, or neither"
    for together in _TOLD_APART:
        told = {field: names[field] for field in together if names.get(field)}
        for field, name in told.items():
            first = next(one for one in told if told[one] == name)
            if first != field:
                yield f"{field}: is {name!r} as {first} is; each has a name of its own"


def _names(dialect: Dialect) -> dict[str, str]:
    """Every name that the file gives, by table and field."""
    names: dict[str, str] = {}
    for field, value in msgspec.to_builtins(dialect).items():
        if isinstance(value, dict):
            names |= {f"{field}.{inner}": name for inner, name in value.items()}
        elif value is not None:
            names[field] = value
    return names


_MAY_BE_EMPTY = ("counts.areas", "counts.area_id", "records.fee")
# Fields of one JSON object, and the two words for a direction. A nonce may be any field that
# differs from post to post, the signature among them.
_TOLD_APART = (
    (
        "park_code",
        "sent_at",
        "counts.total",
        "counts.remaining",
        "counts.areas",
        "records.records",
        "place.latitude",
        "place.longitude",
    ),
    ("counts.total", "counts.remaining", "counts.area_id"),
    ("records.number", "records.direction", "records.at", "records.fee"),
    ("records.entry", "records.exit"),
)
