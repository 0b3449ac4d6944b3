"""What an engineer writes of a car park that is to join: facts, place, tariff, driver; checked.

The file of the driver is the one that its own process will run, word for word.
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from gateway.bay_config import BayConfig, load_bay_config
from gateway.config import BadConfigError, GatewayConfig, Role, load_config
from gateway.datum import Datum
from gateway.push_config import PushConfig, load_push_config
from gateway.settings import BadSettingError
from occupancy.coordinates import from_datum
from occupancy.lot import Lot, MachineGroup, OpeningHours, Place, Thresholds, VehicleLimits
from occupancy.lot_change import CONFIRMABLE, remarks_on_new
from occupancy.tariff import Tariff
from occupancy.tariff_toml import TariffFileError, minute_of_clock, parse_tariff

DECIMALS = 7


class Driver(StrEnum):
    """How its devices speak; each is a process of its own."""

    MODBUS = "modbus"
    PUSH = "push"
    BAYS = "bays"

    @property
    def process(self) -> str:
        """The command that runs it."""
        return "gateway" if self is Driver.MODBUS else self.value


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What citizens and operators are told. `unconfirmed` is shown as 待核实."""

    name: str
    short_name: str
    address: str
    hotline: str
    thresholds: Thresholds
    limits: VehicleLimits = VehicleLimits(5.0, 1.95, 2.0, 2.0)
    opens: str = ""
    closes: str = ""
    covered: bool | None = None
    takes_new_energy: bool = True
    bay_type: str = "suv"
    unconfirmed: tuple[str, ...] = ()


class MapReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entrance as a map shows it: which datum must be said, it is never guessed."""

    datum: Datum
    latitude: float
    longitude: float


class TariffChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either another car park's tariff, or a file beside this one."""

    same_as: str = ""
    file: str = ""


class Devices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The driver, and its file beside this one."""

    driver: Driver
    file: str


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lot_id: str
    facts: Facts
    map: MapReference
    tariff: TariffChoice
    devices: Devices


class Answers(msgspec.Struct, frozen=True):
    """Everything that was answered; `tariff` is None where it is another car park's."""

    file: Path
    lot: Lot
    tariff: Tariff | None
    driver: Driver
    device_file: Path
    config: GatewayConfig | PushConfig | BayConfig


class BadAnswersError(Exception):
    """The answers cannot be used; each line names file, field and the way out."""


def read_answers(path: Path, *, port_offset: int = 0) -> Answers:
    """`port_offset` as its gateway is told it. Raises BadAnswersError: every file's trouble."""
    written = _read(path)
    troubles: list[str] = []
    config: GatewayConfig | PushConfig | BayConfig | None = None
    tariff = None
    device_file = path.parent / written.devices.file
    try:
        config = _load(written.devices.driver, device_file, port_offset)
    except (BadConfigError, BadSettingError) as trouble:
        troubles.append(str(trouble))
    try:
        tariff = _tariff(path, written.tariff)
    except BadAnswersError as trouble:
        troubles.append(str(trouble))
    if config is None or troubles:
        raise BadAnswersError("\n".join(troubles))
    groups = _groups(written, config, device_file.name)
    lot = _lot(path, written, groups, tariff)
    return Answers(path, lot, tariff, written.devices.driver, device_file, config)


def find_faults(answers: Answers, others: Iterable[Lot] = ()) -> list[str]:
    """What cannot be among the facts, a line each by file and field.

    Without the others it is not known whether it lies near them.
    """
    return [
        f"{_place_of(field, answers)}: {words}"
        for field, words in remarks_on_new(answers.lot, others).items()
    ]


def _place_of(field: str, answers: Answers) -> str:
    """Where the engineer wrote what became this field."""
    if field in _OF_DEVICES:
        return f"{answers.device_file.name}: {field}"
    return f"{answers.file.name}: {_TABLES.get(field, '')}{field}"


_OF_DEVICES = ("capacity", "groups")  # counted in the driver's file
_TABLES = {
    **dict.fromkeys(("latitude", "longitude"), "map."),
    **dict.fromkeys(("name", "short_name", "address", "hotline"), "facts."),
    **dict.fromkeys(Thresholds.__struct_fields__, "facts.thresholds."),
    **dict.fromkeys(VehicleLimits.__struct_fields__, "facts.limits."),
}


def _read(path: Path) -> _Written:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Written)
    except OSError as reason:
        words = "give the file of answers; `zhibo lot example` writes one"
        raise BadAnswersError(f"{path}: {reason.strerror}; {words}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as reason:
        raise BadAnswersError(f"{path.name}: {reason}") from None


def _load(driver: Driver, file: Path, port_offset: int) -> GatewayConfig | PushConfig | BayConfig:
    if driver is Driver.MODBUS:
        return load_config(file, port_offset=port_offset)
    return load_push_config(file) if driver is Driver.PUSH else load_bay_config(file)


def _tariff(path: Path, choice: TariffChoice) -> Tariff | None:
    if bool(choice.same_as) == bool(choice.file):
        words = "give either same_as (another car park's) or file, not both"
        raise BadAnswersError(f"{path.name}: tariff: {words}")
    if choice.same_as:
        return None
    file = path.parent / choice.file
    try:
        return parse_tariff(file.read_text(encoding="utf-8"), file.name).tariff
    except OSError as reason:
        raise BadAnswersError(f"{file}: {reason.strerror}; it is named by tariff.file") from None
    except (UnicodeDecodeError, TariffFileError) as trouble:
        raise BadAnswersError(f"{file.name}: {trouble}") from None


def _groups(
    written: _Written, config: GatewayConfig | PushConfig | BayConfig, file_name: str
) -> tuple[MachineGroup, ...]:
    """The bays as the driver's file counts them: said once, and so never otherwise."""
    lot_id, bay_type = written.lot_id, written.facts.bay_type
    named = _lot_ids(config)
    if lot_id not in named:
        words = f"is the file of {', '.join(named)}, but the answers say {lot_id!r}"
        raise BadAnswersError(f"{file_name}: lot_id: {words}; make both alike")
    if isinstance(config, GatewayConfig):
        groups = config.devices_of(Role.GROUP)
        bays: dict[str, tuple[int, ...]] = {d.group_id or "": d.bays_by_level for d in groups}
    elif isinstance(config, PushConfig):
        (park,) = (one for one in config.parks if one.lot_id == lot_id)
        bays = {area: (count,) for area, count in park.bays_by_area.items()}
    else:
        (of_bays,) = (one for one in config.parks if one.lot_id == lot_id)
        bays = {area: (len(sensors),) for area, sensors in of_bays.bays.items()}
    return tuple(MachineGroup(name, levels, bay_type) for name, levels in bays.items())


def _lot_ids(config: GatewayConfig | PushConfig | BayConfig) -> list[str]:
    if isinstance(config, GatewayConfig):
        return [config.car_park.lot_id]
    return [park.lot_id for park in config.parks]


def _lot(
    path: Path, written: _Written, groups: tuple[MachineGroup, ...], tariff: Tariff | None
) -> Lot:
    facts = written.facts
    if unknown := sorted(set(facts.unconfirmed) - set(CONFIRMABLE)):
        known = ", ".join(CONFIRMABLE)
        words = f"{unknown[0]!r} is none of {known}"
        raise BadAnswersError(f"{path.name}: facts.unconfirmed: {words}")
    place = _entrance(path, written.map)
    return Lot(
        lot_id=written.lot_id,
        name=facts.name,
        short_name=facts.short_name,
        address=facts.address,
        entrance=place,
        hotline=facts.hotline,
        capacity=sum(sum(group.bays_by_level) for group in groups),
        groups=groups,
        limits=facts.limits,
        thresholds=facts.thresholds,
        tariff_id=tariff.tariff_id if tariff else written.tariff.same_as,
        placeholders=tuple(name for name in CONFIRMABLE if name in facts.unconfirmed),
        opening_hours=_hours(path, facts),
        covered=facts.covered,
        takes_new_energy=facts.takes_new_energy,
    )


def _entrance(path: Path, written: MapReference) -> Place:
    for field, most in (("latitude", 90), ("longitude", 180)):
        degrees = getattr(written, field)
        if not -most <= degrees <= most:  # nan is neither
            words = f"{degrees} must lie between -{most} and {most}; are the two exchanged?"
            raise BadAnswersError(f"{path.name}: map.{field}: {words}")
    place = from_datum(written.datum, Place(written.latitude, written.longitude))
    return Place(round(place.latitude, DECIMALS), round(place.longitude, DECIMALS))


def _hours(path: Path, facts: Facts) -> OpeningHours | None:
    """Both empty: round the clock."""
    if not facts.opens and not facts.closes:
        return None
    try:
        return OpeningHours(minute_of_clock(facts.opens), minute_of_clock(facts.closes))
    except ValueError as reason:
        raise BadAnswersError(f"{path.name}: facts.opens, facts.closes: {reason}") from None


def as_shown(lot: Lot) -> dict[str, Any]:
    """The facts as they would be written, for people who look before they write."""
    shown: dict[str, Any] = msgspec.to_builtins(lot)
    return shown
