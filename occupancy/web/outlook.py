"""What is expected of a car park in the next hours, as whoever forecasts it tells the pages."""

from collections.abc import Callable, Sequence

import msgspec


class Outlook(msgspec.Struct, frozen=True):
    """Free spaces expected at one moment ahead; the truth lies between with this `sureness`."""

    at_ms: int
    free: float
    low: int
    high: int
    sureness: float
    chance: float  # that a space is free
    words: str
    english: str


OutlookOf = Callable[[str], Sequence[Outlook]]
