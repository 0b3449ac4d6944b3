"""History rows as PostgreSQL's binary COPY, many at a time.

The format is that of PostgreSQL's documentation, "COPY, binary format": a row is its number of
fields, then each field's length and bytes, all big-endian. Rows that differ only in numbers are
made from one template; what is null or counted otherwise begins another.
"""

import datetime as dt
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.history_rows import BASES, COLUMNS, NOTHING, HistoryRows, join

TABLE_COLUMNS = (
    *("lot_id", "epoch", "sequence", "observed_at", "gateway_at", "recorded_at"),
    *("occupied", "free", "usable", "out_of_service", "entries_total", "exits_total"),
    *("lane_totals", "group_occupied", "basis", "doubts"),
)
CLOCK_DOUBT = "the gateway's clock is impossible: the time of recording stands in"
DAY_MS = 86_400_000
EARLIEST_MS = 1_577_836_800_000  # 2020-01-01: no car park was connected before
_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_EPOCH_2000_MS = 946_684_800_000
_MICROSECONDS = 1_000
_NULL = struct.pack(">i", -1)
_INT8_OID, _INT2_OID, _TEXT_OID = 20, 21, 25
Numbers = NDArray[np.int64]


class Written(msgspec.Struct, frozen=True):
    """Rows ready to be copied: the days they fall on, their epochs, the last one's place.

    `first_ms` and `last_ms` are the earliest and the latest moment they tell of.
    """

    payload: bytes
    days: tuple[dt.date, ...]
    epochs: tuple[int, ...]
    sequence: int
    first_ms: int
    last_ms: int

    @property
    def epoch(self) -> int:
        return self.epochs[-1]


def contiguous(
    parts: Sequence[HistoryRows], epoch: int, sequence: int
) -> tuple[list[HistoryRows], bool]:
    """The unbroken run right behind a position, and whether there is more behind a hole.

    Nothing is recorded over a hole; what lies at or before the position is left out.
    """
    run: list[HistoryRows] = []
    for part in parts:
        if (part.epoch, _last(part)) <= (epoch, sequence):
            continue
        numbers = _numbers(part)
        if part.epoch == epoch:
            first = int(np.searchsorted(numbers[:, 0], sequence, side="right"))
        elif part.epoch > epoch and numbers[0, 1] == 0:
            first, sequence = 0, 0
        else:
            return run, True
        stop = first + _unbroken(numbers[first:], sequence)
        if stop > first:
            run.append(part.part(first, stop))
            epoch, sequence = part.epoch, int(numbers[stop - 1, 0])
        if stop < len(part):
            return run, True
    return run, False


def write(parts: Sequence[HistoryRows], offset_ms: int, recorded_at_ms: int) -> Written:
    """The parts as one COPY; `offset_ms` is how far the gateway's clock is behind ours."""
    pieces, days, moments = [_HEADER], set[int](), list[int]()
    for part in join(parts):
        numbers = _numbers(part)
        observed = numbers[:, COLUMNS.index("observed_at_ms")] + offset_ms
        possible = (observed >= EARLIEST_MS) & (observed <= recorded_at_ms + DAY_MS)
        placed = np.where(possible, observed, recorded_at_ms)
        days.update((placed // DAY_MS).tolist())
        moments += (int(placed.min()), int(placed.max()))
        for start, stop in _alike(part, numbers):
            rows = _rows(part.part(start, stop), placed[start:stop], recorded_at_ms)
            pieces.extend(_with_doubts(rows, part, start, possible[start:stop]))
    first_day = dt.date(1970, 1, 1)
    found = tuple(first_day + dt.timedelta(days=day) for day in sorted(days))
    epochs = tuple(dict.fromkeys(part.epoch for part in parts))
    payload = b"".join([*pieces, _TRAILER])
    return Written(payload, found, epochs, _last(parts[-1]), min(moments), max(moments))


def _numbers(part: HistoryRows) -> Numbers:
    return np.frombuffer(part.numbers, dtype="<i8").reshape(len(part), len(COLUMNS))


def _last(part: HistoryRows) -> int:
    return int(_numbers(part)[-1, 0])


def _unbroken(numbers: Numbers, sequence: int) -> int:
    """How many rows follow each other, from the one behind `sequence` on."""
    before = np.concatenate(([sequence], numbers[:-1, 0]))
    broken = numbers[:, 1] > before
    return int(np.argmax(broken)) if broken.any() else len(numbers)


def _alike(part: HistoryRows, numbers: Numbers) -> Iterator[tuple[int, int]]:
    """Runs of rows that one template fits: the same numbers missing, the same basis."""
    shape = np.stack(
        (
            numbers[:, COLUMNS.index("occupied")] == NOTHING,
            numbers[:, COLUMNS.index("free")] == NOTHING,
            np.frombuffer(part.bases, dtype=np.uint8),
        ),
        axis=1,
    )
    edges = np.flatnonzero((shape[1:] != shape[:-1]).any(axis=1)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(part)], strict=True)


def _with_doubts(
    rows: NDArray[np.uint8], part: HistoryRows, start: int, possible: NDArray[np.bool_]
) -> Iterator[bytes]:
    """The rows with their last field, which has its own length in each of them."""
    count = len(rows)
    if not part.doubts and possible.all():
        yield np.hstack((rows, np.broadcast_to(_NO_DOUBTS, (count, len(_NO_DOUBTS))))).tobytes()
        return
    fixed, width = rows.tobytes(), rows.shape[1]
    for place, is_possible in enumerate(possible.tolist()):
        told = part.doubts.get(start + place, ())
        yield fixed[place * width : (place + 1) * width]
        yield _text_array(told if is_possible else (*told, CLOCK_DOUBT))


def _rows(part: HistoryRows, observed_ms: Numbers, recorded_at_ms: int) -> NDArray[np.uint8]:
    """All fields but the last, a row of bytes each."""
    numbers = dict(zip(COLUMNS, _numbers(part).T, strict=True))
    row = _Row(len(part))
    row.add_constant(_text(part.lot_id))
    row.add_constant(struct.pack(">iq", 8, part.epoch))
    row.add(numbers["sequence"], 8)
    row.add(_postgres_time(observed_ms), 8)
    row.add(_postgres_time(numbers["observed_at_ms"]), 8)
    row.add_constant(struct.pack(">iq", 8, (recorded_at_ms - _EPOCH_2000_MS) * _MICROSECONDS))
    row.add_maybe(numbers["occupied"], 4)
    row.add_maybe(numbers["free"], 4)
    row.add(numbers["usable"], 4)
    row.add(numbers["out_of_service"], 4)
    row.add(numbers["entries_total"], 8)
    row.add(numbers["exits_total"], 8)
    row.add_array(part.lane_totals, part.lanes, 8, _INT8_OID)
    row.add_array(part.group_occupied, part.groups, 2, _INT2_OID)
    row.add_constant(_text(BASES[part.bases[0]].value))
    return row.written()


class _Row:
    """Many rows at once: constant bytes and columns of numbers, side by side."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._pieces: list[NDArray[np.uint8]] = []
        self.add_constant(struct.pack(">h", len(TABLE_COLUMNS)))

    def add_constant(self, told: bytes) -> None:
        one = np.frombuffer(told, dtype=np.uint8)
        self._pieces.append(np.broadcast_to(one, (self._rows, len(told))))

    def add(self, numbers: Numbers, width: int) -> None:
        """A column of integers of so many bytes. Raises OverflowError for what does not fit."""
        self.add_constant(struct.pack(">i", width))
        self._add_numbers(numbers.reshape(self._rows, 1), width)

    def add_maybe(self, numbers: Numbers, width: int) -> None:
        if numbers[0] == NOTHING:
            self.add_constant(_NULL)
        else:
            self.add(numbers, width)

    def add_array(self, column: bytes, count: int, width: int, oid: int) -> None:
        if not count:
            self.add_constant(struct.pack(">iiii", 12, 0, 0, oid))
            return
        self.add_constant(struct.pack(">iiiiii", 20 + count * (4 + width), 1, 0, oid, count, 1))
        numbers = np.frombuffer(column, dtype="<i8").reshape(self._rows, count)
        for place in range(count):
            self.add_constant(struct.pack(">i", width))
            self._add_numbers(numbers[:, place : place + 1], width)

    def written(self) -> NDArray[np.uint8]:
        return np.concatenate(self._pieces, axis=1)

    def _add_numbers(self, numbers: Numbers, width: int) -> None:
        bound = 1 << (8 * width - 1)
        if width < np.int64().itemsize and (numbers.min() < -bound or numbers.max() >= bound):
            span = f"{numbers.min()}..{numbers.max()}"
            raise OverflowError(f"a number does not fit {width} bytes: {span}")
        big_endian = np.ascontiguousarray(numbers, dtype=f">i{width}")
        self._pieces.append(big_endian.view(np.uint8).reshape(self._rows, width))


def _postgres_time(ms: Numbers) -> Numbers:
    return (ms - _EPOCH_2000_MS) * _MICROSECONDS


def _text(words: str) -> bytes:
    raw = words.encode()
    return struct.pack(">i", len(raw)) + raw


@lru_cache(maxsize=4_096)  # a doubt stays the same for many rows
def _text_array(words: tuple[str, ...]) -> bytes:
    if not words:
        return struct.pack(">iiii", 12, 0, 0, _TEXT_OID)
    told = b"".join(_text(one) for one in words)
    return struct.pack(">iiiiii", 20 + len(told), 1, 0, _TEXT_OID, len(words), 1) + told


_NO_DOUBTS = np.frombuffer(_text_array(()), dtype=np.uint8)
