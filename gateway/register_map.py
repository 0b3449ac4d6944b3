"""Register maps: what a controller model keeps where, read from one data file a model."""

import tomllib
from enum import StrEnum
from importlib.resources import files

import msgspec

WRITE_FUNCTION = 16
_ADDRESSES = 65_536
_LONGEST_READ = 125  # registers in one reply: Modbus application protocol V1.1b3, 6.3


class Table(StrEnum):
    """The four address spaces of Modbus."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def read_function(self) -> int:
        return _READ_FUNCTION[self]

    @property
    def holds_bits(self) -> bool:
        return self in (Table.COIL, Table.DISCRETE)


_READ_FUNCTION = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


class PointType(StrEnum):
    """How registers make a value."""

    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    BITS = "bits"  # in registers: bit 0 of the first register first; else one address a bit


class WordOrder(StrEnum):
    """Which register of a 32-bit value comes first."""

    HIGH_FIRST = "high_first"
    LOW_FIRST = "low_first"


class Purpose(StrEnum):
    """What a point is polled for: the order of importance on a shared line."""

    COUNT = "count"
    SPACE = "space"
    HOUSEKEEPING = "housekeeping"
    FACE = "face"


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value: `length` counts repetitions (texts a line, bits of a pallet field)."""

    name: str
    table: Table
    address: int
    type: PointType = PointType.U16
    length: int = 1
    word_order: WordOrder = WordOrder.HIGH_FIRST
    scale: float = 1
    unit: str = ""
    purpose: Purpose = Purpose.HOUSEKEEPING
    writable: bool = False
    meaning: dict[str, str] = {}
    about: str = ""

    @property
    def width(self) -> int:
        """Addresses it takes."""
        if self.type is PointType.BITS and not self.table.holds_bits:
            return -(-self.length // 16)
        return self.length * (2 if self.type is PointType.U32 else 1)

    @property
    def end(self) -> int:
        return self.address + self.width


class RegisterMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One controller model. `functions` are the only Modbus functions ever sent to it."""

    model: str
    about: str
    functions: tuple[int, ...]
    points: tuple[Point, ...] = msgspec.field(name="point")
    block_addresses: int = 125
    largest_hole: int = 0
    counter_bits: int | None = None

    def point(self, name: str) -> Point:
        for point in self.points:
            if point.name == name:
                return point
        raise KeyError(f"map {self.model} has no point {name}")


class BadMapError(Exception):
    """A register map cannot be used; the message names the file, the point and the reason."""


def load_map(model: str) -> RegisterMap:
    """Read the map shipped for `model`. Raises BadMapError."""
    if model not in list_models():
        known = ", ".join(list_models())
        raise BadMapError(f"there is no register map {model!r}; known: {known} (docs/devices.md)")
    source = files("gateway") / "maps" / f"{model}.toml"
    return parse_map(source.read_text(encoding="utf-8"), f"{model}.toml")


def list_models() -> list[str]:
    folder = files("gateway") / "maps"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def parse_map(text: str, file_name: str) -> RegisterMap:
    """Check one map; the message names the file, the point and the reason. Raises BadMapError."""
    try:
        register_map = msgspec.convert(tomllib.loads(text), RegisterMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise BadMapError(f"{file_name}: {reason}") from None
    troubles = list(_troubles(register_map))
    if troubles:
        raise BadMapError("\n".join(f"{file_name}: {trouble}" for trouble in troubles))
    return register_map


def _troubles(register_map: RegisterMap) -> list[str]:
    return [
        *_limit_troubles(register_map),
        *_duplicates(register_map),
        *(t for point in register_map.points for t in _point_troubles(point, register_map)),
    ]


def _limit_troubles(register_map: RegisterMap) -> list[str]:
    known = {*_READ_FUNCTION.values(), WRITE_FUNCTION}
    strange = sorted(set(register_map.functions) - known)
    rules: list[tuple[bool, str]] = [
        (
            1 <= register_map.block_addresses <= _LONGEST_READ,
            f"block_addresses must lie between 1 and {_LONGEST_READ}",
        ),
        (register_map.largest_hole >= 0, "largest_hole must not be negative"),
    ]
    return [
        *(words for holds, words in rules if not holds),
        *(f"function {function} is not among 1, 2, 3, 4, 16" for function in strange),
    ]


def _duplicates(register_map: RegisterMap) -> list[str]:
    names = [point.name for point in register_map.points]
    return [f"point {name} stands twice" for name in sorted(set(names)) if names.count(name) > 1]


def _point_troubles(point: Point, register_map: RegisterMap) -> list[str]:
    rules: list[tuple[bool, str]] = [
        (point.length >= 1, "length must be at least 1"),
        (point.address >= 0 and point.end <= _ADDRESSES, "lies outside addresses 0 to 65535"),
        (point.width <= register_map.block_addresses, "does not fit in one read"),
        (point.scale != 0, "scale must not be 0"),
        (all(code.isdecimal() for code in point.meaning), "meaning must be whole numbers = words"),
        (not point.table.holds_bits or point.type is PointType.BITS, "coils hold bits only"),
        (
            point.table.read_function in register_map.functions,
            f"needs function {point.table.read_function}, which `functions` does not allow",
        ),
        (
            not point.writable or WRITE_FUNCTION in register_map.functions,
            "is writable, but `functions` does not allow 16",
        ),
        (not point.writable or point.table is Table.HOLDING, "only holding registers are written"),
    ]
    return [f"point {point.name} {words}" for holds, words in rules if not holds]


def coded(point: Point) -> dict[int, str]:
    """The point's codes and what they mean."""
    return {int(code): word for code, word in point.meaning.items()}
