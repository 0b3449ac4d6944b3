"""Field devices as a client sees them: registers computed from what is true and what is broken."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.decode import UnreadableError, Value, decode, encode
from gateway.register_map import Point, RegisterMap, Table
from lot_sim import frames
from lot_sim.car_park import Machine
from lot_sim.faults import FORGETTING, OVERWRITTEN_MOST, SILENCING, counts
from lot_sim.scenario import BadScenarioError, DevicePlan

_TABLES = {table.read_function: table for table in Table}
_JAM_CODE = 11
_SIXTEEN_BITS = 16
_BLANK_FACES = ("blank",) * 4
_BRIGHTNESS_PERCENT = 80


class Moment(NamedTuple):
    """The town's time, and the wall clock that the devices' own clocks show."""

    town_ms: int
    wall_ms: int


class Answer(NamedTuple):
    """What comes back: nothing at all, or a reply that may be late."""

    pdu: bytes | None
    is_late: bool = False
    hangs_up: bool = False


class UnplayableError(BadScenarioError):
    """A register map has a point that lot_sim cannot fill; the message names both."""


class Instrument(ABC):
    """One device on its line. Subclasses say what its points hold."""

    points_played: frozenset[str] = frozenset()

    def __init__(self, lot_id: str, plan: DevicePlan, register_map: RegisterMap) -> None:
        self.lot_id, self.plan, self.map = lot_id, plan, register_map
        self.faults: dict[str, int] = {}  # fault to the moment it began
        self._asked = 0
        self._frozen: dict[str, Value] | None = None
        self._ranges = {table: _readable(register_map, table) for table in Table}
        for point in register_map.points:
            if point.name not in self.points_played:
                raise UnplayableError(
                    f"{plan.device_id}: map {register_map.model} has a point {point.name}, "
                    f"which lot_sim/instruments.py does not play for a {plan.role}"
                )

    def switch(self, fault: str, *, on: bool, town_ms: int) -> None:
        if on:
            self.faults[fault] = town_ms
        else:
            self.faults.pop(fault, None)
        if fault == "frozen_controller":
            self._frozen = None

    def answer(self, request: frames.Request | frames.Refused, moment: Moment) -> Answer:
        """What the device sends back, with its faults."""
        self._asked += 1
        if not SILENCING.isdisjoint(self.faults):
            return Answer(None, hangs_up="dead_unit" in self.faults)
        if "busy" in self.faults and self._asked % 2:
            return Answer(frames.refusal(request.function, frames.BUSY))
        is_late = "late_replies" in self.faults and self._asked % 3 == 0
        return Answer(self._reply(request, moment), is_late=is_late)

    @abstractmethod
    def true_values(self, moment: Moment) -> dict[str, Value]:
        """All points of this device."""

    def write(self, address: int, words: Sequence[int]) -> int:
        """0, or the exception code: most devices take no writes."""
        del address, words
        return frames.ILLEGAL_FUNCTION

    def _reply(self, request: frames.Request | frames.Refused, moment: Moment) -> bytes:
        if isinstance(request, frames.Refused):
            return frames.refusal(request.function, request.code)
        if request.function in _TABLES:
            return self._read(request, _TABLES[request.function], moment)
        code = self.write(request.address, request.words)
        return frames.refusal(request.function, code) if code else frames.write_reply(request)

    def _read(self, request: frames.Request, table: Table, moment: Moment) -> bytes:
        code = self._objection(request, table)
        if code:
            return frames.refusal(request.function, code)
        words = self._words(table, request.address, request.quantity, moment)
        if "short_reply" in self.faults and self._asked % 3 == 0:
            words = words[: len(words) // 2]
        return frames.read_reply(request.function, words)

    def _objection(self, request: frames.Request, table: Table) -> int:
        if request.function not in self.map.functions:
            return frames.ILLEGAL_FUNCTION
        if not 1 <= request.quantity <= self.map.block_addresses:
            return frames.ILLEGAL_VALUE
        begin, end = request.address, request.address + request.quantity
        if not any(first <= begin and end <= last for first, last in self._ranges[table]):
            return frames.ILLEGAL_ADDRESS
        return 0

    def _words(self, table: Table, address: int, count: int, moment: Moment) -> list[int]:
        values = self._values(moment)
        words = [0] * count
        for point in self.map.points:
            if point.table is table and point.address < address + count and address < point.end:
                for at, word in enumerate(encode(point, values[point.name]), point.address):
                    if address <= at < address + count:
                        words[at - address] = word
        return words

    def _values(self, moment: Moment) -> Mapping[str, Value]:
        if "frozen_controller" not in self.faults:
            return self.true_values(moment)
        if self._frozen is None:
            self._frozen = self.true_values(moment)
        return self._frozen


class GroupController(Instrument):
    """The PLC of one machine group."""

    points_played = frozenset(
        {
            "group_state",
            "fault_code",
            "storing_queue",
            "fetching_queue",
            "cycle_seconds",
            "heartbeat",
            "clock",
            "pallets",
        }
    )

    def __init__(
        self, lot_id: str, plan: DevicePlan, register_map: RegisterMap, machine: Machine
    ) -> None:
        super().__init__(lot_id, plan, register_map)
        self.machine = machine
        self._pallet_bits = register_map.point("pallets").length

    def true_values(self, moment: Moment) -> dict[str, Value]:
        machine = self.machine
        return {
            "group_state": machine.state.value,
            "fault_code": _JAM_CODE if machine.state == "jammed" else 0,
            "storing_queue": machine.being_stored,
            "fetching_queue": machine.being_fetched,
            "cycle_seconds": round(machine.cycle_ms / 1000, 1),
            "heartbeat": moment.wall_ms // 1000 % (1 << _SIXTEEN_BITS),
            "clock": self._clock_seconds(moment),
            "pallets": self._pallets(),
        }

    def _clock_seconds(self, moment: Moment) -> int:
        since_ms = self.faults.get("device_clock_1970")
        return (moment.wall_ms if since_ms is None else moment.town_ms - since_ms) // 1000

    def _pallets(self) -> tuple[bool, ...]:
        bits = [car is not None for car in self.machine.pallets]
        if "ramp_miscount" in self.faults:
            _misplace_one(bits, self.machine.level_of)
        beyond = "occupied_above_bays" in self.faults
        if beyond:
            bits = [True] * len(bits)
        return tuple(bits + [beyond] * (self._pallet_bits - len(bits)))


class LoopCounter(Instrument):
    """The counter of one lane."""

    points_played = frozenset({"count", "loop_status"})

    def __init__(
        self, lot_id: str, plan: DevicePlan, register_map: RegisterMap, chance: random.Random
    ) -> None:
        super().__init__(lot_id, plan, register_map)
        self._bits = register_map.counter_bits or _SIXTEEN_BITS
        self._chance = chance
        self._counter = plan.counter_start

    @property
    def shown(self) -> int:
        """What the register holds."""
        return self._counter % (1 << self._bits)

    def count_car(self) -> None:
        self._counter += counts(self.faults, self._chance.random())

    def switch(self, fault: str, *, on: bool, town_ms: int) -> None:
        super().switch(fault, on=on, town_ms=town_ms)
        if not on:
            return
        # the 16-bit models keep their count in memory that needs power
        forgets = fault == "dead_unit" and self._bits == _SIXTEEN_BITS
        if forgets or fault in FORGETTING:
            self._counter = 0
        elif fault == "manual_overwrite":
            self._counter = self._chance.randrange(OVERWRITTEN_MOST)

    def true_values(self, moment: Moment) -> dict[str, Value]:
        del moment
        return {
            "count": self.shown,
            "loop_status": ("stuck_loop" in self.faults, "loop_broken" in self.faults),
        }


class Sign(Instrument):
    """A guidance sign: it shows what was written last, for as long as nobody writes."""

    points_played = frozenset({"numbers", "faces", "brightness", "sign_status"})

    def __init__(self, lot_id: str, plan: DevicePlan, register_map: RegisterMap) -> None:
        super().__init__(lot_id, plan, register_map)
        self._face: dict[str, Value] = {}
        self._restart()

    def _restart(self) -> None:
        self._face = {"numbers": (0,) * len(_BLANK_FACES), "faces": _BLANK_FACES}
        self.has_restarted = True

    def lines(self) -> list[tuple[str, int]]:
        """Each line's face and number."""
        faces, numbers = self._face["faces"], self._face["numbers"]
        return list(zip(faces, numbers, strict=True))  # type: ignore[arg-type]

    def switch(self, fault: str, *, on: bool, town_ms: int) -> None:
        super().switch(fault, on=on, town_ms=town_ms)
        if on and fault == "dead_unit":
            self._restart()

    def true_values(self, moment: Moment) -> dict[str, Value]:
        del moment
        return {
            **self._face,
            "brightness": _BRIGHTNESS_PERCENT,
            "sign_status": (False, self.has_restarted),
        }

    def write(self, address: int, words: Sequence[int]) -> int:
        """Take a face; a code that the map gives no meaning to changes nothing."""
        end = address + len(words)
        touched = [p for p in self.map.points if p.writable and p.address < end and address < p.end]
        if not words or sum(_overlap(p, address, end) for p in touched) != len(words):
            return frames.ILLEGAL_ADDRESS
        try:
            face = {p.name: self._written(p, address, words) for p in touched}
        except UnreadableError:
            return frames.ILLEGAL_VALUE
        if "sign_ignores_writes" not in self.faults:
            self._face |= face
            self.has_restarted = False
        return 0

    def _written(self, point: Point, address: int, words: Sequence[int]) -> Value:
        registers = encode(point, self._face[point.name])
        for at, word in enumerate(words, address):
            if point.address <= at < point.end:
                registers[at - point.address] = word
        return decode(point, registers)


def _readable(register_map: RegisterMap, table: Table) -> list[tuple[int, int]]:
    """Where a device lets itself be read: over its points and the holes its map allows."""
    ranges: list[tuple[int, int]] = []
    points = (point for point in register_map.points if point.table is table)
    for point in sorted(points, key=lambda p: p.address):
        if ranges and point.address - ranges[-1][1] <= register_map.largest_hole:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], point.end))
        else:
            ranges.append((point.address, point.end))
    return ranges


def _overlap(point: Point, begin: int, end: int) -> int:
    return min(point.end, end) - max(point.address, begin)


def _misplace_one(bits: list[bool], level_of: Sequence[int]) -> None:
    """Show one car on another level, if there is a car and a bay for it to be wrong on."""
    for car, stands in enumerate(bits):
        for bay, taken in enumerate(bits):
            if stands and not taken and level_of[bay] != level_of[car]:
                bits[car], bits[bay] = False, True
                return
