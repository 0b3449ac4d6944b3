"""The simulator, the gateways and the car park facts must speak of the same field."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config import PORT_OFFSET, Role, list_shipped, load_config
from lot_sim import config
from lot_sim.scenario import DevicePlan
from tests.lot_sim.towns import SANSHUI


def simulated(lot_id: str) -> dict[str, DevicePlan]:
    (lot,) = (lot for lot in SANSHUI.lots if lot.lot_id == lot_id)
    return {device.device_id: device for device in lot.devices()}


@pytest.mark.parametrize("path", list_shipped(), ids=lambda path: path.stem)
def test_a_gateway_finds_every_device_where_its_file_says(path: Path) -> None:
    gateway = load_config(path)
    plans = simulated(gateway.car_park.lot_id)
    assert {device.device_id for device in gateway.car_park.devices} == set(plans)
    for device in gateway.car_park.devices:
        link, plan = gateway.link(device), plans[device.device_id]
        assert (plan.map, plan.unit, plan.role.value) == (device.map, device.unit, device.role)
        assert (plan.port, plan.kind.value) == (link.port, link.kind.value)
        assert plan.bays_by_level == device.bays_by_level
        assert plan.group_id == (device.group_id or "")
        assert (plan.direction or "") == (device.direction or "")


def test_every_lot_has_a_gateway() -> None:
    lots = {load_config(path).car_park.lot_id for path in list_shipped()}
    assert lots == {lot.lot_id for lot in SANSHUI.lots}


def test_the_lots_have_the_bays_and_places_of_the_facts() -> None:
    facts = tomllib.loads((files("occupancy") / "lots.toml").read_text(encoding="utf-8"))["lot"]
    told = {
        lot["lot_id"]: (
            lot["capacity"],
            lot["entrance"]["latitude"],
            lot["entrance"]["longitude"],
        )
        for lot in facts
    }
    assert told == {lot.lot_id: (lot.bays, lot.latitude, lot.longitude) for lot in SANSHUI.lots}


def test_889_bays_and_65_devices() -> None:
    assert sum(lot.bays for lot in SANSHUI.lots) == 889
    assert sum(1 for _ in SANSHUI.devices()) == 65


def test_two_signs_stand_at_junctions() -> None:
    junctions = [d.device_id for _, d in SANSHUI.devices() if d.device_id.startswith("junction")]
    assert junctions == ["junction-north", "junction-south"]


def test_both_sides_shift_their_ports_by_the_same_setting() -> None:
    assert config.PORT_OFFSET.name == PORT_OFFSET.name
    assert config.PORT_OFFSET.default == PORT_OFFSET.default


def test_the_roles_have_the_same_names_on_both_sides() -> None:
    assert {role.value for role in Role} == {d.role.value for _, d in SANSHUI.devices()}


def test_counters_of_every_width_and_order_are_in_the_field() -> None:
    maps = {d.map for _, d in SANSHUI.devices() if d.role == "lane"}
    assert maps == {"nice_lp22", "ld120", "adam_6050"}
