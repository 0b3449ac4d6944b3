"""What a car park is: facts that change only when a person edits them."""

import math
from enum import StrEnum

import msgspec

_DAY_MINUTES = 1440
_FLOAT_DUST = 1e-9  # 0.29 * 100 is 28.999999999999996


class Place(msgspec.Struct, frozen=True):
    """WGS-84 degrees; GCJ-02 exists only at the faces (occupancy.coordinates)."""

    latitude: float
    longitude: float


class Thresholds(msgspec.Struct, frozen=True):
    """When a lot is called almost full and full; the hold (hysteresis) avoids flicker.

    Each as free spaces and as percent of the capacity: the larger of the two holds.
    """

    almost_full_free: int
    full_free: int
    hysteresis_free: int = 1
    almost_full_percent: float = 0.0
    full_percent: float = 0.0
    hysteresis_percent: float = 0.0

    def in_spaces(self, capacity: int) -> "Thresholds":
        """What holds for so many bays: the numbers are the larger of both, the percents stay."""
        return msgspec.structs.replace(
            self,
            almost_full_free=max(self.almost_full_free, _share(self.almost_full_percent, capacity)),
            full_free=max(self.full_free, _share(self.full_percent, capacity)),
            hysteresis_free=max(self.hysteresis_free, _share(self.hysteresis_percent, capacity)),
        )


class VehicleLimits(msgspec.Struct, frozen=True):
    """The largest vehicle a bay takes."""

    length_metres: float
    width_metres: float
    height_metres: float
    weight_tonnes: float


class MachineGroup(msgspec.Struct, frozen=True):
    """One lift-and-slide machine; bays a car can use, from the ground level up."""

    group_id: str
    bays_by_level: tuple[int, ...]
    bay_type: str = "suv"


class OpeningState(StrEnum):
    """Whether the operator lets cars in."""

    OPEN = "open"
    CLOSED = "closed"


class OpeningHours(msgspec.Struct, frozen=True):
    """Every day the same, in local minutes of the day.

    They end after midnight where the end is the earlier; both alike is round the clock.
    """

    from_minute: int
    until_minute: int


class Lot(msgspec.Struct, frozen=True):
    """One car park. `placeholders` names the fields that nobody has confirmed (待核实).

    `opening_hours` None is round the clock; `covered` None is not known.
    """

    lot_id: str
    name: str
    short_name: str
    address: str
    entrance: Place
    hotline: str
    capacity: int
    groups: tuple[MachineGroup, ...]
    limits: VehicleLimits
    thresholds: Thresholds
    tariff_id: str
    opening: OpeningState = OpeningState.OPEN
    placeholders: tuple[str, ...] = ()
    opening_hours: OpeningHours | None = None
    covered: bool | None = None
    takes_new_energy: bool = True

    @property
    def frame(self) -> int:
        """Bays of all machine groups: more cars than these no capacity can promise."""
        return sum(sum(group.bays_by_level) for group in self.groups)

    @property
    def tight(self) -> Thresholds:
        """The thresholds in spaces of this lot."""
        return self.thresholds.in_spaces(self.capacity)


def _share(percent: float, capacity: int) -> int:
    """Whole spaces: at most so many are within the percent."""
    return math.floor(percent * capacity / 100 + _FLOAT_DUST)


def find_closing(hours: OpeningHours | None, minute: int) -> int | None:
    """When the lot closes after `minute` (local), `minute` itself if it is shut, None for never."""
    if hours is None or hours.from_minute == hours.until_minute:
        return None
    length = (hours.until_minute - hours.from_minute) % _DAY_MINUTES
    since = (minute - hours.from_minute) % _DAY_MINUTES
    return minute + length - since if since < length else minute
