"""What a junction sign shows: free spaces less what is promised, held still against flicker."""

from collections.abc import Mapping, Sequence

import msgspec

from gateway.signs import FULL
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot, Thresholds
from occupancy.sign_faces import face
from routing.promise import Due, minute_of

AHEAD_MINUTES = 10  # who reads the sign arrives soon: later promises do not concern him
STEP_SPACES = 2  # a smaller change is not worth a new face


class Junction(msgspec.Struct, frozen=True):
    """What a sign's lines are made of."""

    lots: Mapping[str, Lot]
    pictures: Mapping[str, LiveOccupancy]
    due: Mapping[str, Due]
    now_ms: int


def guided_face(
    lot_ids: Sequence[str], junction: Junction, shown: Sequence[str]
) -> tuple[str, ...]:
    """The sign's lines in the order of `lot_ids`; `shown` are those it was told before."""
    plain = face(lot_ids, junction.pictures, junction.now_ms)
    before = shown if len(shown) == len(lot_ids) else [""] * len(lot_ids)
    return tuple(
        _line(lot_id, line, was, junction)
        for lot_id, line, was in zip(lot_ids, plain, before, strict=True)
    )


def _line(lot_id: str, plain: str, shown: str, junction: Junction) -> str:
    """A dash and a word are shown at once; only numbers are guided."""
    if not plain.isdecimal() or lot_id not in junction.lots:
        return plain
    now = minute_of(junction.now_ms)
    promised = junction.due.get(lot_id, Due()).by(now + AHEAD_MINUTES, now)
    left = int(plain) - round(promised)
    return _held(left, int(plain), shown, junction.lots[lot_id].tight)


def _held(left: int, free: int, shown: str, thresholds: Thresholds) -> str:
    hold = thresholds.hysteresis_free if shown == FULL else 0
    if left <= thresholds.full_free + hold:
        return FULL
    if shown.isdecimal() and abs(int(shown) - left) < STEP_SPACES and int(shown) <= free:
        return shown
    return str(left)
