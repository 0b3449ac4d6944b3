"""Which report a visitor asks for: its days from the address, its car parks from `lots`."""

import datetime as dt

from occupancy.report.kept import Subject
from occupancy.report.period import BadPeriodError, Period, make_period, parse_period
from occupancy.rollup import SHANGHAI_MS
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

HOME = "/reports/"


def today(now_ms: int) -> dt.date:
    """In Sanshui."""
    return dt.datetime.fromtimestamp((now_ms + SHANGHAI_MS) / 1_000, tz=dt.UTC).date()


def read_period(slug: str, now_ms: int) -> Period:
    """Raises Problem 400 for days that are none or have not begun."""
    try:
        period = parse_period(slug)
    except BadPeriodError as refusal:
        raise Problem(400, refusal.words, field="period") from None
    return _begun(period, now_ms)


def read_days(visit: Visit) -> Period:
    """The days of a form: a month, or a first and a last day. Raises Problem 400."""
    month, first, last = (visit.asked(name).strip() for name in ("month", "from", "to"))
    if month and not first:
        return read_period(month, visit.now_ms)
    try:
        period = make_period(dt.date.fromisoformat(first), dt.date.fromisoformat(last or first))
    except BadPeriodError as refusal:
        raise Problem(400, refusal.words, field="from") from None
    except ValueError:
        raise Problem(
            400, f"“{first[:20]}”到“{last[:20]}”不是日期：请写成 2026-10-01", field="from"
        ) from None
    return _begun(period, visit.now_ms)


def _begun(period: Period, now_ms: int) -> Period:
    if period.first > today(now_ms):
        raise Problem(400, f"{period.title}还没有开始：请选今天或以前的时段", field="period")
    return period


def read_lots(visit: Visit, ground: AdminGround, raw: str) -> tuple[str, ...]:
    """In order; none is every car park. Who answers for some sees no others. Raises Problem 404."""
    asked = {one for one in raw.replace("\n", ",").split(",") if one}
    for lot_id in sorted(asked):
        ground.known(visit, lot_id)
    lots = asked or set(visit.person.lots)
    return () if lots == set(ground.showcase.lots) else tuple(sorted(lots))


def read_subject(visit: Visit, ground: AdminGround) -> Subject:
    """What the address of a report names. Raises Problem."""
    period = read_period(visit.word("period"), visit.now_ms)
    return Subject(period, read_lots(visit, ground, visit.asked("lots")))


def query_of(subject: Subject) -> str:
    """What follows the address of a report of some car parks only."""
    return f"?lots={','.join(subject.lots)}" if subject.lots else ""


def address_of(subject: Subject, version: int | None = None) -> str:
    """Without its query."""
    tail = "" if version is None else f"/v{version}"
    return f"{HOME}{subject.period.slug}{tail}"


def sees_subject(visit: Visit, subject: Subject) -> bool:
    """Whether every car park of a report is his."""
    if not visit.person.lots:
        return True
    return bool(subject.lots) and all(visit.sees(lot_id) for lot_id in subject.lots)
