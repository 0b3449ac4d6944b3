"""One car park's gateway: its lines and devices from TOML, checked before any socket opens."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from gateway.address import address
from gateway.bus_timing import SerialSettings, read_seconds
from gateway.decode import blocks_of, lookalikes
from gateway.observation import Direction, GroupState
from gateway.register_map import BadMapError, Point, PointType, RegisterMap, load_map
from gateway.settings import Setting, number, whole_number

REDIS_URL = Setting(
    "ZHIBO_REDIS_URL",
    "",
    address,
    "Redis >= 7 or Valkey >= 8: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://",
)
OUTBOX_FOLDER = Setting("ZHIBO_OUTBOX", "", Path, "folder of the gateways' outboxes")
OUTBOX_MIB = Setting(
    "ZHIBO_OUTBOX_MIB",
    "1024",
    lambda raw: whole_number(raw, least=16, most=1_048_576),
    "size limit of one outbox in MiB; at the limit snapshots are thinned, counts never",
)
PORT_OFFSET = Setting(
    "ZHIBO_MODBUS_PORT_OFFSET",
    "0",
    lambda raw: whole_number(raw, least=0, most=40_000),
    "added to every Modbus port, for a second town on one machine",
)
RATE_FACTOR = Setting(
    "ZHIBO_COUNTER_RATE_FACTOR",
    "1",
    lambda raw: number(raw, least=0.1, most=1_000),
    "multiplies the cars a minute that a lane is believed to count",
)
SETTINGS = (REDIS_URL, OUTBOX_FOLDER, OUTBOX_MIB, PORT_OFFSET, RATE_FACTOR)

TOWN_SIGN_LEVEL = 2
_LARGEST = 86_400_000
PORT_MAX = 65_535
UNIT_MAX = 247  # Modbus over serial line V1.02, 2.2
TICK_MS = 10
BAUDS = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)
SIGN_LINES = 4  # of the registers; a sign may have fewer rows of lamps


LoadMap = Callable[[str], RegisterMap]


class LinkKind(StrEnum):
    """What runs over the line."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    RTU = "rtu"  # on a serial port of this machine

    @property
    def is_rtu(self) -> bool:
        """Whether a reply names no transaction, only unit, function and size."""
        return self is not LinkKind.TCP


class Role(StrEnum):
    """What a device is there for."""

    LANE = "lane"
    GROUP = "group"
    SIGN = "sign"


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One connection: a controller of its own, a serial server, or a serial adapter here."""

    link_id: str
    kind: LinkKind
    port: int = 0
    host: str = "127.0.0.1"
    serial: SerialSettings | None = None

    @property
    def place(self) -> str:
        return self.serial.device if self.serial else f"{self.host}:{self.port}"


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field device. The facts below `role` belong to that role only."""

    device_id: str
    link_id: str
    map: str
    role: Role
    unit: int = 1
    period_ms: int = 1_000
    timeout_ms: int = 500
    direction: Direction | None = None
    group_id: str | None = None
    bays_by_level: tuple[int, ...] = ()
    sign_level: int | None = None
    lines: tuple[str, ...] = ()

    @property
    def bays(self) -> int:
        return sum(self.bays_by_level)


class CarPark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's configuration as its file says it."""

    lot_id: str
    links: tuple[Link, ...] = msgspec.field(name="link")
    devices: tuple[Device, ...] = msgspec.field(name="device")
    cars_per_minute_max: float = 30.0
    observe_every_ms: int = 1_000
    stale_after_ms: int = 90_000


@dataclass(frozen=True)
class GatewayConfig:
    """A checked configuration with the register maps it uses."""

    car_park: CarPark
    maps: Mapping[str, RegisterMap]

    def link(self, device: Device) -> Link:
        return next(link for link in self.car_park.links if link.link_id == device.link_id)

    def devices_of(self, role: Role) -> tuple[Device, ...]:
        return tuple(device for device in self.car_park.devices if device.role is role)


class BadConfigError(Exception):
    """A gateway's file cannot be used; the message names file, line, device and the way out."""


def list_shipped() -> list[Path]:
    """The files of the car parks that ship with the service."""
    return sorted((Path(__file__).parent / "car_parks").glob("*.toml"))


def load_config(path: Path, *, port_offset: int = 0) -> GatewayConfig:
    """Read and check one car park. Raises BadConfigError with every trouble found."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as reason:
        raise BadConfigError(
            f"{path}: {reason.strerror}; give the path of a car park's file"
        ) from None
    except UnicodeDecodeError:
        raise BadConfigError(f"{path}: is not UTF-8; save it as UTF-8") from None
    return parse_config(content, path.name, port_offset=port_offset)


def parse_config(
    content: str, file_name: str, *, port_offset: int = 0, load: LoadMap = load_map
) -> GatewayConfig:
    """Check one car park's file; `load` finds a model's register map. Raises BadConfigError."""
    try:
        raw = tomllib.loads(content)
    except tomllib.TOMLDecodeError as reason:
        raise BadConfigError(f"{file_name}: {reason}") from None
    car_park, troubles = _shaped(raw)
    maps, bad_maps = _load_maps(car_park, load)
    if not troubles:
        troubles = [*bad_maps, *(t for check in _CHECKS for t in check(car_park, maps))]
    if troubles:
        lines = content.splitlines()
        raise BadConfigError("\n".join(_placed(lines, file_name, raw, t) for t in troubles))
    shifted = tuple(
        link if link.serial else msgspec.structs.replace(link, port=link.port + port_offset)
        for link in car_park.links
    )
    if port_offset and any(link.port > PORT_MAX for link in shifted):
        raise BadConfigError(
            f"{file_name}: {PORT_OFFSET.name}={port_offset} lifts a port beyond {PORT_MAX}; "
            "choose a smaller one"
        )
    return GatewayConfig(msgspec.structs.replace(car_park, links=shifted), maps)


class _Trouble(NamedTuple):
    """What is wrong with the `at`-th [[table]], or with the file's head (table "")."""

    table: str
    at: int
    field: str
    words: str


Maps = Mapping[str, RegisterMap]
Check = Callable[[CarPark, Maps], Iterator[_Trouble]]
S = TypeVar("S", bound=msgspec.Struct)


def _shaped(raw: Mapping[str, Any]) -> tuple[CarPark, list[_Trouble]]:
    """The car park as far as it has the right shape; each table is judged for itself."""
    links, bad_links = _each(raw.get("link", []), "link", Link)
    devices, bad_devices = _each(raw.get("device", []), "device", Device)
    rest = {name: value for name, value in raw.items() if name not in ("link", "device")}
    heads, bad_head = _each([{**rest, "link": [], "device": []}], "", CarPark)
    head = heads[0] if heads else CarPark("", (), ())
    car_park = msgspec.structs.replace(head, links=links, devices=devices)
    return car_park, [*bad_head, *bad_links, *bad_devices]


def _each(raw: object, table: str, kind: type[S]) -> tuple[tuple[S, ...], list[_Trouble]]:
    if not isinstance(raw, list) or not raw:
        return (), [_Trouble("", 0, table, f"needs at least one [[{table}]]")]
    shaped: list[S] = []
    troubles: list[_Trouble] = []
    for index, one in enumerate(raw):
        try:
            shaped.append(msgspec.convert(one, kind))
        except msgspec.ValidationError as reason:
            words, _, place = str(reason).partition(" - at `$.")
            field = place.partition("[")[0].rstrip("`") or _field_named_in(words)
            troubles.append(_Trouble(table, index, field, words))
    return tuple(shaped), troubles


def _field_named_in(words: str) -> str:
    """The sentence of msgspec names an unknown or missing field in its sentence."""
    return words.partition("field `")[2].partition("`")[0]


def _load_maps(car_park: CarPark, load: LoadMap) -> tuple[dict[str, RegisterMap], list[_Trouble]]:
    maps: dict[str, RegisterMap] = {}
    troubles: list[_Trouble] = []
    for index, device in enumerate(car_park.devices):
        if device.map in maps:
            continue
        try:
            maps[device.map] = load(device.map)
        except BadMapError as reason:
            troubles.append(_Trouble("device", index, "map", str(reason)))
    return maps, troubles


def _repeated(values: Iterable[object]) -> Iterator[tuple[int, object]]:
    """Each value that stood before, at its place."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index, value
        seen.add(value)


def _nothing_stands_twice(car_park: CarPark, _: Maps) -> Iterator[_Trouble]:
    for index, _id in _repeated(link.link_id for link in car_park.links):
        yield _Trouble("link", index, "link_id", "this id stands twice; give it another")
    for index, place in _repeated(link.place for link in car_park.links):
        words = f"another link goes to {place} already; give both the same link_id"
        field = "serial" if car_park.links[index].serial else "port"
        yield _Trouble("link", index, field, words)
    devices = car_park.devices
    for index, _id in _repeated(device.device_id for device in devices):
        yield _Trouble("device", index, "device_id", "this id stands twice; give it another")
    for index, _place in _repeated((device.link_id, device.unit) for device in devices):
        words = (
            f"link {devices[index].link_id} has a device with unit {devices[index].unit} already"
        )
        yield _Trouble("device", index, "unit", words)
    groups = (device.group_id or number for number, device in enumerate(devices))
    for index, group_id in _repeated(groups):
        yield _Trouble("device", index, "group_id", f"group {group_id} has a device already")


def _links_exist(car_park: CarPark, _: Maps) -> Iterator[_Trouble]:
    known = {link.link_id for link in car_park.links}
    for index, device in enumerate(car_park.devices):
        if device.link_id not in known:
            words = f"link {device.link_id!r} is none of {', '.join(sorted(known))}"
            yield _Trouble("device", index, "link_id", words)
    used = {device.link_id for device in car_park.devices}
    for index, link in enumerate(car_park.links):
        if link.link_id not in used:
            yield _Trouble("link", index, "link_id", "no device is behind it; remove it or add one")


def _numbers_are_possible(car_park: CarPark, _: Maps) -> Iterator[_Trouble]:
    if not _LOT_ID.fullmatch(car_park.lot_id):
        words = f"{car_park.lot_id!r} must be lower-case letters, digits, - and _"
        yield _Trouble("", 0, "lot_id", words)
    for field in ("cars_per_minute_max", "observe_every_ms", "stale_after_ms"):
        if not 0 < getattr(car_park, field) <= _LARGEST:  # nan is neither
            yield _Trouble("", 0, field, f"must be more than 0 and at most {_LARGEST}")
    for index, link in enumerate(car_park.links):
        for field, words in _link_troubles(link):
            yield _Trouble("link", index, field, words)
    kinds = {link.link_id: link.kind for link in car_park.links}
    for index, device in enumerate(car_park.devices):
        least, most = _UNITS[kinds.get(device.link_id, LinkKind.TCP)]
        if not least <= device.unit <= most:
            words = f"unit {device.unit} must lie between {least} and {most} on such a link"
            yield _Trouble("device", index, "unit", words)
        for field in ("period_ms", "timeout_ms"):
            if getattr(device, field) < TICK_MS:
                yield _Trouble("device", index, field, f"must be at least {TICK_MS}")


def _link_troubles(link: Link) -> Iterator[tuple[str, str]]:
    if link.kind is not LinkKind.RTU:
        if not 1 <= link.port <= PORT_MAX:
            yield "port", f"port {link.port} must lie between 1 and {PORT_MAX}"
        if link.serial:
            yield "serial", f'belongs to kind = "rtu", not to {link.kind}'
        return
    if link.serial is None:
        yield "serial", 'kind = "rtu" needs serial = { device = "/dev/serial/by-id/..." }'
        return
    if not link.serial.device.startswith("/"):
        yield "serial", f"device {link.serial.device!r} must be a path that begins with /"
    if link.serial.baud not in BAUDS:
        allowed = ", ".join(str(baud) for baud in BAUDS)
        yield "serial", f"baud {link.serial.baud} is none of {allowed}"
    if link.serial.stop_bits not in (1, 2):
        yield "serial", f"stop_bits {link.serial.stop_bits} must be 1 or 2"


def _roles_are_complete(car_park: CarPark, maps: Maps) -> Iterator[_Trouble]:
    for index, device in enumerate(car_park.devices):
        for field, words in _missing_facts(device):
            yield _Trouble("device", index, field, words)
        register_map = maps.get(device.map)
        if register_map is None:
            continue
        if words := "; ".join(_map_troubles(device, register_map)):
            yield _Trouble("device", index, "map", f"map {device.map} {words}")
        room = _pallet_bits(register_map)
        if device.role is Role.GROUP and room is not None and device.bays > room:
            words = f"{device.bays} bays, but map {device.map} has {room} pallet bits"
            yield _Trouble("device", index, "bays_by_level", words)


def _map_troubles(device: Device, register_map: RegisterMap) -> Iterator[str]:
    """What keeps a map from serving a device of this role."""
    points = {point.name: point for point in register_map.points}
    for name, fits, words in _POINTS_NEEDED[device.role]:
        if name not in points:
            yield f"lacks {name} that a {device.role} needs"
        elif not fits(points[name]):
            yield f"has a {name} that is not {words}"
    if device.role is Role.LANE and register_map.counter_bits is None:
        yield "lacks counter_bits"


def _pallet_bits(register_map: RegisterMap) -> int | None:
    return next((p.length for p in register_map.points if p.name == "pallets"), None)


def _is_whole_number(point: Point) -> bool:
    whole = point.type in (PointType.U16, PointType.U32)
    return whole and point.length == 1 and point.scale == 1 and not point.meaning


def _has_states(point: Point) -> bool:
    words = set(point.meaning.values())
    return point.length == 1 and bool(words) and words <= _GROUP_STATES


def _has_faces(point: Point) -> bool:
    return _is_a_line_each(point) and set(point.meaning.values()) >= _FACES


def _is_a_line_each(point: Point) -> bool:
    return point.writable and point.length == SIGN_LINES


def _late_replies_stay_harmless(car_park: CarPark, maps: Maps) -> Iterator[_Trouble]:
    """RTU replies tell only unit, function and size: two reads that agree in these are one."""
    kinds = {link.link_id: link.kind for link in car_park.links}
    for index, device in enumerate(car_park.devices):
        kind = kinds.get(device.link_id)
        if kind is not None and kind.is_rtu and device.map in maps:
            for block in lookalikes(maps[device.map]):
                words = (
                    f"map {device.map} has two reads of {block.size} {block.table} addresses, "
                    "which RTU replies cannot tell apart; give their points one purpose"
                )
                yield _Trouble("device", index, "map", words)


def _waits_outlast_the_wire(car_park: CarPark, maps: Maps) -> Iterator[_Trouble]:
    lines = {link.link_id: link.serial for link in car_park.links}
    for index, device in enumerate(car_park.devices):
        line = lines.get(device.link_id)
        if line is None or line.baud < 1 or device.map not in maps:
            continue
        blocks = blocks_of(maps[device.map], maps[device.map].points)
        wire_ms = max(1_000 * read_seconds(line, block) for block in blocks)
        if device.timeout_ms <= wire_ms:
            words = (
                f"a read of {device.map} takes {wire_ms:.0f} ms at {line.baud} baud; wait longer"
            )
            yield _Trouble("device", index, "timeout_ms", words)


def _missing_facts(device: Device) -> Iterator[tuple[str, str]]:
    if device.role is Role.LANE and device.direction is None:
        yield "direction", 'a lane needs direction = "entry" or "exit"'
    if device.role is Role.GROUP and not device.group_id:
        yield "group_id", "a group needs a group_id"
    if device.role is Role.GROUP and (not device.bays_by_level or min(device.bays_by_level) < 1):
        yield "bays_by_level", "a group needs bays_by_level, at least one bay on each level"
    if device.role is Role.SIGN and device.sign_level not in (2, 3):
        yield "sign_level", "a sign needs sign_level = 2 or 3"
    if device.role is Role.SIGN and not 1 <= len(device.lines) <= SIGN_LINES:
        yield "lines", f"a sign needs 1 to {SIGN_LINES} lines: the lots it shows"


_LOT_ID = re.compile("[a-z][a-z0-9_-]*")
_UNITS = {
    LinkKind.TCP: (0, 255),
    LinkKind.RTU_OVER_TCP: (1, UNIT_MAX),
    LinkKind.RTU: (1, UNIT_MAX),
}
_GROUP_STATES = {state.value for state in GroupState} - {GroupState.SILENT.value}
_FACES = {"number", "full", "closed", "stale", "blank"}
_POINTS_NEEDED: Mapping[Role, tuple[tuple[str, Callable[[Point], bool], str], ...]] = {
    Role.LANE: (("count", _is_whole_number, "one whole number"),),
    Role.GROUP: (
        ("pallets", lambda point: point.type is PointType.BITS, "bits"),
        ("group_state", _has_states, f"one code meaning {', '.join(sorted(_GROUP_STATES))}"),
    ),
    Role.SIGN: (
        ("numbers", _is_a_line_each, f"writable with {SIGN_LINES} lines"),
        ("faces", _has_faces, f"writable with {SIGN_LINES} lines of {', '.join(sorted(_FACES))}"),
    ),
}
_CHECKS: tuple[Check, ...] = (
    _nothing_stands_twice,
    _links_exist,
    _numbers_are_possible,
    _roles_are_complete,
    _late_replies_stay_harmless,
    _waits_outlast_the_wire,
)


def _placed(lines: list[str], file_name: str, raw: Mapping[str, Any], trouble: _Trouble) -> str:
    """`file:line: id: field: words`, so that an editor jumps there."""
    where = f"{file_name}:{_line_of(lines, trouble)}"
    if not trouble.table:
        return f"{where}: {trouble.field}: {trouble.words}"
    one = raw[trouble.table][trouble.at]
    named = one.get(f"{trouble.table}_id") if isinstance(one, dict) else None
    id_ = named or f"{trouble.table} number {trouble.at + 1}"
    return f"{where}: {id_}: {trouble.field}: {trouble.words}"


def _line_of(lines: list[str], trouble: _Trouble) -> int:
    """The line of the field, else of the table's heading, else the first."""
    tables = [n for n, line in enumerate(lines) if line.strip().startswith("[")]
    mine = [n for n in tables if lines[n].split("#")[0].strip() == f"[[{trouble.table}]]"]
    start = mine[trouble.at] if trouble.at < len(mine) else 0
    end = next((n for n in tables if n > start), len(lines))
    fields = (n for n in range(start, end) if lines[n].split("=")[0].strip() == trouble.field)
    return next(fields, start) + 1
