"""From what an operator counted to the correction a gateway takes."""

import msgspec

from gateway.correction import Correction
from occupancy.live import LiveOccupancy


class BadCountError(Exception):
    """A count that cannot be: the message names the number and what would do."""


class Count(msgspec.Struct, frozen=True):
    """A person counted the cars inside one car park, and why; `at_ms` is UTC."""

    cars_inside: int
    reason: str
    counted_by: str
    at_ms: int


def correct(picture: LiveOccupancy, count: Count, number: int) -> Correction:
    """The correction, tied to the totals the picture had when the count was taken.

    Where every machine tells, the difference to them stays in force as `unseen_cars` until the
    next count. Raises BadCountError.
    """
    check(picture, count)
    seen = picture.cars_seen
    return Correction(
        number=number,
        epoch=picture.epoch,
        cars_inside=count.cars_inside,
        entries_total=picture.entries_total,
        exits_total=picture.exits_total,
        at_ms=count.at_ms,
        unseen_cars=picture.unseen_cars if seen is None else count.cars_inside - seen,
    )


def check(picture: LiveOccupancy, count: Count) -> None:
    """Raises BadCountError for cars beyond the bays, without a reason or a name."""
    if not 0 <= count.cars_inside <= picture.capacity:
        raise BadCountError(
            f"{count.cars_inside} cars inside {picture.lot_id}: it has {picture.capacity} bays; "
            f"count again, 0 to {picture.capacity}"
        )
    if not count.reason.strip():
        raise BadCountError("a correction needs its reason, e.g. 夜间盘点")
    if not count.counted_by.strip():
        raise BadCountError("a correction needs the name of who counted")
