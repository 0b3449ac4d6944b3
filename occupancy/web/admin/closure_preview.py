"""What closing something will do: to the number, the signs, the advice, drivers on the way."""

from collections.abc import Sequence

import msgspec

from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.restriction import Extent, Restriction, taken_of


class Effect(msgspec.Struct, frozen=True):
    """Numbers without and with it, as the cars stand now; None where nobody knows.

    `standing` is what is closed or reserved already when it begins: both numbers know of it.
    """

    free_before: int | None
    free_after: int | None
    was_closed: bool
    closes_all: bool
    signs: tuple[str, ...]
    on_the_way: int | None
    stops_advice: bool
    standing: tuple[Restriction, ...] = ()


def preview(
    lot: Lot,
    picture: LiveOccupancy | None,
    made: Restriction,
    standing: Sequence[Restriction],
    signs: Sequence[str],
    on_the_way: int | None,
) -> Effect:
    """With today's cars at the moment it begins, and what `standing` of the lot holds then."""
    then = tuple(one for one in standing if one.holds_at(made.from_ms))
    was_closed = any(one.extent is Extent.LOT for one in then)
    closes_all = was_closed or made.extent is Extent.LOT
    before = 0 if was_closed else _free(picture, then, made.from_ms)
    after = 0 if closes_all else _free(picture, (*then, made), made.from_ms)
    stops = closes_all or (after is not None and after <= lot.tight.full_free)
    return Effect(before, after, was_closed, closes_all, tuple(signs), on_the_way, stops, then)


def _free(
    picture: LiveOccupancy | None, restrictions: Sequence[Restriction], at_ms: int
) -> int | None:
    """What the recorder would count as free under these restrictions, by its own arithmetic."""
    if picture is None or picture.free is None:
        return None
    if any(not group.bays_by_level for group in picture.groups):
        return None  # written by an older recorder: it does not tell the levels of each machine
    counted = picture.free + picture.held_back
    return counted - taken_of(counted, restrictions, picture.groups, at_ms)
