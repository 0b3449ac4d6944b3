"""Cars by the counters against cars on the pallets: what is free, and how far the two drift."""

from collections.abc import Iterable

import msgspec

from gateway.observation import Basis, GroupReading, GroupState, Observation

LEAST_DRIFT_CARS = 5  # a car between loop and pallet is no drift
LEAST_DRIFT_SHARE = 0.03  # what honest loops miscount
_DAY_MS = 86_400_000
_LEAST_MS = 3_600_000


class Anchor(msgspec.Struct, frozen=True):
    """A moment at which the number of cars inside was known, and the running totals then.

    Known from the machines at the first look (`correction_number` 0), from an operator's count
    afterwards; `unseen_cars` are those he found beyond what the machines said.
    """

    cars_inside: int
    entries_total: int
    exits_total: int
    at_ms: int
    correction_number: int = 0
    unseen_cars: int = 0


class Balance(msgspec.Struct, frozen=True):
    """A lot's spaces. capacity = usable + out_of_service; usable = occupied + free.

    `occupied` and `free` are None where neither pallets nor counters tell; they may lie outside
    0..usable when the sources contradict each other, and then `doubts` says so.
    """

    capacity: int
    usable: int
    out_of_service: int
    locked_in: int
    occupied: int | None
    free: int | None
    basis: Basis
    doubts: tuple[str, ...] = ()


def cars_inside(anchor: Anchor, entries_total: int, exits_total: int) -> int:
    """Cars by the counters; negative when the counters have drifted that far."""
    entered = entries_total - anchor.entries_total
    left = exits_total - anchor.exits_total
    return anchor.cars_inside + entered - left


def cars_on_pallets(groups: Iterable[GroupReading]) -> int | None:
    """Cars the machines see, jammed groups included; None if a group is silent."""
    total = 0
    for group in groups:
        if group.occupied_by_level is None:
            return None
        total += sum(group.occupied_by_level)
    return total


def cars_waiting(groups: Iterable[GroupReading]) -> int:
    """Cars past the entry loop and not yet on a pallet, as far as the machines say."""
    return sum(group.storing_queue or 0 for group in groups)


def drift(inside: int, groups: tuple[GroupReading, ...], unseen_cars: int = 0) -> int | None:
    """Counters minus machines, in cars; None while a group is silent."""
    seen = cars_seen(groups)
    return None if seen is None else inside - seen - unseen_cars


def cars_seen(groups: tuple[GroupReading, ...]) -> int | None:
    """Cars the machines know of, on pallets and waiting for one; None while a group is silent."""
    on_pallets = cars_on_pallets(groups)
    return None if on_pallets is None else on_pallets + cars_waiting(groups)


def drift_per_day(drifted: int, anchor: Anchor, now_ms: int) -> float | None:
    """Cars a day by which counters and machines drift apart; None in the first hour."""
    since_ms = now_ms - anchor.at_ms
    return drifted * _DAY_MS / since_ms if since_ms >= _LEAST_MS else None


def list_doubts(
    inside: int | None, groups: tuple[GroupReading, ...], unseen_cars: int = 0
) -> tuple[str, ...]:
    """What the counters say that cannot be, or that the machines contradict."""
    if inside is None:
        return ()
    capacity = sum(sum(group.bays_by_level) for group in groups)
    room = capacity + cars_waiting(groups)
    doubts = []
    if not 0 <= inside <= room:
        doubts.append(f"the counters say {inside} cars inside, there is room for {room}")
    drifted = drift(inside, groups, unseen_cars)
    if drifted is not None and abs(drifted) >= drift_limit_cars(capacity):
        doubts.append(f"the counters say {drifted:+d} cars against the machines")
    return tuple(doubts)


def drift_limit_cars(capacity: int) -> float:
    """From how many cars on counters and machines contradict each other."""
    return max(LEAST_DRIFT_CARS, capacity * LEAST_DRIFT_SHARE)


def overfilled(groups: Iterable[GroupReading]) -> tuple[str, ...]:
    """Groups that say they hold more cars than they have bays."""
    return tuple(
        f"group {group.group_id} says {sum(group.occupied_by_level)} cars "
        f"in {sum(group.bays_by_level)} bays"
        for group in groups
        if group.occupied_by_level is not None
        and sum(group.occupied_by_level) > sum(group.bays_by_level)
    )


def balance_of(news: Observation) -> Balance:
    """The lot's spaces as an observation tells them."""
    return balance(news.groups, news.cars_inside, news.drift_cars, news.unseen_cars)


def balance(
    groups: tuple[GroupReading, ...],
    inside: int | None,
    drifted: int | None = None,
    unseen_cars: int = 0,
) -> Balance:
    """The lot's spaces: seen by the machines, or worked out where some of them are silent.

    Then the counters stand in, less the drift that was last measured against the machines.
    """
    capacity = sum(sum(group.bays_by_level) for group in groups)
    idle = [g for g in groups if g.state in (GroupState.JAMMED, GroupState.MAINTENANCE)]
    out_of_service = sum(sum(group.bays_by_level) for group in idle)
    locked_in = sum(sum(group.occupied_by_level or ()) for group in idle)
    usable = capacity - out_of_service
    on_pallets = cars_on_pallets(groups)
    if on_pallets is not None:
        occupied, basis = on_pallets + unseen_cars - locked_in, Basis.COUNTED
    elif inside is not None:
        occupied = inside - (drifted or 0) - cars_waiting(groups) - locked_in
        basis = Basis.DERIVED
    else:
        return Balance(capacity, usable, out_of_service, locked_in, None, None, Basis.DERIVED)
    doubts = overfilled(groups)
    if not 0 <= occupied <= usable:
        doubts = (f"occupied {occupied} of {usable} usable", *doubts)
    return Balance(
        capacity, usable, out_of_service, locked_in, occupied, usable - occupied, basis, doubts
    )
