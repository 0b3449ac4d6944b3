"""A small car park for the gateway's tests: two lanes, two groups, two signs."""

from gateway.config import GatewayConfig, parse_config
from gateway.observation import (
    Basis,
    DeviceHealth,
    DeviceState,
    Direction,
    GroupReading,
    GroupState,
    LaneReading,
    Observation,
)
from gateway.reading import Reading

NOW_MS = 1_800_000_000_000

_HEAD = """
lot_id = "small"
cars_per_minute_max = 30
"""
_LINK = """
[[link]]
link_id = "{name}"
kind = "tcp"
port = {port}
"""
_DEVICE = """
[[device]]
device_id = "{name}"
link_id = "{name}"
period_ms = {period_ms}
timeout_ms = 400
{facts}
"""
_FACTS = {
    "in": 'map = "nice_lp22"\nrole = "lane"\ndirection = "entry"',
    "out": 'map = "nice_lp22"\nrole = "lane"\ndirection = "exit"',
    "g1": 'map = "lift_slide_plc"\nrole = "group"\ngroup_id = "g1"\nbays_by_level = [3, 4]',
    "g2": 'map = "lift_slide_plc"\nrole = "group"\ngroup_id = "g2"\nbays_by_level = [3, 4]',
    "sign": 'map = "led_sign"\nrole = "sign"\nsign_level = 3\nlines = ["small"]',
    "junction": 'map = "led_sign"\nrole = "sign"\nsign_level = 2\nlines = ["small", "other"]',
}
DEVICES = tuple(_FACTS)


def small_park(ports: dict[str, int] | None = None, period_ms: int = 100) -> GatewayConfig:
    """The car park; `ports` by device for a field that listens."""
    at = ports or {name: 20_000 + number for number, name in enumerate(_FACTS)}
    parts = [_HEAD]
    for name, facts in _FACTS.items():
        parts.append(_LINK.format(name=name, port=at[name]))
        parts.append(_DEVICE.format(name=name, period_ms=period_ms, facts=facts))
    return parse_config("".join(parts), "small.toml")


def pallets(occupied: int, bits: int = 32) -> tuple[bool, ...]:
    """The first so many pallets hold a car, from the ground up."""
    return tuple(number < occupied for number in range(bits))


def count(device_id: str, raw: int, at_ms: int = NOW_MS) -> Reading:
    return Reading(device_id, {"count": raw, "loop_status": (False, False)}, at_ms)


def spaces(
    device_id: str, occupied: int, state: str = "working", at_ms: int = NOW_MS, storing: int = 0
) -> Reading:
    return Reading(
        device_id,
        {
            "group_state": state,
            "pallets": pallets(occupied),
            "storing_queue": storing,
            "fetching_queue": 0,
            "cycle_seconds": 62.5,
        },
        at_ms,
    )


def observation(
    entries: int = 0, at_ms: int = NOW_MS, groups: int = 2, lot_id: str = "small"
) -> Observation:
    """What a station would say, not placed yet."""
    return Observation(
        lot_id=lot_id,
        epoch=0,
        sequence=0,
        previous_sequence=0,
        observed_at_ms=at_ms,
        entries_total=entries,
        exits_total=0,
        cars_inside=entries,
        cars_on_pallets=entries,
        basis=Basis.COUNTED,
        lanes=(LaneReading("in", Direction.ENTRY, entries, at_ms),),
        groups=tuple(
            GroupReading(
                f"g{n}", f"g{n}", GroupState.WORKING, (3, 4), (1, 2), 0, 0, 62.5, at_ms - n
            )
            for n in range(1, groups + 1)
        ),
        signs=(),
        devices=(DeviceHealth("in", DeviceState.ONLINE, at_ms),),
    )
