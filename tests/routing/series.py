"""Small towns of car parks with a day of their own, as a series."""

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from routing.series_grid import Sighting

FIRST_DAY = dt.datetime(2016, 10, 3, tzinfo=dt.UTC).replace(tzinfo=None)  # a Monday
HEADER = "SystemCodeNumber,Capacity,Occupancy,LastUpdated"


def sightings(lots: int, days: int, first: int = 0, seed: int = 1) -> Iterator[Sighting]:
    """Every half hour of 08:00 to 16:30: a hill each day, with a level of its own."""
    chance = np.random.default_rng(seed)
    for day in range(first, first + days):
        level = chance.normal(0, 0.05)
        for lot in range(lots):
            for slot in range(18):
                hill = math.sin(math.pi * (slot + lot) / 20) * (0.6 if day % 7 > 4 else 0.9)
                share = hill + level + chance.normal(0, 0.01)
                at = FIRST_DAY + dt.timedelta(days=day, minutes=480 + 30 * slot, seconds=lot)
                yield Sighting(f"lot{lot}", 200.0, float(round(200 * share)), at)


def write(path: Path, rows: Iterator[Sighting] | list[Sighting]) -> Path:
    lines = [f"{one.lot},{one.capacity:.0f},{one.occupied:.0f},{one.at}" for one in rows]
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path
