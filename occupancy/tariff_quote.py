"""The price of a stay and why: total, lines, free until when, and what the next step costs.

`next_step_at` is the last minute at the present price: who leaves later pays `next_total_fen`.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from occupancy.stay import Stay
from occupancy.tariff import Waiver
from occupancy.tariff_clock import DAY_MINUTES
from occupancy.tariff_entry import Entry, PricedVersion
from occupancy.tariff_walk import Bill, Line, LineRule, Part, Rise, find_rise, fresh_bill, walk

_WHOLE = 100


class Reason(StrEnum):
    """Why the price is not simply units times price."""

    FREE_PERIOD = "free_period"
    FREE_EXCEEDED = "free_exceeded"  # a threshold was passed: all of the stay is charged
    WAIVER = "waiver"
    CAP = "cap"
    EXEMPTION = "exemption"
    NEW_ENERGY = "new_energy"
    PAID_ONCE = "paid_once"
    VERSION_AT_ENTRY = "version_at_entry"
    VERSIONS_SPLIT = "versions_split"
    CALENDAR_UNKNOWN = "calendar_unknown"  # no holiday list yet: the weekday decided


class Because(msgspec.Struct, frozen=True):
    """A reason and the name of the rule it stands for."""

    reason: Reason
    name: str = ""
    name_en: str = ""


class Quote(msgspec.Struct, frozen=True):
    """A price; times are local minutes. The lines add up to the total.

    `free_until` and `next_step_at` are None where nothing rises within 31 days.
    """

    tariff_id: str
    versions: tuple[int, ...]
    arrive: int
    leave: int
    total_fen: int
    lines: tuple[Line, ...]
    free_until: int | None
    next_step_at: int | None
    next_total_fen: int | None
    cap_reached: bool
    because: tuple[Because, ...]


def quote(versions: Sequence[PricedVersion], stay: Stay) -> Quote:
    """The price of a stay; raises a QuoteError that says what has no price.

    `versions` are one tariff's in order of `valid_from`, already checked (tariff_check).
    """
    return _Answer(Entry(versions, stay)).answer()


def fee(versions: Sequence[PricedVersion], stay: Stay) -> int:
    """Only the total, in fen, for those who ask often; raises as `quote` does."""
    entry = Entry(versions, stay)
    if entry.leave <= entry.free_limit:
        return 0
    return _Answer(entry).total(entry.parts(), entry.leave)


class _Answer:
    """A stay's bills, and what is told about them."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def answer(self) -> Quote:
        entry = self.entry
        if entry.percent == 0:
            return self._nothing_to_pay()
        parts = entry.parts()
        lines: list[Line] = []
        entered = [part for part in parts if self._enters(part)]
        bills = [walk(part, min(entry.leave, part.end), lines) for part in entered]
        raw_fen = sum(bill.total_fen for bill in bills)
        if entry.leave <= entry.free_limit:
            raw_fen, lines = 0, []
        total_fen = raw_fen * entry.percent // _WHOLE
        free_until, next_ = self._rises(parts, bills, total_fen)
        return Quote(
            tariff_id=entry.tariff.tariff_id,
            versions=tuple(part.meter.tariff.version for part in entered),
            arrive=entry.arrive,
            leave=entry.leave,
            total_fen=total_fen,
            lines=(*self._free_lines(), *lines, *self._discount_lines(raw_fen, total_fen)),
            free_until=free_until,
            next_step_at=next_.at if next_ else None,
            next_total_fen=next_.total_fen if next_ else None,
            cap_reached=raw_fen > 0 and any(bill.cap_reached for bill in bills),
            because=tuple(dict.fromkeys(self._because(entered, bills, raw_fen))),
        )

    def _nothing_to_pay(self) -> Quote:
        entry = self.entry
        name, name_en = self._discount_name()
        lines = (Line(LineRule.EXEMPT, entry.arrive, entry.leave, name=name, name_en=name_en),)
        return Quote(
            tariff_id=entry.tariff.tariff_id,
            versions=(entry.tariff.version,),
            arrive=entry.arrive,
            leave=entry.leave,
            total_fen=0,
            lines=lines,
            free_until=None,
            next_step_at=None,
            next_total_fen=None,
            cap_reached=False,
            because=tuple(self._discount_reasons()),
        )

    def _enters(self, part: Part) -> bool:
        entry = self.entry
        return part.start < entry.leave or part.meter is entry.meter

    def _rises(
        self, parts: list[Part], bills: list[Bill], total_fen: int
    ) -> tuple[int | None, Rise | None]:
        """Until when the stay is free, and what it next costs."""
        entry = self.entry
        if total_fen and entry.percent == _WHOLE and bills[0].first_due is not None:
            free_until = max(entry.free_limit, bills[0].first_due)
            return free_until, self._rise(parts, bills, entry.leave, total_fen)
        first = self._rise(parts, [], entry.arrive, 0)
        if first is None:
            return None, None
        if first.at < entry.free_limit:
            first = Rise(entry.free_limit, self.total(parts, entry.free_limit + 1))
        if total_fen == 0:
            return first.at, first if entry.leave <= first.at else None
        return first.at, self._rise(parts, bills, entry.leave, total_fen)

    def _rise(self, parts: list[Part], bills: list[Bill], at: int, total_fen: int) -> Rise | None:
        """When a fee of `total_fen` next rises, given the bills of the parts up to `at`."""
        entry = self.entry
        target_fen = -(-(total_fen + 1) * _WHOLE // entry.percent)
        paid_fen = 0
        for number, part in enumerate(parts):
            if number < len(bills) and part.end <= at:
                paid_fen += bills[number].total_fen
                continue
            bill = bills[number] if number < len(bills) else fresh_bill(part)
            rise = find_rise(part, bill, max(at, part.start), target_fen - paid_fen)
            paid_fen += rise.total_fen
            if paid_fen >= target_fen:
                return Rise(rise.at, paid_fen * entry.percent // _WHOLE)
        return None

    def total(self, parts: list[Part], leave: int) -> int:
        entry = self.entry
        raw_fen = sum(walk(part, min(leave, part.end), []).total_fen for part in parts)
        return raw_fen * entry.percent // _WHOLE

    def _free_lines(self) -> Iterator[Line]:
        entry = self.entry
        if entry.leave == entry.arrive:
            return
        if entry.leave <= entry.free_limit:
            yield Line(LineRule.FREE, entry.arrive, entry.leave)
            return
        if entry.charge_from > entry.arrive:
            is_paid = entry.earlier.paid_until == entry.charge_from
            rule = LineRule.PAID_ONCE if is_paid else LineRule.FREE
            yield Line(rule, entry.arrive, min(entry.leave, entry.charge_from))
        for waiver in entry.tariff.waivers:
            for start, end in _waived(waiver, entry.charge_from, entry.leave):
                yield Line(LineRule.WAIVER, start, end, name=waiver.name, name_en=waiver.name_en)

    def _discount_lines(self, raw_fen: int, total_fen: int) -> Iterator[Line]:
        entry = self.entry
        if total_fen < raw_fen:
            off_fen = total_fen - raw_fen
            name, name_en = self._discount_name()
            yield Line(
                LineRule.DISCOUNT, entry.arrive, entry.leave, off_fen, name=name, name_en=name_en
            )

    def _discount_name(self) -> tuple[str, str]:
        entry = self.entry
        if entry.exemption and entry.exemption.percent == entry.percent:
            return entry.exemption.name, entry.exemption.name_en
        return "新能源汽车", "new-energy vehicle"

    def _discount_reasons(self) -> Iterator[Because]:
        entry = self.entry
        is_exempt = entry.exemption is not None and entry.exemption.percent == entry.percent
        if entry.percent < _WHOLE:
            reason = Reason.EXEMPTION if is_exempt else Reason.NEW_ENERGY
            yield Because(reason, *self._discount_name())

    def _because(self, parts: list[Part], bills: list[Bill], raw_fen: int) -> Iterator[Because]:
        entry = self.entry
        for line in self._free_lines():
            yield Because(_REASONS[line.rule], line.name, line.name_en)
        if raw_fen and entry.arrive < entry.free_limit < entry.leave:
            yield Because(Reason.FREE_EXCEEDED)
        if raw_fen and any(bill.cap_reached for bill in bills):
            yield Because(Reason.CAP)
        yield from self._discount_reasons()
        if len(parts) > 1:
            yield Because(Reason.VERSIONS_SPLIT)
        elif entry.leave > entry.version.until:
            yield Because(Reason.VERSION_AT_ENTRY)
        if entry.version.asks_calendar and not self._is_published():
            yield Because(Reason.CALENDAR_UNKNOWN)

    def _is_published(self) -> bool:
        entry = self.entry
        calendar = entry.version.calendar
        return all(calendar.is_published(at // DAY_MINUTES) for at in (entry.arrive, entry.leave))


_REASONS = {
    LineRule.FREE: Reason.FREE_PERIOD,
    LineRule.PAID_ONCE: Reason.PAID_ONCE,
    LineRule.WAIVER: Reason.WAIVER,
}


def _waived(waiver: Waiver, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The waiver's hours between two moments."""
    first = max(waiver.first_day, start // DAY_MINUTES)
    for day in range(first, min(waiver.last_day, end // DAY_MINUTES) + 1):
        hours = day * DAY_MINUTES + waiver.start_minute, day * DAY_MINUTES + waiver.end_minute
        clipped = max(start, hours[0]), min(end, hours[1])
        if clipped[0] < clipped[1]:
            yield clipped
