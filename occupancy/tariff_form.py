"""A tariff as fields of a form: each value as a person types it, and back into the draft's text.

A form changes values. Bands, tiers, hours and whom they are for are added and removed in the text.
"""

import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

from occupancy.calendar import date_of, day_of
from occupancy.tariff import Band, Tariff
from occupancy.tariff_check import Severity
from occupancy.tariff_clock import DAY_MINUTES, clock_words
from occupancy.tariff_diff import name_of_row
from occupancy.tariff_draft import Remark
from occupancy.tariff_toml import local_minute_of, minute_of_clock, parse_tariff, write_tariff
from occupancy.tariff_words import FIELDS, value_words

_FEN = 100
_BETWEEN = " / "
_NOT_IN_FORM = frozenset({"tariff_id", "vehicles", "day_types", "band"})
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")
_YUAN = re.compile(r"(-?[0-9]{1,8}(?:\.[0-9]{1,2})?)元?")
_MOMENTS = frozenset({"valid_from", "valid_to"})
_DAYS = frozenset({"first_day", "last_day"})


class FieldKind(StrEnum):
    """How a value is typed."""

    TEXT = "text"
    NUMBER = "number"  # a whole one
    MINUTES = "minutes"
    YUAN = "yuan"  # 3.5; several with 、 between them where it is a list
    CLOCK = "clock"  # 07:00
    MOMENT = "moment"  # 2026-12-01T00:00, as datetime-local gives it
    DATE = "date"
    CHOICE = "choice"


class FormField(msgspec.Struct, frozen=True):
    """One value; `choices` are (value, words). An empty value is none, where it `may_be_empty`."""

    path: str
    label: str
    kind: FieldKind
    value: str
    may_be_empty: bool = False
    choices: tuple[tuple[str, str], ...] = ()


class Filled(msgspec.Struct, frozen=True):
    """A form put into the text; None and what is wrong beside its field otherwise."""

    text: str | None
    remarks: tuple[Remark, ...] = ()


def form_of(tariff: Tariff) -> tuple[FormField, ...]:
    return tuple(_fields(tariff, "", ""))


def fill_form(text: str, values: Mapping[str, str]) -> Filled:
    """The draft's text with these values by path; all or none. Its comments are lost.

    Raises TariffFileError for a text that holds no tariff.
    """
    file = parse_tariff(text, "draft")
    tariff, remarks = file.tariff, list[Remark]()
    known = {one.path: one for one in form_of(tariff)}
    for path, typed in values.items():
        try:
            if path not in known:
                raise ValueError("没有这一项，请刷新页面")  # noqa: TRY301 -- told beside its field
            tariff = _put(tariff, path.split("."), _read(known[path], typed.strip()))
        except ValueError as wrong:
            remarks.append(Remark(path, 1, Severity.ERROR, "bad_value", str(wrong)))
    if remarks:
        return Filled(None, tuple(remarks))
    return Filled(write_tariff(tariff) + _examples(text))


def _fields(struct: msgspec.Struct, path: str, label: str) -> Iterator[FormField]:
    hints = get_type_hints(type(struct))
    for name in struct.__struct_fields__:
        value, here = getattr(struct, name), f"{path}.{name}" if path else name
        if name in _NOT_IN_FORM or (isinstance(struct, Band) and name == "name"):
            continue
        said = f"{label}{_BETWEEN}{FIELDS[name]}" if label else FIELDS[name]
        if isinstance(value, msgspec.Struct):
            yield from _fields(value, here, said)
        elif _is_rows(value):
            for number, row in enumerate(value):
                row_label = name_of_row(row, number)
                within = f"{label}{_BETWEEN}{row_label}" if label else row_label
                yield from _fields(row, f"{here}[{number}]", within)
        elif (kind := _kind(name, hints[name])) is not None:
            yield _field(name, here, said, kind, hints[name], value)


def _is_rows(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], msgspec.Struct)


def _kind(name: str, hint: Any) -> FieldKind | None:  # noqa: ANN401 -- a type
    """None for what a form does not hold: tables that are not there, lists of tables."""
    plain = _plain(hint)
    if plain is bool or (isinstance(plain, type) and issubclass(plain, StrEnum)):
        return FieldKind.CHOICE
    if name.endswith("_fen"):
        return FieldKind.YUAN
    if plain is str or plain == tuple[str, ...]:
        return FieldKind.TEXT
    return _number_kind(name) if plain is int else None


def _number_kind(name: str) -> FieldKind:
    if name in _MOMENTS:
        return FieldKind.MOMENT
    if name in _DAYS:
        return FieldKind.DATE
    if name.endswith("_minute"):
        return FieldKind.CLOCK
    return FieldKind.MINUTES if name.endswith("minutes") else FieldKind.NUMBER


def _plain(hint: Any) -> Any:  # noqa: ANN401 -- a type
    """`int` of `int | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        (one,) = (part for part in get_args(hint) if part is not type(None))
        return one
    return hint


def _field(
    name: str,
    path: str,
    label: str,
    kind: FieldKind,
    hint: Any,  # noqa: ANN401 -- a type
    value: object,
) -> FormField:
    choices: tuple[tuple[str, str], ...] = ()
    if kind is FieldKind.CHOICE:
        members: Sequence[Any] = (True, False) if _plain(hint) is bool else list(_plain(hint))
        choices = tuple((_typed(kind, one), value_words(name, one)) for one in members)
    is_empty = hint != _plain(hint) or isinstance(value, tuple) or name == "source"
    return FormField(path, label, kind, _typed(kind, value), is_empty, choices)


def _typed(kind: FieldKind, value: Any) -> str:  # noqa: ANN401 -- whatever the model holds
    """As it stands in its field."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "、".join(_typed(kind, one) for one in value)
    return _WRITERS.get(kind, str)(value)


def _moment(minute: int) -> str:
    day, minute_of_day = divmod(minute, DAY_MINUTES)
    return f"{date_of(day).isoformat()}T{clock_words(minute_of_day)}"


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / _FEN:f}"


def _choice(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_WRITERS: Mapping[FieldKind, Callable[[Any], str]] = {
    FieldKind.MOMENT: _moment,
    FieldKind.DATE: lambda day: date_of(day).isoformat(),
    FieldKind.CLOCK: clock_words,
    FieldKind.YUAN: _yuan,
    FieldKind.CHOICE: _choice,
}


def _read(field: FormField, typed: str) -> object:
    """What was typed, as the model holds it. Raises ValueError."""
    name = field.path.rpartition(".")[2]
    if not typed and not field.may_be_empty:
        raise ValueError("请填写")
    if name in ("amounts_fen", "placeholders"):
        return tuple(_READERS[field.kind](one) for one in re.split(r"[、,，\s]+", typed) if one)
    if not typed and name != "source":
        return None
    if field.kind is FieldKind.CHOICE and typed not in dict(field.choices):
        raise ValueError(f"可选：{'、'.join(value for value, _ in field.choices)}")
    if field.kind is FieldKind.CHOICE and typed in ("true", "false"):
        return typed == "true"
    return _READERS[field.kind](typed)


def _whole(typed: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", typed):
        raise ValueError("应为整数")
    return int(typed)


def _fen(typed: str) -> int:
    found = _YUAN.fullmatch(typed)
    if found is None:
        raise ValueError("应为金额（元），如 3 或 2.5，最小到分")
    return int(Decimal(found[1]) * _FEN)


def _minute(typed: str) -> int:
    try:
        return local_minute_of(datetime.fromisoformat(typed))
    except ValueError:
        raise ValueError("应为当地时间，如 2026-12-01T00:00") from None


def _day(typed: str) -> int:
    try:
        return day_of(date.fromisoformat(typed))
    except ValueError:
        raise ValueError("应为日期，如 2026-12-01") from None


def _clock(typed: str) -> int:
    try:
        return minute_of_clock(typed)
    except ValueError:
        raise ValueError("应为时刻，如 07:30，最晚 24:00") from None


_READERS: Mapping[FieldKind, Callable[[str], object]] = {
    FieldKind.TEXT: str,
    FieldKind.CHOICE: str,
    FieldKind.NUMBER: _whole,
    FieldKind.MINUTES: _whole,
    FieldKind.YUAN: _fen,
    FieldKind.CLOCK: _clock,
    FieldKind.MOMENT: _minute,
    FieldKind.DATE: _day,
}


def _put(struct: Any, steps: Sequence[str], value: object) -> Any:  # noqa: ANN401 -- any table
    """The same with one value another."""
    name, number = _STEP.fullmatch(steps[0]).groups()  # type: ignore[union-attr]
    if number is not None:
        rows = list(getattr(struct, name))
        rows[int(number)] = _put(rows[int(number)], steps[1:], value)
        return replace(struct, **{name: tuple(rows)})
    inner = value if len(steps) == 1 else _put(getattr(struct, name), steps[1:], value)
    return replace(struct, **{name: inner})


def _examples(text: str) -> str:
    """The worked examples as they stand in the text: a form does not touch them."""
    kept, is_example = list[str](), False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            is_example = line.lstrip(" \t[").startswith("example")
        if is_example:
            kept.append(line)
    return "".join(f"{line}\n" for line in ["", *kept]) if kept else ""
