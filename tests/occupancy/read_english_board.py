"""Reads an English price board back into a tariff, as read_price_board does the Chinese one."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from occupancy.calendar import DayType, day_of
from occupancy.price_board import BoardRow
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    Crossing,
    DayPlan,
    Edge,
    Exemption,
    FreeAgain,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Period,
    Rate,
    Repeat,
    RepeatMode,
    Restart,
    Rounding,
    Seconds,
    Tariff,
    Tier,
    VehicleClass,
    Waiver,
)

WHO = {
    "motorcycles": VehicleClass.MOTORCYCLE,
    "cars": VehicleClass.CAR,
    "large vehicles": VehicleClass.LARGE,
}
WHEN = {
    "workdays": DayType.WORKDAY,
    "weekends": DayType.WEEKEND,
    "public holidays": DayType.PUBLIC_HOLIDAY,
    "make-up workdays": DayType.MAKEUP_WORKDAY,
}
MINUTES = {"min": 1, "h": 60, "days": 1440}
MONEY, LENGTH = r"([\d.]+) yuan", r"(\d* ?(?:min|h|days))"


def fen(words: str) -> int:
    return int(Decimal(words) * 100)


def minutes(words: str) -> int:
    number, _, unit = words.rpartition(" ")
    return int(number or 1) * MINUTES[unit]


def clock(words: str) -> int:
    hours, minute = words.removeprefix("next day ").split(":")
    return int(hours) * 60 + int(minute)


def local(words: str) -> int:
    day, at = words.split(" ")
    return day_of(date.fromisoformat(day)) * 1440 + clock(at)


def read_tier(words: str) -> Tier:
    if found := re.fullmatch(rf"in the (?:first|next) {LENGTH} {MONEY} per {LENGTH}", words):
        unit = minutes(found[3])
        return Tier(unit, fen(found[2]), minutes(found[1]) // unit)
    if found := re.fullmatch(rf"(?:first|next) {LENGTH} {MONEY}", words):
        return Tier(minutes(found[1]), fen(found[2]), 1)
    found = re.fullmatch(rf"(?:then )?{MONEY} per {LENGTH}", words)
    assert found, words
    return Tier(minutes(found[2]), fen(found[1]))


def read_band(name: str, words: str) -> Band:
    if words == "free":
        return Band(name)
    parts, cap = words.split(", "), None
    if found := re.fullmatch(rf"at most {MONEY} a run", parts[-1]):
        cap = fen(found[1])
        parts.pop()
    return Band(name, tuple(read_tier(part) for part in parts), cap)


def read_plan(words: str) -> DayPlan:
    found = re.fullmatch(r"hours \((.+?)\): (.+)", words)
    assert found, words
    is_every = found[1] == "every day"
    days = tuple(DayType) if is_every else tuple(WHEN[one] for one in found[1].split(", "))
    periods = []
    for part in found[2].split(", "):
        hours, band = part.rsplit(" ", 1)
        start, end = ("00:00", "24:00") if hours == "all day" else hours.split("-")
        periods.append(Period(clock(start), clock(end), band))
    return DayPlan(days, tuple(periods))


def read_cap(words: str) -> Cap:
    window = CapWindow.CALENDAR_DAY if "calendar day" in words else CapWindow.ROLLING_24H
    return Cap(window, tuple(fen(one) for one in re.findall(MONEY, words)))


def read_free(words: str) -> FreePeriod:
    if words == "none":
        return FreePeriod(0)
    found = re.search(r"(\d+ (?:min|h|days))", words)
    assert found, words
    length = minutes(found[1])
    if "charged in full" in words:
        return FreePeriod(length, FreeMode.THRESHOLD, "including" in words)
    again = FreeAgain.DAY if "of each day" in words else FreeAgain.STAY
    return FreePeriod(length, again=again)


def read_rates(prices: Iterable[str], free: Iterable[str]) -> tuple[Rate, ...]:
    by_vehicles: dict[str, list[str]] = {}
    for line in prices:
        who, _, words = line.partition(": ")
        by_vehicles.setdefault(who, []).append(words)
    free_of = dict(line.split(": ", 1) for line in free)
    other = ("hours (", "cap: ", "caps (")
    return tuple(
        Rate(
            tuple(WHO[one] for one in who.split(", ")),
            tuple(read_band(*line.split(": ", 1)) for line in lines if not line.startswith(other)),
            tuple(read_plan(line) for line in lines if line.startswith("hours (")),
            read_free(free_of[who]),
            next((read_cap(line) for line in lines if line.startswith(other[1:])), None),
        )
        for who, lines in by_vehicles.items()
    )


def percent_of(words: str) -> int:
    found = re.search(r"pay (\d+) %", words)
    return int(found[1]) if found else 100


def read_new_energy(lines: Iterable[str]) -> NewEnergy | None:
    for line in lines:
        if line.startswith("new-energy vehicles"):
            free = re.search(rf"first {LENGTH} of (each day|a stay) free", line)
            percent = 0 if re.search(r"(vehicles|,) free,", line) else percent_of(line)
            return NewEnergy(
                minutes(free[1]) if free else 0,
                FreeAgain.STAY if free and free[2] == "a stay" else FreeAgain.DAY,
                percent,
                "also in mechanical" in line,
            )
    return None


def read_exemption(words: str) -> Exemption | None:
    found = re.fullmatch(r"(.+) \((.+)\) (free|pay \d+ %)", words)
    if not found:
        return None
    return Exemption(found[2], "", found[1], 0 if found[3] == "free" else percent_of(found[3]))


def read_waiver(words: str) -> Waiver | None:
    found = re.fullmatch(r"(.+): free from (\S+) to (\S+), (.{5})-(.{5}) each day", words)
    if not found:
        return None
    first, last = (day_of(date.fromisoformat(found[group])) for group in (2, 3))
    return Waiver("", found[1], first, last, clock(found[4]), clock(found[5]))


def read_repeat(lines: Iterable[str]) -> Repeat | None:
    for line in lines:
        if line.startswith("several entries within 24 hours"):
            mode = RepeatMode.SHARED_CAP if "share one cap" in line else RepeatMode.ONCE
            return Repeat(mode, "every entry has its free period" in line)
    return None


def read_board(rows: Iterable[BoardRow]) -> Tariff:
    board = {row.label: row.lines for row in rows}
    lines = board["How it is counted"]

    def the(*choices: str) -> int:
        (number,) = [n for n, words in enumerate(choices) if words in lines]
        return number

    (stays,) = [line for line in lines if line.startswith("a stay lasts at most ")]
    (force,) = [line for line in lines if line.startswith("in force from ")]
    start, _, end = force.removeprefix("in force from ").partition(" until ")
    grace = [re.fullmatch(rf"a begun unit .* longer than {LENGTH}", line) for line in lines]
    return Tariff(
        tariff_id="",
        name="",
        service=board["Service"][0],
        complaints=board["Complaints"][0],
        valid_from=local(start),
        valid_to=local(end) if end else None,
        rates=read_rates(board["Prices"], board["Free period"]),
        edge=(Edge.SPLIT, Edge.UNIT, Edge.ENTRY)[
            the(
                "where one band meets the next, the unit ends and a new one begins",
                "a unit keeps the price of the band it began in",
                "the band at entry holds for the whole stay",
            )
        ],
        rounding=Rounding.DOWN if "only a full unit counts" in lines else Rounding.UP,
        grace_minutes=next((minutes(found[1]) for found in grace if found), 0),
        restart=(Restart.RUN, Restart.STAY, Restart.WINDOW)[
            the(
                "first prices begin anew with each band",
                "first prices hold once a stay",
                "first prices and units begin anew with each band and each cap period",
            )
        ],
        repeat=read_repeat(lines),
        mechanical="this is a mechanical garage" in lines,
        new_energy=read_new_energy(lines),
        exemptions=tuple(who for line in lines if (who := read_exemption(line))),
        waivers=tuple(one for line in lines if (one := read_waiver(line))),
        max_stay_minutes=minutes(stays.removeprefix("a stay lasts at most ")),
        seconds=(Seconds.FULL, Seconds.BEGUN)[
            the("only full minutes count", "a begun minute counts")
        ],
        crossing=(Crossing.BY_ENTRY, Crossing.SPLIT)[
            the(
                "if prices change during a stay, those at entry hold",
                "if prices change during a stay, each part is charged at its own",
            )
        ],
    )
