"""What happened in one window of history: whole integrals, and the means they stand for."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

MINUTE_MS = 60_000
LEVELS_MINUTES = (1, 15, 60)
TOLD_MS = 10_000  # how long an observation stands for the time behind it
FRESH_MS = 90_000  # from then on citizens saw a dash
SHANGHAI_MS = 8 * 3_600_000  # no clock has been changed there since 1991
DAY_MS = 86_400_000


class Window(msgspec.Struct, frozen=True):
    """A lot in `minutes` from `start_ms` (UTC) on, as sums over milliseconds.

    `told_ms`: a sound observation stood for this time; the other integrals go over it alone.
    `fresh_ms`: citizens saw a number. `suspect_ms`: told, but contradicting itself.
    `full_ms`: free <= max(1, 2 % of the usable spaces). `occupied_ms`, `free_ms`, `usable_ms`:
    car and space milliseconds. `entries_late`, `exits_late`: those of `entries`, `exits` that were
    counted while nobody heard, and told afterwards: their number is sure, their moment is not.
    """

    lot_id: str
    start_ms: int
    minutes: int
    told_ms: int = 0
    fresh_ms: int = 0
    suspect_ms: int = 0
    full_ms: int = 0
    occupied_ms: int = 0
    free_ms: int = 0
    usable_ms: int = 0
    occupied_most: int | None = None
    entries: int = 0
    exits: int = 0
    entries_late: int = 0
    exits_late: int = 0

    @property
    def length_ms(self) -> int:
        return self.minutes * MINUTE_MS

    @property
    def completeness(self) -> float:
        return self.told_ms / self.length_ms

    @property
    def stale_share(self) -> float:
        return 1 - self.fresh_ms / self.length_ms

    @property
    def occupancy(self) -> float | None:
        """Mean occupied over mean usable; None where nothing was told or nothing was usable."""
        return self.occupied_ms / self.usable_ms if self.usable_ms else None

    @property
    def occupied(self) -> float | None:
        return self.occupied_ms / self.told_ms if self.told_ms else None

    @property
    def usable(self) -> float | None:
        return self.usable_ms / self.told_ms if self.told_ms else None

    @property
    def free(self) -> float | None:
        return self.free_ms / self.told_ms if self.told_ms else None


_SUMS = tuple(
    name
    for name in Window.__struct_fields__
    if name not in ("lot_id", "start_ms", "minutes", "occupied_most")
)


def join(windows: Sequence[Window], start_ms: int, minutes: int) -> Window:
    """One lot's windows as one longer window; what is not among them was not told."""
    most = [one.occupied_most for one in windows if one.occupied_most is not None]
    sums = {name: sum(getattr(one, name) for one in windows) for name in _SUMS}
    lot_id = windows[0].lot_id
    return Window(lot_id, start_ms, minutes, occupied_most=max(most, default=None), **sums)


def fill(
    windows: Iterable[Window], lot_id: str, from_ms: int, to_ms: int, minutes: int
) -> list[Window]:
    """Every window of a span, in order; those without data are empty, not left out."""
    known = {one.start_ms: one for one in windows}
    starts = range(from_ms, to_ms, minutes * MINUTE_MS)
    return [known.get(at, Window(lot_id, at, minutes)) for at in starts]


def lengthen(windows: Sequence[Window], minutes: int) -> list[Window]:
    """Windows in order of time to longer ones that begin at multiples of `minutes`."""
    step_ms = minutes * MINUTE_MS
    return [
        join(list(part), slot * step_ms, minutes)
        for slot, part in groupby(windows, key=lambda one: one.start_ms // step_ms)
    ]


def local_day(at_ms: int) -> int:
    """Days since 1970-01-01 in Asia/Shanghai, as occupancy.calendar counts them."""
    return (at_ms + SHANGHAI_MS) // DAY_MS


def local_hour(at_ms: int) -> int:
    return (at_ms + SHANGHAI_MS) % DAY_MS // 3_600_000


def day_start_ms(day: int) -> int:
    """When a local day begins, UTC milliseconds."""
    return day * DAY_MS - SHANGHAI_MS


def date_start_ms(date: dt.date) -> int:
    return day_start_ms(date.toordinal() - dt.date(1970, 1, 1).toordinal())
