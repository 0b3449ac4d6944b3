"""What other people's tariff shapes share: results with losses, and what none of them can say."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from occupancy.tariff import (
    LONGEST_STAY_MINUTES,
    Crossing,
    Edge,
    FreeMode,
    Rate,
    Restart,
    Rounding,
    Seconds,
    Tariff,
)

_FEN = 100
_HOUR = 60
_CLOCK = re.compile(r"(\d{1,3}):(\d{2})(?::00)?")
_PERIOD = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?")


class UnreadableTariffError(Exception):
    """The document says something that our tariffs must not say, or says it unclearly."""


class Imported(msgspec.Struct, frozen=True):
    """A tariff made from someone else's shape, and everything that was not taken over."""

    tariff: Tariff
    losses: tuple[str, ...]


class Exported(msgspec.Struct, frozen=True):
    """Someone else's shape made from our tariff, and everything that it cannot say."""

    document: Any
    losses: tuple[str, ...]


def required(table: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 -- someone else's JSON
    try:
        return table[key]
    except KeyError:
        raise UnreadableTariffError(f"{key} is missing") from None


def table_of(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableTariffError(f"{name} is not an object")
    return value


def tables_of(value: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise UnreadableTariffError(f"{name} is not a list")
    return [table_of(one, f"{name}[{number}]") for number, one in enumerate(value)]


def whole(value: object) -> int:
    """A whole number, also as digits."""
    try:
        return int(str(value))
    except ValueError:
        raise UnreadableTariffError(f"{value!r} is not a whole number") from None


def fen_of(value: object) -> int:
    """Yuan as the other shapes write them, a number or its digits, to whole fen."""
    try:
        fen = Decimal(str(value)) * _FEN
    except InvalidOperation:
        raise UnreadableTariffError(f"{value!r} is no amount of money") from None
    if not fen.is_finite() or fen != int(fen):
        raise UnreadableTariffError(f"{value!r} is not a whole number of fen")
    return int(fen)


def yuan_of(fen: int) -> float:
    return fen / _FEN


def minutes_of(value: object) -> int:
    """02:30, PT2H30M or plain minutes."""
    if isinstance(value, int):
        return value
    if found := _CLOCK.fullmatch(str(value)):
        return int(found[1]) * _HOUR + int(found[2])
    if (found := _PERIOD.fullmatch(str(value))) and (found[1] or found[2]):
        return int(found[1] or 0) * _HOUR + int(found[2] or 0)
    raise UnreadableTariffError(f"{value!r} is no duration")


def unknown_keys(table: Mapping[str, Any], known: frozenset[str], where: str) -> Iterator[str]:
    for key in sorted(set(table) - known):
        yield f"{where}.{key} was not taken over"


def unsaid(tariff: Tariff, rate: Rate) -> Iterator[str]:
    """Rules that neither shape has a place for."""
    free = rate.free
    if free.minutes and free.mode is FreeMode.THRESHOLD:
        yield "free.mode: that a longer stay is charged in full"
    if tariff.edge is not Edge.SPLIT and len(rate.bands) > 1:
        yield f"edge: {tariff.edge}"
    if tariff.rounding is not Rounding.UP or tariff.grace_minutes:
        yield "rounding and grace_minutes"
    if tariff.restart is not Restart.RUN:
        yield f"restart: {tariff.restart}"
    if tariff.seconds is not Seconds.FULL:
        yield "seconds"
    if tariff.crossing is not Crossing.BY_ENTRY:
        yield "crossing"
    for name in ("repeat", "new_energy", "exemptions", "waivers", "mechanical"):
        if getattr(tariff, name):
            yield name
    if any(band.cap_fen is not None for band in rate.bands):
        yield "bands: caps of a single band"


def says_max_stay(tariff: Tariff) -> bool:
    return tariff.max_stay_minutes < LONGEST_STAY_MINUTES
