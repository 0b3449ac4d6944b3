"""Walks a stay through the cap's windows: the bill up to a moment, and when it next rises."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from occupancy.tariff_clock import DAY_MINUTES
from occupancy.tariff_meter import Charge, Meter, Run, Terms


class LineRule(StrEnum):
    """What a line of a quote is for."""

    FREE = "free"
    PAID_ONCE = "paid_once"
    WAIVER = "waiver"
    UNITS = "units"
    DAYS = "days"  # whole windows of 24 hours, `units` of them, each at `price_fen`
    CAP = "cap"  # what the cap takes off: negative
    DISCOUNT = "discount"  # what a percentage takes off: negative
    EXEMPT = "exempt"


class Line(msgspec.Struct, frozen=True):
    """One line of a quote; times are local minutes. For UNITS `name` is the band."""

    rule: LineRule
    start: int
    end: int
    amount_fen: int = 0
    units: int = 0
    unit_minutes: int = 0
    price_fen: int = 0
    name: str = ""
    name_en: str = ""


class Part(NamedTuple):
    """A stretch of a stay under one tariff version; windows are counted from `anchor`.

    `spent_fen` is what earlier stays have already paid into the first window.
    """

    meter: Meter
    terms: Terms
    start: int
    end: int
    anchor: int
    spent_fen: int = 0

    @property
    def origin(self) -> int:
        """Where the first window begins."""
        if self.meter.rolling:
            return self.anchor
        return self.anchor - self.anchor % DAY_MINUTES

    def room(self, block: int, spent_fen: int) -> int | None:
        cap = self.meter.cap_of(block)
        return None if cap is None else max(0, cap - spent_fen)


class Rise(NamedTuple):
    """The bill reaches `total_fen` for those who leave after `at`."""

    at: int
    total_fen: int


@dataclass(slots=True)
class Bill:
    """What a part costs up to a moment, and where the meter stands then.

    `first_due` is when it first cost anything, as far as that was looked at in detail.
    """

    run: Run
    window_fen: int  # paid into the window that runs
    total_fen: int = 0
    cap_reached: bool = False
    first_due: int | None = None


def fresh_bill(part: Part) -> Bill:
    run = part.meter.fresh()
    run.stop(part.start)
    in_first_window = part.start < part.origin + DAY_MINUTES
    return Bill(run, part.spent_fen if in_first_window else 0)


def walk(part: Part, until: int, lines: list[Line]) -> Bill:
    """The bill of [part.start, until); what it is made of is appended to `lines`."""
    bill, at, origin = fresh_bill(part), part.start, part.origin
    while at < until:
        block = (at - origin) // DAY_MINUTES
        edge = origin + (block + 1) * DAY_MINUTES
        if at == part.start or edge >= until:
            _detailed(part, bill, block, (at, min(edge, until)), lines)
        else:
            _whole(part, bill, block, at, lines)
        at = min(edge, until)
        if at == edge:
            part.meter.settle(bill.run, at)
            bill.window_fen = 0
    return bill


def _detailed(part: Part, bill: Bill, block: int, span: tuple[int, int], lines: list[Line]) -> None:
    start, end = span
    meter = part.meter
    charges = list(meter.charges(bill.run, meter.spans(start, end, part.terms), end))
    raw_fen = sum(charge.amount_fen for charge in charges)
    if raw_fen and not bill.total_fen and part.room(block, bill.window_fen) != 0:
        bill.first_due = next(charge.first_due for charge in charges if charge.amount_fen)
    bill.cap_reached = bill.cap_reached or any(charge.is_capped for charge in charges)
    lines.extend(_merged(meter, charges, end))
    _pay(part, bill, block, span, raw_fen, lines)


def _pay(
    part: Part, bill: Bill, block: int, span: tuple[int, int], raw_fen: int, lines: list[Line]
) -> None:
    room = part.room(block, bill.window_fen)
    over_fen = 0 if room is None else max(0, raw_fen - room)
    if over_fen:
        lines.append(Line(LineRule.CAP, *span, -over_fen, price_fen=part.meter.cap_of(block) or 0))
    bill.window_fen += raw_fen - over_fen
    bill.total_fen += raw_fen - over_fen
    bill.cap_reached = bill.cap_reached or over_fen > 0


def _whole(part: Part, bill: Bill, block: int, start: int, lines: list[Line]) -> None:
    raw_fen, is_capped, bill.run = part.meter.whole_window(bill.run, start, part.terms)
    room = part.room(block, bill.window_fen)
    amount_fen = raw_fen if room is None else min(raw_fen, room)
    bill.cap_reached = bill.cap_reached or is_capped or amount_fen < raw_fen
    bill.total_fen += amount_fen
    last = lines[-1] if lines else None
    if last and last.rule is LineRule.DAYS and last.price_fen == amount_fen:
        lines.pop()
        start, days = last.start, last.units + 1
    else:
        days = 1
    end = start + days * DAY_MINUTES
    lines.append(Line(LineRule.DAYS, start, end, days * amount_fen, days, DAY_MINUTES, amount_fen))


def _merged(meter: Meter, charges: Iterable[Charge], end: int) -> Iterator[Line]:
    """One line for neighbouring charges of the same band and price."""
    held: Charge | None = None
    for charge in charges:
        if held and held.end >= charge.start and held[2:3] + held[4:6] == charge[2:3] + charge[4:6]:
            held = held._replace(
                end=max(held.end, charge.end),
                units=held.units + charge.units,
                amount_fen=held.amount_fen + charge.amount_fen,
            )
            continue
        if held:
            yield _unit_line(meter, held, min(end, charge.start))
        held = charge
    if held:
        yield _unit_line(meter, held, end)


def _unit_line(meter: Meter, charge: Charge, end: int) -> Line:
    return Line(
        LineRule.UNITS,
        charge.start,
        min(charge.end, max(end, charge.start)),
        charge.amount_fen,
        charge.units,
        charge.unit_minutes,
        charge.price_fen,
        meter.rate.bands[charge.band].name,
    )


def find_rise(part: Part, bill: Bill, at: int, target_fen: int) -> Rise:
    """When a bill that stands at `at` first reaches the target; else what it is at the end."""
    run, total_fen, window_fen = bill.run.copy(), bill.total_fen, bill.window_fen
    origin, meter = part.origin, part.meter
    while at < part.end:
        block = (at - origin) // DAY_MINUTES
        edge = origin + (block + 1) * DAY_MINUTES
        end = min(edge, part.end)
        room = part.room(block, window_fen)
        if end - at == DAY_MINUTES:
            raw_fen, _, after = meter.whole_window(run, at, part.terms)
            paid_fen = raw_fen if room is None else min(raw_fen, room)
            if total_fen + paid_fen < target_fen:
                run, total_fen, at, window_fen = after, total_fen + paid_fen, end, 0
                continue
        paid_fen = 0
        for charge in meter.charges(run, meter.spans(at, end, part.terms), end):
            left = charge.amount_fen if room is None else min(charge.amount_fen, room - paid_fen)
            missing = target_fen - total_fen - paid_fen
            if 0 < missing <= left:
                units = -(-missing // charge.price_fen)
                paid_fen += min(left, units * charge.price_fen)
                due = charge.first_due + (units - 1) * charge.unit_minutes
                return Rise(due, total_fen + paid_fen)
            paid_fen += left
        total_fen, window_fen, at = total_fen + paid_fen, 0, end
        meter.settle(run, end)
    return Rise(part.end, total_fen)
