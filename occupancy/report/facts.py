"""Everything a report is made of, as plain values: gathered once, decided from without I/O."""

from collections.abc import Mapping, Sequence

import msgspec

from occupancy.alarm import Alarm
from occupancy.calendar import Calendar, DayType
from occupancy.columns import Columns
from occupancy.effect.change import Change
from occupancy.effect.evidence import Evidence
from occupancy.effect.interrupted import BeforeAfter
from occupancy.lot import Lot
from occupancy.report.period import Period
from occupancy.restriction import Restriction
from occupancy.rollup import Window
from occupancy.site import Site
from occupancy.tariff import Tariff
from occupancy.truth_check import TruthCheck

Windows = Mapping[str, Sequence[Window]]


class CountedAgain(msgspec.Struct, frozen=True):
    """A count by a person: what the counters said before, and what was found."""

    lot_id: str
    at_ms: int
    cars_inside: int
    cars_by_counters: int | None


class SignLine(msgspec.Struct, frozen=True):
    """What one line of a sign showed in a period, in minutes; `lot_id` is whose spaces it shows.

    `judged`: the sign said what it shows, and the free spaces were known. `wrong`: of those, it
    showed another number by more than the tolerance, or 满 while there was room. `free_while_full`:
    it promised a space where there was none. `stale_number`: it showed a number while the source
    was silent. `unknown`: the sign itself said nothing.
    """

    sign_id: str
    line: int
    lot_id: str
    at_entrance: bool
    minutes: int
    judged: int
    wrong: int
    free_while_full: int
    stale_number: int
    unknown: int


class GuidedTrips(msgspec.Struct, frozen=True):
    """What became of the trips guidance proposed to a car park; they are kept for thirty days."""

    lot_id: str
    shown: int
    chosen: int
    arrived: int


class CitizenCount(msgspec.Struct, frozen=True):
    """How often citizens reported one kind of trouble at a car park."""

    lot_id: str
    kind: str
    count: int


class Opening(msgspec.Struct, frozen=True):
    """What the opening of a site changed in the district, before against since."""

    site_id: str
    evidence: Evidence


class ChangeSeen(msgspec.Struct, frozen=True):
    """A change that was named (/admin/guidance), and what it brought."""

    number: int
    change: Change
    judged: BeforeAfter


class ReportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All of a period. `quarters` are windows of 15 minutes by lot; those without data are absent.

    `previous` and `year_before` are the same of the periods it is compared with. `first_data_ms`:
    when each lot's history begins. `minutes`: of all three periods, of lots that were ever full.
    `overrides`: what operators know of days better than the
    published calendar. `restrictions`: of all three periods. `trips_since_ms`: from when on trips
    are still kept.
    """

    period: Period
    generated_at_ms: int
    lots: tuple[Lot, ...]
    quarters: Windows
    previous: Windows
    year_before: Windows
    first_data_ms: Mapping[str, int]
    overrides: Mapping[int, DayType]
    minutes: Mapping[str, Columns] = {}
    tariffs: tuple[Tariff, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    checks: tuple[TruthCheck, ...] = ()
    corrections: tuple[CountedAgain, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    alarms_left_out: bool = False
    sign_lines: tuple[SignLine, ...] = ()
    trips: tuple[GuidedTrips, ...] = ()
    trips_since_ms: int = 0
    citizen_counts: tuple[CitizenCount, ...] = ()
    sites: tuple[Site, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    openings: tuple[Opening, ...] = ()
    changes: tuple[ChangeSeen, ...] = ()
    is_sample: bool = False

    @property
    def end_ms(self) -> int:
        """Until when there can be data: the period's end, or now where it has not ended yet."""
        return min(self.period.end_ms, self.generated_at_ms)

    @property
    def is_partial(self) -> bool:
        return self.generated_at_ms < self.period.end_ms

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.overrides)

    def names(self) -> dict[str, str]:
        return {lot.lot_id: lot.short_name for lot in self.lots}
