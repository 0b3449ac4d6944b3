"""What a car park is: facts that change only when a person edits them."""

from enum import StrEnum

import msgspec


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


class Lot(msgspec.Struct, frozen=True):
    """One car park. `placeholders` names the fields that nobody has confirmed (待核实)."""

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
