"""What a what-if study is asked and answers, as plain values that travel as JSON."""

from enum import StrEnum

import msgspec

HOURS = 24
METHOD_VERSION = "study-1"


class BadStudyError(Exception):
    """A study that cannot be played; the message names what is wrong and the way out."""


class DayKind(StrEnum):
    """Holidays play as weekends, make-up workdays as workdays."""

    WORKDAY = "workday"
    WEEKEND = "weekend"


class StudyGroup(msgspec.Struct, frozen=True):
    """One machine: its bays from the ground level up."""

    group_id: str
    bays_by_level: tuple[int, ...]


class StudyLot(msgspec.Struct, frozen=True):
    """One car park with its place in WGS-84 degrees."""

    lot_id: str
    name: str
    latitude: float
    longitude: float
    groups: tuple[StudyGroup, ...]

    @property
    def bays(self) -> int:
        return sum(sum(group.bays_by_level) for group in self.groups)


class StudyDestination(msgspec.Struct, frozen=True):
    """A place drivers want to go to; `kind` names what is believed of its days and stays."""

    destination_id: str
    kind: str
    latitude: float
    longitude: float


class Recorded(msgspec.Struct, frozen=True):
    """What history says of one car park, a mean day of each kind, hour by hour.

    `entries`, `refused` (estimated) in cars an hour, `occupied` in cars; `week` in entries a day,
    Monday first. An hour nobody recorded is None.
    """

    lot_id: str
    entries: dict[DayKind, tuple[float | None, ...]]
    refused: dict[DayKind, tuple[float | None, ...]]
    occupied: dict[DayKind, tuple[float | None, ...]]
    week: tuple[float | None, ...]


class Fees(msgspec.Struct, frozen=True):
    """What stays cost in fen: by kind of day, hour of arrival, and the stays of `stays_minutes`."""

    stays_minutes: tuple[int, ...]
    fen: dict[DayKind, tuple[tuple[int, ...], ...]]


class Board(msgspec.Struct, frozen=True):
    """A sign on the way to `lot_id`: this share of its drivers heeds it and is told of `others`."""

    lot_id: str
    share: float
    others: tuple[str, ...]


class Change(msgspec.Struct, frozen=True):
    """What is tried out; `fees` are those of the lots whose price is another one then."""

    spaces: dict[str, int] = {}
    closed: tuple[str, ...] = ()
    boards: tuple[Board, ...] = ()
    fees: dict[str, Fees] = {}


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All a study needs: whoever plays it again gets the same outcome.

    `first_day_ms` is a midnight in Shanghai; `metres_a_yuan` is how much farther drivers walk to
    save a yuan.
    """

    lots: tuple[StudyLot, ...]
    recorded: tuple[Recorded, ...]
    change: Change
    first_day_ms: int
    destinations: tuple[StudyDestination, ...] = ()
    fees: dict[str, Fees] = {}
    days: int = 7
    seeds: int = 30
    metres_a_yuan: float = 20.0


class FitOf(msgspec.Struct, frozen=True):
    """How the fitted town compares with the record of one car park."""

    lot_id: str
    recorded_entries_a_day: float
    fitted_entries_a_day: float
    recorded_occupied: float
    fitted_occupied: float
    hourly_error: float  # sum of |fitted - recorded| entries by hour over the sum recorded


class Difference(msgspec.Struct, frozen=True):
    """One figure without and with the change; low and high hold the difference at 95 %."""

    name: str
    lot_id: str  # empty: the district
    unit: str
    without: float
    with_change: float
    difference: float
    low: float
    high: float


class Outcome(msgspec.Struct, frozen=True):
    """What came of all seeds."""

    method_version: str
    fits: tuple[FitOf, ...]
    differences: tuple[Difference, ...]
    seeds: int
    days: int
