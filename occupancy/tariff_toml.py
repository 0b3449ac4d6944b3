"""The language of tariffs: TOML to tariff and back; a refusal names file, line and rule.

A file holds one version of one tariff and, if it likes, worked examples. Keys are the model's;
times are written as clocks and dates: `start = "07:00"`, `valid_from = 2026-01-01T00:00:00`.
"""

import json
import tomllib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import msgspec

from occupancy.calendar import DayType, date_of, day_of
from occupancy.stay import EarlierStay, Stay
from occupancy.tariff import Tariff, VehicleClass
from occupancy.tariff_check import Finding, Severity, errors_of
from occupancy.tariff_clock import DAY_MINUTES, clock_words, utc_ms
from occupancy.tariff_lines import line_of

_EVERY_DAY = "every_day"
_WITHOUT_QUOTES = frozenset({"valid_from", "valid_to", "first_day", "last_day"})
_HOUR = 60
_MINUTE_MS = 60_000


class TariffFileError(Exception):
    """The file holds no tariff that may be used; each line names file, line, rule and way out."""

    def __init__(self, name: str, text: str, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        self.lines = tuple(
            f"{name}:{line_of(text, found.path)}: [{found.rule}] {found.path}: {found.message}"
            for found in self.findings
        )
        super().__init__("\n".join(self.lines))


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A worked example: local times as written in the file, and what the stay costs."""

    arrive: datetime
    leave: datetime
    fee_fen: int
    why: str = ""
    vehicle: VehicleClass = VehicleClass.CAR
    new_energy: bool = False
    exemption: str | None = None
    earlier: tuple[dict[str, Any], ...] = ()

    def stay(self) -> Stay:
        return Stay(
            moment_ms(self.arrive),
            moment_ms(self.leave),
            self.vehicle,
            self.new_energy,
            self.exemption,
            tuple(
                EarlierStay(moment_ms(one["arrive"]), moment_ms(one["leave"]), one["paid_fen"])
                for one in self.earlier
            ),
        )


class TariffFile(msgspec.Struct, frozen=True):
    """One file: the tariff, and examples that a test works out again."""

    tariff: Tariff
    examples: tuple[Example, ...]


def parse_tariff(text: str, name: str) -> TariffFile:
    """The tariff of a TOML text; raises TariffFileError, naming `name` and the line."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        finding = Finding(Severity.ERROR, "not_toml", "", str(broken))
        raise TariffFileError(name, text, [finding]) from None
    raw_examples = raw.pop("example", [])
    try:
        tariff = msgspec.convert(_from_clocks(raw), Tariff)
        examples = msgspec.convert(raw_examples, tuple[Example, ...])
    except (msgspec.ValidationError, _BadValueError) as broken:
        raise TariffFileError(name, text, [_finding_of(str(broken))]) from None
    if found := errors_of(tariff):
        raise TariffFileError(name, text, found)
    return TariffFile(tariff, examples)


class _BadValueError(Exception):
    """A time or date is not written as it should be; says where."""


def _finding_of(message: str) -> Finding:
    """Msgspec writes `what - at `$.path``."""
    what, _, path = message.partition(" - at `$")
    return Finding(Severity.ERROR, "bad_value", path.strip(".`"), what)


def _from_clocks(raw: dict[str, Any]) -> dict[str, Any]:
    """The file's clocks and dates as the model's whole minutes and days."""
    made = dict(raw)
    for key in ("valid_from", "valid_to"):
        if key in made:
            made[key] = _at(key, local_minute_of, made[key])
    for number, rate in enumerate(_tables(made.get("rates"))):
        for plan_number, plan in enumerate(_tables(rate.get("day_plans"))):
            path = f"rates[{number}].day_plans[{plan_number}]"
            if plan.get("day_types") == _EVERY_DAY:
                plan["day_types"] = list(DayType)
            for period_number, period in enumerate(_tables(plan.get("periods"))):
                _clocks(period, f"{path}.periods[{period_number}]")
    for number, waiver in enumerate(_tables(made.get("waivers"))):
        path = f"waivers[{number}]"
        for key in ("first_day", "last_day"):
            if key in waiver:
                waiver[key] = _at(f"{path}.{key}", _day, waiver[key])
        _clocks(waiver, path)
    return made


def _tables(found: object) -> list[dict[str, Any]]:
    """What should be a list of tables; what is not is left for msgspec to name."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _clocks(table: dict[str, Any], path: str) -> None:
    for key in ("start", "end"):
        if key in table:
            table[f"{key}_minute"] = _at(f"{path}.{key}", minute_of_clock, table.pop(key))


def _at(path: str, read: Callable[[Any], int], value: object) -> int:
    try:
        return read(value)
    except (ValueError, TypeError) as reason:
        raise _BadValueError(f"{reason} - at `$.{path}`") from None


def minute_of_clock(value: object) -> int:
    """07:30 to 450; 24:00 is the end of the day."""
    hours, colon, minutes = str(value).partition(":")
    is_clock = colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal()  # noqa: PLR2004
    if not is_clock or int(minutes) >= _HOUR or int(hours) * _HOUR + int(minutes) > DAY_MINUTES:
        raise ValueError(f'{value!r} is no time of day; write "07:30", at most "24:00"')
    return int(hours) * _HOUR + int(minutes)


def local_minute_of(value: object) -> int:
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise ValueError(f"{value} is no local time; write 2026-01-01T00:00:00 without offset")
    return day_of(value.date()) * DAY_MINUTES + value.hour * _HOUR + value.minute


def moment_ms(value: datetime) -> int:
    return utc_ms(local_minute_of(value)) + value.second * 1000


def _day(value: object) -> int:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"{value} is no date; write 2026-10-01")  # noqa: TRY004 -- one cause
    return day_of(value)


def as_written(tariff: Tariff) -> dict[str, Any]:
    """The tariff under the keys of its file, with clocks, dates and local times as text."""
    raw: dict[str, Any] = msgspec.to_builtins(tariff)
    for key in ("valid_from", "valid_to"):
        if raw[key] is not None:
            raw[key] = _local_time(raw[key])
    for waiver in raw["waivers"]:
        _write_hours(waiver)
    for rate in raw["rates"]:
        for plan in rate["day_plans"]:
            for period in plan["periods"]:
                _write_hours(period)
    return raw


def write_tariff(tariff: Tariff) -> str:
    """The same tariff as a TOML text; `parse_tariff` reads it back equal."""
    raw = as_written(tariff)
    tables = {key: raw.pop(key) for key in ("rates", "waivers", "exemptions")}
    lines = _pairs(raw)
    for key, rows in tables.items():
        for row in rows:
            lines += ["", f"[[{key}]]", *_pairs(row)]
    return "\n".join(lines) + "\n"


def _write_hours(table: dict[str, Any]) -> None:
    for key in ("start", "end"):
        table[key] = clock_words(table.pop(f"{key}_minute"))
    for key in ("first_day", "last_day"):
        if key in table:
            table[key] = date_of(table[key]).isoformat()


def _local_time(minute: int) -> str:
    day, minute_of_day = divmod(minute, DAY_MINUTES)
    return f"{date_of(day).isoformat()}T{clock_words(minute_of_day)}:00"


def _pairs(table: dict[str, Any]) -> list[str]:
    return [
        f"{key} = {value if key in _WITHOUT_QUOTES else _rows(value)}"
        for key, value in table.items()
        if value is not None
    ]


def _rows(value: object) -> str:
    """A row a line for a list of tables, so that a refusal can name its line."""
    if isinstance(value, tuple) and value and isinstance(value[0], dict):
        return "[\n" + "".join(f"    {_value(one)},\n" for one in value) + "]"
    return _value(value)


def _value(value: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{key} = {_value(one)}" for key, one in value.items() if one is not None]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
