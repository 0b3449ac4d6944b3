"""What closing something will do: to the number, the signs, the advice, drivers on the way."""

from collections.abc import Sequence

import msgspec

from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.restriction import Extent, Restriction


class Effect(msgspec.Struct, frozen=True):
    """Numbers as they are and as they would be now; None where nobody knows."""

    free_before: int | None
    free_after: int | None
    closes_all: bool
    signs: tuple[str, ...]
    on_the_way: int | None
    stops_advice: bool


def preview(
    lot: Lot,
    picture: LiveOccupancy | None,
    made: Restriction,
    signs: Sequence[str],
    on_the_way: int | None,
) -> Effect:
    """As if it held at once, whenever it begins."""
    free = None if picture is None else picture.free
    closes_all = made.extent is Extent.LOT
    after = None if free is None or picture is None else max(0, free - _taken(picture, made))
    stops = closes_all or (after is not None and after <= lot.thresholds.full_free)
    return Effect(free, 0 if closes_all else after, closes_all, tuple(signs), on_the_way, stops)


def _taken(picture: LiveOccupancy, made: Restriction) -> int:
    """Free spaces that would be gone."""
    if made.extent is Extent.SPACES:
        return made.spaces
    if made.extent is Extent.GROUP:
        return sum(group.free or 0 for group in picture.groups if group.group_id == made.part)
    if made.extent is Extent.LEVEL:
        return sum(level.free or 0 for level in picture.levels if str(level.level) == made.part)
    return picture.free or 0
