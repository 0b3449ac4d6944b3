"""One car park of bay sensors: each bay's newest word, and the cars that came and went by them.

A sensor's state and how often it changed are kept as its counter: `raw` is 1 where a car stands,
`total` the changes since this outbox was born. Messages may come twice, late and in any order: only
one newer than the bay's newest counts. What changed twice between two messages nobody saw.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from gateway.bay_map import BayLimits
from gateway.bay_message import BadBayMessageError, BayNews, BayRefusal
from gateway.counter import CounterState
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
from gateway.reconcile import Anchor, cars_inside

RADIO = "radio"
MOST_SILENT_SHARE = 0.1  # beyond it an area's number is not told
_LANES = {Direction.ENTRY: "bays-entry", Direction.EXIT: "bays-exit"}
_MINUTE_MS = 60_000


class BayPark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A car park of bay sensors: the name in its topics, and its sensors by area."""

    lot_id: str
    name: str
    map: str
    bays: Mapping[str, tuple[str, ...]]


class Folded(StrEnum):
    """What became of a message."""

    CHANGED = "changed"
    CONFIRMED = "confirmed"  # the same state, newer
    OLD = "old"  # a repetition, or overtaken by a newer one


class _Bay(msgspec.Struct):
    """What is known of one sensor beside its counter; `uptime_ms` is when it was last heard."""

    sequence: int | None = None
    uptime_ms: int | None = None
    battery_percent: float | None = None
    radio_dbm: float | None = None


class BayLedger:
    """State of one car park; `now_ms` is UTC, `uptime_ms` runs only forward.

    What was kept is believed for as long after a start as a sensor may be silent: its retained
    message comes first thing.
    """

    def __init__(
        self,
        park: BayPark,
        limits: BayLimits,
        counters: Mapping[str, CounterState],
        anchor: Anchor | None,
        uptime_ms: int,
    ) -> None:
        self.park = park
        self.anchor = anchor
        self._limits = limits
        self._silent_ms = int(limits.silent_minutes * _MINUTE_MS)
        self._area_of = {bay: area for area, bays in park.bays.items() for bay in bays}
        self._states = {bay: counters[bay] for bay in self._area_of if bay in counters}
        self._bays = {bay: _Bay() for bay in self._area_of}
        self._since_uptime_ms = uptime_ms
        self._is_radio_up: bool | None = None
        self._radio_at_ms: int | None = None

    def take(self, news: BayNews, now_ms: int, uptime_ms: int) -> Folded:
        """Raises BadBayMessageError for a sensor that is none of ours."""
        bay = self._bays.get(news.sensor_id)
        if bay is None:
            words = f"is none of the sensors of {self.park.lot_id}; add it to the file"
            raise BadBayMessageError(BayRefusal.UNKNOWN_SENSOR, "sensor", words)
        kept = self._states.get(news.sensor_id)
        at_ms = now_ms if news.at_ms is None else news.at_ms
        # A sensor whose clock fell back is believed anew once it has been given up.
        is_lost = self._is_silent(news.sensor_id, uptime_ms)
        if kept is not None and not is_lost and self._is_old(news, kept, bay, at_ms):
            return Folded.OLD
        bay.uptime_ms, bay.sequence = uptime_ms, news.sequence
        bay.battery_percent, bay.radio_dbm = news.battery_percent, news.radio_dbm
        has_changed = kept is not None and bool(kept.raw) != news.is_taken
        total = (kept.total if kept else 0) + has_changed
        self._states[news.sensor_id] = CounterState(int(news.is_taken), total, at_ms)
        return Folded.CHANGED if kept is None or has_changed else Folded.CONFIRMED

    def _is_old(self, news: BayNews, kept: CounterState, bay: _Bay, at_ms: int) -> bool:
        """By the sensor's own order: its time, then its sequence; a repetition is old, too.

        A retained message that comes again after a start says nothing new, but that it is there.
        """
        if news.at_ms is None:
            return False
        if at_ms != kept.read_at_ms:
            return at_ms < kept.read_at_ms
        if bay.uptime_ms is None:
            return False
        if news.sequence is None or bay.sequence is None:
            return True
        return news.sequence <= bay.sequence

    def unheard(self) -> list[str]:
        """The sensors that have said nothing since the start."""
        return [sensor for sensor, bay in self._bays.items() if bay.uptime_ms is None]

    def hear_radio(self, *, is_up: bool, now_ms: int) -> None:
        """The radio gateway said that it is there, or its last will said that it is not."""
        self._is_radio_up, self._radio_at_ms = is_up, now_ms

    def counters(self, _: int) -> dict[str, CounterState]:
        return dict(self._states)

    def observe(self, now_ms: int, uptime_ms: int) -> Observation:
        """The whole state now, without its place in the outbox."""
        silent = {bay for bay in self._bays if self._is_silent(bay, uptime_ms)}
        groups = tuple(self._group(area, silent) for area in self.park.bays)
        entries, exits = self._passages()
        taken = [state.raw for state in self._states.values()]
        is_whole = len(taken) == len(self._bays) and not self._is_down
        if self.anchor is None and is_whole:
            self.anchor = Anchor(sum(taken), entries, exits, now_ms)
        inside = cars_inside(self.anchor, entries, exits) if self.anchor and is_whole else None
        seen = [sum(g.occupied_by_level) for g in groups if g.occupied_by_level is not None]
        return Observation(
            lot_id=self.park.lot_id,
            epoch=0,
            sequence=0,
            previous_sequence=0,
            observed_at_ms=now_ms,
            entries_total=entries,
            exits_total=exits,
            cars_inside=inside,
            cars_on_pallets=sum(seen) if len(seen) == len(groups) else None,
            basis=Basis.DERIVED if silent or self._is_down else Basis.COUNTED,
            lanes=(
                LaneReading(_LANES[Direction.ENTRY], Direction.ENTRY, entries, now_ms),
                LaneReading(_LANES[Direction.EXIT], Direction.EXIT, exits, now_ms),
            ),
            groups=groups,
            signs=(),
            devices=(self._radio(), *self._unwell(silent)),
            doubts=self._doubts(silent),
        )

    @property
    def _is_down(self) -> bool:
        return self._is_radio_up is False

    def _is_silent(self, sensor_id: str, uptime_ms: int) -> bool:
        heard = self._bays[sensor_id].uptime_ms
        since = self._since_uptime_ms if heard is None else heard
        return sensor_id not in self._states or uptime_ms - since > self._silent_ms

    def _passages(self) -> tuple[int, int]:
        """Cars that came and went, by the changes of each bay; neither ever falls."""
        came = gone = 0
        for state in self._states.values():
            # of changes that take turns, the newest is of the kind that led to the state now
            newest, other = (state.total + 1) // 2, state.total // 2
            came += newest if state.raw else other
            gone += other if state.raw else newest
        return came, gone

    def _group(self, area: str, silent: set[str]) -> GroupReading:
        bays = self.park.bays[area]
        unknown = sum(bay in silent for bay in bays)
        has_word = all(bay in self._states for bay in bays)
        is_told = has_word and not self._is_down and unknown <= MOST_SILENT_SHARE * len(bays)
        taken = sum(self._states[bay].raw for bay in bays) if is_told else 0
        newest = max((self._states[b].read_at_ms for b in bays if b in self._states), default=0)
        return GroupReading(
            device_id=RADIO,
            group_id=area,
            state=GroupState.WORKING if is_told else GroupState.SILENT,
            bays_by_level=(len(bays),),
            occupied_by_level=(taken,) if is_told else None,
            storing_queue=None,
            fetching_queue=None,
            cycle_seconds=None,
            read_at_ms=newest,
        )

    def _radio(self) -> DeviceHealth:
        states = {None: DeviceState.LATE, True: DeviceState.ONLINE, False: DeviceState.LOST}
        return DeviceHealth(RADIO, states[self._is_radio_up], self._radio_at_ms)

    def _unwell(self, silent: set[str]) -> tuple[DeviceHealth, ...]:
        """Only sensors worth a look: hundreds that are well would say nothing each second."""
        told = ((bay, self._note(bay)) for bay in self._bays)
        return tuple(
            DeviceHealth(
                bay,
                DeviceState.LOST if bay in silent else DeviceState.ONLINE,
                self._states[bay].read_at_ms if bay in self._states else None,
                note,
            )
            for bay, note in told
            if note or bay in silent
        )

    def _note(self, sensor_id: str) -> str:
        bay, notes = self._bays[sensor_id], []
        if bay.battery_percent is not None and (
            bay.battery_percent <= self._limits.battery_percent_low
        ):
            notes.append(f"battery {bay.battery_percent:g} %: change it")
        if bay.radio_dbm is not None and bay.radio_dbm <= self._limits.radio_dbm_weak:
            notes.append(f"radio {bay.radio_dbm:g} dBm: weak")
        return "; ".join(notes)

    def _doubts(self, silent: set[str]) -> tuple[str, ...]:
        if self._is_down:
            return ("the radio gateway of the bay sensors is off",)
        if silent:
            return (f"{len(silent)} of {len(self._bays)} bay sensors are silent",)
        return ()
