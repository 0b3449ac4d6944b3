"""A guided trip: shown, chosen, arrived or expired. It knows no name, no plate and no place."""

from enum import StrEnum

import msgspec

from occupancy.effect.experiment import Arm


class Stage(StrEnum):
    """How far a guided trip has come."""

    SHOWN = "shown"
    CHOSEN = "chosen"  # the driver opened a link, or said so
    ARRIVED = "arrived"  # an entry explained it
    REPLACED = "replaced"  # he asked again and was shown another trip
    EXPIRED = "expired"  # his time passed and no entry explained it


_MINUTE_MS = 60_000
_OPEN = (Stage.SHOWN, Stage.CHOSEN)


class ShownLot(msgspec.Struct, frozen=True):
    """A car park as it was shown: the chance that was said, and the most that may be promised."""

    chance: float
    arrives_ms: int
    limit: float


class Trip(msgspec.Struct, frozen=True):
    """One recommendation as it was shown and what became of it. Times are UTC milliseconds.

    `chance` and `arrives_ms` are those of `lot_id`, `promised` the share that is held there,
    `regret_minutes` what the driver was asked to lose for others. `arm` is how he is treated in
    the `experiment` of this number; 0 is none.
    """

    trip_id: str
    lot_id: str
    shown: dict[str, ShownLot]
    shown_at_ms: int
    arrives_ms: int
    from_minute: int
    until_minute: int
    expires_ms: int
    chance: float
    promised: float
    regret_minutes: float
    stage: Stage = Stage.SHOWN
    changed_at_ms: int = 0
    experiment: int = 0
    arm: Arm | None = None

    @property
    def is_plain(self) -> bool:
        """Shown without guidance: nothing is promised and nobody is warned."""
        return self.arm in (Arm.PLAIN, Arm.HELD_OUT)


def choose(trip: Trip, lot_id: str, now_ms: int) -> Trip:
    """The driver opened the link to `lot_id`, the first or another one that he was shown."""
    if trip.stage not in _OPEN or lot_id not in trip.shown:
        return trip
    if trip.stage is Stage.CHOSEN and trip.lot_id == lot_id:
        return trip
    lot = trip.shown[lot_id]
    later_ms = lot.arrives_ms - trip.arrives_ms
    later_minutes = round(later_ms / _MINUTE_MS)
    return msgspec.structs.replace(
        trip,
        lot_id=lot_id,
        chance=lot.chance,
        arrives_ms=lot.arrives_ms,
        from_minute=trip.from_minute + later_minutes,
        until_minute=trip.until_minute + later_minutes,
        expires_ms=trip.expires_ms + later_minutes * _MINUTE_MS,
        stage=Stage.CHOSEN,
        changed_at_ms=now_ms,
    )


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
