"""What is asked of a tariff: a stay; and why it may have no price."""

import msgspec

from occupancy.tariff import VehicleClass


class QuoteError(Exception):
    """A stay that has no price; `field` names what is wrong with the question."""

    field = "lot"


class LeaveBeforeArrivalError(QuoteError):
    """The car leaves before it arrives."""

    field = "to"


class StayTooLongError(QuoteError):
    """The stay is longer than the tariff allows."""

    field = "to"


class OutOfTimeError(QuoteError):
    """Only stays from 1992 to 2199 have a price: before, the zone had summer time."""

    field = "from"


class UnknownVehicleError(QuoteError):
    """The tariff has no price for this vehicle."""

    field = "vehicle"


class UnknownExemptionError(QuoteError):
    """The tariff knows no such exemption."""

    field = "exemption"


class NoTariffError(QuoteError):
    """No version of the tariff is in force for the whole stay."""

    field = "from"


class EarlierStayError(QuoteError):
    """Earlier stays end before the next one begins, and have paid nothing less than nothing."""

    field = "earlier"


class EarlierStay(msgspec.Struct, frozen=True):
    """A stay of the same car before this one, in UTC milliseconds."""

    arrive_ms: int
    leave_ms: int
    paid_fen: int


class Stay(msgspec.Struct, frozen=True):
    """What is asked: from when to when, in UTC milliseconds, with which vehicle."""

    arrive_ms: int
    leave_ms: int
    vehicle: VehicleClass = VehicleClass.CAR
    new_energy: bool = False
    exemption: str | None = None
    earlier: tuple[EarlierStay, ...] = ()
