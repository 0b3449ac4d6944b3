"""What a sign at a junction shows: one line a car park, a dash where nothing can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.signs import CLOSED, FULL, STALE
from occupancy.live import LiveOccupancy, Quality, Status, as_seen_at


@dataclass(frozen=True)
class TownSign:
    """A sign, the car park whose gateway drives it, and its lines.

    At an entrance it has one line, and its gateway writes it by itself unless it is told otherwise.
    """

    sign_id: str
    driven_by: str
    lot_ids: tuple[str, ...]
    at_entrance: bool = False


def face(
    lot_ids: Sequence[str], pictures: Mapping[str, LiveOccupancy], now_ms: int
) -> tuple[str, ...]:
    """The sign's lines in the order of `lot_ids`."""
    return tuple(_line(pictures.get(lot_id), now_ms) for lot_id in lot_ids)


def _line(picture: LiveOccupancy | None, now_ms: int) -> str:
    if picture is None:
        return STALE
    seen = as_seen_at(picture, now_ms)
    if seen.status is Status.CLOSED:
        return CLOSED
    if seen.free is None or seen.quality in (Quality.STALE, Quality.SUSPECT):
        return STALE
    return FULL if seen.status is Status.FULL else str(seen.free)
