"""docs/devices.md says what the code does."""

import re
from pathlib import Path

import msgspec

from gateway.config import CarPark, Role
from gateway.reading import FailureKind
from gateway.register_map import Point, RegisterMap

TEXT = (Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")


def _first_cells() -> set[str]:
    """What is named between backticks in the first column of any table."""
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_way_to_fail_and_every_role_has_its_row() -> None:
    assert {kind.value for kind in FailureKind} <= _first_cells()
    assert {role.value for role in Role} <= _first_cells()


def test_every_key_of_a_map_and_of_a_point_has_its_row() -> None:
    keys = {field.encode_name for field in msgspec.structs.fields(RegisterMap)} - {"points"}
    keys |= {field.encode_name for field in msgspec.structs.fields(Point)}
    assert keys - {"point"} <= _first_cells()


def test_the_defaults_of_a_car_park_are_the_ones_it_says() -> None:
    defaults = {f.name: f.default for f in msgspec.structs.fields(CarPark) if not f.required}
    said = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", TEXT, re.MULTILINE))
    assert {name: float(value) for name, value in said.items()} == defaults
