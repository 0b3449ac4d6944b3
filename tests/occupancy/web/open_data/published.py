"""The schemas that others published, and lots in every state to hold against them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]
import msgspec
from hypothesis import strategies as st
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from occupancy.live import LiveOccupancy
from occupancy.lot import Lot, OpeningHours, OpeningState, Place
from occupancy.web.formats import PriceInWords
from occupancy.web.open_data.open_lot import OpenLot, open_lot
from tests.builders import MORNING_MS, a_group, a_lot
from tests.occupancy.web.faces import a_picture

SCHEMAS = Path(__file__).parent / "schemas"
PRICE = PriceInWords(30, "30 分钟免费", "首小时 3 元", placeholder=True)
MOMENTS = st.integers(MORNING_MS, MORNING_MS + 3 * 3_600_000)

FORMATS = jsonschema.FormatChecker(())


@FORMATS.checks("date-time", ValueError)  # type: ignore[untyped-decorator]
def is_moment(told: object) -> bool:
    """With its zone: RFC 3339 knows no other."""
    return isinstance(told, str) and dt.datetime.fromisoformat(told).tzinfo is not None


@FORMATS.checks("uri")  # type: ignore[untyped-decorator]
def is_address(told: object) -> bool:
    return isinstance(told, str) and bool(urlsplit(told).scheme)


def as_json(content: object) -> Any:  # noqa: ANN401  # any JSON
    """As a reader gets it."""
    return json.loads(msgspec.json.encode(content))


def require_valid(document: object, schema_name: str) -> None:
    schema = json.loads((SCHEMAS / schema_name).read_text(encoding="utf-8"))
    kind = validator_for(schema)
    kind(schema, format_checker=FORMATS).validate(document)


def pictured(lot: Lot, cars: int | None, at_ms: int = MORNING_MS) -> LiveOccupancy:
    """`cars` in the machines of 36 bays, None: the second machine is silent."""
    first = min(cars or 0, 18)
    groups = (
        a_group(1, (first, 0, 0)),
        a_group(2, None if cars is None else (cars - first, 0, 0)),
    )
    return a_picture(lot, at_ms=at_ms, groups=groups, cars_inside=cars or 0, cars_on_pallets=cars)


@st.composite
def open_lots(draw: st.DrawFn) -> OpenLot:
    """Open and closed, fresh and stale, counted, derived and impossible."""
    hours = draw(st.none() | st.builds(OpeningHours, st.integers(0, 1_439), st.integers(0, 1_439)))
    lot = a_lot(
        entrance=Place(draw(st.floats(22.9, 23.65)), draw(st.floats(112.7, 113.1))),
        opening=draw(st.sampled_from(OpeningState)),
        opening_hours=hours,
        capacity=draw(st.sampled_from((36, 40))),
        covered=draw(st.sampled_from((None, True, False))),
    )
    picture = draw(
        st.none() | st.builds(lambda cars: pictured(lot, cars), st.none() | st.integers(0, 60))
    )
    return open_lot(lot, picture, draw(st.sampled_from((None, PRICE))), draw(MOMENTS))
