"""A town and a day in it as a folder of files, so that anybody's town can be measured."""

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

LOTS, TRIPS, INITIAL, RULES, HISTORY = (
    "lots.csv",
    "trips.csv",
    "initial.csv",
    "world.toml",
    "history",
)
_LOT_COLUMNS = ("id", "capacity", "x_m", "y_m", "fen_per_hour")
_TRIP_COLUMNS = (
    "minute",
    "from_x_m",
    "from_y_m",
    "to_x_m",
    "to_y_m",
    "stay_minutes",
    "guided",
    "drive_factor",
)
_INITIAL_COLUMNS = ("lot", "leaves_at_minute")


class BadWorldError(Exception):
    """A world's file says something that cannot be; the message names file, line and column."""


@dataclass(frozen=True)
class Lots:
    """The car parks; begun hours count."""

    ids: tuple[str, ...]
    capacity: IntArray
    x_m: FloatArray
    y_m: FloatArray
    fen_per_hour: FloatArray


@dataclass(frozen=True)
class Trips:
    """One day's drivers, in the order in which they ask."""

    minute: FloatArray
    from_x_m: FloatArray
    from_y_m: FloatArray
    to_x_m: FloatArray
    to_y_m: FloatArray
    stay_minutes: FloatArray
    guided: BoolArray
    drive_factor: FloatArray

    def __len__(self) -> int:
        return len(self.minute)

    def only(self, which: BoolArray | IntArray) -> "Trips":
        return Trips(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass(frozen=True)
class Initial:
    """The cars that stand there at minute 0: in which lot (its place), and until when."""

    lot: IntArray
    leaves_at_minute: FloatArray


@dataclass(frozen=True)
class Day:
    trips: Trips
    initial: Initial


@dataclass(frozen=True)
class Overflow:
    """The unlimited last resort."""

    x_m: float
    y_m: float
    walk_minutes: float
    fen_per_hour: float


@dataclass(frozen=True)
class Rules:
    """How fast one drives and walks in this town, and what things are worth."""

    drive_speed_m_per_min: float
    drive_detour: float
    walk_speed_m_per_min: float
    walk_detour: float
    full_penalty_minutes: float
    reroute_speed_m_per_min: float
    reroute_detour: float
    fee_weight_minutes_per_yuan: float
    live_count_age_minutes: float
    overflow: Overflow


@dataclass(frozen=True)
class World:
    """`history_left_out` says which earlier days could not be read, and why."""

    lots: Lots
    rules: Rules
    day: Day
    history: tuple[Day, ...]
    history_left_out: tuple[str, ...] = ()


def read_world(folder: Path) -> World:
    lots = _read_lots(folder / LOTS)
    rules = _read_rules(folder / RULES)
    history, left_out = [], []
    for past in _history_folders(folder / HISTORY):
        try:
            history.append(_read_day(past, lots))
        except BadWorldError as bad:
            left_out.append(str(bad))
    return World(lots, rules, _read_day(folder, lots), tuple(history), tuple(left_out))


def _history_folders(folder: Path) -> list[Path]:
    return sorted(past for past in folder.iterdir() if past.is_dir()) if folder.is_dir() else []


class _Cell:
    """One value of a CSV file, which knows where it stands."""

    def __init__(self, file: Path, line: int, column: str, text: str) -> None:
        self.file, self.line, self.column, self.text = file, line, column, text

    def refuse(self, why: str) -> BadWorldError:
        return BadWorldError(
            f"{self.file}, line {self.line}, column {self.column}: {self.text!r} {why}"
        )

    def number(self) -> float:
        try:
            value = float(self.text)
        except ValueError:
            raise self.refuse("is not a number") from None
        if not isfinite(value):
            raise self.refuse("is not a finite number")
        return value

    def at_least_zero(self) -> float:
        value = self.number()
        if value < 0:
            raise self.refuse("is negative")
        return value

    def positive(self) -> float:
        value = self.number()
        if value <= 0:
            raise self.refuse("is not above zero")
        return value

    def whole(self) -> int:
        value = self.at_least_zero()
        if value != int(value):
            raise self.refuse("is not a whole number")
        return int(value)

    def yes_or_no(self) -> bool:
        if self.text not in {"0", "1"}:
            raise self.refuse("is neither 0 nor 1")
        return self.text == "1"


def _rows(file: Path, columns: Sequence[str]) -> Iterator[dict[str, _Cell]]:
    """Row by row the named columns, in whatever order they stand; others are not looked at."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadWorldError(f"{file} is missing") from None
    except UnicodeDecodeError as bad:
        raise BadWorldError(f"{file} is not UTF-8: {bad}") from None
    lines = csv.reader(text.splitlines())
    header = [name.strip() for name in next(lines, [])]
    missing = [name for name in columns if name not in header]
    if missing:
        raise BadWorldError(f"{file}, line 1: column {', '.join(missing)} is missing")
    places = {name: header.index(name) for name in columns}
    for row in lines:
        if not row:
            continue
        if len(row) < len(header):
            raise BadWorldError(
                f"{file}, line {lines.line_num}: {len(row)} values for {len(header)} columns"
            )
        yield {
            name: _Cell(file, lines.line_num, name, row[place].strip())
            for name, place in places.items()
        }


def _read_lots(file: Path) -> Lots:
    ids: dict[str, int] = {}
    numbers: list[tuple[int, float, float, float]] = []
    for row in _rows(file, _LOT_COLUMNS):
        cell = row["id"]
        if not cell.text:
            raise cell.refuse("is no name")
        if cell.text in ids:
            raise cell.refuse(f"is already the lot of line {ids[cell.text]}")
        ids[cell.text] = cell.line
        place = row["x_m"].number(), row["y_m"].number()
        numbers.append((row["capacity"].whole(), *place, row["fen_per_hour"].at_least_zero()))
    if not ids:
        raise BadWorldError(f"{file} names no lot")
    capacity, x_m, y_m, fen = (
        np.array(column, np.float64) for column in zip(*numbers, strict=True)
    )
    return Lots(tuple(ids), capacity.astype(np.int64), x_m, y_m, fen)


def _read_day(folder: Path, lots: Lots) -> Day:
    return Day(_read_trips(folder / TRIPS), _read_initial(folder / INITIAL, lots))


_TRIP_READERS: Mapping[str, Callable[[_Cell], float]] = {
    "minute": _Cell.at_least_zero,
    "from_x_m": _Cell.number,
    "from_y_m": _Cell.number,
    "to_x_m": _Cell.number,
    "to_y_m": _Cell.number,
    "stay_minutes": _Cell.at_least_zero,
    "guided": _Cell.yes_or_no,
    "drive_factor": _Cell.positive,
}


def _read_trips(file: Path) -> Trips:
    rows = [
        [read(row[name]) for name, read in _TRIP_READERS.items()]
        for row in _rows(file, _TRIP_COLUMNS)
    ]
    table = np.array(rows, np.float64).reshape(-1, len(_TRIP_COLUMNS))
    table = table[np.argsort(table[:, 0], kind="stable")]
    minute, from_x, from_y, to_x, to_y, stay, guided, factor = table.T
    return Trips(minute, from_x, from_y, to_x, to_y, stay, guided > 0, factor)


def _read_initial(file: Path, lots: Lots) -> Initial:
    places = {lot_id: place for place, lot_id in enumerate(lots.ids)}
    standing, leaves = [], []
    cars = np.zeros(len(places), np.int64)
    for row in _rows(file, _INITIAL_COLUMNS):
        cell = row["lot"]
        if cell.text not in places:
            raise cell.refuse(f"is no lot of {LOTS}")
        place = places[cell.text]
        cars[place] += 1
        if cars[place] > lots.capacity[place]:
            raise cell.refuse(f"has more cars than its {lots.capacity[place]} spaces")
        standing.append(place)
        leaves.append(row["leaves_at_minute"].number())
    return Initial(np.array(standing, np.int64), np.array(leaves, np.float64))


def _read_rules(file: Path) -> Rules:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadWorldError(f"{file} is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise BadWorldError(f"{file}: {bad}") from None
    names = [field.name for field in fields(Rules) if field.name != "overflow"]
    plain = {name: _rule(file, told, name, name) for name in names}
    table = told.get("overflow")
    if not isinstance(table, dict):
        raise BadWorldError(f"{file}: table [overflow] is missing")
    last = {f.name: _rule(file, table, f.name, f"overflow.{f.name}") for f in fields(Overflow)}
    return Rules(**plain, overflow=Overflow(**last))


_MAY_BE_NEGATIVE = {"x_m", "y_m"}


def _rule(file: Path, table: Mapping[str, Any], key: str, name: str) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise BadWorldError(f"{file}: {name} = {value!r} is not a number")
    if key not in _MAY_BE_NEGATIVE and value < 0:
        raise BadWorldError(f"{file}: {name} = {value!r} is negative")
    if "speed" in key and value == 0:
        raise BadWorldError(f"{file}: {name} = {value!r}: nobody would ever arrive")
    return float(value)


def write_world(folder: Path, world: World) -> None:
    """The same files that `read_world` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    lots = world.lots
    columns = (lots.ids, lots.capacity, lots.x_m, lots.y_m, lots.fen_per_hour)
    _write(folder / LOTS, _LOT_COLUMNS, zip(*columns, strict=True))
    (folder / RULES).write_text(_rules_text(world.rules), encoding="utf-8")
    _write_day(folder, world.day, lots)
    for number, past in enumerate(world.history, start=1):
        _write_day(folder / HISTORY / f"day_{number:02}", past, lots)


def _write_day(folder: Path, day: Day, lots: Lots) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: getattr(day.trips, name) for name in _TRIP_COLUMNS}
    values["guided"] = day.trips.guided.astype(np.int64)
    _write(folder / TRIPS, _TRIP_COLUMNS, zip(*values.values(), strict=True))
    names = [lots.ids[place] for place in day.initial.lot]
    _write(
        folder / INITIAL, _INITIAL_COLUMNS, zip(names, day.initial.leaves_at_minute, strict=True)
    )


def _write(file: Path, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _rules_text(rules: Rules) -> str:
    plain = [f.name for f in fields(rules) if f.name != "overflow"]
    lines = [f"{name} = {getattr(rules, name)!r}" for name in plain]
    lines += ["", "[overflow]"]
    lines += [f"{f.name} = {getattr(rules.overflow, f.name)!r}" for f in fields(Overflow)]
    return "\n".join(lines) + "\n"
