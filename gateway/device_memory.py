"""What is remembered of one field device: its values, its silence and what is odd about it."""

from dataclasses import dataclass, field

from gateway.config import Device
from gateway.decode import Value
from gateway.observation import HEARTBEAT_DOUBT, LOOP_DOUBT, DeviceHealth, DeviceState
from gateway.reading import Failure, Reading

LATE_AFTER_MS = 3_000
LOST_AFTER_MS = 10_000
LATE_AFTER_PERIODS = 3
LOST_AFTER_PERIODS = 8
FROZEN_AFTER_MS = 20_000  # two heartbeats are asked for at least in this time
EARLIEST_CLOCK_SECONDS = 1_577_836_800  # 2020-01-01: a clock before it has lost its battery
_HOUR_SECONDS = 3_600
_TICKING = ("clock", "heartbeat")  # they always change


@dataclass
class DeviceMemory:
    """One device. `uptime_ms` runs only forward; `now_ms` is UTC and may be set."""

    device: Device
    since_uptime_ms: int
    values: dict[str, Value] = field(default_factory=dict)
    read_at_ms: int = 0
    answered_uptime_ms: int | None = None
    last_answer_at_ms: int | None = None
    was_asked: bool = False
    _note: str = ""
    _unreadable: dict[str, str] = field(default_factory=dict)
    _clock_doubt: str = ""
    _beat_uptime_ms: int | None = None

    def take(self, reading: Reading, uptime_ms: int) -> bool:
        """Fold one reading in; whether it says more than that the device still answers.

        What could not be read is forgotten, not kept as it was.
        """
        is_news = self._is_news(reading)
        self._take_beat(reading, uptime_ms)
        self.values.update(reading.values)
        for name in reading.values:
            self._unreadable.pop(name, None)
        for trouble in reading.unreadable:
            name = trouble.partition(":")[0]
            self.values.pop(name, None)
            self._unreadable[name] = trouble
        if "clock" in reading.values:
            self._clock_doubt = _clock_doubt(reading.values["clock"], reading.read_at_ms)
        self.read_at_ms = self.last_answer_at_ms = reading.read_at_ms
        self.answered_uptime_ms = uptime_ms
        self.was_asked = True
        self._note = ""
        return is_news

    def fail(self, failure: Failure) -> None:
        self.was_asked = True
        self._note = f"{failure.kind}: {failure.note}" if failure.note else str(failure.kind)

    def forget(self, *names: str) -> None:
        for name in names:
            self.values.pop(name, None)

    def silent_for_ms(self, uptime_ms: int) -> int:
        """The time since it last answered, or since we began to ask."""
        heard = self.answered_uptime_ms
        return uptime_ms - (self.since_uptime_ms if heard is None else heard)

    def frozen_for_ms(self, uptime_ms: int) -> int:
        """How long its heartbeat has stood still; 0 for a device that has none."""
        return 0 if self._beat_uptime_ms is None else uptime_ms - self._beat_uptime_ms

    def state(self, uptime_ms: int) -> DeviceState:
        silent_ms = self.silent_for_ms(uptime_ms)
        if silent_ms > max(LOST_AFTER_MS, LOST_AFTER_PERIODS * self.device.period_ms):
            return DeviceState.LOST
        if self.answered_uptime_ms is None:
            return DeviceState.LATE
        if silent_ms > max(LATE_AFTER_MS, LATE_AFTER_PERIODS * self.device.period_ms):
            return DeviceState.LATE
        return DeviceState.SUSPECT if self.list_doubts(uptime_ms) else DeviceState.ONLINE

    def list_doubts(self, uptime_ms: int) -> tuple[str, ...]:
        doubts = [*self._unreadable.values()]
        if self._clock_doubt:
            doubts.append(self._clock_doubt)
        if self._frozen(uptime_ms):
            doubts.append(HEARTBEAT_DOUBT)
        if _loop_is_broken(self.values.get("loop_status")):
            doubts.append(LOOP_DOUBT)
        return tuple(doubts)

    def health(self, uptime_ms: int) -> DeviceHealth:
        note = self._note or "; ".join(self.list_doubts(uptime_ms))
        return DeviceHealth(
            self.device.device_id, self.state(uptime_ms), self.last_answer_at_ms, note
        )

    def _is_news(self, reading: Reading) -> bool:
        if self.answered_uptime_ms is None or self._note or reading.unreadable:
            return True
        return any(
            self.values.get(name) != value
            for name, value in reading.values.items()
            if name not in _TICKING
        )

    def _frozen(self, uptime_ms: int) -> bool:
        answers = self.silent_for_ms(uptime_ms) <= LOST_AFTER_MS
        return answers and self.frozen_for_ms(uptime_ms) > self._frozen_after_ms()

    def _frozen_after_ms(self) -> int:
        # housekeeping is asked for every tenth period, later on a busy bus
        return max(FROZEN_AFTER_MS, 30 * self.device.period_ms)

    def _take_beat(self, reading: Reading, uptime_ms: int) -> None:
        if "heartbeat" not in reading.values:
            return
        if reading.values["heartbeat"] != self.values.get("heartbeat"):
            self._beat_uptime_ms = uptime_ms


def _clock_doubt(clock: Value, read_at_ms: int) -> str:
    """What is wrong with a device's clock, in words that do not change every second."""
    if not isinstance(clock, int):
        return ""
    if clock < EARLIEST_CLOCK_SECONDS:
        return "its clock stands in 1970: the battery is flat"
    hours = round((clock - read_at_ms / 1_000) / _HOUR_SECONDS)
    return f"its clock is {hours:+d} h from ours" if hours else ""


def _loop_is_broken(status: Value | None) -> bool:
    return isinstance(status, tuple) and len(status) > 1 and status[1] is True
