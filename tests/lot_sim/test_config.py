from pathlib import Path

import pytest

from gateway.settings import BadSettingError
from lot_sim.config import SETTINGS, SHIPPED_SCENARIO, load_settings
from lot_sim.scenario import BadScenarioError
from tests.lot_sim.towns import MONDAY_NOON_MS


def test_everything_has_a_default() -> None:
    settings = load_settings({})
    assert (settings.speed, settings.seed, settings.faults) == (1.0, "1", "none")
    assert (settings.truth_port, settings.port_offset, settings.start_ms) == (8090, 0, None)
    assert sum(lot.bays for lot in settings.scenario.lots) == 889


def test_settings_are_taken_from_the_environment() -> None:
    settings = load_settings(
        {
            "ZHIBO_SIM_SPEED": "300",
            "ZHIBO_SIM_SEED": "国庆-1",
            "ZHIBO_SIM_FAULTS": "heavy",
            "ZHIBO_SIM_START": "2026-11-23T12:00:00+08:00",
            "ZHIBO_SIM_PORT": "8190",
            "ZHIBO_MODBUS_PORT_OFFSET": "20000",
        }
    )
    assert (settings.speed, settings.seed, settings.faults) == (300.0, "国庆-1", "heavy")
    assert (settings.truth_port, settings.port_offset) == (8190, 20_000)
    assert settings.start_ms == MONDAY_NOON_MS


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ZHIBO_SIM_SPEED", "-1", "must lie between 0 and 1000"),
        ("ZHIBO_SIM_SPEED", "fast", "not a number"),
        ("ZHIBO_SIM_SPEED", "nan", "must lie between"),
        ("ZHIBO_SIM_SEED", "a b", "up to 64 letters"),
        ("ZHIBO_SIM_FAULTS", "storm", "the scenario knows heavy, none, ordinary"),
        ("ZHIBO_SIM_START", "yesterday", "Invalid isoformat"),
        ("ZHIBO_SIM_START", "2026-11-23T12:00:00", "needs its zone"),
        ("ZHIBO_SIM_PORT", "0", "between 1 and 65535"),
        ("ZHIBO_MODBUS_PORT_OFFSET", "-1", "between 0 and 40000"),
    ],
)
def test_a_bad_setting_names_itself_and_the_way_out(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        load_settings({name: value})
    assert name in str(caught.value)
    assert words in str(caught.value)


def test_a_missing_scenario_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadScenarioError, match=r"nowhere\.toml.*give a scenario's TOML file"):
        load_settings({"ZHIBO_SIM_SCENARIO": str(tmp_path / "nowhere.toml")})


def test_a_scenario_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadScenarioError, match=r"binary\.toml"):
        load_settings({"ZHIBO_SIM_SCENARIO": str(path)})


def test_a_device_with_an_unknown_map_is_named(tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    text = SHIPPED_SCENARIO.read_text(encoding="utf-8")
    path.write_text(text.replace('map = "ld120"', 'map = "ld12"', 1), encoding="utf-8")
    with pytest.raises(BadScenarioError, match=r"zhanqian-in: .*ld12.*known: .*ld120"):
        load_settings({"ZHIBO_SIM_SCENARIO": str(path)})


def test_each_setting_tells_what_it_is_for() -> None:
    assert all(setting.about and setting.name.startswith("ZHIBO_") for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
