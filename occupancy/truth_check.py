"""Each car park's entries minus exits against its machines: how far they have drifted."""

import datetime as dt

import msgspec

from gateway.reconcile import drift_limit_cars
from occupancy.live import LiveOccupancy, stale_at_ms

NIGHTLY_AT = dt.time(3, 30)  # local: when fewest cars move
_SHANGHAI = dt.timezone(dt.timedelta(hours=8))


class TruthCheck(msgspec.Struct, frozen=True):
    """One comparison; None where a lane or a machine was silent.

    `drift_cars` is counters minus machines minus what an operator found beyond the machines.
    `drift_since_last_cars` is how much of it came since the check before under the same memory.
    """

    lot_id: str
    checked_at_ms: int
    night: dt.date | None
    asked_by: str
    epoch: int
    sequence: int
    capacity: int
    entries_total: int
    exits_total: int
    cars_by_counters: int | None
    cars_by_machines: int | None
    unseen_cars: int
    drift_cars: int | None
    drift_since_last_cars: int | None = None

    @property
    def is_beyond_limit(self) -> bool:
        """Whether an operator should go and count."""
        return self.drift_cars is not None and abs(self.drift_cars) >= drift_limit_cars(
            self.capacity
        )

    def line(self) -> str:
        """For a terminal."""
        if self.drift_cars is None:
            return f"  ?     {self.lot_id}: a lane or a machine is silent, nothing to compare"
        word = "COUNT " if self.is_beyond_limit else "ok    "
        return (
            f"  {word}{self.lot_id}: counters {self.cars_by_counters}, machines "
            f"{self.cars_by_machines}, operator's correction {self.unseen_cars:+d}, "
            f"drift {self.drift_cars:+d}"
        )


def check(
    picture: LiveOccupancy,
    before: TruthCheck | None,
    now_ms: int,
    asked_by: str,
    night: dt.date | None = None,
) -> TruthCheck:
    """Compare now; `before` is the last check of this lot."""
    silent = now_ms >= stale_at_ms(picture)
    inside, seen = (None, None) if silent else (picture.cars_inside, picture.cars_seen)
    drift = None if inside is None or seen is None else inside - seen - picture.unseen_cars
    return TruthCheck(
        lot_id=picture.lot_id,
        checked_at_ms=now_ms,
        night=night,
        asked_by=asked_by,
        epoch=picture.epoch,
        sequence=picture.sequence,
        capacity=picture.capacity,
        entries_total=picture.entries_total,
        exits_total=picture.exits_total,
        cars_by_counters=inside,
        cars_by_machines=seen,
        unseen_cars=picture.unseen_cars,
        drift_cars=drift,
        drift_since_last_cars=_since(before, picture, drift),
    )


def night_of(now_ms: int) -> dt.date:
    """The local date whose night check is due: the one that began last."""
    local = dt.datetime.fromtimestamp(now_ms / 1_000, tz=_SHANGHAI)
    return local.date() if local.time() >= NIGHTLY_AT else local.date() - dt.timedelta(days=1)


def _since(before: TruthCheck | None, picture: LiveOccupancy, drift: int | None) -> int | None:
    if before is None or before.drift_cars is None or drift is None:
        return None
    return drift - before.drift_cars if before.epoch == picture.epoch else None
