"""What goes wrong with field devices, by name, and when a seeded preset lets it happen."""

import random
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

_WEEK_DAYS = 7
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_MISSED_SHARE, _DOUBLED_SHARE, _STRADDLING_SHARE = 0.012, 0.008, 0.3
OVERWRITTEN_MOST = 5_000


class Role(StrEnum):
    """What a device is there for."""

    LANE = "lane"
    GROUP = "group"
    SIGN = "sign"


class Fault(NamedTuple):
    """One way to fail, and the devices that can fail so."""

    name: str
    roles: frozenset[Role]
    about: str


_LANE, _GROUP, _SIGN, _ANY = (
    frozenset({Role.LANE}),
    frozenset({Role.GROUP}),
    frozenset({Role.SIGN}),
    frozenset(Role),
)

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("stuck_loop", _LANE, "the loop reports one car for ever and counts no other"),
        Fault("loop_not_detecting", _LANE, "cars pass uncounted, and nothing says so"),
        Fault("loop_broken", _LANE, "the cable is cut: cars pass uncounted, the status says so"),
        Fault("straddling_double", _LANE, "cars across two loops: three in ten count twice"),
        Fault("miscount", _LANE, "the ordinary error: 1.2 % missed, 0.8 % doubled"),
        Fault("counter_reset", _LANE, "the counter falls to 0 when switched on"),
        Fault("masked_reset", _LANE, "silent while on, and counting again from 0 behind the gap"),
        Fault("manual_overwrite", _LANE, "somebody types another number into the counter"),
        Fault("ramp_miscount", _GROUP, "one car shows on the wrong level: two levels are wrong"),
        Fault("group_jammed", _GROUP, "the machine stands still with its cars in it"),
        Fault("group_maintenance", _GROUP, "the machine is taken out of service"),
        Fault("device_clock_1970", _GROUP, "the controller's battery is flat: its clock says 1970"),
        Fault("occupied_above_bays", _GROUP, "more pallets say occupied than there are bays"),
        Fault("frozen_controller", _GROUP, "answers, but with the values of the moment it froze"),
        Fault("sign_ignores_writes", _SIGN, "confirms a write and goes on showing the old face"),
        Fault("comms_error", _ANY, "the line is up, nothing answers"),
        Fault("dead_unit", _ANY, "without power: a TCP device hangs up, a bus unit is silent"),
        Fault("late_replies", _ANY, "every third reply comes after the time-out"),
        Fault("short_reply", _ANY, "every third read returns fewer values than were asked"),
        Fault("busy", _ANY, "every second request is refused with exception 6"),
    )
}

_BLIND = frozenset({"stuck_loop", "loop_not_detecting", "loop_broken", "dead_unit"})
SILENCING = frozenset({"comms_error", "masked_reset", "dead_unit"})
GROUP_STATES = {"group_jammed": "jammed", "group_maintenance": "maintenance"}
FORGETTING = frozenset({"counter_reset", "masked_reset"})


class Line(Protocol):
    """One line of a preset (lot_sim.scenario.PresetLine)."""

    @property
    def fault(self) -> str: ...
    @property
    def always(self) -> bool: ...
    @property
    def per_device_week(self) -> float: ...
    @property
    def minutes(self) -> float: ...


class Episode(NamedTuple):
    """A fault of one device from one moment to another."""

    device_id: str
    fault: str
    from_ms: int
    until_ms: int


def fits(fault: str, role: Role) -> bool:
    return role in FAULTS[fault].roles


def names_for(role: Role) -> list[str]:
    return sorted(name for name, fault in FAULTS.items() if role in fault.roles)


def counts(active: Iterable[str], chance: float) -> int:
    """What the counter adds for one car; `chance` is drawn evenly from 0 to 1."""
    if not _BLIND.isdisjoint(active):
        return 0
    if "straddling_double" in active and chance < _STRADDLING_SHARE:
        return 2
    if "miscount" in active:
        if chance < _MISSED_SHARE:
            return 0
        return 2 if chance > 1 - _DOUBLED_SHARE else 1
    return 1


def plan_day(
    lines: Iterable[Line], devices: Iterable[tuple[str, Role]], midnight_ms: int, seed: str
) -> Iterator[Episode]:
    """The faults of one day; each (device, fault, day) has its own chance, whatever else fails."""
    known = list(devices)
    for line in lines:
        for device_id, role in known:
            if fits(line.fault, role) and not line.always:
                chance = random.Random(f"{seed}:{midnight_ms}:{device_id}:{line.fault}")
                yield from _episodes(line, device_id, midnight_ms, chance)


def _episodes(
    line: Line, device_id: str, midnight_ms: int, chance: random.Random
) -> Iterator[Episode]:
    rate = line.per_device_week / _WEEK_DAYS
    at_day = chance.expovariate(rate) if rate else 1.0
    while at_day < 1:
        begin = midnight_ms + int(at_day * _DAY_MS)
        lasting = chance.expovariate(1 / (line.minutes * _MINUTE_MS))
        yield Episode(device_id, line.fault, begin, begin + int(lasting) + 1)
        at_day += chance.expovariate(rate)
