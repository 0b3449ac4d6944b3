"""What operators take out of service: a car park, a group, a level, some spaces; for a time."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from gateway.observation import GroupState
from gateway.reconcile import Balance

AHEAD_MS = 86_400_000  # what begins later concerns nobody who asks now


class Extent(StrEnum):
    """How much of a car park is meant."""

    LOT = "lot"
    GROUP = "group"
    LEVEL = "level"
    SPACES = "spaces"  # reserved: so many of the free ones


class Restriction(msgspec.Struct, frozen=True):
    """One of them. Times are UTC milliseconds; `until_ms` None: until somebody ends it.

    `part` is the group's id or the level's number; `spaces` only for reserved spaces; `wording`
    is what citizens read.
    """

    number: int
    lot_id: str
    extent: Extent
    from_ms: int
    until_ms: int | None
    wording: str
    part: str = ""
    spaces: int = 0

    def holds_at(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and not self.is_over(at_ms)

    def is_over(self, at_ms: int) -> bool:
        return self.until_ms is not None and self.until_ms <= at_ms


class Machine(Protocol):
    """A machine group with its cars by level, as a gateway says it or as the picture keeps it."""

    @property
    def group_id(self) -> str: ...
    @property
    def state(self) -> GroupState: ...
    @property
    def bays_by_level(self) -> tuple[int, ...]: ...
    @property
    def occupied_by_level(self) -> tuple[int, ...] | None: ...


class Closing(msgspec.Struct, frozen=True):
    """A time at which a whole car park takes no cars, and what citizens read of it."""

    from_ms: int
    until_ms: int | None
    wording: str

    def holds_at(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


def closings_of(restrictions: Iterable[Restriction], now_ms: int) -> tuple[Closing, ...]:
    """When the whole car park is closed: now and within a day, the earliest first."""
    return tuple(
        Closing(one.from_ms, one.until_ms, one.wording)
        for one in sorted(restrictions, key=lambda one: (one.from_ms, one.number))
        if one.extent is Extent.LOT and not one.is_over(now_ms) and one.from_ms < now_ms + AHEAD_MS
    )


def closing_at(closings: Sequence[Closing], at_ms: int) -> Closing | None:
    """The one that ends last, of those that hold then: before it nobody comes in."""
    held = [one for one in closings if one.holds_at(at_ms)]
    return max(held, key=lambda one: (one.until_ms is None, one.until_ms or 0), default=None)


def shut_cells(
    restrictions: Iterable[Restriction], groups: Sequence[Machine], now_ms: int
) -> frozenset[tuple[str, int]]:
    """Closed places of working machines as (group id, index of the level), each once."""
    held = [one for one in restrictions if one.holds_at(now_ms)]
    if not held:
        return frozenset()
    shut_groups = {one.part for one in held if one.extent is Extent.GROUP}
    shut_levels = {int(one.part) - 1 for one in held if one.extent is Extent.LEVEL}
    return frozenset(
        (group.group_id, index)
        for group in groups
        if group.state not in (GroupState.JAMMED, GroupState.MAINTENANCE)
        for index in range(len(group.bays_by_level))
        if group.group_id in shut_groups or index in shut_levels
    )


def free_in(group: Machine, index: int) -> int:
    """Bays without a car on one level of a machine; none are known of a silent one."""
    if group.occupied_by_level is None:
        return 0
    return max(0, group.bays_by_level[index] - group.occupied_by_level[index])


def reserved_spaces(restrictions: Iterable[Restriction], now_ms: int) -> int:
    return sum(
        one.spaces for one in restrictions if one.extent is Extent.SPACES and one.holds_at(now_ms)
    )


def taken_of(
    free: int, restrictions: Sequence[Restriction], groups: Sequence[Machine], now_ms: int
) -> int:
    """How many of the free spaces are closed or reserved, each once."""
    cells = shut_cells(restrictions, groups, now_ms)
    shut = sum(
        free_in(group, index)
        for group in groups
        for index in range(len(group.bays_by_level))
        if (group.group_id, index) in cells
    )
    left = max(free, 0)
    taken = min(shut, left)
    return taken + min(reserved_spaces(restrictions, now_ms), left - taken)


def restrict(
    spaces: Balance,
    restrictions: Sequence[Restriction],
    groups: Sequence[Machine],
    now_ms: int,
) -> Balance:
    """The spaces with what is closed or reserved out of service.

    Only room is taken away: a car that stands in a closed group goes on to count as occupied, and
    its bay leaves the service when it does. Nothing falls below nought.
    """
    if spaces.free is None or not restrictions:
        return spaces
    taken = taken_of(spaces.free, restrictions, groups, now_ms)
    return msgspec.structs.replace(
        spaces,
        usable=spaces.usable - taken,
        out_of_service=spaces.out_of_service + taken,
        free=spaces.free - taken,
    )
