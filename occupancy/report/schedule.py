"""When a report is due by itself, and of which days: after each month or week, at a set minute."""

import datetime as dt
import re

import msgspec

from occupancy.edit import BadEditError
from occupancy.report.period import Period, PeriodKind, month_of, week_of
from occupancy.rollup import SHANGHAI_MS

MOST_RECIPIENTS = 50
_LAST_DAY = {PeriodKind.MONTH: 28, PeriodKind.WEEK: 7}
_MINUTE_MS = 60_000
_HOUR = 60
_ADDRESS = re.compile(r"[^@\s,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Plan(msgspec.Struct, frozen=True):
    """What a person sets. `day` 1 to 28 of the month, or 1 (Monday) to 7; `minute` of that day."""

    kind: PeriodKind
    day: int
    minute: int
    recipients: tuple[str, ...]
    lots: tuple[str, ...] = ()
    is_on: bool = True

    @property
    def clock(self) -> str:
        return f"{self.minute // _HOUR:02d}:{self.minute % _HOUR:02d}"


class Schedule(msgspec.Struct, frozen=True):
    """A plan as it is kept; what was due before `set_at_ms` is not made up for."""

    schedule_id: int
    plan: Plan
    set_by: str
    set_at_ms: int
    edit: int


class Due(msgspec.Struct, frozen=True):
    """A period that is to be made, and since when."""

    period: Period
    due_at_ms: int


def find_due(schedule: Schedule, now_ms: int) -> Due | None:
    """The newest period that came due since the plan was set."""
    plan = schedule.plan
    if not plan.is_on:
        return None
    today = dt.datetime.fromtimestamp((now_ms + SHANGHAI_MS) / 1_000, tz=dt.UTC).date()
    this = _period(plan.kind, today)
    for current in (this, this.previous()):
        due_at_ms = _due_at_ms(plan, current)
        if schedule.set_at_ms < due_at_ms <= now_ms:
            return Due(current.previous(), due_at_ms)
    return None


def next_due_ms(plan: Plan, now_ms: int) -> int:
    """When it is due next."""
    today = dt.datetime.fromtimestamp((now_ms + SHANGHAI_MS) / 1_000, tz=dt.UTC).date()
    this = _period(plan.kind, today)
    following = _period(plan.kind, this.last + dt.timedelta(days=1))
    moments = (_due_at_ms(plan, this), _due_at_ms(plan, following))
    return next(at_ms for at_ms in moments if at_ms > now_ms)


def _period(kind: PeriodKind, day: dt.date) -> Period:
    return month_of(day) if kind is PeriodKind.MONTH else week_of(day)


def _due_at_ms(plan: Plan, current: Period) -> int:
    """In the month or week after the one it reports on."""
    days_ms = (plan.day - 1) * 86_400_000
    return current.start_ms + days_ms + plan.minute * _MINUTE_MS


def read_plan(form: dict[str, str], lots: tuple[str, ...]) -> Plan:
    """A plan from a form's fields. Raises BadEditError."""
    kind = form.get("kind", "")
    if kind not in (PeriodKind.MONTH, PeriodKind.WEEK):
        raise BadEditError("kind", "请选择每月或每周")
    period = PeriodKind(kind)
    most, day = _LAST_DAY[period], form.get("day", "").strip()
    if not day.isascii() or not day.isdigit() or not 1 <= int(day[:4]) <= most:
        raise BadEditError("day", f"请填 1 到 {most} 的整数（每周：1 是星期一）")
    clock = _CLOCK.fullmatch(form.get("clock", "").strip())
    if clock is None:
        raise BadEditError("clock", "请填时间，如 08:30")
    minute = int(clock[1]) * _HOUR + int(clock[2])
    recipients = _recipients(form.get("recipients", ""))
    return Plan(period, int(day), minute, recipients, lots, form.get("is_on", "") == "1")


def _recipients(raw: str) -> tuple[str, ...]:
    told = [one for one in re.split(r"[\s,;，；、]+", raw) if one]
    wrong = next((one for one in told if not _ADDRESS.fullmatch(one)), None)
    if wrong is not None:
        raise BadEditError("recipients", f"“{wrong[:40]}”不是邮箱地址")
    if not told:
        raise BadEditError("recipients", "请填收件人邮箱，一行一个")
    if len(set(told)) > MOST_RECIPIENTS:
        raise BadEditError("recipients", f"最多 {MOST_RECIPIENTS} 个收件人")
    return tuple(dict.fromkeys(told))
