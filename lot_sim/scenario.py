"""A town as its scenario file says it: lots, devices, destinations, habits, faults."""

import tomllib
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from lot_sim.faults import FAULTS, Role

_HOURS, _WEEKDAYS = 24, 7
_PORT_MAX, _UNIT_MAX = 65_535, 247


class LinkKind(StrEnum):
    """What runs over the line."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"


class Direction(StrEnum):
    """Which way a lane leads."""

    ENTRY = "entry"
    EXIT = "exit"


class DevicePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field device: where it is reached, and what it stands at."""

    device_id: str
    role: Role
    map: str
    kind: LinkKind
    port: int
    unit: int = 1
    direction: Direction | None = None
    counter_start: int = 0
    group_id: str = ""
    bays_by_level: tuple[int, ...] = ()


class GroupsPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` machine groups alike: over TCP each on the next port, on a bus the next unit."""

    count: int
    bays_by_level: tuple[int, ...]
    map: str
    kind: LinkKind
    port: int
    unit: int = 1


class LotPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One car park."""

    lot_id: str
    latitude: float
    longitude: float
    group: tuple[GroupsPlan, ...]
    device: tuple[DevicePlan, ...]

    def devices(self) -> tuple[DevicePlan, ...]:
        """Groups g1, g2, ... first, then lanes and signs."""
        return (*self.groups(), *self.device)

    def groups(self) -> tuple[DevicePlan, ...]:
        alike = ((plan, i) for plan in self.group for i in range(plan.count))
        return tuple(self._group(plan, i, n) for n, (plan, i) in enumerate(alike, 1))

    @property
    def bays(self) -> int:
        return sum(plan.count * sum(plan.bays_by_level) for plan in self.group)

    def _group(self, plan: GroupsPlan, index: int, number: int) -> DevicePlan:
        over_tcp = plan.kind is LinkKind.TCP
        return DevicePlan(
            device_id=f"{self.lot_id}-g{number}",
            role=Role.GROUP,
            map=plan.map,
            kind=plan.kind,
            port=plan.port + (index if over_tcp else 0),
            unit=plan.unit + (0 if over_tcp else index),
            group_id=f"g{number}",
            bays_by_level=plan.bays_by_level,
        )


class Stay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a mixture of stays: lognormal about a median, or, with `alpha`, a Pareto tail."""

    share: float
    median_minutes: float
    spread: float = 0.5
    alpha: float = 0


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sort of destination does to a day: weights of its hours, factors of its weekdays."""

    workday: tuple[float, ...]
    weekend: tuple[float, ...]
    week: tuple[float, ...]
    stay: tuple[Stay, ...]


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where drivers want to go; `cars_a_day` of them come to the five lots."""

    destination_id: str
    kind: str
    latitude: float
    longitude: float
    cars_a_day: float


class Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How drivers without guidance behave."""

    walk_scale_metres: float = 180
    drives_on_share: float = 0.6
    lots_tried_most: int = 3
    drive_on_minutes: tuple[float, float] = (2, 6)
    storing_queue_most: int = 4
    leaving_seconds: tuple[float, float] = (15, 60)


class PresetLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault of a preset: standing all the time, or coming `per_device_week` for `minutes`."""

    fault: str
    always: bool = False
    per_device_week: float = 0
    minutes: float = 10


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole town."""

    lots: tuple[LotPlan, ...] = msgspec.field(name="lot")
    destinations: tuple[Destination, ...] = msgspec.field(name="destination")
    kinds: dict[str, Kind] = msgspec.field(name="kind")
    presets: dict[str, tuple[PresetLine, ...]] = msgspec.field(name="preset")
    habits: Habits = Habits()

    def devices(self) -> Iterator[tuple[LotPlan, DevicePlan]]:
        return ((lot, device) for lot in self.lots for device in lot.devices())


class BadScenarioError(Exception):
    """A scenario file cannot be used; the message names the file, the key and the way out."""


def parse_scenario(text: str, file_name: str) -> Scenario:
    """Check one scenario, naming every trouble found. Raises BadScenarioError."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise BadScenarioError(f"{file_name}: {reason}") from None
    troubles = [f"{file_name}: {trouble}" for trouble in _troubles(scenario)]
    if troubles:
        raise BadScenarioError("\n".join(troubles))
    return scenario


def _troubles(scenario: Scenario) -> Iterator[str]:
    yield from _stand_once("lot.lot_id", (lot.lot_id for lot in scenario.lots))
    yield from _stand_once("device_id", (d.device_id for _, d in scenario.devices()))
    yield from _place_troubles(scenario)
    for lot in scenario.lots:
        yield from _lot_troubles(lot)
    for name, kind in scenario.kinds.items():
        yield from _kind_troubles(f"kind.{name}", kind)
    for destination in scenario.destinations:
        yield from _destination_troubles(destination, scenario)
    for name, lines in scenario.presets.items():
        yield from _preset_troubles(f"preset.{name}", lines)
    if "none" not in scenario.presets:
        yield "preset.none is missing; add none = [] under [preset]"


def _stand_once(key: str, ids: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            yield f"{key} {id_!r} stands twice"
        seen.add(id_)


def _place_troubles(scenario: Scenario) -> Iterator[str]:
    places: dict[tuple[int, int], str] = {}
    kinds: dict[int, LinkKind] = {}
    for _, device in scenario.devices():
        place = (device.port, device.unit)
        if place in places:
            yield f"{device.device_id}: port {place[0]} unit {place[1]} is {places[place]} already"
        places[place] = device.device_id
        if kinds.setdefault(device.port, device.kind) is not device.kind:
            yield f"{device.device_id}: port {device.port} carries two kinds of framing"
        if not 1 <= device.port <= _PORT_MAX:
            yield f"{device.device_id}: port must lie between 1 and {_PORT_MAX}"
        if not 0 <= device.unit <= _UNIT_MAX:
            yield f"{device.device_id}: unit must lie between 0 and {_UNIT_MAX}"


def _lot_troubles(lot: LotPlan) -> Iterator[str]:
    for plan in lot.group:
        if plan.count < 1 or not plan.bays_by_level or min(plan.bays_by_level) < 1:
            yield f"{lot.lot_id}: group needs count and bays_by_level of at least 1"
    directions = {d.direction for d in lot.device if d.role is Role.LANE}
    for direction in Direction:
        if direction not in directions:
            yield f"{lot.lot_id}: device with direction = {direction.value!r} is missing"
    if None in directions:
        yield f'{lot.lot_id}: a lane needs direction = "entry" or "exit"'


def _kind_troubles(key: str, kind: Kind) -> Iterator[str]:
    for name, weights, length in (
        ("workday", kind.workday, _HOURS),
        ("weekend", kind.weekend, _HOURS),
        ("week", kind.week, _WEEKDAYS),
    ):
        if len(weights) != length or min(weights) < 0 or sum(weights) <= 0:
            yield f"{key}.{name} needs {length} numbers of 0 or more, not all of them 0"
    if not kind.stay or min((s.share for s in kind.stay), default=0) <= 0:
        yield f"{key}.stay needs at least one part, each with a share above 0"
    if any(s.median_minutes <= 0 or s.spread < 0 or s.alpha < 0 for s in kind.stay):
        yield f"{key}.stay: median_minutes must be above 0, spread and alpha not below"


def _destination_troubles(destination: Destination, scenario: Scenario) -> Iterator[str]:
    key = f"destination {destination.destination_id!r}"
    if destination.kind not in scenario.kinds:
        yield f"{key}: kind {destination.kind!r} is none of {', '.join(sorted(scenario.kinds))}"
    if destination.cars_a_day < 0:
        yield f"{key}: cars_a_day must not be negative"


def _preset_troubles(key: str, lines: tuple[PresetLine, ...]) -> Iterator[str]:
    for line in lines:
        if line.fault not in FAULTS:
            yield f"{key}: fault {line.fault!r} is none of {', '.join(sorted(FAULTS))}"
        if line.per_device_week < 0 or line.minutes <= 0:
            yield f"{key}: {line.fault}: per_device_week must be 0 or more and minutes above 0"
