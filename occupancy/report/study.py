"""What every section looks at: each car park's windows as they count, now, before, a year ago."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from occupancy import congestion, refused, vitals
from occupancy.calendar import Calendar, DayType
from occupancy.columns import Columns, columns_of
from occupancy.congestion import QUARTER_MINUTES
from occupancy.found_space import found_in
from occupancy.indicator import Grounds, Indicator
from occupancy.lot import Lot
from occupancy.observed import (
    NEVER_MS,
    Facts,
    Observed,
    Slot,
    Span,
    facts_of,
    grounds,
    observe,
    slots,
)
from occupancy.refused import Refusals
from occupancy.report.facts import ReportFacts
from occupancy.report.first_out import Stays, stays
from occupancy.report.period import Period
from occupancy.restriction import Extent
from occupancy.rollup import DAY_MS, MINUTE_MS, Window, date_start_ms, local_day
from occupancy.space_gap import MOST_WALK_METRES, Gap, GapLot, Neighbour, find_gaps, neighbours_of

QUARTER_MS = QUARTER_MINUTES * MINUTE_MS
USUAL_STAY_MINUTES = 120.0  # where nobody came, nobody is moved either


class DayKind(StrEnum):
    """Days that are alike for a car park: what is worked, and what is not."""

    WORKING = "工作日"
    RESTING = "休息日"


class LotStudy:
    """One car park of the report."""

    def __init__(self, lot: Lot, facts: ReportFacts, calendar: Calendar) -> None:
        self.lot = lot
        self.name = lot.short_name
        self.is_connected = lot.lot_id in facts.first_data_ms
        self._facts = facts
        self._calendar = calendar
        self._refusals: dict[Span, Refusals] = {}
        period, end_ms = facts.period, facts.end_ms // QUARTER_MS * QUARTER_MS
        self.seen = self._observe(facts.quarters.get(lot.lot_id, ()), period, end_ms)
        before, year = period.previous(), period.year_before()
        self.before = self._observe(facts.previous.get(lot.lot_id, ()), before, before.end_ms)
        self.year = self._observe(facts.year_before.get(lot.lot_id, ()), year, year.end_ms)

    @cached_property
    def facts(self) -> Facts:
        """A car park that has never told anything is expected to say nothing."""
        lot_id, far = self.lot.lot_id, self._facts.period.end_ms
        opened_ms = self._facts.first_data_ms.get(lot_id, NEVER_MS)
        days = [site.opened_on for site in self._facts.sites if site.lot_id == lot_id]
        opened = [date_start_ms(day) for day in days if day is not None]
        closed = [
            Span(one.from_ms, far if one.until_ms is None else one.until_ms)
            for one in self._facts.restrictions
            if one.lot_id == lot_id and one.extent is Extent.LOT
        ]
        return facts_of(self.lot, max([opened_ms, *opened]), closed)

    @cached_property
    def grounds(self) -> Grounds:
        return grounds(self.seen)

    @property
    def is_known(self) -> bool:
        """Whether its figures may be shown."""
        return not self.grounds.reason

    @property
    def refusals(self) -> Refusals:
        return self.refusals_of(self.seen)

    def refusals_of(self, seen: Observed) -> Refusals:
        """Of one of its periods: from its minutes where they are kept, else from its quarters."""
        if seen.period not in self._refusals:
            finest = self.finest_of(seen)
            self._refusals[seen.period] = refused.estimate(seen, self._calendar, finest)
        return self._refusals[seen.period]

    def finest_of(self, seen: Observed) -> Columns:
        minutes = self._facts.minutes.get(seen.facts.lot_id)
        if minutes is not None and len((within := minutes.within(seen)).start_ms):
            return within
        return columns_of(seen)

    @cached_property
    def slots(self) -> Sequence[Slot]:
        return slots(self.seen)

    @cached_property
    def shares(self) -> Sequence[float]:
        """The occupancy of every quarter of an hour that was told, the fullest first."""
        found = [share for one in self.slots if (share := one.share) is not None]
        return sorted(found, reverse=True)

    @cached_property
    def stays(self) -> Stays:
        return stays(self.seen)

    @cached_property
    def mean_stay(self) -> Indicator:
        return congestion.mean_stay_derived(self.seen)

    @cached_property
    def turnover(self) -> Indicator:
        return congestion.turnover(self.seen)

    @cached_property
    def index(self) -> Indicator:
        return vitals.congestion_index((self.seen, self.refusals))

    @cached_property
    def open_days(self) -> float:
        """Days in which it was open, in this period."""
        return self.seen.expected_ms / DAY_MS

    @property
    def refused_a_day(self) -> float | None:
        value = self.refusals.indicator.value
        return value / self.open_days if value is not None and self.open_days else None

    def _observe(self, windows: Sequence[Window], period: Period, end_ms: int) -> Observed:
        until_ms = max(min(period.end_ms, end_ms), period.start_ms)
        return observe(self.facts, windows, period.start_ms, until_ms, QUARTER_MINUTES)


class Study:
    """All car parks of a report, and how the days were."""

    def __init__(self, facts: ReportFacts) -> None:
        self.facts = facts
        self.period = facts.period
        self.calendar = facts.calendar
        self.lots = tuple(LotStudy(lot, facts, self.calendar) for lot in facts.lots)
        self.names = facts.names()
        self._by_id = {one.lot.lot_id: one for one in self.lots}

    @cached_property
    def known(self) -> tuple[LotStudy, ...]:
        """Those whose figures may be shown."""
        return tuple(one for one in self.lots if one.is_known)

    @cached_property
    def unknown(self) -> tuple[LotStudy, ...]:
        return tuple(one for one in self.lots if not one.is_known)

    @cached_property
    def grounds(self) -> Grounds:
        """What the district's figures stand on."""
        return grounds(*self.seen)

    @property
    def seen(self) -> tuple[Observed, ...]:
        return tuple(one.seen for one in self.lots)

    @property
    def before(self) -> tuple[Observed, ...]:
        return tuple(one.before for one in self.lots)

    @property
    def year(self) -> tuple[Observed, ...]:
        return tuple(one.year for one in self.lots)

    @property
    def has_data(self) -> bool:
        return any(one.seen.total("told_ms") for one in self.lots)

    def kind_of(self, day: int) -> DayKind:
        """A make-up workday is worked, a public holiday is not."""
        is_worked = self.calendar.day_type(day) in (DayType.WORKDAY, DayType.MAKEUP_WORKDAY)
        return DayKind.WORKING if is_worked else DayKind.RESTING

    @cached_property
    def open_days(self) -> float:
        """Days of the period, as far as it has gone."""
        end_ms = self.facts.end_ms // QUARTER_MS * QUARTER_MS
        return max(0, end_ms - self.period.start_ms) / DAY_MS

    @cached_property
    def days(self) -> range:
        """Local days of the period that have begun."""
        end_ms = max(self.facts.end_ms, self.period.start_ms + 1)
        return range(local_day(self.period.start_ms), local_day(end_ms - 1) + 1)

    @cached_property
    def neighbours(self) -> Mapping[str, Sequence[Neighbour]]:
        """Of the lots with figures: who lies within a walk of whom."""
        return neighbours_of([one.facts for one in self.known], MOST_WALK_METRES)

    @cached_property
    def gaps(self) -> Mapping[str, Gap]:
        """Of the lots with figures, by lot: room next door, and what is missing altogether."""
        lots = [
            GapLot(one.seen, one.refusals, one.mean_stay.value or USUAL_STAY_MINUTES)
            for one in self.known
        ]
        return find_gaps(lots, self.neighbours)

    def refusals_of(self, seen: Observed) -> Refusals:
        return self._by_id[seen.facts.lot_id].refusals_of(seen)

    def found_space(self, *seen: Observed) -> Indicator:
        """到达即有位概率 of one period."""
        lots = ((one, self._by_id[one.facts.lot_id]) for one in seen)
        return found_in([(one, lot.refusals_of(one), lot.finest_of(one)) for one, lot in lots])

    def name_of(self, lot_id: str) -> str:
        return self.names.get(lot_id, lot_id)

    def why_unknown(self) -> tuple[str, ...]:
        """A sentence for each car park without figures."""
        return tuple(f"{one.name}：{one.grounds.reason}，以下不列其数值。" for one in self.unknown)
