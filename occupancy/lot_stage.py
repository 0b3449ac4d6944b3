"""Where a car park stands: joining, live for everybody, or gone with its history kept."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from occupancy.lot import Lot

DAY_MS = 86_400_000


class Stage(StrEnum):
    """Only a live car park is shown, recommended and published."""

    JOINING = "joining"  # recorded, seen by those who bring it in
    LIVE = "live"
    REMOVED = "removed"


class StagedLot(msgspec.Struct, frozen=True):
    """A car park and where it stands; `live_ms` None is since before that was kept."""

    lot: Lot
    stage: Stage
    live_ms: int | None = None
    removed_ms: int | None = None

    def was_live_after(self, from_ms: int) -> bool:
        """Whether it was there for everybody at any moment from then on."""
        if self.stage is Stage.JOINING:
            return False
        return self.removed_ms is None or self.removed_ms > from_ms

    def counts_from(self, first_data_ms: int | None) -> int | None:
        """What was heard of it while it joined says nothing of its use; None: no data yet."""
        return None if first_data_ms is None else max(first_data_ms, self.live_ms or 0)


def by_stage(staged: Iterable[StagedLot], stage: Stage) -> dict[str, Lot]:
    return {one.lot.lot_id: one.lot for one in staged if one.stage is stage}


def leaving(staged: Iterable[StagedLot], now_ms: int) -> set[str]:
    """Removed within a day: what their gateways still hold is recorded to the end."""
    return {
        one.lot.lot_id
        for one in staged
        if one.removed_ms is not None and one.removed_ms > now_ms - DAY_MS
    }
