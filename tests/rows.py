"""History rows read one by one, plainly, beside the way that reads them all at once."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from redis.asyncio import Redis

from gateway import stream
from gateway.history_rows import BASES, HistoryRows, decode_rows, rows_of
from gateway.observation import Basis, Observation
from occupancy.copy_rows import Written, write
from tests.builders import MORNING_MS


class Row(NamedTuple):
    """One observation as history keeps it."""

    epoch: int
    sequence: int
    previous_sequence: int
    observed_at_ms: int
    entries_total: int
    exits_total: int
    occupied: int
    free: int
    usable: int
    out_of_service: int
    lane_totals: tuple[int, ...]
    group_occupied: tuple[int, ...]
    basis: Basis
    doubts: tuple[str, ...]


def plain_rows(parts: Iterable[HistoryRows]) -> list[Row]:
    return [_row(part, place) for part in parts for place in range(len(part))]


def _row(part: HistoryRows, place: int) -> Row:
    def cut(column: bytes, width: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{width}q", column, place * width * 8)

    return Row._make(
        (
            part.epoch,
            *cut(part.numbers, 9),
            cut(part.lane_totals, part.lanes),
            cut(part.group_occupied, part.groups),
            BASES[part.bases[place]],
            part.doubts.get(place, ()),
        )
    )


async def published(redis: Redis, lot_id: str) -> list[Row]:
    """Everything in a lot's history stream, in order."""
    entries = await stream.read_history(redis, lot_id, "0-0", 100_000)
    return plain_rows(part for entry in entries for part in decode_rows(entry.payload or b""))


def written(
    *observations: Observation, offset_ms: int = 0, recorded_at_ms: int = MORNING_MS + 3_600_000
) -> Written:
    return write(rows_of(observations), offset_ms, recorded_at_ms)
