"""Pasts of simple towns: a hill of demand every day, as high as its day is busy."""

import datetime as dt
import math
from collections.abc import Callable

import numpy as np

from occupancy.calendar import Calendar, DayType, day_of
from routing.forecast_model import QUARTER_MS, QUARTERS
from routing.forecast_past import Past, Quarter, remember, start_of_day_ms
from routing.forecast_usual import DAYS_AHEAD

MONDAY = day_of(dt.date(2026, 5, 11))
BAYS = 100
Demand = Callable[[int, int], float]  # of day and quarter, cars


def hill(day: int, quarter: int) -> float:
    """Up to 60 cars on workdays, 30 on weekends, nobody at night."""
    busy = 30.0 if (day - MONDAY) % 7 > 4 else 60.0
    return busy * max(0.0, math.sin(math.pi * (quarter - 24) / 64))


def quarters(days: int, demand: Demand = hill, noise: float = 3.0, seed: int = 1) -> list[Quarter]:
    """Counts of a lot of a hundred bays, with a chance of each day and of each quarter."""
    chance = np.random.default_rng(seed)
    made = []
    for day in range(MONDAY, MONDAY + days):
        level = chance.normal(0, noise)
        for quarter in range(QUARTERS):
            cars = round(demand(day, quarter) + level + chance.normal(0, noise / 3))
            taken = min(max(cars, 0), BAYS)
            start_ms = start_of_day_ms(day) + quarter * QUARTER_MS
            made.append(Quarter(start_ms, taken, BAYS - taken, None, None))
    return made


def past_of(days: int, **lots: list[Quarter]) -> Past:
    calendar = Calendar({})
    kinds = [calendar.day_type(MONDAY + day) for day in range(days + DAYS_AHEAD)]
    return remember(lots, MONDAY, days, kinds)


def plain_kinds(days: int) -> list[DayType]:
    return [DayType.WORKDAY] * days
