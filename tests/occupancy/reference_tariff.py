"""The price of a stay by the definition in docs/tariffs.md, one minute after the other.

Written from the definition, not from the engine: it shares the model and the calendar, and
nothing else. It is slow on purpose.
"""

from collections import defaultdict
from collections.abc import Sequence

from occupancy.calendar import Calendar, DayType
from occupancy.stay import Stay
from occupancy.tariff import Band, Rate, Tariff

MINUTE = 60_000


def in_force(tariffs: Sequence[Tariff], minute: int) -> Tariff | None:
    started = [t for t in tariffs if t.valid_from <= minute]
    if not started:
        return None
    newest = max(started, key=lambda t: (t.valid_from, t.version))
    return None if newest.valid_to is not None and minute >= newest.valid_to else newest


def rate_for(tariff: Tariff, stay: Stay) -> Rate:
    (rate,) = [r for r in tariff.rates if stay.vehicle in r.vehicles]
    return rate


def band_on(rate: Rate, day_type: DayType, clock: int) -> Band:
    found = []
    for plan in rate.day_plans:
        if day_type not in plan.day_types:
            continue
        for period in plan.periods:
            a, b = period.start_minute, period.end_minute
            inside = a <= clock < b if a < b else (clock >= a or clock < b)
            if inside:
                found += [band for band in rate.bands if band.name == period.band]
    (band,) = found
    return band


class MinuteByMinute:
    """Everything that is remembered from one minute to the next within one version."""

    def __init__(self, tariff: Tariff, stay: Stay, calendar: Calendar, begin: int) -> None:
        self.tariff, self.stay, self.calendar, self.begin = tariff, stay, calendar, begin
        self.rate = rate_for(tariff, stay)
        self.anchor = begin
        self.paid: dict[int, int] = defaultdict(int)  # by window
        self.unit: dict[str, int] | None = None
        self.running: str | None = None
        self.run_spent = 0
        self.begun: dict[str, int] = defaultdict(int)
        self.last_end: int | None = None
        day, clock = divmod(begin, 1440)
        self.entry_band = band_on(self.rate, calendar.day_type(day), clock)

    def window(self, minute: int) -> int:
        if self.rate.cap and self.rate.cap.window == "rolling_24h":
            return (minute - self.anchor) // 1440
        return minute // 1440 - self.anchor // 1440

    def band(self, minute: int) -> Band:
        if self.tariff.edge == "entry":
            return self.entry_band
        return band_on(self.rate, self.calendar.day_type(minute // 1440), minute % 1440)

    def is_free(self, minute: int, entry: int, charge_from: int) -> bool:
        day, clock = divmod(minute, 1440)
        if minute < charge_from or not self.band(minute).tiers:
            return True
        if any(
            w.first_day <= day <= w.last_day and w.start_minute <= clock < w.end_minute
            for w in self.tariff.waivers
        ):
            return True
        daily = self.rate.free.minutes if self.rate.free.again == "day" else 0
        rule = self.tariff.new_energy
        if rule and rule.again == "day" and new_energy_counts(self.tariff, self.stay):
            daily = max(daily, rule.free_minutes)
        return day > entry // 1440 and clock < daily

    def forget(self) -> None:
        self.unit, self.running, self.run_spent, self.last_end = None, None, 0, None

    def charge(self, minute: int, fen: int, band: Band) -> None:
        if band.cap_fen is not None:
            fen = min(fen, band.cap_fen - self.run_spent)
        self.run_spent += fen
        window = self.window(minute)
        if self.rate.cap:
            amounts = self.rate.cap.amounts_fen
            most = amounts[window] if window < len(amounts) else amounts[-1]
            fen = min(fen, max(0, most - self.paid[window]))
        self.paid[window] += fen

    def tick(self, minute: int, entry: int, charge_from: int) -> None:
        new_window = minute > self.begin and self.window(minute) != self.window(minute - 1)
        if self.tariff.restart == "window" and new_window:
            self.forget()
        free = self.is_free(minute, entry, charge_from)
        band = self.band(minute)
        if self.tariff.edge != "unit" and (free or band.name != self.running):
            self.forget()
        if self.unit and minute == self.unit["end"]:
            self.unit = None
        if self.unit is None and not free:
            self.begin_unit(minute, band)
        if self.unit and minute == self.unit["due"]:
            (running,) = [b for b in self.rate.bands if b.name == self.running]
            self.charge(minute, self.unit["fen"], running)

    def begin_unit(self, minute: int, band: Band) -> None:
        if self.running != band.name or self.last_end != minute:
            self.run_spent = 0
            if self.tariff.restart != "stay":
                self.begun[band.name] = 0
        self.running = band.name
        number, tier = self.begun[band.name], None
        for tier in band.tiers:
            if tier.units is None or number < tier.units:
                break
            number -= tier.units
        assert tier is not None
        self.begun[band.name] += 1
        late = tier.unit_minutes - 1
        wait = late if self.tariff.rounding == "down" else min(late, self.tariff.grace_minutes)
        self.last_end = minute + tier.unit_minutes
        self.unit = {"due": minute + wait, "end": self.last_end, "fen": tier.price_fen}


def earlier_stays(tariff: Tariff, rate: Rate, stay: Stay, entry: int) -> tuple[bool, int, int, int]:
    """Is this a repeat, until when is it paid, the window's anchor, and what is paid into it."""
    if tariff.repeat is None or not stay.earlier:
        return False, 0, entry, 0
    entries = [(e.arrive_ms // MINUTE + 480, e.paid_fen) for e in stay.earlier]
    opened, paid = entries[0][0], 0
    for at, fen in entries:
        if at - opened >= 1440:
            opened, paid = at, 0
        paid += fen
    repeat = entry - opened < 1440
    if tariff.repeat.mode == "once":
        return repeat, (opened + 1440 if repeat and paid > 0 else 0), entry, 0
    if rate.cap and rate.cap.window == "rolling_24h":
        return (True, 0, opened, paid) if repeat else (False, 0, entry, 0)
    return repeat, 0, entry, sum(fen for at, fen in entries if at // 1440 == entry // 1440)


def reference_fee(tariffs: Sequence[Tariff], calendar: Calendar, stay: Stay) -> int:
    entry = stay.arrive_ms // MINUTE + 480
    tariff = in_force(tariffs, entry)
    assert tariff is not None
    lasted_ms = stay.leave_ms - stay.arrive_ms
    minutes = lasted_ms // MINUTE
    if tariff.seconds == "begun" and lasted_ms % MINUTE:
        minutes += 1
    rate = rate_for(tariff, stay)

    repeat, paid_until, anchor, paid = earlier_stays(tariff, rate, stay, entry)
    no_free_again = repeat and tariff.repeat is not None and not tariff.repeat.free_again
    free = 0 if no_free_again else rate.free.minutes
    percent, charge_from = 100, max(entry, paid_until)
    if rate.free.mode == "deductible":
        charge_from = max(charge_from, entry + free)
    elif free and (minutes < free or (minutes == free and rate.free.inclusive)):
        return 0
    if tariff.new_energy and new_energy_counts(tariff, stay):
        percent = tariff.new_energy.percent
        if not no_free_again:
            charge_from = max(charge_from, entry + tariff.new_energy.free_minutes)
    for exemption in tariff.exemptions:
        if exemption.kind == stay.exemption:
            percent = min(percent, exemption.percent)
    first = MinuteByMinute(tariff, stay, calendar, entry)
    first.anchor, first.paid[0] = anchor, paid
    return (count(tariffs, first, (entry, minutes, charge_from)) - paid) * percent // 100


def new_energy_counts(tariff: Tariff, stay: Stay) -> bool:
    rule = tariff.new_energy
    return bool(stay.new_energy and rule and (rule.in_mechanical or not tariff.mechanical))


def count(tariffs: Sequence[Tariff], now: MinuteByMinute, moments: tuple[int, int, int]) -> int:
    entry, minutes, charge_from = moments
    splits = now.tariff.crossing == "split"
    total = 0
    for minute in range(entry, entry + minutes):
        if splits:
            current = in_force(tariffs, minute)
            assert current is not None
            if current is not now.tariff:
                total += sum(now.paid.values())
                now = MinuteByMinute(current, now.stay, now.calendar, minute)
        now.tick(minute, entry, charge_from)
    return total + sum(now.paid.values())
