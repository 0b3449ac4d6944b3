"""An operator's count of the cars inside, as the gateway takes it; the counters go on from it."""

import msgspec

from gateway.reconcile import Anchor


class Correction(msgspec.Struct, frozen=True, array_like=True):
    """What a person counted, tied to the totals of the moment at which he counted.

    `number` grows with each correction of a lot: an older one is never taken after a newer one.
    `epoch` names the memory to which the totals belong; another memory cannot take it.
    """

    number: int
    epoch: int
    cars_inside: int
    entries_total: int
    exits_total: int
    at_ms: int
    unseen_cars: int = 0


def corrected(anchor: Anchor | None, epoch: int, correction: Correction) -> Anchor | None:
    """The anchor from now on; None when the correction is old or belongs to another memory."""
    taken = 0 if anchor is None else anchor.correction_number
    if correction.epoch != epoch or correction.number <= taken:
        return None
    return Anchor(
        cars_inside=correction.cars_inside,
        entries_total=correction.entries_total,
        exits_total=correction.exits_total,
        at_ms=correction.at_ms,
        correction_number=correction.number,
        unseen_cars=correction.unseen_cars,
    )
