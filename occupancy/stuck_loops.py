"""Loops that do not count while the machines store and fetch cars."""

import msgspec

from gateway.observation import Observation
from gateway.reconcile import cars_on_pallets


class StuckLoops(msgspec.Struct, frozen=True):
    """Cars that machines took or gave since the loops of that direction last counted one."""

    stored_unseen: int = 0
    fetched_unseen: int = 0


def follow(loops: StuckLoops, before: Observation | None, news: Observation) -> StuckLoops:
    """After one more observation; what two memories say cannot be compared."""
    if before is None or before.epoch != news.epoch:
        return StuckLoops()
    on_pallets = cars_on_pallets(news.groups)
    were_on_pallets = cars_on_pallets(before.groups)
    moved = 0
    if on_pallets is not None and were_on_pallets is not None:
        moved = on_pallets - were_on_pallets
    entered = news.entries_total > before.entries_total
    left = news.exits_total > before.exits_total
    return StuckLoops(
        stored_unseen=0 if entered else loops.stored_unseen + max(moved, 0),
        fetched_unseen=0 if left else loops.fetched_unseen + max(-moved, 0),
    )
