"""Everything known of one car park: readings and failures folded in, observations taken out."""

from collections.abc import Mapping

import msgspec

from gateway.config import Device, GatewayConfig, Role
from gateway.correction import Correction, corrected
from gateway.counter import CounterRule, CounterState, Verdict, gap_ms
from gateway.counter import fold as fold_counter
from gateway.decode import Value
from gateway.device_memory import DeviceMemory
from gateway.observation import (
    DeviceState,
    Direction,
    FaceState,
    GroupReading,
    GroupState,
    LaneReading,
    Observation,
    SignReading,
)
from gateway.reading import Failure, Reading
from gateway.reconcile import (
    Anchor,
    balance,
    cars_inside,
    cars_on_pallets,
    cars_waiting,
    drift,
    list_doubts,
)
from gateway.signs import compare, find_shown

PRIMED_AFTER_MS = 5_000
_STATES = {state.value: state for state in GroupState}


class StationState:
    """One car park's state. `now_ms` is UTC and may be set; `uptime_ms` runs only forward.

    `has_news` says that a reading since the last look said more than that its device answers.
    """

    def __init__(
        self,
        config: GatewayConfig,
        counters: Mapping[str, CounterState],
        anchor: Anchor | None,
        uptime_ms: int,
        rate_factor: float = 1.0,
    ) -> None:
        self.counters = dict(counters)
        self.anchor = anchor
        self.has_news = True
        self._config = config
        self._since_uptime_ms = uptime_ms
        self._rate = config.car_park.cars_per_minute_max * rate_factor
        self._devices = {
            device.device_id: DeviceMemory(device, uptime_ms) for device in config.car_park.devices
        }
        self._counted_uptime_ms: dict[str, int] = {}
        self._desired: dict[str, tuple[str, ...]] = {}
        self._drift_cars: int | None = None

    def fold(self, news: Reading | Failure, uptime_ms: int) -> Verdict | None:
        """Take one poll's result in; the verdict when it was a counter's."""
        memory = self._devices[news.device_id]
        if isinstance(news, Failure):
            memory.fail(news)
            self.has_news = True
            return None
        if memory.take(news, uptime_ms):
            self.has_news = True
        count = news.values.get("count")
        if not isinstance(count, int):
            return None
        return self._count(memory.device, count, news.read_at_ms, uptime_ms)

    def _count(self, device: Device, raw: int, read_at_ms: int, uptime_ms: int) -> Verdict:
        known = self.counters.get(device.device_id)
        before_ms = self._counted_uptime_ms.get(device.device_id)
        elapsed_ms = gap_ms(known, read_at_ms) if before_ms is None else uptime_ms - before_ms
        rule = CounterRule(self._config.maps[device.map].counter_bits or 32, self._rate)
        state, verdict = fold_counter(known, raw, read_at_ms, elapsed_ms, rule)
        self.counters[device.device_id] = state
        if known is None or known.doubtful_cars != state.doubtful_cars:
            self.has_news = True
        self._counted_uptime_ms[device.device_id] = uptime_ms
        return verdict

    def order_face(self, device_id: str, lines: tuple[str, ...]) -> None:
        """Remember what a sign shall show; what it showed before is no answer to a new order."""
        if self._desired.get(device_id) != lines:
            self._desired[device_id] = lines
            self.has_news = True
            self._devices[device_id].forget("numbers", "faces")

    def correct(self, correction: Correction, epoch: int) -> bool:
        """Count on from what an operator counted; False for a count that is not to be taken."""
        anchor = corrected(self.anchor, epoch, correction)
        if anchor is None:
            return False
        self.anchor, self._drift_cars, self.has_news = anchor, None, True
        return True

    def is_primed(self, uptime_ms: int) -> bool:
        """Whether every device has been asked once: before, silence means nothing."""
        if uptime_ms - self._since_uptime_ms >= PRIMED_AFTER_MS:
            return True
        return all(memory.was_asked for memory in self._devices.values())

    def observe(self, now_ms: int, uptime_ms: int, own_doubts: tuple[str, ...] = ()) -> Observation:
        """The whole state now, without its place in the outbox (epoch and sequence are 0)."""
        self.has_news = False
        lanes = tuple(self._lane(device, uptime_ms) for device in self._of(Role.LANE))
        groups = tuple(self._group(device, uptime_ms) for device in self._of(Role.GROUP))
        entries = sum(lane.cars_total for lane in lanes if lane.direction is Direction.ENTRY)
        exits = sum(lane.cars_total for lane in lanes if lane.direction is Direction.EXIT)
        self._cast_anchor(groups, entries, exits, now_ms)
        inside = self._inside(entries, exits, uptime_ms)
        self._measure_drift(inside, groups)
        spaces = balance(groups, inside, self._drift_cars, self._unseen_cars)
        return Observation(
            lot_id=self._config.car_park.lot_id,
            epoch=0,
            sequence=0,
            previous_sequence=0,
            observed_at_ms=now_ms,
            entries_total=entries,
            exits_total=exits,
            cars_inside=inside,
            cars_on_pallets=cars_on_pallets(groups),
            basis=spaces.basis,
            lanes=lanes,
            groups=groups,
            signs=tuple(self._sign(device) for device in self._of(Role.SIGN)),
            devices=tuple(memory.health(uptime_ms) for memory in self._devices.values()),
            doubts=(
                *spaces.doubts,
                *list_doubts(inside, groups, self._unseen_cars),
                *own_doubts,
            ),
            drift_cars=self._drift_cars,
            correction_number=0 if self.anchor is None else self.anchor.correction_number,
            unseen_cars=self._unseen_cars,
        )

    def _measure_drift(self, inside: int | None, groups: tuple[GroupReading, ...]) -> None:
        """Remember the drift while every machine tells, for the time when one does not."""
        measured = None if inside is None else drift(inside, groups, self._unseen_cars)
        if measured is not None:
            self._drift_cars = measured

    @property
    def _unseen_cars(self) -> int:
        return 0 if self.anchor is None else self.anchor.unseen_cars

    def _of(self, role: Role) -> tuple[Device, ...]:
        return self._config.devices_of(role)

    def _inside(self, entries: int, exits: int, uptime_ms: int) -> int | None:
        """Cars by the counters; unknown once a lane has been silent for too long."""
        if self.anchor is None:
            return None
        patience_ms = self._config.car_park.stale_after_ms
        lanes = (self._devices[device.device_id] for device in self._of(Role.LANE))
        if any(lane.silent_for_ms(uptime_ms) > patience_ms for lane in lanes):
            return None
        return cars_inside(self.anchor, entries, exits)

    def _cast_anchor(
        self, groups: tuple[GroupReading, ...], entries: int, exits: int, now_ms: int
    ) -> None:
        """The first moment at which every lane and group has spoken is where counting begins."""
        lanes = self._of(Role.LANE)
        heard = lanes and all(lane.device_id in self.counters for lane in lanes)
        on_pallets = cars_on_pallets(groups)
        if self.anchor is None and heard and groups and on_pallets is not None:
            self.anchor = Anchor(on_pallets + cars_waiting(groups), entries, exits, now_ms)

    def _lane(self, device: Device, uptime_ms: int) -> LaneReading:
        assert device.direction is not None  # noqa: S101  # the configuration was checked
        counter = self.counters.get(device.device_id)
        memory = self._devices[device.device_id]
        return LaneReading(
            device.device_id,
            device.direction,
            counter.total if counter else 0,
            memory.read_at_ms,
            (*memory.list_doubts(uptime_ms), *_counter_doubts(counter)),
        )

    def _group(self, device: Device, uptime_ms: int) -> GroupReading:
        assert device.group_id is not None  # noqa: S101  # the configuration was checked
        memory = self._devices[device.device_id]
        values = memory.values if self._is_heard(memory, uptime_ms) else {}
        occupied, doubts = _by_level(device, values.get("pallets"))
        return GroupReading(
            device_id=device.device_id,
            group_id=device.group_id,
            state=_STATES.get(str(values.get("group_state")), GroupState.SILENT),
            bays_by_level=device.bays_by_level,
            occupied_by_level=occupied,
            storing_queue=_find_whole(values.get("storing_queue")),
            fetching_queue=_find_whole(values.get("fetching_queue")),
            cycle_seconds=_find_number(values.get("cycle_seconds")),
            read_at_ms=memory.read_at_ms,
            doubts=(*memory.list_doubts(uptime_ms), *doubts),
        )

    def _is_heard(self, memory: DeviceMemory, uptime_ms: int) -> bool:
        """A controller that answers with what it knew when it froze is as good as silent."""
        frozen = memory.frozen_for_ms(uptime_ms) > self._config.car_park.stale_after_ms
        return memory.state(uptime_ms) is not DeviceState.LOST and not frozen

    def _sign(self, device: Device) -> SignReading:
        memory = self._devices[device.device_id]
        desired = self._desired.get(device.device_id, ())
        reported = find_shown(memory.values, len(desired))
        state = compare(desired, reported) if desired else FaceState.UNKNOWN
        return SignReading(device.device_id, desired, reported, state, memory.read_at_ms)


def same_news(first: Observation | None, second: Observation) -> bool:
    """Whether two observations say the same, times aside."""
    return first is not None and _without_times(first) == _without_times(second)


def moved_counts(first: Observation | None, second: Observation) -> bool:
    """Whether a lane's running total moved between the two."""
    if first is None:
        return True
    return [lane.cars_total for lane in first.lanes] != [lane.cars_total for lane in second.lanes]


def _without_times(observation: Observation) -> Observation:
    still = msgspec.structs.replace
    return still(
        observation,
        epoch=0,
        sequence=0,
        previous_sequence=0,
        observed_at_ms=0,
        lanes=tuple(still(lane, read_at_ms=0) for lane in observation.lanes),
        groups=tuple(still(group, read_at_ms=0) for group in observation.groups),
        signs=tuple(still(sign, read_at_ms=0) for sign in observation.signs),
        devices=tuple(still(d, last_answer_at_ms=None) for d in observation.devices),
    )


def _by_level(
    device: Device, pallets: Value | None
) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """Cars a level from the ground up; bits beyond the bays stay counted, on the top level."""
    if not isinstance(pallets, tuple):
        return None, ()
    levels, start = [], 0
    for bays in device.bays_by_level:
        levels.append(sum(1 for bit in pallets[start : start + bays] if bit))
        start += bays
    beyond = sum(1 for bit in pallets[start:] if bit)
    if not beyond:
        return tuple(levels), ()
    levels[-1] += beyond
    return tuple(levels), (f"{beyond} pallets occupied beyond the {device.bays} bays",)


def _counter_doubts(counter: CounterState | None) -> tuple[str, ...]:
    cars = counter.doubtful_cars if counter else 0
    return (f"up to {cars} cars of a jump or reset are not counted",) if cars else ()


def _find_whole(value: Value | None) -> int | None:
    return value if isinstance(value, int) else None


def _find_number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
