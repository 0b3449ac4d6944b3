"""What a gateway says about one car park at one moment: whole, self-contained, repeatable.

An observation is a state, never a difference: running totals and present states, named by
(lot, epoch, sequence). Reading one twice, or skipping to a newer one, changes nothing.
"""

from enum import StrEnum

import msgspec

# Doubts by which alarms are told; the others are for people to read.
HEARTBEAT_DOUBT = "its heartbeat stands still: its program has stopped"
LOOP_DOUBT = "its loop or cable is broken"
NEARLY_FULL_DOUBT = "the outbox is nearly full: nobody records"


class Basis(StrEnum):
    """How a number came about (APDS occupancyCalculation)."""

    COUNTED = "counted"  # read from devices that see the cars
    DERIVED = "derived"  # worked out from other numbers, e.g. entries minus exits
    EXPECTED = "expected"  # from a forecast
    VERIFIED = "verified"  # a person went and looked


class Direction(StrEnum):
    """Which way a lane leads."""

    ENTRY = "entry"
    EXIT = "exit"


class GroupState(StrEnum):
    """What a machine group is doing."""

    WORKING = "working"
    JAMMED = "jammed"
    MAINTENANCE = "maintenance"
    SILENT = "silent"  # its controller does not answer: nothing is known


class DeviceState(StrEnum):
    """How a field device answers."""

    ONLINE = "online"
    LATE = "late"  # missed polls, not yet given up
    LOST = "lost"
    SUSPECT = "suspect"  # answers, but with what cannot be


class FaceState(StrEnum):
    """Whether a sign shows what it should."""

    AS_DESIRED = "as_desired"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # cannot be read back


class LaneReading(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One loop counter's running total since this outbox was born; it never falls."""

    device_id: str
    direction: Direction
    cars_total: int
    read_at_ms: int
    doubts: tuple[str, ...] = ()


class GroupReading(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One machine group. Levels run from the ground up; None where nothing is known.

    `occupied_by_level` counts every car on a pallet, also in a group that is jammed.
    """

    device_id: str
    group_id: str
    state: GroupState
    bays_by_level: tuple[int, ...]
    occupied_by_level: tuple[int, ...] | None
    storing_queue: int | None
    fetching_queue: int | None
    cycle_seconds: float | None
    read_at_ms: int
    doubts: tuple[str, ...] = ()


class SignReading(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a guidance sign should show and what it says it shows, one text a line."""

    device_id: str
    desired: tuple[str, ...]
    reported: tuple[str, ...] | None
    state: FaceState
    read_at_ms: int


class DeviceHealth(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One field device as the gateway sees it."""

    device_id: str
    state: DeviceState
    last_answer_at_ms: int | None
    note: str = ""


class Observation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One car park at one moment. New fields go to the end, with a default.

    `entries_total` and `exits_total` are running totals over all lanes of this epoch.
    `cars_inside` is what the counters say: the last verified count plus entries minus exits;
    `cars_on_pallets` is what the machines say; None where it is not known.
    `drift_cars` is what the counters last said too much against the machines; None if unknown.
    `correction_number` is the operator's count that was taken last, 0 for none; `unseen_cars` are
    the cars that count found beyond what the machines say (negative: they say too many).
    `observed_at_ms` is the gateway's wall clock, UTC milliseconds, and may be wrong: order is by
    (epoch, sequence) only. `previous_sequence` is the row before it in the outbox (sequence - 1
    unless snapshots in between were thinned), so that a gap can be told from thinning.
    """

    lot_id: str
    epoch: int
    sequence: int
    previous_sequence: int
    observed_at_ms: int
    entries_total: int
    exits_total: int
    cars_inside: int | None
    cars_on_pallets: int | None
    basis: Basis
    lanes: tuple[LaneReading, ...]
    groups: tuple[GroupReading, ...]
    signs: tuple[SignReading, ...]
    devices: tuple[DeviceHealth, ...]
    doubts: tuple[str, ...] = ()
    drift_cars: int | None = None
    correction_number: int = 0
    unseen_cars: int = 0

    @property
    def position(self) -> tuple[int, int]:
        """Its place in the order of one car park."""
        return (self.epoch, self.sequence)


_batch_encoder = msgspec.msgpack.Encoder()
_batch_decoder = msgspec.msgpack.Decoder(tuple[Observation, ...])


def encode_batch(observations: tuple[Observation, ...]) -> bytes:
    return _batch_encoder.encode(observations)


def decode_batch(payload: bytes) -> tuple[Observation, ...]:
    """Raise msgspec.DecodeError or msgspec.ValidationError for what is not a batch."""
    return _batch_decoder.decode(payload)
