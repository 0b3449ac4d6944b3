"""The car parks as their TOML file says them, checked."""

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from occupancy.lot import Lot, MachineGroup


class BadLotFileError(Exception):
    """The file of the car parks cannot be used; the message names file, lot and key."""


def load_shipped() -> list[Lot]:
    """The five car parks of Sanshui. Raises BadLotFileError."""
    source = files("occupancy") / "lots.toml"
    return parse_lots(source.read_text(encoding="utf-8"), "lots.toml")


def parse_lots(text: str, file_name: str) -> list[Lot]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise BadLotFileError(f"{file_name}: {reason}") from None
    defaults = content.get("defaults", {})
    return [_lot({**defaults, **raw}, file_name) for raw in content.get("lot", [])]


def _lot(raw: dict[str, Any], file_name: str) -> Lot:
    name = raw.get("lot_id", "a lot without lot_id")
    try:
        lot = msgspec.convert({**raw, "groups": _groups(raw["groups"])}, Lot)
    except KeyError as missing:
        raise BadLotFileError(f"{file_name}: {name} lacks {missing}") from None
    except msgspec.ValidationError as reason:
        raise BadLotFileError(f"{file_name}: {name}: {reason}") from None
    bays = sum(sum(group.bays_by_level) for group in lot.groups)
    if bays != lot.capacity:
        raise BadLotFileError(
            f"{file_name}: {name}: the groups have {bays} bays, capacity says {lot.capacity}"
        )
    return lot


def _groups(raw: dict[str, Any]) -> list[MachineGroup]:
    """`count` groups alike, the last `other_last` of them with other levels."""
    count, others = raw["count"], raw.get("other_last", 0)
    levels = [raw["bays_by_level"]] * (count - others)
    levels += [raw.get("other_bays_by_level")] * others
    return [MachineGroup(f"g{number}", tuple(bays)) for number, bays in enumerate(levels, start=1)]
