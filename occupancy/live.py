"""Fold an observation into what we believe of a car park, with its basis and its doubt."""

from enum import StrEnum

import msgspec

from gateway.observation import Basis, DeviceHealth, GroupState, SignReading


class Quality(StrEnum):
    """How far a number may be trusted; it travels with the number to the citizen."""

    COUNTED = "counted"
    CORRECTED = "corrected"  # counted, since an operator's correction
    ESTIMATED = "estimated"  # part of it is worked out, not seen
    STALE = "stale"  # the source went silent: show a dash
    SUSPECT = "suspect"  # cannot be, e.g. more free than there are spaces


class Status(StrEnum):
    """The one word a driver needs."""

    OPEN = "open"
    ALMOST_FULL = "almost_full"
    FULL = "full"
    CLOSED = "closed"
    NO_DATA = "no_data"


class Trend(StrEnum):
    """Where the free spaces are going."""

    FILLING = "filling"
    STEADY = "steady"
    EMPTYING = "emptying"
    UNKNOWN = "unknown"


class LiveGroup(msgspec.Struct, frozen=True):
    """One machine group now; None where nothing is known."""

    group_id: str
    state: GroupState
    capacity: int
    occupied: int | None
    free: int | None
    storing_queue: int | None
    fetching_queue: int | None
    cycle_seconds: float | None


class LiveLevel(msgspec.Struct, frozen=True):
    """One level over all groups, ground level is 1; None where nothing is known."""

    level: int
    capacity: int
    occupied: int | None
    out_of_service: int
    free: int | None


class LiveOccupancy(msgspec.Struct, frozen=True):
    """What we believe of one car park.

    capacity = usable + out_of_service; usable = occupied + free. A jammed group is out of
    service with all its bays; cars locked in it count in `locked_in`, not in `occupied`.
    Times are UTC milliseconds of the recorder's clock: `observed_at_ms` is the device's read
    time with the gateway's clock offset taken out, `received_at_ms` when it reached us.
    """

    lot_id: str
    epoch: int
    sequence: int
    capacity: int
    usable: int
    occupied: int | None
    free: int | None
    out_of_service: int
    locked_in: int
    trend: Trend
    quality: Quality
    basis: Basis
    status: Status
    observed_at_ms: int
    received_at_ms: int
    clock_offset_ms: int
    entries_total: int
    exits_total: int
    levels: tuple[LiveLevel, ...]
    groups: tuple[LiveGroup, ...]
    signs: tuple[SignReading, ...]
    devices: tuple[DeviceHealth, ...]
    doubts: tuple[str, ...] = ()

    @property
    def position(self) -> tuple[int, int]:
        """Its place in the order of one car park."""
        return (self.epoch, self.sequence)
