"""Registers to named values and back; blocks of neighbouring points read at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.register_map import Point, PointType, Purpose, RegisterMap, Table, WordOrder, coded

Word = int | bool
Value = int | float | str | tuple[int, ...] | tuple[bool, ...] | tuple[str, ...]
_WORD = 1 << 16


class UnreadableError(Exception):
    """A device said something its register map gives no meaning to."""


class UnwritableError(Exception):
    """A value does not fit the point it shall be written to."""


class Block(NamedTuple):
    """One read: `size` addresses of one table from `address` on."""

    table: Table
    address: int
    size: int

    @property
    def end(self) -> int:
        return self.address + self.size


def blocks_of(register_map: RegisterMap, points: Iterable[Point]) -> tuple[Block, ...]:
    """The fewest reads that fetch `points`: holes up to `largest_hole` are read over."""
    blocks: list[Block] = []
    for point in sorted(points, key=lambda p: (p.table, p.address)):
        last = blocks[-1] if blocks else None
        if last is not None and _joins(last, point, register_map):
            end = max(last.end, point.end)
            blocks[-1] = last._replace(size=end - last.address)
        else:
            blocks.append(Block(point.table, point.address, point.width))
    return tuple(blocks)


def lookalikes(register_map: RegisterMap) -> list[Block]:
    """Reads that agree in function and size with an earlier one of the same device."""
    seen: set[tuple[Table, int]] = set()
    found: list[Block] = []
    for purpose in Purpose:
        points = [point for point in register_map.points if point.purpose is purpose]
        for block in blocks_of(register_map, points):
            if (block.table, block.size) in seen:
                found.append(block)
            seen.add((block.table, block.size))
    return found


def _joins(last: Block, point: Point, register_map: RegisterMap) -> bool:
    return (
        point.table is last.table
        and point.address - last.end <= register_map.largest_hole
        and point.end - last.address <= register_map.block_addresses
    )


def decode(point: Point, words: Sequence[Word]) -> Value:
    """One value from the point's own addresses. Raises UnreadableError."""
    if len(words) != point.width:
        raise UnreadableError(f"{point.name}: asked {point.width} addresses, got {len(words)}")
    if point.type is PointType.BITS:
        return _bits(point, words)
    values = tuple(_number(point, word) for word in _integers(point, words))
    if point.meaning:
        return _single(tuple(_word_of(point, int(value)) for value in values))
    return _single(values)


def decode_blocks(
    points: Iterable[Point], answers: Mapping[Block, Sequence[Word]]
) -> tuple[dict[str, Value], list[str]]:
    """All values found in the answers, and what could not be read and why."""
    values: dict[str, Value] = {}
    troubles: list[str] = []
    for point in points:
        try:
            values[point.name] = decode(point, _cut(point, answers))
        except UnreadableError as trouble:
            troubles.append(str(trouble))
    return values, troubles


def encode(point: Point, value: Value) -> list[int]:
    """The registers (or bits as 0 and 1) that say `value`. Raises UnwritableError."""
    if point.type is PointType.BITS:
        return _encode_bits(point, value)
    parts = value if isinstance(value, tuple) else (value,)
    if len(parts) != point.length:
        raise UnwritableError(f"{point.name} takes {point.length} values, got {len(parts)}")
    return [word for part in parts for word in _words(point, part)]


def _cut(point: Point, answers: Mapping[Block, Sequence[Word]]) -> Sequence[Word]:
    for block, words in answers.items():
        if block.table is point.table and block.address <= point.address and point.end <= block.end:
            return words[point.address - block.address : point.end - block.address]
    raise UnreadableError(f"{point.name}: not in the answer")


def _integers(point: Point, words: Sequence[Word]) -> list[int]:
    if point.type is PointType.U32:
        return [_u32(point, words[i], words[i + 1]) for i in range(0, len(words), 2)]
    if point.type is PointType.I16:
        return [int(word) - _WORD if word >= _WORD // 2 else int(word) for word in words]
    return [int(word) for word in words]


def _u32(point: Point, first: Word, second: Word) -> int:
    high, low = (first, second) if point.word_order is WordOrder.HIGH_FIRST else (second, first)
    return int(high) * _WORD + int(low)


def _number(point: Point, raw: int) -> int | float:
    return raw if point.scale == 1 else round(raw * point.scale, 9)


def _word_of(point: Point, code: int) -> str:
    word = coded(point).get(code)
    if word is None:
        raise UnreadableError(f"{point.name}: code {code} has no meaning in the map")
    return word


def _single(values: tuple[int | float, ...] | tuple[str, ...]) -> Value:
    return values[0] if len(values) == 1 else values  # type: ignore[return-value]


def _bits(point: Point, words: Sequence[Word]) -> tuple[bool, ...]:
    if point.table.holds_bits:
        return tuple(bool(word) for word in words)
    return tuple(bool(int(words[i // 16]) >> (i % 16) & 1) for i in range(point.length))


def _encode_bits(point: Point, value: Value) -> list[int]:
    if not isinstance(value, tuple) or len(value) != point.length:
        raise UnwritableError(f"{point.name} takes {point.length} bits")
    bits = [int(bool(bit)) for bit in value]
    if point.table.holds_bits:
        return bits
    words = [0] * point.width
    for i, bit in enumerate(bits):
        words[i // 16] |= bit << (i % 16)
    return words


def _words(point: Point, part: float | str) -> list[int]:
    raw = _raw(point, part)
    least, most = _RANGES[point.type]
    if not least <= raw <= most:
        raise UnwritableError(f"{point.name}: {part} lies outside {least} to {most} registers hold")
    if point.type is PointType.U32:
        high, low = divmod(raw, _WORD)
        return [high, low] if point.word_order is WordOrder.HIGH_FIRST else [low, high]
    return [raw % _WORD]


def _raw(point: Point, part: float | str) -> int:
    if isinstance(part, str):
        codes = {word: code for code, word in coded(point).items()}
        if part not in codes:
            raise UnwritableError(f"{point.name}: {part!r} is none of {', '.join(sorted(codes))}")
        return codes[part]
    return round(part / point.scale)


_RANGES = {
    PointType.U16: (0, _WORD - 1),
    PointType.I16: (-_WORD // 2, _WORD // 2 - 1),
    PointType.U32: (0, _WORD * _WORD - 1),
}
