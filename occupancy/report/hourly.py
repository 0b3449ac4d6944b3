"""How full car parks were at each hour of days that are alike: means, full time, completeness."""

from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, TypeVar

from occupancy.indicator import LEAST_COMPLETENESS, ratio
from occupancy.observed import Observed
from occupancy.rollup import MINUTE_MS, local_day, local_hour

HOURS = tuple(range(24))
K = TypeVar("K", bound=Hashable)


class Hour(NamedTuple):
    """One hour of the days of one kind; shares, None where less than 90 % of it was told."""

    occupancy: float | None
    full_share: float | None
    completeness: float


class _Sums:
    __slots__ = ("expected", "full", "occupied", "told", "usable")

    def __init__(self) -> None:
        self.expected = self.told = self.occupied = self.usable = self.full = 0


def hours_of(seen: Iterable[Observed], key: Callable[[int], K]) -> dict[tuple[K, int], Hour]:
    """By `key` of the local day and hour, over these car parks together."""
    sums: dict[tuple[K, int], _Sums] = {}
    for lot in seen:
        for one in lot.windows:
            place = (key(local_day(one.start_ms)), local_hour(one.start_ms))
            found = sums.setdefault(place, _Sums())
            found.expected += lot.minutes * MINUTE_MS
            found.told += one.told_ms
            found.occupied += one.occupied_ms
            found.usable += one.usable_ms
            found.full += one.full_ms
    return {place: _hour(found) for place, found in sums.items()}


def _hour(sums: _Sums) -> Hour:
    completeness = sums.told / sums.expected
    if completeness < LEAST_COMPLETENESS:
        return Hour(None, None, completeness)
    return Hour(ratio(sums.occupied, sums.usable), ratio(sums.full, sums.told), completeness)
