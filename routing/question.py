"""What a driver asks: where to, when, how long, with which vehicle, and what he cares for."""

from enum import StrEnum

import msgspec

from occupancy.lot import Place
from occupancy.tariff import VehicleClass


class Wish(StrEnum):
    """What counts more for this driver."""

    CHEAP = "cheap"
    NEAR = "near"
    SURE = "sure"
    COVERED = "covered"


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle; None where the driver did not say."""

    kind: VehicleClass = VehicleClass.CAR
    height_metres: float | None = None
    weight_tonnes: float | None = None
    length_metres: float | None = None
    width_metres: float | None = None
    new_energy: bool = False


class Question(msgspec.Struct, frozen=True):
    """All of it, checked; places are WGS-84. `origin` is None where it is not known.

    `arrive_ms` None means: he sets out now. `without` names car parks he does not want.
    """

    destination: Place
    destination_name: str
    stay_minutes: int
    origin: Place | None = None
    arrive_ms: int | None = None
    vehicle: Vehicle = Vehicle()
    wishes: frozenset[Wish] = frozenset()
    without: frozenset[str] = frozenset()
