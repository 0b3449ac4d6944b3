"""All devices of a town over one truth: crossings reach the counters, faults come and go."""

import random
from collections import deque
from collections.abc import Iterable, Mapping

from gateway.register_map import RegisterMap
from lot_sim.arrivals import DAY_MS, midnight_of
from lot_sim.car_park import Crossing, State
from lot_sim.faults import FAULTS, GROUP_STATES, Episode, Role, fits, names_for, plan_day
from lot_sim.instruments import GroupController, Instrument, LoopCounter, Sign
from lot_sim.scenario import DevicePlan, LotPlan, PresetLine
from lot_sim.town import Town

CROSSINGS_KEPT = 200_000


class UnknownNameError(Exception):
    """A name that nothing here has; carries the field and what exists."""

    def __init__(self, field: str, value: str, known: Iterable[str]) -> None:
        self.field, self.value, self.known = field, value, sorted(known)
        super().__init__(f"{field} {value!r} is none of {', '.join(self.known)}")


class Field:
    """Instruments by device id, the log of crossings, and the switches of the faults."""

    def __init__(self, town: Town, maps: Mapping[str, RegisterMap], preset: str = "none") -> None:
        if preset not in town.scenario.presets:
            raise UnknownNameError("faults", preset, town.scenario.presets)
        self.town, self.preset = town, preset
        self.instruments = {
            device.device_id: self._instrument(lot, device, maps[device.map])
            for lot, device in town.scenario.devices()
        }
        self._counters = {
            device_id: instrument
            for device_id, instrument in self.instruments.items()
            if isinstance(instrument, LoopCounter)
        }
        self.crossings: deque[tuple[int, Crossing]] = deque(maxlen=CROSSINGS_KEPT)
        self.crossings_total = 0
        town.on_crossing = self._on_crossing
        self._lines = town.scenario.presets[preset]
        self._begin_preset()

    def switch(self, lot_id: str, device_id: str, fault: str, *, on: bool) -> None:
        """Switch one fault now. Raises UnknownNameError."""
        instrument = self._find(lot_id, device_id)
        if fault not in FAULTS or not fits(fault, instrument.plan.role):
            raise UnknownNameError("fault", fault, names_for(instrument.plan.role))
        self._switch(self.town.now_ms, instrument, fault, on)

    def crossings_after(self, number: int, most: int) -> list[tuple[int, Crossing]]:
        """The next crossings in order, each with its number; old ones are forgotten in time."""
        if not self.crossings:
            return []
        skipped = max(number + 1 - self.crossings[0][0], 0)
        last = min(skipped + most, len(self.crossings))
        return [self.crossings[i] for i in range(skipped, last)]

    def of_lot(self, lot_id: str) -> list[Instrument]:
        return [i for i in self.instruments.values() if i.lot_id == lot_id]

    def _instrument(self, lot: LotPlan, plan: DevicePlan, register_map: RegisterMap) -> Instrument:
        if plan.role is Role.GROUP:
            machine = self.town.lot(lot.lot_id).machine(plan.group_id)
            return GroupController(lot.lot_id, plan, register_map, machine)
        if plan.role is Role.LANE:
            chance = random.Random(f"{self.town.seed}:{plan.device_id}:counter")
            return LoopCounter(lot.lot_id, plan, register_map, chance)
        return Sign(lot.lot_id, plan, register_map)

    def _find(self, lot_id: str, device_id: str) -> Instrument:
        lots = {lot.plan.lot_id for lot in self.town.lots}
        if lot_id not in lots:
            raise UnknownNameError("lot", lot_id, lots)
        instruments = {i.plan.device_id: i for i in self.of_lot(lot_id)}
        if device_id not in instruments:
            raise UnknownNameError("device", device_id, instruments)
        return instruments[device_id]

    def _on_crossing(self, crossing: Crossing) -> None:
        self.crossings_total += 1
        self.crossings.append((self.crossings_total, crossing))
        self._counters[crossing.device_id].count_car()

    def _begin_preset(self) -> None:
        now_ms = self.town.now_ms
        for line in self._lines:
            for instrument in self.instruments.values():
                if line.always and fits(line.fault, instrument.plan.role):
                    self._switch(now_ms, instrument, line.fault, on=True)
        self._plan_faults(now_ms)

    def _plan_faults(self, now_ms: int) -> None:
        midnight_ms = midnight_of(now_ms)
        for episode in self._episodes(self._lines, midnight_ms):
            if episode.from_ms >= now_ms:
                instrument = self.instruments[episode.device_id]
                for at_ms, on in ((episode.from_ms, True), (episode.until_ms, False)):
                    self.town.agenda.at(at_ms, self._switch, instrument, episode.fault, on)
        self.town.agenda.at(midnight_ms + DAY_MS, self._plan_faults)

    def _episodes(self, lines: Iterable[PresetLine], midnight_ms: int) -> Iterable[Episode]:
        devices = [(i.plan.device_id, i.plan.role) for i in self.instruments.values()]
        return plan_day(lines, devices, midnight_ms, self.town.seed)

    def _switch(self, now_ms: int, instrument: Instrument, fault: str, on: bool) -> None:  # noqa: FBT001
        instrument.switch(fault, on=on, town_ms=now_ms)
        if fault in GROUP_STATES:
            group_id = instrument.plan.group_id
            self.town.lot(instrument.lot_id).set_state(now_ms, group_id, _state_of(instrument))


def _state_of(instrument: Instrument) -> State:
    for fault, state in GROUP_STATES.items():
        if fault in instrument.faults:
            return State(state)
    return State.WORKING
