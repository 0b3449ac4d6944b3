"""Observations as history keeps them: numbers in columns, so that no reader unpacks each row."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

import msgspec

from gateway.observation import Basis, Observation
from gateway.reconcile import balance_of

COLUMNS = (
    *("sequence", "previous_sequence", "observed_at_ms", "entries_total", "exits_total"),
    *("occupied", "free", "usable", "out_of_service"),
)
NOTHING = -(1 << 63)  # stands for None in `occupied` and `free`
SILENT_GROUP = -1
BASES = tuple(Basis)
_WORD = 8


class HistoryRows(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one car park and one epoch, in order.

    Little-endian int64, row by row: `numbers` holds COLUMNS, `lane_totals` and `group_occupied`
    as many numbers a row as there are lanes and groups. `bases` is one byte a row, the place in
    BASES. `doubts` names the rows that have any.
    """

    lot_id: str
    epoch: int
    lanes: int
    groups: int
    numbers: bytes
    lane_totals: bytes
    group_occupied: bytes
    bases: bytes
    doubts: dict[int, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self.bases)

    def sequences(self) -> list[int]:
        return [row[0] for row in struct.iter_unpack(f"<{len(COLUMNS)}q", self.numbers)]

    def part(self, start: int, stop: int) -> "HistoryRows":
        """The rows from `start` up to `stop`."""

        def cut(column: bytes, width: int) -> bytes:
            return column[start * width * _WORD : stop * width * _WORD]

        return msgspec.structs.replace(
            self,
            numbers=cut(self.numbers, len(COLUMNS)),
            lane_totals=cut(self.lane_totals, self.lanes),
            group_occupied=cut(self.group_occupied, self.groups),
            bases=self.bases[start:stop],
            doubts={n - start: told for n, told in self.doubts.items() if start <= n < stop},
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[HistoryRows, ...])


def encode_rows(batch: Sequence[Observation]) -> bytes:
    """One stream entry. Observations of another shape than those before begin a part."""
    return _encoder.encode(tuple(_parts(batch)))


def decode_rows(payload: bytes) -> tuple[HistoryRows, ...]:
    """Raise msgspec.DecodeError or msgspec.ValidationError for what is not a batch."""
    parts = _decoder.decode(payload)
    for part in parts:
        _require_whole(part)
    return parts


def join(parts: Iterable[HistoryRows]) -> list[HistoryRows]:
    """Neighbours of one shape as one: a gateway that is heard well sends a row at a time."""
    joined = []
    for (lot_id, epoch, lanes, groups), some in groupby(parts, key=_shape_of_part):
        alike = list(some)
        starts = accumulate((len(part) for part in alike), initial=0)
        joined.append(
            HistoryRows(
                lot_id,
                epoch,
                lanes,
                groups,
                b"".join(part.numbers for part in alike),
                b"".join(part.lane_totals for part in alike),
                b"".join(part.group_occupied for part in alike),
                b"".join(part.bases for part in alike),
                {
                    start + place: told
                    for start, part in zip(starts, alike, strict=False)
                    for place, told in part.doubts.items()
                },
            )
        )
    return joined


def _shape_of_part(part: HistoryRows) -> tuple[str, int, int, int]:
    return (part.lot_id, part.epoch, part.lanes, part.groups)


def rows_of(batch: Sequence[Observation]) -> tuple[HistoryRows, ...]:
    return tuple(_parts(batch))


def _parts(batch: Sequence[Observation]) -> Iterator[HistoryRows]:
    for (lot_id, epoch, lanes, groups), alike in groupby(batch, key=_shape):
        yield _rows(lot_id, epoch, lanes, groups, list(alike))


def _shape(news: Observation) -> tuple[str, int, int, int]:
    return (news.lot_id, news.epoch, len(news.lanes), len(news.groups))


def _rows(
    lot_id: str, epoch: int, lanes: int, groups: int, alike: Sequence[Observation]
) -> HistoryRows:
    return HistoryRows(
        lot_id=lot_id,
        epoch=epoch,
        lanes=lanes,
        groups=groups,
        numbers=_packed(number for news in alike for number in _numbers(news)),
        lane_totals=_packed(lane.cars_total for news in alike for lane in news.lanes),
        group_occupied=_packed(
            SILENT_GROUP if group.occupied_by_level is None else sum(group.occupied_by_level)
            for news in alike
            for group in news.groups
        ),
        bases=bytes(BASES.index(news.basis) for news in alike),
        doubts={place: news.doubts for place, news in enumerate(alike) if news.doubts},
    )


def _numbers(news: Observation) -> tuple[int, ...]:
    spaces = balance_of(news)
    return (
        *(news.sequence, news.previous_sequence, news.observed_at_ms),
        *(news.entries_total, news.exits_total),
        NOTHING if spaces.occupied is None else spaces.occupied,
        NOTHING if spaces.free is None else spaces.free,
        *(spaces.usable, spaces.out_of_service),
    )


def _packed(numbers: Iterator[int]) -> bytes:
    found = tuple(numbers)
    return struct.pack(f"<{len(found)}q", *found)


def _require_whole(part: HistoryRows) -> None:
    rows = len(part)
    widths = (
        (part.numbers, len(COLUMNS)),
        (part.lane_totals, part.lanes),
        (part.group_occupied, part.groups),
    )
    if any(len(column) != rows * width * _WORD for column, width in widths):
        raise msgspec.ValidationError(f"{part.lot_id}: columns of unequal length")
    if any(code >= len(BASES) for code in part.bases):
        raise msgspec.ValidationError(f"{part.lot_id}: an unknown basis")
    if any(not 0 <= place < rows for place in part.doubts):
        raise msgspec.ValidationError(f"{part.lot_id}: doubts about a row that is not there")
