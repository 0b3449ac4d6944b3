"""Facts of a report made up in memory: car parks that fill and empty as a test says."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from occupancy.calendar import Calendar, DayType
from occupancy.lot import Lot, Place
from occupancy.report.facts import ReportFacts
from occupancy.report.period import Period, month_of
from occupancy.rollup import DAY_MS, MINUTE_MS, Window, local_day
from tests.builders import a_lot

OCTOBER = month_of(dt.date(2026, 10, 1))
QUARTER_MS = 15 * MINUTE_MS
DISTRICT = Calendar()
Cars = Callable[[int, float], float]  # day number and hour of the day to cars wanted


def lot(lot_id: str, capacity: int = 100, *, metres_east: float = 0.0, **other: Any) -> Lot:  # noqa: ANN401
    """A confirmed car park so far east of the middle."""
    place = Place(23.155, 112.893 + metres_east / 102_300)
    return a_lot(
        lot_id=lot_id,
        name=f"{lot_id}停车场",
        short_name=lot_id,
        capacity=capacity,
        entrance=place,
        tariff_id=lot_id,
        **other,
    )


def evenings_full(capacity: int = 100) -> Cars:
    """Full from 17 to 21 every day, half empty otherwise."""

    def cars(_: int, hour: float) -> float:
        return capacity if 17 <= hour < 21 else 0.4 * capacity

    return cars


def always(share: float, capacity: int = 100) -> Cars:
    return lambda _day, _hour: share * capacity


def working(capacity: int = 100) -> Cars:
    """Busy in the day, and on working days only."""

    def cars(day: int, hour: float) -> float:
        kind = DISTRICT.day_type(day)
        is_worked = kind in (DayType.WORKDAY, DayType.MAKEUP_WORKDAY)
        return capacity * (0.75 if is_worked and 9 <= hour < 17 else 0.2)

    return cars


def quarters(
    one: Lot,
    cars: Cars,
    period: Period = OCTOBER,
    *,
    entries: Callable[[int, float], int] = lambda _day, hour: 8 if 8 <= hour < 20 else 1,
    silent: Callable[[int], bool] = lambda _: False,
    until_ms: int | None = None,
) -> list[Window]:
    """Windows of 15 minutes; `silent` says of a moment that nothing was told."""
    made = []
    for at_ms in range(period.start_ms, until_ms or period.end_ms, QUARTER_MS):
        if silent(at_ms):
            continue
        day, hour = local_day(at_ms), (at_ms - period.start_ms) % DAY_MS / 3_600_000
        present = min(round(cars(day, hour)), one.capacity)
        came = entries(day, hour) if present < one.capacity else 2
        made.append(
            Window(
                one.lot_id,
                at_ms,
                15,
                told_ms=QUARTER_MS,
                fresh_ms=QUARTER_MS,
                full_ms=QUARTER_MS if present >= one.capacity - 2 else 0,
                occupied_ms=present * QUARTER_MS,
                free_ms=(one.capacity - present) * QUARTER_MS,
                usable_ms=one.capacity * QUARTER_MS,
                occupied_most=present,
                entries=came,
                exits=came,
            )
        )
    return made


def facts(
    lots: Sequence[tuple[Lot, Sequence[Window]]],
    period: Period = OCTOBER,
    **other: Any,  # noqa: ANN401
) -> ReportFacts:
    """Made the day after the period, without anything before."""
    made = ReportFacts(
        period=period,
        generated_at_ms=period.end_ms + DAY_MS,
        lots=tuple(one for one, _ in lots),
        quarters={one.lot_id: windows for one, windows in lots},
        previous={one.lot_id: () for one, _ in lots},
        year_before={one.lot_id: () for one, _ in lots},
        first_data_ms={one.lot_id: windows[0].start_ms for one, windows in lots if windows},
        overrides={},
    )
    return msgspec.structs.replace(made, **other)


def a_month(**other: Any) -> ReportFacts:  # noqa: ANN401
    """东 is full every evening, 西 has room 300 m away, 远 lies 3 km off and is quiet."""
    east, west, far = lot("东"), lot("西", 200, metres_east=230), lot("远", metres_east=3_000)
    return facts(
        [
            (east, quarters(east, evenings_full())),
            (west, quarters(west, always(0.3, 200))),
            (far, quarters(far, working())),
        ],
        **other,
    )
