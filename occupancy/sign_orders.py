"""What each sign is ordered to show: an operator's words first, then what is computed."""

from collections.abc import Iterable, Mapping, Sequence

from occupancy.live import LiveOccupancy
from occupancy.override import Override
from occupancy.restriction import closing_at
from occupancy.sign_faces import TownSign, face

Lines = tuple[str, ...]


def orders(
    signs: Iterable[TownSign],
    computed: Mapping[str, Lines],
    pictures: Mapping[str, LiveOccupancy],
    overrides: Sequence[Override],
    now_ms: int,
) -> dict[str, Lines | None]:
    """By sign; None: its gateway shows its own number.

    A sign at an entrance is told only what its gateway cannot know: closed, closed in part or
    reserved spaces. An override of another number of lines than the sign has is none.
    """
    held = {one.sign_id: one.lines for one in overrides if one.holds_at(now_ms)}
    return {
        sign.sign_id: _order(sign, computed, pictures, held.get(sign.sign_id), now_ms)
        for sign in signs
    }


def _order(
    sign: TownSign,
    computed: Mapping[str, Lines],
    pictures: Mapping[str, LiveOccupancy],
    overridden: Lines | None,
    now_ms: int,
) -> Lines | None:
    if overridden is not None and len(overridden) == len(sign.lot_ids):
        return overridden
    if not sign.at_entrance:
        return computed[sign.sign_id]
    picture = pictures.get(sign.lot_ids[0])
    if picture is None or not _is_restricted(picture, now_ms):
        return None
    return face(sign.lot_ids, pictures, now_ms)


def _is_restricted(picture: LiveOccupancy, now_ms: int) -> bool:
    return bool(picture.held_back or closing_at(picture.closings, now_ms))
