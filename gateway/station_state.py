"""Everything known of one car park: readings and failures folded in, observations taken out."""

from dataclasses import dataclass, field

import msgspec

from gateway.config import CarPark, Device, GatewayConfig, Role
from gateway.counter import CounterRule, CounterState, Verdict
from gateway.counter import fold as fold_counter
from gateway.observation import (
    Basis,
    DeviceHealth,
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
from gateway.reconcile import Anchor, balance, cars_inside, cars_on_pallets, cars_waiting
from gateway.signs import compare, from_registers

LATE_AFTER_MS = 3_000
LOST_AFTER_MS = 10_000
LATE_AFTER_PERIODS = 3
LOST_AFTER_PERIODS = 8
EARLIEST_CLOCK_SECONDS = 1_577_836_800  # 2020-01-01: a clock before it has lost its battery


@dataclass
class _Seen:
    """What is remembered of one device."""

    values: dict[str, object] = field(default_factory=dict)
    read_at_ms: int = 0
    last_answer_at_ms: int | None = None
    note: str = ""
    doubts: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


class StationState:
    """One car park's state. Times are UTC milliseconds of the gateway's clock."""

    def __init__(
        self,
        config: GatewayConfig,
        counters: dict[str, CounterState],
        anchor: Anchor | None,
        started_at_ms: int,
        rate_factor: float = 1.0,
    ) -> None:
        self.counters = counters
        self.anchor = anchor
        self._config = config
        self._started_at_ms = started_at_ms
        self._rate = config.car_park.cars_per_minute_max * rate_factor
        self._seen = {device.device_id: _Seen() for device in self._car_park.devices}
        self._desired: dict[str, tuple[str, ...]] = {}

    @property
    def _car_park(self) -> CarPark:
        return self._config.car_park

    def fold(self, news: Reading | Failure) -> Verdict | None:
        """Take one poll's result in; the verdict when it was a counter's."""
        seen = self._seen[news.device_id]
        if isinstance(news, Failure):
            seen.note = f"{news.kind}: {news.note}"
            return None
        seen.values.update(news.values)
        seen.read_at_ms = seen.last_answer_at_ms = news.read_at_ms
        seen.note = ""
        if "count" in news.values or "pallets" in news.values:
            seen.unreadable = news.unreadable
        seen.doubts = (*seen.unreadable, *_clock_doubts(seen.values))
        if "count" in news.values:
            return self._count(news)
        return None

    def _count(self, news: Reading) -> Verdict:
        device = self._device(news.device_id)
        raw = news.values["count"]
        assert isinstance(raw, int)  # noqa: S101  # the map's check holds counts to whole numbers
        rule = CounterRule(self._config.maps[device.map].counter_bits or 32, self._rate)
        known = self.counters.get(news.device_id)
        self.counters[news.device_id], verdict = fold_counter(known, raw, news.read_at_ms, rule)
        return verdict

    def order_face(self, device_id: str, lines: tuple[str, ...]) -> None:
        """Remember what a sign shall show."""
        self._desired[device_id] = lines

    def observe(self, now_ms: int) -> Observation:
        """The whole state now, without its place in the outbox (epoch and sequence are 0)."""
        lanes = self._lanes()
        entries = sum(lane.cars_total for lane in lanes if lane.direction is Direction.ENTRY)
        exits = sum(lane.cars_total for lane in lanes if lane.direction is Direction.EXIT)
        groups = tuple(self._group(d, now_ms) for d in self._config.devices_of(Role.GROUP))
        self._cast_anchor(groups, entries, exits, now_ms)
        inside = cars_inside(self.anchor, entries, exits) if self.anchor else None
        on_pallets = cars_on_pallets(groups)
        spaces = balance(groups, inside)
        return Observation(
            lot_id=self._car_park.lot_id,
            epoch=0,
            sequence=0,
            previous_sequence=0,
            observed_at_ms=now_ms,
            entries_total=entries,
            exits_total=exits,
            cars_inside=inside,
            cars_on_pallets=on_pallets,
            basis=spaces.basis if groups else Basis.DERIVED,
            lanes=lanes,
            groups=groups,
            signs=tuple(self._sign(d) for d in self._config.devices_of(Role.SIGN)),
            devices=tuple(self._health(d, now_ms) for d in self._car_park.devices),
            doubts=spaces.doubts,
        )

    def silent_for_ms(self, now_ms: int) -> int:
        """How long no machine group has answered."""
        answers = (
            self._seen[device.device_id].last_answer_at_ms or self._started_at_ms
            for device in self._config.devices_of(Role.GROUP)
        )
        return now_ms - max(answers, default=now_ms)

    def _cast_anchor(
        self, groups: tuple[GroupReading, ...], entries: int, exits: int, now_ms: int
    ) -> None:
        """The first moment at which every lane and group has spoken is where counting begins."""
        lanes = self._config.devices_of(Role.LANE)
        heard = all(lane.device_id in self.counters for lane in lanes)
        on_pallets = cars_on_pallets(groups)
        if self.anchor is None and heard and groups and on_pallets is not None:
            self.anchor = Anchor(on_pallets + cars_waiting(groups), entries, exits, now_ms)

    def _device(self, device_id: str) -> Device:
        return next(d for d in self._car_park.devices if d.device_id == device_id)

    def _lanes(self) -> tuple[LaneReading, ...]:
        return tuple(self._lane(device) for device in self._config.devices_of(Role.LANE))

    def _lane(self, device: Device) -> LaneReading:
        assert device.direction is not None  # noqa: S101  # the configuration was checked
        counter = self.counters.get(device.device_id)
        seen = self._seen[device.device_id]
        withheld = counter.withheld if counter else 0
        doubts = (f"{withheld} cars of an implausible jump not counted",) if withheld else ()
        return LaneReading(
            device.device_id,
            device.direction,
            counter.total if counter else 0,
            seen.read_at_ms,
            (*seen.doubts, *doubts),
        )

    def _group(self, device: Device, now_ms: int) -> GroupReading:
        assert device.group_id is not None  # noqa: S101  # the configuration was checked
        seen = self._seen[device.device_id]
        silent = self._device_state(device, now_ms) is DeviceState.LOST
        values = {} if silent else seen.values
        occupied, doubts = _by_level(device, values.get("pallets"))
        state = values.get("group_state")
        return GroupReading(
            device_id=device.device_id,
            group_id=device.group_id,
            state=GroupState(str(state)) if state and occupied else GroupState.SILENT,
            bays_by_level=device.bays_by_level,
            occupied_by_level=occupied,
            storing_queue=_whole(values.get("storing_queue")),
            fetching_queue=_whole(values.get("fetching_queue")),
            cycle_seconds=_number(values.get("cycle_seconds")),
            read_at_ms=seen.read_at_ms,
            doubts=(*seen.doubts, *doubts),
        )

    def _sign(self, device: Device) -> SignReading:
        seen = self._seen[device.device_id]
        desired = self._desired.get(device.device_id, ())
        reported = (
            from_registers(seen.values, len(desired))  # type: ignore[arg-type]
            if "faces" in seen.values and "numbers" in seen.values
            else None
        )
        state = compare(desired, reported) if desired else FaceState.UNKNOWN
        return SignReading(device.device_id, desired, reported, state, seen.read_at_ms)

    def _health(self, device: Device, now_ms: int) -> DeviceHealth:
        seen = self._seen[device.device_id]
        state = self._device_state(device, now_ms)
        note = seen.note or "; ".join(seen.doubts)
        return DeviceHealth(device.device_id, state, seen.last_answer_at_ms, note)

    def _device_state(self, device: Device, now_ms: int) -> DeviceState:
        seen = self._seen[device.device_id]
        if seen.last_answer_at_ms is None:
            starting = now_ms - self._started_at_ms < LOST_AFTER_MS
            return DeviceState.LATE if starting else DeviceState.LOST
        age_ms = now_ms - seen.last_answer_at_ms
        if age_ms > max(LOST_AFTER_MS, LOST_AFTER_PERIODS * device.period_ms):
            return DeviceState.LOST
        if age_ms > max(LATE_AFTER_MS, LATE_AFTER_PERIODS * device.period_ms):
            return DeviceState.LATE
        return DeviceState.SUSPECT if seen.doubts else DeviceState.ONLINE


def same_news(first: Observation | None, second: Observation) -> bool:
    """Whether two observations say the same, times aside."""
    return first is not None and _without_times(first) == _without_times(second)


def moved_counts(first: Observation | None, second: Observation) -> bool:
    """Whether a running total moved between the two."""
    if first is None:
        return True
    return (first.entries_total, first.exits_total) != (second.entries_total, second.exits_total)


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


def _by_level(device: Device, pallets: object) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
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


def _clock_doubts(values: dict[str, object]) -> tuple[str, ...]:
    clock = values.get("clock")
    if isinstance(clock, int) and clock < EARLIEST_CLOCK_SECONDS:
        return (f"the device's clock stands at {clock} s after 1970: its battery is flat",)
    return ()


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
