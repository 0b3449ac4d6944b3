"""Someone else's occupancy series from a CSV file: read leniently, refused with file and line."""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from routing.series_grid import Sighting

COLUMNS = ("SystemCodeNumber", "Capacity", "Occupancy", "LastUpdated")
_NUMBERS_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})[ T]+(.+)")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})[ T]+(.+)")
_DIGITS = re.compile(r"\d{9,11}(\.\d+)?")
_MONTHS = 12
_YEARS = range(1970, 2200)


class BadSeriesError(Exception):
    """A series that cannot be read; says where and what to do."""


class Series(NamedTuple):
    """A file's rows in its own order, and what is odd about them."""

    sightings: list[Sighting]
    oddities: dict[str, int]


def read_series(path: Path) -> Series:
    """Raises BadSeriesError, which names the file and the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sightings = list(_rows(path, csv.reader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as trouble:
        raise BadSeriesError(f"{path}: cannot be read as a CSV file in UTF-8: {trouble}") from None
    if not sightings:
        raise BadSeriesError(f"{path}: no rows under its header")
    return Series(sightings, _oddities(sightings))


def _rows(path: Path, lines: Iterator[list[str]]) -> Iterator[Sighting]:
    places = _places(path, next(lines, []))
    numbered = [(number, line) for number, line in enumerate(lines, 2) if line]
    short = next((number for number, line in numbered if len(line) <= max(places)), None)
    if short is not None:
        raise BadSeriesError(f"{path}:{short}: fewer columns than the header names")
    day_first = _is_day_first(path, ((number, line[places[3]]) for number, line in numbered))
    for number, line in numbered:
        lot, capacity, occupied, at = (line[place].strip() for place in places)
        if not lot:
            raise BadSeriesError(f"{path}:{number}: {COLUMNS[0]} is empty")
        bays = _number(path, number, COLUMNS[1], capacity)
        if bays <= 0:
            raise BadSeriesError(f"{path}:{number}: Capacity={capacity!r} must be above 0")
        cars = _number(path, number, COLUMNS[2], occupied)
        yield Sighting(lot, bays, cars, _moment(path, number, at, day_first=day_first))


def _places(path: Path, header: list[str]) -> list[int]:
    names = [name.strip() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadSeriesError(
            f"{path}:1: no column {', '.join(missing)}; a series has {', '.join(COLUMNS)}"
        )
    return [names.index(name) for name in COLUMNS]


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise BadSeriesError(f"{path}:{line}: {name}={text!r} is not a number")
    return value


def _is_day_first(path: Path, times: Iterable[tuple[int, str]]) -> bool:
    """Whether 04/10/2016 is October: some row of the file must tell."""
    doubtful = 0
    for number, text in times:
        match = _NUMBERS_FIRST.fullmatch(text.strip())
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if first > _MONTHS or second > _MONTHS:
            return first > _MONTHS
        doubtful = doubtful or number
    if doubtful:
        raise BadSeriesError(
            f"{path}:{doubtful}: no row of the file tells day from month; "
            "write times as 2016-10-04 07:59:42"
        )
    return False


def _moment(path: Path, line: int, text: str, *, day_first: bool) -> dt.datetime:
    """Local wall time; a zone is dropped, since occupancy follows the clock on the wall."""
    try:
        if _DIGITS.fullmatch(text):
            return dt.datetime.fromtimestamp(float(text), tz=dt.UTC).replace(tzinfo=None)
        at = dt.datetime.fromisoformat(_as_iso(text, day_first=day_first)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        at = None
    if at is None or at.year not in _YEARS:
        raise BadSeriesError(
            f"{path}:{line}: LastUpdated={text!r} is not a time such as 2016-10-04 07:59:42"
        )
    return at


def _as_iso(text: str, *, day_first: bool) -> str:
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day, clock = match.groups()
    elif match := _NUMBERS_FIRST.fullmatch(text):
        first, second, year, clock = match.groups()
        day, month = (first, second) if day_first else (second, first)
    else:
        return text
    hour, _, rest = clock.strip().partition(":")
    return f"{year}-{month:>02}-{day:>02}T{hour:>02}:{rest}"


def _oddities(sightings: list[Sighting]) -> dict[str, int]:
    return {
        "rows": len(sightings),
        "duplicates": len(sightings) - len({(one.lot, one.at) for one in sightings}),
        "negative": sum(one.occupied < 0 for one in sightings),
        "over_capacity": sum(one.occupied > one.capacity for one in sightings),
    }
