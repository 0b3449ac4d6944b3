"""A car park's facts as fields of a form: each value as a person types it, and back into facts."""

import math
from collections.abc import Mapping

import msgspec

from gateway.datum import Datum
from occupancy.coordinates import from_datum, to_gcj02
from occupancy.lot import (
    Lot,
    MachineGroup,
    OpeningHours,
    OpeningState,
    Place,
    Thresholds,
    VehicleLimits,
)
from occupancy.lot_change import CONFIRMABLE
from occupancy.web.admin.fields import whole_number

Form = Mapping[str, str]
DATUMS = tuple(Datum)
DECIMALS = 6
TEXTS = ("name", "short_name", "address", "hotline")
LIMITS = ("length_metres", "width_metres", "height_metres", "weight_tonnes")
SPACES = ("almost_full_free", "full_free", "hysteresis_free")
PERCENTS = ("almost_full_percent", "full_percent", "hysteresis_percent")
COVERED = {"": None, "yes": True, "no": False}
_HOUR_MINUTES = 60
_MOST_DIGITS = 20


def as_form(lot: Lot) -> dict[str, str]:
    hours = lot.opening_hours
    return {
        "name": lot.name,
        "short_name": lot.short_name,
        "address": lot.address,
        "hotline": lot.hotline,
        "datum": "wgs84",
        "latitude": f"{lot.entrance.latitude:.{DECIMALS}f}",
        "longitude": f"{lot.entrance.longitude:.{DECIMALS}f}",
        "capacity": str(lot.capacity),
        "groups": "\n".join(_group_line(group) for group in lot.groups),
        **{name: f"{getattr(lot.limits, name):g}" for name in LIMITS},
        **{name: f"{getattr(lot.thresholds, name):g}" for name in (*SPACES, *PERCENTS)},
        "opening": lot.opening.value,
        "opens": "" if hours is None else _clock(hours.from_minute),
        "closes": "" if hours is None else _clock(hours.until_minute),
        "covered": next(word for word, covered in COVERED.items() if covered is lot.covered),
        "takes_new_energy": "yes" if lot.takes_new_energy else "",
        "unconfirmed": "\n".join(lot.placeholders),
    }


def in_gcj02(place: Place) -> Place:
    """As Chinese maps show it, for the page that tells both."""
    shown = to_gcj02(place)
    return Place(round(shown.latitude, DECIMALS), round(shown.longitude, DECIMALS))


def read_form(form: Form, before: Lot) -> tuple[Lot, dict[str, str]]:
    """The facts as typed, and words beside every field that cannot be read (kept as before)."""
    errors: dict[str, str] = {}
    numbers = {name: _number(form, name, errors) for name in (*LIMITS, *PERCENTS)}
    spaces = {name: _whole(form, name, errors) for name in (*SPACES, "capacity")}
    marks = form.get("unconfirmed", "").split()
    wanted = msgspec.structs.replace(
        before,
        **{name: form.get(name, "").strip() for name in TEXTS},
        entrance=_place(form, before.entrance, errors),
        capacity=spaces["capacity"],
        groups=_groups(form.get("groups", ""), before.groups, errors),
        limits=VehicleLimits(*(numbers[name] for name in LIMITS)),
        thresholds=Thresholds(
            *(spaces[name] for name in SPACES), *(numbers[name] for name in PERCENTS)
        ),
        opening=OpeningState.CLOSED if form.get("opening") == "closed" else OpeningState.OPEN,
        opening_hours=_hours(form, errors),
        covered=COVERED.get(form.get("covered", "")),
        takes_new_energy=form.get("takes_new_energy") == "yes",
        placeholders=tuple(name for name in CONFIRMABLE if name in marks),
    )
    return wanted, errors


def _number(form: Form, name: str, errors: dict[str, str]) -> float:
    raw = form.get(name, "").strip()
    try:
        value = float(raw[:_MOST_DIGITS]) if len(raw) <= _MOST_DIGITS else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        errors[name] = f"“{raw[:20]}”不是数字"
        return 0.0
    return value


def _whole(form: Form, name: str, errors: dict[str, str]) -> int:
    raw = form.get(name, "")
    value = whole_number(raw)
    if value is None:
        errors[name] = f"“{raw[:20]}”不是整数"
        return 0
    return value


def _place(form: Form, before: Place, errors: dict[str, str]) -> Place:
    latitude, longitude = (_number(form, name, errors) for name in ("latitude", "longitude"))
    datum = form.get("datum", "")
    if datum not in DATUMS:
        errors["datum"] = "请选择坐标是哪一种"
    if {"latitude", "longitude", "datum"} & set(errors):
        return before
    place = from_datum(Datum(datum), Place(latitude, longitude))
    # A field that was not touched must not move the entrance by its rounding.
    is_same = as_typed(place) == as_typed(before)
    return before if is_same else Place(round(place.latitude, 7), round(place.longitude, 7))


def as_typed(place: Place) -> tuple[str, str]:
    return f"{place.latitude:.{DECIMALS}f}", f"{place.longitude:.{DECIMALS}f}"


def _groups(
    text: str, before: tuple[MachineGroup, ...], errors: dict[str, str]
) -> tuple[MachineGroup, ...]:
    """A line a machine: its id, then its bays from the ground level up."""
    types = {group.group_id: group.bay_type for group in before}
    groups = []
    for line in text.split("\n"):
        name, *told = line.split()[:40] or [""]
        if not name:
            continue
        bays = [whole_number(one) for one in told]
        if not bays or None in bays:
            errors["groups"] = f"“{line.strip()[:30]}”读不懂：每行写机组编号和各层车位，如 g1 6 7 7"
            return before
        known = tuple(one for one in bays if one is not None)
        groups.append(MachineGroup(name, known, types.get(name, "suv")))
    return tuple(groups)


def _hours(form: Form, errors: dict[str, str]) -> OpeningHours | None:
    """Both empty: round the clock."""
    opens, closes = form.get("opens", "").strip(), form.get("closes", "").strip()
    if not opens and not closes:
        return None
    minutes = {"opens": _minute(opens), "closes": _minute(closes)}
    for name, minute in minutes.items():
        if minute is None:
            errors[name] = "请填时刻，例如 06:00；全天开放则两个都不填"
    return OpeningHours(minutes["opens"] or 0, minutes["closes"] or 0)


def _minute(text: str) -> int | None:
    hours, _, minutes = text.partition(":")
    hour, minute = whole_number(hours), whole_number(minutes)
    if hour is None or minute is None or hour > 23 or minute > 59:  # noqa: PLR2004  # a clock's
        return None
    return hour * _HOUR_MINUTES + minute


def _clock(minute: int) -> str:
    return f"{minute // _HOUR_MINUTES:02d}:{minute % _HOUR_MINUTES:02d}"


def _group_line(group: MachineGroup) -> str:
    return " ".join([group.group_id, *map(str, group.bays_by_level)])
