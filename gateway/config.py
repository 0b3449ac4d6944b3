"""One car park's gateway: its lines and devices from TOML, checked before any socket opens."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from gateway.observation import Direction
from gateway.register_map import BadMapError, RegisterMap, load_map
from gateway.settings import Setting, number, text, whole_number

REDIS_URL = Setting(
    "ZHIBO_REDIS_URL",
    "",
    text,
    "Redis >= 7 or Valkey >= 8: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://",
)
OUTBOX_FOLDER = Setting("ZHIBO_OUTBOX", "", Path, "folder of the gateways' outboxes")
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
SETTINGS = (REDIS_URL, OUTBOX_FOLDER, PORT_OFFSET, RATE_FACTOR)

PORT_MAX = 65_535
UNIT_MAX = 247  # Modbus over serial line V1.02, 2.2
TICK_MS = 10


class LinkKind(StrEnum):
    """What runs over the line."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"


class Role(StrEnum):
    """What a device is there for."""

    LANE = "lane"
    GROUP = "group"
    SIGN = "sign"


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One connection: a controller of its own, or a serial server with a bus behind it."""

    link_id: str
    kind: LinkKind
    port: int
    host: str = "127.0.0.1"


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
    return parse_config(content, path.name, port_offset=port_offset)


def parse_config(content: str, file_name: str, *, port_offset: int = 0) -> GatewayConfig:
    try:
        car_park = msgspec.convert(tomllib.loads(content), CarPark)
    except tomllib.TOMLDecodeError as reason:
        raise BadConfigError(f"{file_name}: {reason}") from None
    except msgspec.ValidationError as reason:
        raise BadConfigError(_where_msgspec_points(content, file_name, str(reason))) from None
    maps, troubles = _load_maps(car_park)
    troubles += [(id_, words) for check in _CHECKS for id_, words in check(car_park, maps)]
    if troubles:
        raise BadConfigError("\n".join(_placed(content, file_name, *t) for t in troubles))
    shifted = tuple(msgspec.structs.replace(x, port=x.port + port_offset) for x in car_park.links)
    return GatewayConfig(msgspec.structs.replace(car_park, links=shifted), maps)


Trouble = tuple[str, str]
Check = Callable[[CarPark, Mapping[str, RegisterMap]], Iterator[Trouble]]


def _load_maps(car_park: CarPark) -> tuple[dict[str, RegisterMap], list[Trouble]]:
    maps: dict[str, RegisterMap] = {}
    troubles: list[Trouble] = []
    for device in car_park.devices:
        if device.map in maps:
            continue
        try:
            maps[device.map] = load_map(device.map)
        except BadMapError as reason:
            troubles.append((device.device_id, str(reason)))
    return maps, troubles


def _ids_stand_once(car_park: CarPark, _: Mapping[str, RegisterMap]) -> Iterator[Trouble]:
    links = [link.link_id for link in car_park.links]
    devices = [device.device_id for device in car_park.devices]
    for ids in (links, devices):
        yield from ((id_, "this id stands twice") for id_ in sorted(set(ids)) if ids.count(id_) > 1)
    places = [(d.link_id, d.unit) for d in car_park.devices]
    for device in car_park.devices:
        if places.count((device.link_id, device.unit)) > 1:
            yield device.device_id, f"unit {device.unit} on {device.link_id} has two devices"


def _links_exist(car_park: CarPark, _: Mapping[str, RegisterMap]) -> Iterator[Trouble]:
    known = {link.link_id for link in car_park.links}
    for device in car_park.devices:
        if device.link_id not in known:
            yield device.device_id, f"link {device.link_id!r} is none of {', '.join(sorted(known))}"


def _numbers_are_possible(car_park: CarPark, _: Mapping[str, RegisterMap]) -> Iterator[Trouble]:
    for link in car_park.links:
        if not 1 <= link.port <= PORT_MAX:
            yield link.link_id, f"port {link.port} must lie between 1 and {PORT_MAX}"
    for device in car_park.devices:
        if not 0 <= device.unit <= UNIT_MAX:
            yield device.device_id, f"unit {device.unit} must lie between 0 and {UNIT_MAX}"
        if device.period_ms < TICK_MS or device.timeout_ms < TICK_MS:
            yield device.device_id, f"period_ms and timeout_ms must be at least {TICK_MS}"


def _roles_are_complete(car_park: CarPark, maps: Mapping[str, RegisterMap]) -> Iterator[Trouble]:
    for device in car_park.devices:
        register_map = maps.get(device.map)
        if register_map is None:
            continue
        names = {point.name for point in register_map.points}
        missing = _POINTS_NEEDED[device.role] - names
        if missing:
            yield device.device_id, f"map {device.map} lacks {', '.join(sorted(missing))}"
        if fact := _missing_fact(device):
            yield device.device_id, fact
        elif device.role is Role.GROUP and "pallets" in names:
            room = register_map.point("pallets").length
            if device.bays > room:
                yield device.device_id, f"{device.bays} bays, but the map has {room} pallet bits"


def _missing_fact(device: Device) -> str:
    if device.role is Role.LANE and device.direction is None:
        return 'a lane needs direction = "entry" or "exit"'
    if device.role is Role.GROUP and not (device.group_id and device.bays_by_level):
        return "a group needs group_id and bays_by_level"
    if device.role is Role.SIGN and device.sign_level not in (2, 3):
        return "a sign needs sign_level = 2 or 3"
    return ""


_POINTS_NEEDED = {
    Role.LANE: {"count"},
    Role.GROUP: {"pallets", "group_state"},
    Role.SIGN: {"numbers", "faces"},
}
_CHECKS: tuple[Check, ...] = (
    _ids_stand_once,
    _links_exist,
    _numbers_are_possible,
    _roles_are_complete,
)


def _placed(content: str, file_name: str, id_: str, words: str) -> str:
    return f"{file_name}:{_line_of(content, id_)}: {id_}: {words}"


def _line_of(content: str, id_: str) -> int:
    lines = content.splitlines()
    found = (n for n, line in enumerate(lines, 1) if f'"{id_}"' in line and "_id" in line)
    return next(found, 1)


def _where_msgspec_points(content: str, file_name: str, reason: str) -> str:
    """`$.device[3].unit` in msgspec's words is the fourth [[device]] in the text."""
    head, _, place = reason.partition(" - at `$.")
    table, _, rest = place.partition("[")
    index, _, field = rest.partition("]")
    if not index.isdigit():
        return f"{file_name}: {reason}"
    raw: list[Mapping[str, Any]] = tomllib.loads(content)[table]
    id_ = str(raw[int(index)].get(f"{table}_id", f"{table} number {int(index) + 1}"))
    headings = [
        n for n, line in enumerate(content.splitlines(), 1) if line.strip() == f"[[{table}]]"
    ]
    return f"{file_name}:{headings[int(index)]}: {id_}{field.rstrip('`')}: {head}"
