"""When a condition becomes an alarm and when it ends by itself."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import NamedTuple

import msgspec

from gateway.certificate import WARN_DAYS


class AlarmKind(StrEnum):
    """What is wrong."""

    LOT_SILENT = "lot_silent"
    DEVICE_OFFLINE = "device_offline"
    SENSOR_STUCK = "sensor_stuck"
    COUNT_IMPOSSIBLE = "count_impossible"
    DRIFT = "drift"
    OUTBOX_GROWING = "outbox_growing"
    RECORDER_BEHIND = "recorder_behind"
    SIGN_DIFFERS = "sign_differs"
    CLOCK_OFFSET = "clock_offset"
    TWO_EPOCHS = "two_epochs"
    UNREADABLE = "unreadable"
    CONGESTION_HIGH = "congestion_high"
    DATA_ACCESS_LOW = "data_access_low"
    REPLICA_BEHIND = "replica_behind"
    CERTIFICATE_ENDS = "certificate_ends"
    CERTIFICATE_ENDED = "certificate_ended"


class Severity(StrEnum):
    """How soon somebody must act."""

    CRITICAL = "critical"  # numbers are missing or wrong: now
    MAJOR = "major"  # they will be: this shift
    MINOR = "minor"  # to be mended: this week


class Key(NamedTuple):
    """What an alarm is about: raised once as long as it lasts."""

    kind: AlarmKind
    lot_id: str
    subject: str


class Condition(msgspec.Struct, frozen=True):
    """Something measured that may be wrong: `value` in the unit of its kind's rule."""

    key: Key
    value: float
    words: str


class Rule(msgspec.Struct, frozen=True):
    """From which value on, for how long, and when it is over again.

    A raised alarm lasts while the value is above threshold - hysteresis, and for
    `clear_after_seconds` more. Where `is_low_bad` it is the other way round: from the threshold
    downwards, until above threshold + hysteresis.
    """

    severity: Severity
    threshold: float
    unit: str
    raise_after_seconds: float = 0.0
    clear_after_seconds: float = 10.0
    hysteresis: float = 0.0
    is_on: bool = True
    is_low_bad: bool = False

    def breaks(self, value: float, *, is_raised: bool) -> bool:
        """Whether a value is one to raise an alarm for, or to keep one that is raised."""
        slack = self.hysteresis if is_raised else 0.0
        if self.is_low_bad:
            return value <= self.threshold + slack
        return value >= self.threshold - slack


class Rulebook(msgspec.Struct, frozen=True):
    """The town's rules, and those that single car parks have instead."""

    town: Mapping[AlarmKind, Rule]
    lots: Mapping[tuple[str, AlarmKind], Rule] = {}

    def of(self, kind: AlarmKind, lot_id: str) -> Rule:
        return self.lots.get((lot_id, kind)) or self.town[kind]


class Alarm(msgspec.Struct, frozen=True):
    """One alarm from its raising to its clearing. Times are UTC milliseconds."""

    key: Key
    severity: Severity
    words: str
    raised_at_ms: int
    cleared_at_ms: int | None = None


class Watch(msgspec.Struct, frozen=True):
    """A condition over time; `alarm` once it has been raised."""

    since_ms: int
    true_at_ms: int
    alarm: Alarm | None = None


class Step(NamedTuple):
    """What is watched from now on, and what has changed."""

    watches: dict[Key, Watch]
    raised: tuple[Alarm, ...]
    cleared: tuple[Alarm, ...]


# Sources that fall silent say nothing of these any more: they stay as they were.
TOLD_BY_THE_LOT = frozenset(
    {
        AlarmKind.DEVICE_OFFLINE,
        AlarmKind.SENSOR_STUCK,
        AlarmKind.COUNT_IMPOSSIBLE,
        AlarmKind.DRIFT,
        AlarmKind.SIGN_DIFFERS,
    }
)
# Of our own servers: no car park has a rule of its own for them, or a quiet window.
SERVICE_WIDE = frozenset(
    {AlarmKind.REPLICA_BEHIND, AlarmKind.CERTIFICATE_ENDS, AlarmKind.CERTIFICATE_ENDED}
)
# They name hosts and ports of ours, which are nobody's business outside.
NOT_PUBLIC = frozenset({AlarmKind.CERTIFICATE_ENDS, AlarmKind.CERTIFICATE_ENDED})
RULES: Mapping[AlarmKind, Rule] = {
    AlarmKind.LOT_SILENT: Rule(Severity.CRITICAL, 90.0, "s"),
    AlarmKind.DEVICE_OFFLINE: Rule(Severity.MAJOR, 30.0, "s"),
    AlarmKind.SENSOR_STUCK: Rule(Severity.MAJOR, 8.0, "cars"),
    AlarmKind.COUNT_IMPOSSIBLE: Rule(Severity.CRITICAL, 1.0, "count", raise_after_seconds=10.0),
    AlarmKind.DRIFT: Rule(
        Severity.MAJOR, 1.0, "times the limit", raise_after_seconds=60.0, hysteresis=0.25
    ),
    AlarmKind.OUTBOX_GROWING: Rule(
        Severity.MAJOR, 300.0, "rows", raise_after_seconds=10.0, hysteresis=250.0
    ),
    AlarmKind.RECORDER_BEHIND: Rule(
        Severity.MAJOR, 300.0, "rows", raise_after_seconds=10.0, hysteresis=250.0
    ),
    AlarmKind.SIGN_DIFFERS: Rule(Severity.MAJOR, 1.0, "sign", raise_after_seconds=60.0),
    AlarmKind.CLOCK_OFFSET: Rule(Severity.MINOR, 5.0, "s", raise_after_seconds=30.0),
    AlarmKind.TWO_EPOCHS: Rule(Severity.CRITICAL, 1.0, "gateway", clear_after_seconds=30.0),
    AlarmKind.UNREADABLE: Rule(Severity.MAJOR, 1.0, "entries"),
    AlarmKind.CONGESTION_HIGH: Rule(Severity.MINOR, 8.0, "points", hysteresis=0.5),
    AlarmKind.DATA_ACCESS_LOW: Rule(Severity.MINOR, 20.0, "percent", hysteresis=5.0),
    AlarmKind.REPLICA_BEHIND: Rule(
        Severity.MAJOR, 30.0, "s", raise_after_seconds=10.0, hysteresis=15.0
    ),
    AlarmKind.CERTIFICATE_ENDS: Rule(
        Severity.MINOR, float(WARN_DAYS), "days", clear_after_seconds=0.0, is_low_bad=True
    ),
    AlarmKind.CERTIFICATE_ENDED: Rule(
        Severity.CRITICAL, 1.0, "certificate", clear_after_seconds=0.0
    ),
}
SHIPPED = Rulebook(RULES)


def step(
    watches: Mapping[Key, Watch],
    conditions: Iterable[Condition],
    now_ms: int,
    rules: Rulebook = SHIPPED,
    silent_lots: AbstractSet[str] = frozenset(),
    unseen: AbstractSet[Key] = frozenset(),
) -> Step:
    """Look at what is measured now.

    `silent_lots` are those whose devices tell nothing; nobody can say anything of what is `unseen`.
    """
    measured = {condition.key: condition for condition in conditions}
    kept: dict[Key, Watch] = {}
    raised, cleared = [], []
    for key in dict.fromkeys((*watches, *measured)):
        is_silent = key.kind in TOLD_BY_THE_LOT and key.lot_id in silent_lots
        is_untold = is_silent or key in unseen
        before, rule = watches.get(key), rules.of(key.kind, key.lot_id)
        after = before if is_untold else _look(before, measured.get(key), now_ms, rule, key)
        was, has = before and before.alarm, after and after.alarm
        if was and not has:
            cleared.append(msgspec.structs.replace(was, cleared_at_ms=now_ms))
        if has and not was:
            raised.append(has)
        if after:
            kept[key] = after
    return Step(kept, tuple(raised), tuple(cleared))


def _look(
    before: Watch | None, found: Condition | None, now_ms: int, rule: Rule, key: Key
) -> Watch | None:
    alarm = before.alarm if before else None
    is_so = found is not None and rule.breaks(found.value, is_raised=alarm is not None)
    if found is None or not is_so or not rule.is_on:
        return _wane(before, now_ms, rule)
    since_ms = before.since_ms if before else now_ms
    if alarm is None and now_ms - since_ms >= rule.raise_after_seconds * 1_000:
        alarm = Alarm(key, rule.severity, found.words, now_ms)
    return Watch(since_ms, now_ms, alarm)


def _wane(before: Watch | None, now_ms: int, rule: Rule) -> Watch | None:
    """What is no longer so: a raised alarm holds on a little, anything else is forgotten."""
    if before is None or before.alarm is None:
        return None
    is_over = now_ms - before.true_at_ms >= rule.clear_after_seconds * 1_000
    return None if is_over or not rule.is_on else before


def watching(open_alarms: Iterable[Alarm]) -> dict[Key, Watch]:
    """The watches of somebody who takes over alarms that another one raised."""
    return {
        alarm.key: Watch(alarm.raised_at_ms, alarm.raised_at_ms, alarm) for alarm in open_alarms
    }
