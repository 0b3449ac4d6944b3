"""What is fixed when a car enters: version, free period, discount, and the parts to be charged."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest

import msgspec

from occupancy.calendar import LAST_DAY, Calendar, day_of
from occupancy.stay import (
    EarlierStayError,
    LeaveBeforeArrivalError,
    NoTariffError,
    OutOfTimeError,
    Stay,
    StayTooLongError,
    UnknownExemptionError,
    UnknownVehicleError,
)
from occupancy.tariff import (
    Crossing,
    Edge,
    Exemption,
    FreeAgain,
    FreeMode,
    NewEnergy,
    RepeatMode,
    Seconds,
    Tariff,
    VehicleClass,
)
from occupancy.tariff_clock import DAY_MINUTES, local_minute
from occupancy.tariff_meter import Meter, Terms
from occupancy.tariff_walk import Part

_MINUTE_MS = 60_000
_WHOLE = 100
_SERVED_DAYS = range(day_of(date(1992, 1, 1)), LAST_DAY + 1)
_HORIZON_MINUTES = 31 * DAY_MINUTES


class PricedVersion:
    """One checked tariff version, ready to quote; it holds until it ends or is superseded."""

    def __init__(
        self, tariff: Tariff, calendar: Calendar, superseded_at: int | None = None
    ) -> None:
        self.tariff = tariff
        ends = [end for end in (tariff.valid_to, superseded_at) if end is not None]
        self.until = min(ends, default=sys.maxsize)
        self.calendar = calendar
        self.meters = {
            vehicle: Meter(tariff, rate, calendar)
            for rate in tariff.rates
            for vehicle in rate.vehicles
        }
        # whether a missing holiday list could change the price
        self.asks_calendar = any(len(rate.day_plans) > 1 for rate in tariff.rates)

    def meter(self, vehicle: VehicleClass) -> Meter:
        try:
            return self.meters[vehicle]
        except KeyError:
            raise UnknownVehicleError(f"the tariff has no price for {vehicle}") from None


def price_versions(tariffs: Iterable[Tariff], calendar: Calendar) -> tuple[PricedVersion, ...]:
    """One tariff's versions, ready to quote; a newer one supersedes an older one."""
    ordered = sorted(tariffs, key=lambda tariff: (tariff.valid_from, tariff.version))
    starts = [tariff.valid_from for tariff in ordered[1:]]
    return tuple(
        PricedVersion(tariff, calendar, superseded_at)
        for tariff, superseded_at in zip_longest(ordered, starts)
    )


class Entry:
    """One stay under the version in force at its entry (and the later ones, if it is split).

    `free_limit` is the last free departure of a threshold, `charge_from` where charging begins,
    `percent` what is paid of the sum.
    """

    def __init__(self, versions: Sequence[PricedVersion], stay: Stay) -> None:
        if stay.leave_ms < stay.arrive_ms:
            raise LeaveBeforeArrivalError("`to` lies before `from`")
        self.stay = stay
        self.arrive = local_minute(stay.arrive_ms)
        if self.arrive // DAY_MINUTES not in _SERVED_DAYS:
            raise OutOfTimeError("only stays from 1992 to 2199 have a price")
        self.number = _version_at(versions, self.arrive)
        self.versions = versions
        self.version = versions[self.number]
        self.tariff = self.version.tariff
        self.meter = self.version.meter(stay.vehicle)
        self.leave = self.arrive + self._stay_minutes()
        self.exemption = self._find_exemption()
        self.earlier = _earlier(self.tariff, self.meter, stay, self.arrive)
        self._free()

    def _stay_minutes(self) -> int:
        milliseconds = self.stay.leave_ms - self.stay.arrive_ms
        if self.tariff.seconds is Seconds.BEGUN:
            milliseconds += _MINUTE_MS - 1
        minutes = milliseconds // _MINUTE_MS
        if minutes > self.tariff.max_stay_minutes:
            longest = self.tariff.max_stay_minutes
            raise StayTooLongError(f"a stay lasts at most {longest} minutes, this one {minutes}")
        return minutes

    def _find_exemption(self) -> Exemption | None:
        kind = self.stay.exemption
        if kind is None:
            return None
        for exemption in self.tariff.exemptions:
            if exemption.kind == kind:
                return exemption
        known = ", ".join(exemption.kind for exemption in self.tariff.exemptions) or "none"
        raise UnknownExemptionError(f"no exemption {kind!r}; this tariff knows: {known}")

    def _free(self) -> None:
        """Set the last free departure, where charging begins, and what is to be paid of it."""
        free = self.meter.rate.free
        repeat = self.tariff.repeat
        is_given = not self.earlier.is_repeat or repeat is None or repeat.free_again
        minutes = free.minutes if is_given else 0
        self.free_limit, self.charge_from, self.percent = self.arrive, self.arrive, _WHOLE
        if free.mode is FreeMode.DEDUCTIBLE:
            self.charge_from += minutes
        elif minutes:
            self.free_limit += minutes if free.inclusive else minutes - 1
        rule = _new_energy(self.tariff) if self.stay.new_energy else None
        if rule:
            self.percent = rule.percent
            if is_given:
                self.charge_from = max(self.charge_from, self.arrive + rule.free_minutes)
        if self.exemption:
            self.percent = min(self.percent, self.exemption.percent)
        self.charge_from = max(self.charge_from, self.earlier.paid_until)

    def parts(self) -> list[Part]:
        """The stay and what may follow it, cut where versions change if the tariff splits."""
        end = min(self.leave + _HORIZON_MINUTES, self.arrive + self.tariff.max_stay_minutes)
        if self.tariff.crossing is Crossing.BY_ENTRY:
            return [self._part(self.meter, self.arrive, end)]
        parts, at = [], self.arrive
        for version in self.versions[self.number :]:
            if at >= end or version.tariff.valid_from > at:
                break
            until = min(end, version.until)
            parts.append(self._part(version.meter(self.stay.vehicle), at, until))
            at = until
        if at < self.leave:
            raise NoTariffError(f"no version of {self.tariff.tariff_id} holds for the whole stay")
        return parts

    def _part(self, meter: Meter, at: int, end: int) -> Part:
        tariff, free = meter.tariff, meter.rate.free
        daily = free.minutes if free.again is FreeAgain.DAY else 0
        rule = _new_energy(tariff) if self.stay.new_energy else None
        if rule and rule.again is FreeAgain.DAY:
            daily = max(daily, rule.free_minutes)
        entry_band = meter.band_at(at) if tariff.edge is Edge.ENTRY else -1
        terms = Terms(entry_band, daily, self.arrive // DAY_MINUTES)
        if at > self.arrive:
            return Part(meter, terms, min(end, max(at, self.charge_from)), end, at)
        earlier = self.earlier
        start = min(end, self.charge_from)
        return Part(meter, terms, start, end, earlier.anchor, earlier.paid_fen)


class _Earlier(msgspec.Struct, frozen=True):
    """What earlier stays mean for this one: where its first window began, and what is paid."""

    anchor: int
    paid_fen: int = 0
    paid_until: int = 0
    is_repeat: bool = False


def _version_at(versions: Sequence[PricedVersion], minute: int) -> int:
    """The newest version that is in force then."""
    for number in range(len(versions) - 1, -1, -1):
        if versions[number].tariff.valid_from <= minute:
            if versions[number].until <= minute:
                break
            return number
    raise NoTariffError("no version of the tariff is in force at that time")


def _new_energy(tariff: Tariff) -> NewEnergy | None:
    rule = tariff.new_energy
    if rule is None or (tariff.mechanical and not rule.in_mechanical):
        return None
    return rule


def _earlier(tariff: Tariff, meter: Meter, stay: Stay, arrive: int) -> _Earlier:
    """What the earlier stays mean, by the 24 hours from the first entry."""
    if not stay.earlier or tariff.repeat is None:
        return _Earlier(arrive)
    window, paid_fen, today_fen, last_ms = -DAY_MINUTES, 0, 0, 0
    for earlier in stay.earlier:
        if not last_ms <= earlier.arrive_ms <= earlier.leave_ms or earlier.paid_fen < 0:
            raise EarlierStayError("earlier stays come in order, and do not overlap")
        last_ms, entry = earlier.leave_ms, local_minute(earlier.arrive_ms)
        if entry >= window + DAY_MINUTES:
            window, paid_fen = entry, 0
        paid_fen += earlier.paid_fen
        today_fen += earlier.paid_fen if entry // DAY_MINUTES == arrive // DAY_MINUTES else 0
    if last_ms > stay.arrive_ms:
        raise EarlierStayError("an earlier stay ends after this one begins")
    is_repeat = arrive < window + DAY_MINUTES
    if tariff.repeat.mode is RepeatMode.ONCE:
        paid_until = window + DAY_MINUTES if is_repeat and paid_fen else 0
        return _Earlier(arrive, paid_until=paid_until, is_repeat=is_repeat)
    if not meter.rolling:
        return _Earlier(arrive, today_fen, is_repeat=is_repeat)
    if is_repeat:
        return _Earlier(window, paid_fen, is_repeat=True)
    return _Earlier(arrive)
