"""What a tariff version changes: field by field in words, and the price of each stay before."""

from collections.abc import Iterator

import msgspec

from occupancy.calendar import Calendar
from occupancy.price_words import yuan
from occupancy.tariff import (
    Band,
    DayPlan,
    Exemption,
    Period,
    Rate,
    Tariff,
    VehicleClass,
    Waiver,
)
from occupancy.tariff_clock import clock_words
from occupancy.tariff_preview import (
    NO_PRICE,
    PreviewDay,
    PreviewRow,
    choose_days,
    price_anywhere,
    price_stays,
)
from occupancy.tariff_words import FIELDS, value_words

_NOT_TOLD = frozenset({"tariff_id", "version"})
_BETWEEN = " / "


class Change(msgspec.Struct, frozen=True):
    """A field whose value differs; None where there is no such field. `path` is the newer's."""

    path: str
    label: str
    before: str | None
    after: str | None


class PriceChange(msgspec.Struct, frozen=True):
    """One stay on one day: what it cost, what it will."""

    vehicle: VehicleClass
    row: PreviewRow
    day: PreviewDay
    before_fen: int | None
    after_fen: int | None

    @property
    def words(self) -> tuple[str, str]:
        """Before and after."""
        before, after = (
            NO_PRICE if fen is None else yuan(fen) for fen in (self.before_fen, self.after_fen)
        )
        return before, after


class Difference(msgspec.Struct, frozen=True):
    """All of it; `prices` holds only the stays whose price differs."""

    changes: tuple[Change, ...]
    days: tuple[PreviewDay, ...]
    prices: tuple[PriceChange, ...]


class _Leaf(msgspec.Struct, frozen=True):
    path: str
    label: str
    words: str


def compare(old: Tariff, new: Tariff, calendar: Calendar) -> Difference:
    """Prices are compared on the same days, those of the newer one."""
    days = choose_days(new.valid_from, calendar)
    return Difference(changes_of(old, new), days, tuple(_prices(old, new, calendar, days)))


def changes_of(old: Tariff, new: Tariff) -> tuple[Change, ...]:
    """In the newer one's order; what is gone stands at the end."""
    before, after = dict(_leaves(old, "", "", ())), dict(_leaves(new, "", "", ()))
    changed = [
        Change(leaf.path, leaf.label, _words(before.get(key)), leaf.words)
        for key, leaf in after.items()
        if _words(before.get(key)) != leaf.words
    ]
    gone = [
        Change(leaf.path, leaf.label, leaf.words, None)
        for key, leaf in before.items()
        if key not in after
    ]
    return (*changed, *gone)


def _words(leaf: _Leaf | None) -> str | None:
    return None if leaf is None else leaf.words


def _leaves(
    struct: msgspec.Struct, path: str, label: str, key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Leaf]]:
    """Every value with what it belongs to; rows of a list are known by name, not by number."""
    for field in struct.__struct_fields__:
        value = getattr(struct, field)
        if value is None or (not key and field in _NOT_TOLD):
            continue
        here = f"{path}.{field}" if path else field
        said = f"{label}{_BETWEEN}{FIELDS[field]}" if label else FIELDS[field]
        if isinstance(value, msgspec.Struct):
            yield from _leaves(value, here, said, (*key, field))
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            yield from _rows(value, here, label, (*key, field))
        else:
            yield (*key, field), _Leaf(here, said, value_words(field, value))


def _rows(
    rows: tuple[msgspec.Struct, ...], path: str, label: str, key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Leaf]]:
    names: dict[str, int] = {}
    for number, row in enumerate(rows):
        name = name_of_row(row, number)
        names[name] = names.get(name, 0) + 1
        told = name if names[name] == 1 else f"{name}（{names[name]}）"
        said = f"{label}{_BETWEEN}{told}" if label else told
        yield from _leaves(row, f"{path}[{number}]", said, (*key, told))


def name_of_row(row: msgspec.Struct, number: int) -> str:
    """By what an operator knows a row of a list."""
    if isinstance(row, Rate):
        return value_words("vehicles", row.vehicles)
    if isinstance(row, DayPlan):
        return value_words("day_types", row.day_types)
    if isinstance(row, Period):
        return f"{clock_words(row.start_minute)}起"
    if isinstance(row, Band):
        return f"时段“{row.name}”"
    if isinstance(row, Waiver | Exemption):
        return row.name
    return f"第{number + 1}档"


def _prices(
    old: Tariff, new: Tariff, calendar: Calendar, days: tuple[PreviewDay, ...]
) -> Iterator[PriceChange]:
    before, after = (_priced(one, calendar, days) for one in (old, new))
    for vehicle in VehicleClass:
        for number, row in enumerate(after.get(vehicle, before.get(vehicle, ()))):
            for place, day in enumerate(days):
                fees = tuple(
                    table[vehicle][number].fees_fen[place] if vehicle in table else None
                    for table in (before, after)
                )
                if fees[0] != fees[1]:
                    yield PriceChange(vehicle, row, day, *fees)


def _priced(
    tariff: Tariff, calendar: Calendar, days: tuple[PreviewDay, ...]
) -> dict[VehicleClass, tuple[PreviewRow, ...]]:
    priced = price_anywhere(tariff, calendar, days)
    return {
        vehicle: price_stays(priced, vehicle, days)
        for rate in tariff.rates
        for vehicle in rate.vehicles
    }
