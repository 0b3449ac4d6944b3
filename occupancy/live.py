"""Fold an observation into what we believe of a car park, with its basis and its doubt."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

import msgspec

from gateway.observation import (
    Basis,
    DeviceHealth,
    GroupReading,
    GroupState,
    Observation,
    SignReading,
)
from gateway.reconcile import Balance, balance_of, cars_seen
from occupancy.lot import Lot, OpeningState
from occupancy.restriction import (
    Closing,
    Restriction,
    closing_at,
    closings_of,
    free_in,
    restrict,
    shut_cells,
)

STALE_AFTER_MS = 90_000
TREND_WINDOW_MS = 600_000
TREND_SPACES = 3
CLOCK_TOLERANCE_MS = 5_000


class Sample(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Free spaces at one moment, kept for the trend."""

    at_ms: int
    free: int


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


class LiveGroup(msgspec.Struct, frozen=True, gc=False):
    """One machine group now; None where nothing is known. By level is from the ground up."""

    group_id: str
    state: GroupState
    capacity: int
    occupied: int | None
    free: int | None
    storing_queue: int | None
    fetching_queue: int | None
    cycle_seconds: float | None
    bays_by_level: tuple[int, ...] = ()
    occupied_by_level: tuple[int, ...] | None = None


class LiveLevel(msgspec.Struct, frozen=True, gc=False):
    """One level over all groups, ground level is 1; None where nothing is known."""

    level: int
    capacity: int
    occupied: int | None
    out_of_service: int
    free: int | None


class LiveOccupancy(msgspec.Struct, frozen=True, gc=False):
    """What we believe of one car park.

    capacity = usable + out_of_service; usable = occupied + free. A jammed group is out of
    service with all its bays; cars locked in it count in `locked_in`, not in `occupied`.
    `cars_inside` is what the counters say, `cars_seen` what the machines say, `drift_cars` their
    difference when it was last measured; `unseen_cars` is an operator's correction in force.
    `closings` are the times of this day at which nobody is let in; `held_back` are the free spaces
    that operators have closed or reserved: they are out of service.
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
    samples: tuple[Sample, ...] = ()
    cars_inside: int | None = None
    cars_seen: int | None = None
    drift_cars: int | None = None
    correction_number: int = 0
    unseen_cars: int = 0
    closings: tuple[Closing, ...] = ()
    held_back: int = 0

    @property
    def position(self) -> tuple[int, int]:
        """Its place in the order of one car park."""
        return (self.epoch, self.sequence)


class Received(msgspec.Struct, frozen=True, gc=False):
    """An observation as it came in: the gateway's clock at its making, ours at receiving.

    `server_made_at_ms` is our clock at its making as the gateway knew it from Redis; a gateway of
    an older version says nothing of it, and then the way counts as a clock that is wrong.
    """

    observation: Observation
    made_at_ms: int
    received_at_ms: int
    server_made_at_ms: int | None = None

    @property
    def offset_ms(self) -> int:
        """How far the gateway's clock is behind ours; 0 within what a network may take."""
        offset = self._made_by_our_clock_ms - self.made_at_ms
        return offset if abs(offset) > CLOCK_TOLERANCE_MS else 0

    @property
    def observed_at_ms(self) -> int:
        """By our clock, and never after it was made.

        What was observed before its gateway's clock was set back would look fresh for too long.
        """
        return min(self.observation.observed_at_ms + self.offset_ms, self._made_by_our_clock_ms)

    @property
    def _made_by_our_clock_ms(self) -> int:
        """A server whose clock goes before ours says nothing from the future."""
        if self.server_made_at_ms is None:
            return self.received_at_ms
        return min(self.server_made_at_ms, self.received_at_ms)


def fold(
    previous: LiveOccupancy | None,
    lot: Lot,
    received: Received,
    restrictions: Sequence[Restriction] = (),
) -> LiveOccupancy:
    """What we believe after `received`; an observation that is not newer changes nothing.

    `restrictions` are what operators have closed or reserved in this car park.
    """
    news, now_ms = received.observation, received.received_at_ms
    if previous is not None and news.position <= previous.position:
        return previous
    counted = balance_of(news)
    spaces = restrict(counted, restrictions, news.groups, now_ms)
    shut = shut_cells(restrictions, news.groups, now_ms)
    closings = closings_of(restrictions, now_ms)
    observed_at_ms = received.observed_at_ms
    doubts = tuple(dict.fromkeys((*news.doubts, *_doubts(lot, spaces, received))))
    quality = _quality(spaces, lot, news.unseen_cars)
    samples = _samples(previous, observed_at_ms, spaces.free)
    return LiveOccupancy(
        lot_id=lot.lot_id,
        epoch=news.epoch,
        sequence=news.sequence,
        capacity=spaces.capacity,
        usable=spaces.usable,
        occupied=spaces.occupied,
        free=spaces.free,
        out_of_service=spaces.out_of_service,
        locked_in=spaces.locked_in,
        trend=_trend(samples),
        quality=quality,
        basis=spaces.basis,
        status=(
            Status.CLOSED
            if closing_at(closings, now_ms)
            else _status(previous, lot, spaces.free, quality)
        ),
        observed_at_ms=observed_at_ms,
        received_at_ms=received.received_at_ms,
        clock_offset_ms=received.offset_ms,
        entries_total=news.entries_total,
        exits_total=news.exits_total,
        levels=_levels(news.groups, shut),
        groups=tuple(_group(group, shut) for group in news.groups),
        signs=news.signs,
        devices=news.devices,
        doubts=doubts,
        samples=samples,
        cars_inside=news.cars_inside,
        cars_seen=cars_seen(news.groups),
        drift_cars=news.drift_cars,
        correction_number=news.correction_number,
        unseen_cars=news.unseen_cars,
        closings=closings,
        held_back=counted.usable - spaces.usable,
    )


def as_seen_at(picture: LiveOccupancy, now_ms: int) -> LiveOccupancy:
    """The picture as a reader may show it: a silent source has no numbers."""
    if now_ms < stale_at_ms(picture):
        return picture
    return msgspec.structs.replace(
        picture,
        occupied=None,
        free=None,
        quality=Quality.STALE,
        status=Status.CLOSED if picture.status is Status.CLOSED else Status.NO_DATA,
        trend=Trend.UNKNOWN,
    )


def stale_at_ms(picture: LiveOccupancy) -> int:
    """When the picture's numbers must no longer be shown, by our clock."""
    return picture.observed_at_ms + STALE_AFTER_MS


def _doubts(lot: Lot, spaces: Balance, received: Received) -> tuple[str, ...]:
    doubts = list(spaces.doubts)
    if spaces.capacity != lot.capacity:
        doubts.append(f"the devices have {spaces.capacity} bays, the lot {lot.capacity}")
    if received.offset_ms:
        doubts.append(f"the gateway's clock is off by {received.offset_ms / 1_000:.0f} s")
    return tuple(doubts)


def _quality(spaces: Balance, lot: Lot, unseen_cars: int) -> Quality:
    if spaces.free is None or spaces.doubts or spaces.capacity != lot.capacity:
        return Quality.SUSPECT
    if spaces.basis is not Basis.COUNTED:
        return Quality.ESTIMATED
    return Quality.CORRECTED if unseen_cars else Quality.COUNTED


def _status(previous: LiveOccupancy | None, lot: Lot, free: int | None, quality: Quality) -> Status:
    """The driver's word, with a hold of `hysteresis_free` on the way back."""
    if lot.opening is OpeningState.CLOSED:
        return Status.CLOSED
    if free is None or quality is Quality.SUSPECT:
        return Status.NO_DATA
    was = previous.status if previous is not None else Status.OPEN
    tight = lot.tight
    hold = tight.hysteresis_free
    if free <= tight.full_free + (hold if was is Status.FULL else 0):
        return Status.FULL
    was_tight = was in (Status.FULL, Status.ALMOST_FULL)
    if free <= tight.almost_full_free + (hold if was_tight else 0):
        return Status.ALMOST_FULL
    return Status.OPEN


def _samples(previous: LiveOccupancy | None, at_ms: int, free: int | None) -> tuple[Sample, ...]:
    """About one sample a half minute over the window; older ones leave."""
    kept = tuple(
        sample
        for sample in (previous.samples if previous else ())
        if at_ms - TREND_WINDOW_MS <= sample.at_ms <= at_ms
    )
    if free is None or (kept and at_ms - kept[-1].at_ms < TREND_WINDOW_MS // 20):
        return kept
    return (*kept, Sample(at_ms, free))


def _trend(samples: tuple[Sample, ...]) -> Trend:
    if not samples or samples[-1].at_ms - samples[0].at_ms < TREND_WINDOW_MS // 4:
        return Trend.UNKNOWN
    gained = samples[-1].free - samples[0].free
    if abs(gained) < TREND_SPACES:
        return Trend.STEADY
    return Trend.EMPTYING if gained > 0 else Trend.FILLING


def _group(group: GroupReading, shut: AbstractSet[tuple[str, int]]) -> LiveGroup:
    capacity = sum(group.bays_by_level)
    cars = None if group.occupied_by_level is None else sum(group.occupied_by_level)
    serves = group.state is GroupState.WORKING
    held = sum(
        free_in(group, index)
        for index in range(len(group.bays_by_level))
        if (group.group_id, index) in shut
    )
    free = capacity - cars - held if cars is not None and serves else None
    return LiveGroup(
        group_id=group.group_id,
        state=group.state,
        capacity=capacity,
        occupied=cars,
        free=free,
        storing_queue=group.storing_queue,
        fetching_queue=group.fetching_queue,
        cycle_seconds=group.cycle_seconds,
        bays_by_level=group.bays_by_level,
        occupied_by_level=group.occupied_by_level,
    )


def _levels(
    groups: tuple[GroupReading, ...], shut: AbstractSet[tuple[str, int]]
) -> tuple[LiveLevel, ...]:
    count = max((len(group.bays_by_level) for group in groups), default=0)
    return tuple(_level(groups, index, shut) for index in range(count))


def _level(
    groups: tuple[GroupReading, ...], index: int, shut: AbstractSet[tuple[str, int]]
) -> LiveLevel:
    capacity = out_of_service = 0
    occupied: int | None = 0
    for group in groups:
        if index >= len(group.bays_by_level):
            continue
        capacity += group.bays_by_level[index]
        if group.state in (GroupState.JAMMED, GroupState.MAINTENANCE):
            out_of_service += group.bays_by_level[index]
        elif group.occupied_by_level is None:
            occupied = None
        elif occupied is not None:
            occupied += group.occupied_by_level[index]
            if (group.group_id, index) in shut:
                out_of_service += free_in(group, index)
    free = None if occupied is None else capacity - out_of_service - occupied
    return LiveLevel(index + 1, capacity, occupied, out_of_service, free)
