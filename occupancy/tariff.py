"""What a tariff is: every rule that decides the price of a stay. Money is integer fen.

Moments are local minutes: whole minutes since 1970-01-01 00:00 in Asia/Shanghai
(occupancy.tariff_clock). docs/tariffs.md defines what each rule means, minute by minute.
"""

from enum import StrEnum

import msgspec

from occupancy.calendar import DayType

LONGEST_STAY_MINUTES = 366 * 1440


class VehicleClass(StrEnum):
    """What Chinese price boards tell apart."""

    MOTORCYCLE = "motorcycle"
    CAR = "car"
    LARGE = "large"


class FreeMode(StrEnum):
    """What becomes of the free minutes when the stay is longer."""

    THRESHOLD = "threshold"  # the whole stay is charged
    DEDUCTIBLE = "deductible"  # only the time beyond is charged


class FreeAgain(StrEnum):
    """How often the free minutes are given in one stay."""

    STAY = "stay"
    DAY = "day"  # anew at every midnight; deductible only


class Edge(StrEnum):
    """What happens where one band meets the next."""

    SPLIT = "split"  # the unit ends at the edge and a new one begins there
    UNIT = "unit"  # a unit keeps the price of the band it began in
    ENTRY = "entry"  # the band at entry holds for the whole stay


class Rounding(StrEnum):
    """When a unit is due."""

    UP = "up"  # as soon as it has begun (or has lasted longer than the grace minutes)
    DOWN = "down"  # only when it is full


class Restart(StrEnum):
    """When the first units and tiers begin anew."""

    RUN = "run"  # whenever a band begins
    STAY = "stay"  # never: each band counts on through the stay
    WINDOW = "window"  # whenever a band or a cap's window begins; the unit begins anew too


class CapWindow(StrEnum):
    """What a cap is for."""

    CALENDAR_DAY = "calendar_day"
    ROLLING_24H = "rolling_24h"  # every 24 hours from entry


class RepeatMode(StrEnum):
    """What several entries within 24 hours of the first one pay."""

    ONCE = "once"  # after one paid stay the rest of the 24 hours is free
    SHARED_CAP = "shared_cap"  # all of them together fill one cap


class Seconds(StrEnum):
    """What becomes of the seconds of a stay."""

    FULL = "full"  # only a full minute counts
    BEGUN = "begun"  # a begun minute counts


class Crossing(StrEnum):
    """What a stay pays that crosses a change of version."""

    BY_ENTRY = "by_entry"  # the version in force at entry
    SPLIT = "split"  # each part by the version in force then


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of one length and price; `units` None: from here on."""

    unit_minutes: int
    price_fen: int
    units: int | None = None


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price with a name; without tiers it is free. `cap_fen` limits one run of it."""

    name: str
    tiers: tuple[Tier, ...] = ()
    cap_fen: int | None = None


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a band holds, in minutes of the day; an end not after the start is tomorrow's."""

    start_minute: int
    end_minute: int
    band: str


class DayPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bands of the days of some types; together they cover the day once."""

    day_types: tuple[DayType, ...]
    periods: tuple[Period, ...]


class FreePeriod(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The free minutes. `inclusive`: a stay of exactly so many is still free (threshold)."""

    minutes: int
    mode: FreeMode = FreeMode.DEDUCTIBLE
    inclusive: bool = True
    again: FreeAgain = FreeAgain.STAY
    jump_is_meant: bool = False


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most one window costs: first, second, third ...; the last amount repeats."""

    window: CapWindow
    amounts_fen: tuple[int, ...]


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some vehicle classes pay."""

    vehicles: tuple[VehicleClass, ...]
    bands: tuple[Band, ...]
    day_plans: tuple[DayPlan, ...]
    free: FreePeriod = FreePeriod(0)
    cap: Cap | None = None


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several entries within 24 hours of the first."""

    mode: RepeatMode
    free_again: bool = True


class NewEnergy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New-energy vehicles: minutes that are deducted, and the percentage that is paid."""

    free_minutes: int = 0
    again: FreeAgain = FreeAgain.DAY
    percent: int = 100
    in_mechanical: bool = False


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who pays nothing, or only a percentage."""

    kind: str
    name: str
    name_en: str
    percent: int = 0


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Free hours on dates (never on weekdays); days count from 1970-01-01, the last included."""

    name: str
    name_en: str
    first_day: int
    last_day: int
    start_minute: int = 0
    end_minute: int = 1440


class Tariff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of one tariff; published, it never changes.

    `valid_to` is the first local minute it no longer holds. `mechanical`: the car park is a
    mechanical garage, which the new-energy rule may leave out.
    """

    tariff_id: str
    version: int = 1
    name: str
    service: str
    complaints: str
    valid_from: int
    valid_to: int | None = None
    rates: tuple[Rate, ...]
    edge: Edge = Edge.SPLIT
    rounding: Rounding = Rounding.UP
    grace_minutes: int = 0
    restart: Restart = Restart.RUN
    repeat: Repeat | None = None
    mechanical: bool = False
    new_energy: NewEnergy | None = None
    exemptions: tuple[Exemption, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    max_stay_minutes: int = LONGEST_STAY_MINUTES
    seconds: Seconds = Seconds.FULL
    crossing: Crossing = Crossing.BY_ENTRY
    source: str = ""
    placeholders: tuple[str, ...] = ()
