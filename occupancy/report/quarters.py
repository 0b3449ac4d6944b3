"""The raw 15-minute figures of a report: kept beside it, so that a version never changes."""

import zlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from occupancy.export_cells import Column, Kind, Row
from occupancy.rollup import Window

COLUMNS = (
    Column("停车场"),
    Column("编号"),
    Column("开始", Kind.MOMENT),
    Column("在场", Kind.NUMBER),
    Column("余位", Kind.NUMBER),
    Column("可用", Kind.NUMBER),
    Column("占有率", Kind.PERCENT),
    Column("进", Kind.NUMBER),
    Column("出", Kind.NUMBER),
    Column("满位分钟", Kind.NUMBER),
    Column("完整率", Kind.PERCENT),
    Column("陈旧占比", Kind.PERCENT),
)
Quarters = Mapping[str, Sequence[Window]]
_MINUTE_MS = 60_000
_DECODER = msgspec.msgpack.Decoder(dict[str, list[Window]])


def pack(quarters: Quarters) -> bytes:
    return zlib.compress(msgspec.msgpack.encode({k: list(v) for k, v in quarters.items()}))


def unpack(packed: bytes) -> Quarters:
    return _DECODER.decode(zlib.decompress(packed))


def rows_of(quarters: Quarters, names: Mapping[str, str]) -> Iterator[Row]:
    """A row a window, in order of car parks and time; what was not told stays empty."""
    for lot_id, windows in quarters.items():
        for one in windows:
            yield (names.get(lot_id, lot_id), lot_id, one.start_ms, *_figures(one))


def _figures(one: Window) -> tuple[float | None, ...]:
    is_told = one.told_ms > 0
    return (
        *(_rounded(value) for value in (one.occupied, one.free, one.usable)),
        _rounded(one.occupancy),
        *((one.entries, one.exits) if is_told or one.entries or one.exits else (None, None)),
        _rounded(one.full_ms / _MINUTE_MS) if is_told else None,
        _rounded(one.completeness),
        _rounded(one.stale_share),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
