"""What is remembered of a citizen for half an hour: his last question and what he was shown."""

import msgspec

from routing.question import Vehicle, Wish

DEFAULT_STAY_MINUTES = 120


class Pending(msgspec.Struct, frozen=True):
    """Something that was asked back: the names a number chooses from, and what for."""

    names: tuple[str, ...] = ()
    report: str = ""  # the kind of trouble, when car parks are chosen from


class Session(msgspec.Struct, frozen=True):
    """No place stands here: a destination is remembered by its public name only."""

    destination: str = ""
    destination_id: str = ""
    stay_minutes: int = DEFAULT_STAY_MINUTES
    arrive_ms: int | None = None
    wishes: frozenset[Wish] = frozenset()
    vehicle: Vehicle = Vehicle()
    is_suv: bool = False
    shown: tuple[str, ...] = ()  # car parks of the last answer, the best first
    without: frozenset[str] = frozenset()  # those he wanted another for
    trip_id: str = ""
    arrives_ms: int | None = None  # at the car park, as the last answer expected
    chosen: str = ""
    pending: Pending = Pending()
    is_elder: bool = False

    @property
    def car_park(self) -> str:
        """The one that `it` means: chosen, or shown first."""
        return self.chosen or (self.shown[0] if self.shown else "")
