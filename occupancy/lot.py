"""What a car park is: facts that change only when a person edits them."""

from enum import StrEnum

import msgspec

_DAY_MINUTES = 1440


class Place(msgspec.Struct, frozen=True):
    """WGS-84 degrees; GCJ-02 exists only at the faces (occupancy.coordinates)."""

    latitude: float
    longitude: float


class Thresholds(msgspec.Struct, frozen=True):
    """When a lot is called almost full and full, in free spaces; the hold avoids flicker."""

    almost_full_free: int
    full_free: int
    hysteresis_free: int = 1


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


def find_closing(hours: OpeningHours | None, minute: int) -> int | None:
    """When the lot closes after `minute` (local), `minute` itself if it is shut, None for never."""
    if hours is None or hours.from_minute == hours.until_minute:
        return None
    length = (hours.until_minute - hours.from_minute) % _DAY_MINUTES
    since = (minute - hours.from_minute) % _DAY_MINUTES
    return minute + length - since if since < length else minute
