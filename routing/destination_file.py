"""Destinations as TOML: those that ship, and those an operator brings."""

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from routing.destination import BadDestinationError, Destination, check

SHIPPED = "destinations.toml"


def load_shipped() -> tuple[Destination, ...]:
    """The destinations of the first start."""
    return parse((files("routing") / SHIPPED).read_text(encoding="utf-8"), SHIPPED)


def parse(text: str, file: str) -> tuple[Destination, ...]:
    """Raise BadDestinationError with the file, the destination and what is wrong."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise BadDestinationError(f"{file}: {reason}") from None
    defaults = told.get("defaults", {})
    entries = told.get("destination", [])
    found = tuple(_read({**defaults, **entry}, file, place) for place, entry in enumerate(entries))
    try:
        check(found)
    except BadDestinationError as reason:
        raise BadDestinationError(f"{file}: {reason}") from None
    return found


def _read(entry: dict[str, Any], file: str, place: int) -> Destination:
    which = entry.get("destination_id", f"number {place + 1}")
    unknown = sorted(set(entry) - set(Destination.__struct_fields__))
    if unknown:
        known = ", ".join(Destination.__struct_fields__)
        raise BadDestinationError(
            f"{file}: destination {which}: there is no field {unknown[0]!r}; there are {known}"
        )
    try:
        return msgspec.convert(entry, Destination)
    except msgspec.ValidationError as reason:
        raise BadDestinationError(f"{file}: destination {which}: {reason}") from None
