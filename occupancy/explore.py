"""Occupancy of any lot, level, machine group, lane or device over any period: gaps as gaps."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from occupancy.calendar import Calendar, DayType
from occupancy.edit import BadEditError
from occupancy.series import DECIMALS, LEAST_COMPLETENESS, TOLD_SECONDS
from occupancy.tariff_clock import DAY_MINUTES, SHANGHAI_MINUTES, local_minute

MOST_POINTS = 3_000
LOOK_SECONDS = 60  # how often levels and devices are looked at
QUARTER_SECONDS = 900
DAY_SECONDS = 86_400
STEPS_SECONDS = (10, 60, QUARTER_SECONDS, 3_600, DAY_SECONDS)
LONGEST_DAYS = 731
MOST_WEEKS_BACK = 52
EARLIEST_MS = 1_577_836_800_000  # 2020-01-01: no car park was connected before
_DAY_MS = DAY_SECONDS * 1_000
_WEEK_DAYS = 7
_WEEK_MS = _WEEK_DAYS * _DAY_MS
_SHANGHAI_MS = SHANGHAI_MINUTES * 60_000
_STEP_WORDS = {
    10: "10秒",
    60: "1分钟",
    QUARTER_SECONDS: "15分钟",
    3_600: "1小时",
    DAY_SECONDS: "1天",
}


class Part(StrEnum):
    """What of a car park is looked at."""

    LOT = "lot"
    GROUP = "group"  # a machine group: its cars, no lanes
    LANE = "lane"  # a loop counter: its cars through, none inside
    LEVEL = "level"  # as the recorder looked at it once a minute
    DEVICE = "device"  # the part of each step in which it was on-line, in percent


class Subject(msgspec.Struct, frozen=True):
    """One thing to look at; `place` is a group's or lane's number in its gateway, from 1.

    A level's is its own number; a device has its `name`.
    """

    lot_id: str
    part: Part = Part.LOT
    place: int = 0
    name: str = ""

    @property
    def finest_seconds(self) -> int:
        """The shortest step that can say something of it."""
        return LOOK_SECONDS if self.part in (Part.LEVEL, Part.DEVICE) else STEPS_SECONDS[0]


class Plan(msgspec.Struct, frozen=True):
    """Whole steps of local time that hold the period asked for."""

    from_ms: int
    to_ms: int
    step_seconds: int

    @property
    def is_raw(self) -> bool:
        """Means over all rows; a longer step is made of the quarters' beginnings."""
        return self.step_seconds < QUARTER_SECONDS

    @property
    def count(self) -> int:
        return (self.to_ms - self.from_ms) // (self.step_seconds * 1_000)

    def earlier(self, weeks: int) -> "Plan":
        """The same weekdays before."""
        back = weeks * _WEEK_MS
        return msgspec.structs.replace(self, from_ms=self.from_ms - back, to_ms=self.to_ms - back)


class RawStep(NamedTuple):
    """The rows of one step: means, running totals at its ends, and how long it was told of."""

    number: int
    spells: int
    occupied: float | None
    free: float | None
    epoch_first: int
    epoch: int
    entries_first: int | None
    entries_last: int | None
    exits_first: int | None
    exits_last: int | None


class Sample(NamedTuple):
    """What was known as a quarter began."""

    at_ms: int
    epoch: int
    occupied: int | None
    free: int | None
    entries_total: int | None
    exits_total: int | None


class Flow(NamedTuple):
    """Cars that came and went in a step."""

    entries: int | None
    exits: int | None


class Curve(msgspec.Struct, frozen=True):
    """Columns of one length, as a chart takes them; None is a gap and is drawn as one.

    `entries` of a lane are its cars through, whichever way it leads. `completeness` is the part
    of each step that was told of.
    """

    times_ms: tuple[int, ...]
    occupied: tuple[float | None, ...]
    free: tuple[float | None, ...]
    entries: tuple[int | None, ...]
    exits: tuple[int | None, ...]
    completeness: tuple[float, ...]


class Explored(msgspec.Struct, frozen=True):
    """A period, and the same weekdays some weeks before it, point beside point."""

    subject: Subject
    step_seconds: int
    is_raw: bool
    now: Curve
    before: Curve | None = None


class UnlikeDay(msgspec.Struct, frozen=True):
    """A day that is compared with one of another kind: a difference may be the calendar's."""

    day: int
    day_type: DayType
    before: int
    type_before: DayType


def unlike_days(plan: Plan, weeks_back: int, calendar: Calendar) -> tuple[UnlikeDay, ...]:
    """Of the period's days, numbered as in occupancy.calendar."""
    first, last = (local_minute(at_ms) // DAY_MINUTES for at_ms in (plan.from_ms, plan.to_ms - 1))
    found = []
    for day in range(first, last + 1):
        before = day - weeks_back * _WEEK_DAYS
        kinds = calendar.day_type(day), calendar.day_type(before)
        if kinds[0] is not kinds[1]:
            found.append(UnlikeDay(day, kinds[0], before, kinds[1]))
    return tuple(found)


def plan_steps(
    from_ms: int, to_ms: int, now_ms: int, step_seconds: int = 0, finest_seconds: int = 0
) -> Plan:
    """Without a step: the finest that gives few enough points. Raises BadEditError."""
    _require_period(from_ms, to_ms, now_ms)
    if step_seconds and step_seconds not in STEPS_SECONDS:
        known = "、".join(_STEP_WORDS.values())
        raise BadEditError("step", f"步长只能是 {known}")
    if step_seconds and step_seconds < finest_seconds:
        raise BadEditError("step", f"这一项最细到{_STEP_WORDS[finest_seconds]}")
    steps = [step for step in STEPS_SECONDS if step >= finest_seconds]
    fitting = [step for step in steps if _whole(from_ms, to_ms, step).count <= MOST_POINTS]
    step = step_seconds or fitting[0]
    if step not in fitting:
        count = _whole(from_ms, to_ms, step).count
        words = f"按{_STEP_WORDS[step]}有 {count} 个点，最多 {MOST_POINTS} 个"
        raise BadEditError("step", f"{words}；请改为{_STEP_WORDS[fitting[0]]}或缩短时段")
    return _whole(from_ms, to_ms, step)


def _require_period(from_ms: int, to_ms: int, now_ms: int) -> None:
    if to_ms <= from_ms:
        raise BadEditError("to", "结束时间必须晚于开始时间")
    if from_ms < EARLIEST_MS:
        raise BadEditError("from", "2020年以前没有数据")
    if from_ms >= now_ms:
        raise BadEditError("from", "开始时间在将来，还没有数据")
    if to_ms > now_ms + _DAY_MS:
        raise BadEditError("to", "结束时间最晚为明天此时")
    if to_ms - from_ms > LONGEST_DAYS * _DAY_MS:
        raise BadEditError("to", f"最长 {LONGEST_DAYS} 天，请缩短时段")


def require_weeks(weeks_back: int) -> None:
    """Raises BadEditError; nought is no comparison."""
    if not 0 <= weeks_back <= MOST_WEEKS_BACK:
        raise BadEditError("weeks_back", f"对比 1 到 {MOST_WEEKS_BACK} 周以前，0 为不对比")


def _whole(from_ms: int, to_ms: int, step_seconds: int) -> Plan:
    step_ms = step_seconds * 1_000
    first = (from_ms + _SHANGHAI_MS) // step_ms * step_ms - _SHANGHAI_MS
    last = -(-(to_ms + _SHANGHAI_MS) // step_ms) * step_ms - _SHANGHAI_MS
    return Plan(first, last, step_seconds)


class _Point(NamedTuple):
    occupied: float | None
    free: float | None
    flow: Flow
    completeness: float


_SILENT = _Point(None, None, Flow(None, None), 0.0)


def curve_of_rows(plan: Plan, steps: Sequence[RawStep]) -> Curve:
    """A step that was silent for most of its time says nothing."""
    by_number = {step.number: step for step in steps}
    points = [
        _raw_point(plan, by_number[number], by_number.get(number - 1))
        if number in by_number
        else _SILENT
        for number in range(plan.count)
    ]
    return _curve(plan, points)


def _raw_point(plan: Plan, step: RawStep, before: RawStep | None) -> _Point:
    completeness = round(min(step.spells * TOLD_SECONDS / plan.step_seconds, 1.0), 3)
    if completeness < LEAST_COMPLETENESS:
        return _SILENT._replace(completeness=completeness)
    flow = _raw_flow(step, before)
    return _Point(_rounded(step.occupied), _rounded(step.free), flow, completeness)


def _raw_flow(step: RawStep, before: RawStep | None) -> Flow:
    """Running totals only rise; a new epoch counts from nought, so the step it begins in has none.

    The cars of a step came since the last row of the step before.
    """
    if step.epoch_first != step.epoch:
        return Flow(None, None)
    is_same = before is not None and before.epoch_first == before.epoch == step.epoch
    since = before if is_same else None
    return Flow(
        _between(since.entries_last if since else step.entries_first, step.entries_last),
        _between(since.exits_last if since else step.exits_first, step.exits_last),
    )


class Answered(NamedTuple):
    """A device was in one state from its first look to its last."""

    from_ms: int
    until_ms: int
    is_online: bool


def curve_of_spans(plan: Plan, spans: Sequence[Answered]) -> Curve:
    """Of the time somebody looked, the percent in which the device was on-line.

    A look stands for the minute after it; a step of which most was not looked at says nothing.
    """
    step_ms = plan.step_seconds * 1_000
    looked, online = [0] * plan.count, [0] * plan.count
    for span in spans:
        ends = span.until_ms + LOOK_SECONDS * 1_000
        first = max(0, (span.from_ms - plan.from_ms) // step_ms)
        last = min(plan.count - 1, (ends - 1 - plan.from_ms) // step_ms)
        for number in range(first, last + 1):
            start = plan.from_ms + number * step_ms
            within = min(ends, start + step_ms) - max(span.from_ms, start)
            looked[number] += within
            online[number] += within if span.is_online else 0
    return _curve(plan, [_device_point(*one, step_ms) for one in zip(looked, online, strict=True)])


def _device_point(looked_ms: int, online_ms: int, step_ms: int) -> _Point:
    completeness = round(min(looked_ms / step_ms, 1.0), 3)
    if completeness < LEAST_COMPLETENESS:
        return _SILENT._replace(completeness=completeness)
    percent = round(100 * online_ms / looked_ms, DECIMALS)
    return _Point(percent, None, Flow(None, None), completeness)


def curve_of_samples(plan: Plan, samples: Sequence[Sample]) -> Curve:
    """Steps of whole quarters: the mean of their beginnings, the cars between the step's ends."""
    by_time = {sample.at_ms: sample for sample in samples}
    step_ms = plan.step_seconds * 1_000
    starts = range(plan.from_ms, plan.to_ms, step_ms)
    return _curve(plan, [_sampled_point(by_time, start, step_ms) for start in starts])


def _sampled_point(by_time: Mapping[int, Sample], start_ms: int, step_ms: int) -> _Point:
    quarters = range(start_ms, start_ms + step_ms, QUARTER_SECONDS * 1_000)
    known = [by_time[at] for at in quarters if at in by_time]
    completeness = round(len(known) / len(quarters), 3)
    if completeness < LEAST_COMPLETENESS:
        return _SILENT._replace(completeness=completeness)
    flow = _flow(by_time.get(start_ms), by_time.get(start_ms + step_ms))
    occupied = _mean([one.occupied for one in known])
    return _Point(occupied, _mean([one.free for one in known]), flow, completeness)


def _flow(start: Sample | None, end: Sample | None) -> Flow:
    if start is None or end is None or start.epoch != end.epoch:
        return Flow(None, None)
    return Flow(
        _between(start.entries_total, end.entries_total),
        _between(start.exits_total, end.exits_total),
    )


def _between(first: int | None, last: int | None) -> int | None:
    return None if first is None or last is None else last - first


def _mean(values: Sequence[int | None]) -> float | None:
    """Of those that are known; None where most are not."""
    known = [value for value in values if value is not None]
    if len(known) < LEAST_COMPLETENESS * len(values):
        return None
    return _rounded(sum(known) / len(known))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _curve(plan: Plan, points: Sequence[_Point]) -> Curve:
    return Curve(
        times_ms=tuple(range(plan.from_ms, plan.to_ms, plan.step_seconds * 1_000)),
        occupied=tuple(point.occupied for point in points),
        free=tuple(point.free for point in points),
        entries=tuple(point.flow.entries for point in points),
        exits=tuple(point.flow.exits for point in points),
        completeness=tuple(point.completeness for point in points),
    )
