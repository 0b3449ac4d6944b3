"""Settings of the simulated field, checked before the first socket opens."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.register_map import BadMapError, RegisterMap, load_map
from gateway.settings import BadSettingError, Setting, number, port, text, whole_number
from lot_sim.pace import SPEED_MOST
from lot_sim.scenario import BadScenarioError, Scenario, parse_scenario

LOOPBACK = "127.0.0.1"
SHIPPED_SCENARIO = Path(__file__).parent / "scenarios" / "sanshui.toml"


def _seed(raw: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,64}", raw):
        raise ValueError("a seed is up to 64 letters, digits, dots and dashes")
    return raw


def _start_ms(raw: str) -> int | None:
    if not raw:
        return None
    at = datetime.fromisoformat(raw)
    if at.tzinfo is None:
        raise ValueError("a time needs its zone, for example 2026-11-23T07:00:00+08:00")
    return int(at.timestamp() * 1000)


def _address(raw: str) -> str:
    return str(ipaddress.IPv4Address(raw))


SCENARIO = Setting(
    "ZHIBO_SIM_SCENARIO", str(SHIPPED_SCENARIO), Path, "the town to simulate, a TOML file"
)
SPEED = Setting(
    "ZHIBO_SIM_SPEED",
    "1",
    lambda raw: number(raw, least=0, most=SPEED_MOST),
    "simulated seconds a second; 0 stands still",
)
SEED = Setting("ZHIBO_SIM_SEED", "1", _seed, "the same seed gives the same day")
FAULTS = Setting(
    "ZHIBO_SIM_FAULTS", "none", text, "a set of faults the scenario names: none, ordinary, heavy"
)
START = Setting(
    "ZHIBO_SIM_START", "", _start_ms, "simulated time at the start, RFC 3339; empty for now"
)
TRUTH_PORT = Setting("ZHIBO_SIM_PORT", "8090", port, "port of GET /truth and POST /faults")
HOST = Setting(
    "ZHIBO_SIM_HOST",
    LOOPBACK,
    _address,
    "address the simulated field listens on; beyond loopback anybody who reaches it may play",
)
PORT_OFFSET = Setting(
    "ZHIBO_MODBUS_PORT_OFFSET",
    "0",
    lambda raw: whole_number(raw, least=0, most=40_000),
    "added to every Modbus port, for a second town on one machine",
)
SETTINGS = (SCENARIO, SPEED, SEED, FAULTS, START, TRUTH_PORT, HOST, PORT_OFFSET)


@dataclass(frozen=True)
class SimSettings:
    """Everything a run needs; `start_ms` None means the clock's now."""

    scenario: Scenario
    maps: Mapping[str, RegisterMap]
    speed: float
    seed: str
    faults: str
    start_ms: int | None
    truth_port: int
    port_offset: int
    host: str = LOOPBACK


def load_settings(environ: Mapping[str, str]) -> SimSettings:
    """Raises BadSettingError, BadScenarioError or gateway.register_map.BadMapError."""
    scenario = load_scenario(SCENARIO.read(environ))
    faults = FAULTS.read(environ)
    if faults not in scenario.presets:
        known = ", ".join(sorted(scenario.presets))
        raise BadSettingError(f"{FAULTS.name}={faults!r}: the scenario knows {known}")
    return SimSettings(
        scenario=scenario,
        maps=load_maps(scenario),
        speed=SPEED.read(environ),
        seed=SEED.read(environ),
        faults=faults,
        start_ms=START.read(environ),
        truth_port=TRUTH_PORT.read(environ),
        port_offset=PORT_OFFSET.read(environ),
        host=HOST.read(environ),
    )


def load_scenario(path: Path) -> Scenario:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise BadScenarioError(f"{path}: {reason}; give a scenario's TOML file") from None
    return parse_scenario(content, path.name)


def load_maps(scenario: Scenario) -> dict[str, RegisterMap]:
    """The maps of all devices; the message says which device wants a bad one."""
    maps: dict[str, RegisterMap] = {}
    for _, device in scenario.devices():
        if device.map not in maps:
            try:
                maps[device.map] = load_map(device.map)
            except BadMapError as reason:
                raise BadScenarioError(f"{device.device_id}: {reason}") from None
    return maps
