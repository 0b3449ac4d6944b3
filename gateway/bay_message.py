"""One message of a wireless bay sensor to plain values; what cannot be is refused by its field."""

import math
from enum import StrEnum
from typing import Any

import msgspec

from gateway.bay_map import BayFields, BayMap, means
from gateway.moment import TimeForm, moment_ms

AHEAD_MS = 300_000
MESSAGE_BYTES = 4_096
_DECODER = msgspec.json.Decoder(dict[str, Any])


class BayRefusal(StrEnum):
    """Why a message was not taken; the label in the metrics."""

    MALFORMED = "malformed"
    TIME = "time"
    UNKNOWN_SENSOR = "unknown_sensor"
    TOPIC = "topic"


class BadBayMessageError(Exception):
    """A message is refused. `field` is the vendor's name for it; no value is repeated."""

    def __init__(self, kind: BayRefusal, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.kind = kind
        self.field = field
        self.words = words


class BayNews(msgspec.Struct, frozen=True):
    """What one sensor said. `at_ms` is the sensor's time, UTC; None where it tells none."""

    sensor_id: str
    is_taken: bool
    at_ms: int | None
    sequence: int | None = None
    battery_percent: float | None = None
    radio_dbm: float | None = None


def read_bay(bay_map: BayMap, sensor_id: str, payload: bytes, now_ms: int) -> BayNews:
    """Raises BadBayMessageError."""
    if len(payload) > MESSAGE_BYTES:
        words = f"is longer than {MESSAGE_BYTES} bytes"
        raise BadBayMessageError(BayRefusal.MALFORMED, "message", words)
    if bay_map.fields is None:
        return BayNews(sensor_id, _taken(bay_map, "message", _word(payload)), None)
    said = _object(payload)
    names = bay_map.fields
    return BayNews(
        sensor_id,
        _taken(bay_map, names.taken, said.get(names.taken)),
        _moment(bay_map, names, said, now_ms),
        _sequence(names, said),
        _number(said, names.battery_percent),
        _number(said, names.radio_dbm),
    )


def _word(payload: bytes) -> str:
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        raise BadBayMessageError(BayRefusal.MALFORMED, "message", "is no text") from None


def _object(payload: bytes) -> dict[str, Any]:
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        words = "must be one JSON object"
        raise BadBayMessageError(BayRefusal.MALFORMED, "message", words) from None


def _taken(bay_map: BayMap, field: str, said: object) -> bool:
    if means(bay_map.taken, said):
        return True
    if means(bay_map.empty, said):
        return False
    words = f"must be one of {', '.join(map(str, (*bay_map.taken, *bay_map.empty)))}"
    raise BadBayMessageError(BayRefusal.MALFORMED, field, words)


def _moment(bay_map: BayMap, names: BayFields, said: dict[str, Any], now_ms: int) -> int | None:
    if bay_map.time is TimeForm.NONE:
        return None
    try:
        at_ms = moment_ms(bay_map.time, said.get(names.at))
    except ValueError:
        words = f"must be a moment written as {bay_map.time}"
        raise BadBayMessageError(BayRefusal.MALFORMED, names.at, words) from None
    if at_ms > now_ms + AHEAD_MS:
        raise BadBayMessageError(BayRefusal.TIME, names.at, "lies in the future; set its clock")
    return at_ms


def _sequence(names: BayFields, said: dict[str, Any]) -> int | None:
    value = said.get(names.sequence) if names.sequence else None
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise BadBayMessageError(BayRefusal.MALFORMED, names.sequence, "must be a whole number")


def _number(said: dict[str, Any], name: str) -> float | None:
    value = said.get(name) if name else None
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise BadBayMessageError(BayRefusal.MALFORMED, name, "must be a number")
    return float(value)
