"""Maps of wireless bay sensors: what a vendor's MQTT topics and messages mean, a file a vendor."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.moment import TimeForm

_FOLDER = Path(__file__).parent / "bay_maps"
_LIMITS = {
    "battery_percent_low": (0, 100),
    "radio_dbm_weak": (-200, 0),
    "silent_minutes": (0.1, 10_080),  # a week
}
_LOT, _SENSOR = "{lot}", "{sensor}"


class BayFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the fields of a JSON message; an empty name: it does not say."""

    taken: str
    at: str = ""
    sequence: str = ""
    battery_percent: str = ""
    radio_dbm: str = ""


class BayLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on a sensor's battery or radio is worth a note, and its silence a loss."""

    battery_percent_low: float
    radio_dbm_weak: float
    silent_minutes: float


class BayMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor's way. Without `fields` a message is one bare word."""

    topic: str
    status_topic: str
    online: str
    offline: str
    time: TimeForm
    taken: tuple[bool | int | str, ...]
    empty: tuple[bool | int | str, ...]
    limits: BayLimits
    fields: BayFields | None = None

    def subscription(self, lot_name: str) -> str:
        """The topics of all sensors of a car park."""
        return self.topic.replace(_LOT, lot_name).replace(_SENSOR, "+")

    def status_of(self, lot_name: str) -> str:
        return self.status_topic.replace(_LOT, lot_name)

    def sensor_of(self, lot_name: str, topic: str) -> str | None:
        """The sensor a topic belongs to; None for a topic that is none of this car park's."""
        before, after = self.topic.replace(_LOT, lot_name).split(_SENSOR)
        sensor = topic[len(before) : len(topic) - len(after)]
        is_ours = topic == f"{before}{sensor}{after}" and sensor and "/" not in sensor
        return sensor if is_ours else None


class BadBayMapError(Exception):
    """A map cannot be used; the message names file and field."""


def load_bay_map(name: str) -> BayMap:
    """A map that ships. Raises BadBayMapError."""
    if name not in list_bay_maps():
        known = ", ".join(list_bay_maps())
        raise BadBayMapError(f"there is no bay map {name!r}; known are {known}")
    path = _FOLDER / f"{name}.toml"
    return parse_bay_map(path.read_text(encoding="utf-8"), path.name)


def list_bay_maps() -> list[str]:
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def parse_bay_map(content: str, file_name: str) -> BayMap:
    """Raises BadBayMapError."""
    try:
        made = msgspec.convert(tomllib.loads(content), BayMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise BadBayMapError(f"{file_name}: {reason}") from None
    for field, topic, parts in (
        ("topic", made.topic, (_LOT, _SENSOR)),
        ("status_topic", made.status_topic, (_LOT,)),
    ):
        said = re.findall(r"{\w*}", topic)
        if sorted(said) != sorted(parts) or "+" in topic or "#" in topic:
            raise BadBayMapError(
                f"{file_name}: {field}: needs {' and '.join(parts)} once, and no wildcards"
            )
    if made.fields is None and made.time is not TimeForm.NONE:
        raise BadBayMapError(f"{file_name}: time: a bare word tells no time; write none")
    if made.fields is not None and bool(made.fields.at) == (made.time is TimeForm.NONE):
        raise BadBayMapError(f"{file_name}: fields.at: goes with a time that is not none")
    for trouble in (*_troubles_of_words(made), *_troubles_of_limits(made.limits)):
        raise BadBayMapError(f"{file_name}: {trouble}")
    return made


def _troubles_of_words(made: BayMap) -> Iterator[str]:
    """Words that are missing, or that mean two things."""
    for field, words in (("taken", made.taken), ("empty", made.empty)):
        if not words:
            yield f"{field}: needs at least one value, or no bay is ever {field}"
    if set(map(_exact, made.taken)) & set(map(_exact, made.empty)):
        yield "taken: a value stands in empty as well"
    if made.offline == made.online:
        yield f"offline: is {made.offline!r} as online is; one word each"
    names = [name for name in msgspec.structs.astuple(made.fields) if name] if made.fields else []
    if made.fields and not made.fields.taken:
        yield "fields.taken: is empty; name the field that tells whether a car is there"
    if twice := [name for name in names if names.count(name) > 1]:
        yield f"fields: {twice[0]!r} is named twice; each has a name of its own"


def _troubles_of_limits(limits: BayLimits) -> Iterator[str]:
    for field, (least, most) in _LIMITS.items():
        if not least <= getattr(limits, field) <= most:  # nan is neither
            yield f"limits.{field}: must lie between {least} and {most}"


def _exact(value: bool | int | str) -> tuple[str, bool | int | str]:  # noqa: FBT001 -- of a file
    """In Python True is 1; on the wire they are two."""
    return type(value).__name__, value


def means(values: tuple[bool | int | str, ...], said: object) -> bool:
    """Whether what was said is one of these values, of the same kind."""
    for value in values:  # noqa: SIM110 -- at each message: any() takes four times as long
        if value == said and type(value) is type(said):
            return True
    return False
