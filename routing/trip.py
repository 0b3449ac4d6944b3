"""A guided trip: shown, chosen, arrived or expired. It knows no name, no plate and no place."""

from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """How far a guided trip has come."""

    SHOWN = "shown"
    CHOSEN = "chosen"  # the driver opened a link, or said so
    ARRIVED = "arrived"  # an entry explained it
    REPLACED = "replaced"  # he asked again and was shown another trip
    EXPIRED = "expired"  # his time passed and no entry explained it


_OPEN = (Stage.SHOWN, Stage.CHOSEN)


class Trip(msgspec.Struct, frozen=True):
    """One recommendation as it was shown and what became of it. Times are UTC milliseconds.

    `chance` is what was said of a space at arrival, `promised` the share that is held, `regret`
    the generalised minutes the driver was asked to lose for others.
    """

    trip_id: str
    lot_id: str
    shown_lots: tuple[str, ...]
    shown_at_ms: int
    arrives_ms: int
    from_minute: int
    until_minute: int
    expires_ms: int
    chance: float
    promised: float
    regret_minutes: float
    limits: dict[str, float]
    stage: Stage = Stage.SHOWN
    changed_at_ms: int = 0


def choose(trip: Trip, lot_id: str, now_ms: int) -> Trip:
    """The driver opened the link to `lot_id`, the first or another one that was shown."""
    if trip.stage not in _OPEN:
        return trip
    if trip.stage is Stage.CHOSEN and trip.lot_id == lot_id:
        return trip
    return msgspec.structs.replace(trip, lot_id=lot_id, stage=Stage.CHOSEN, changed_at_ms=now_ms)


def arrive(trip: Trip, now_ms: int) -> Trip:
    """An entry at his car park explained him."""
    if trip.stage is Stage.ARRIVED:
        return trip
    return msgspec.structs.replace(trip, stage=Stage.ARRIVED, changed_at_ms=now_ms)


def give_way(trip: Trip, now_ms: int) -> Trip:
    """The driver asked again: this trip is another one's now."""
    if trip.stage not in _OPEN:
        return trip
    return msgspec.structs.replace(trip, stage=Stage.REPLACED, changed_at_ms=now_ms)


def as_seen_at(trip: Trip, now_ms: int) -> Trip:
    """The trip as it stands: one whose time is over and that nothing explained has expired."""
    if trip.stage not in _OPEN or now_ms < trip.expires_ms:
        return trip
    return msgspec.structs.replace(trip, stage=Stage.EXPIRED, changed_at_ms=trip.expires_ms)


def is_open(trip: Trip, now_ms: int) -> bool:
    """Whether the driver may still be on his way."""
    return as_seen_at(trip, now_ms).stage in _OPEN
