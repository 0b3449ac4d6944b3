"""The car parks as one CSV table, for spreadsheets: UTF-8 with its mark, a line a car park."""

from collections.abc import Sequence

from occupancy.export_cells import Column, Kind, Row, csv_heading, csv_lines
from occupancy.web.open_data.geojson import lot_properties
from occupancy.web.open_data.open_lot import OpenLot
from occupancy.web.open_data.publication import Publication

CONTENT_TYPE = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\ufeff"
_NUMBERS = ("capacity", "usable", "occupied", "free", "out_of_service")
_TEXTS = ("status", "is_open", "quality", "calculation", "observed_at", "opening_hours")
COLUMNS = (
    *(Column(name) for name in ("lot_id", "name", "address", "hotline")),
    *(Column(name, Kind.NUMBER) for name in ("latitude", "longitude", *_NUMBERS)),
    *(Column(name) for name in (*_TEXTS, "free_period", "price", "contradicting")),
    *(Column(name) for name in ("doubts", "placeholders", "owner", "licence")),
)


def table(lots: Sequence[OpenLot], publication: Publication) -> bytes:
    """An empty cell is a number nobody knows, never nought."""
    rows = [_row(one, publication) for one in lots]
    return (BYTE_ORDER_MARK + csv_heading(COLUMNS) + csv_lines(COLUMNS, rows)).encode()


def _row(one: OpenLot, publication: Publication) -> Row:
    told, at, wrong = lot_properties(one), one.lot.entrance, one.contradicting
    return (
        *(one.lot.lot_id, told.name, told.address, told.hotline),
        *(at.latitude, at.longitude),
        *(getattr(told, name) for name in _NUMBERS),
        *(told.status.value, _yes_or_no(told.is_open), told.quality.value),
        told.calculation.value if told.calculation else None,
        *(told.observed_at, told.opening_hours, told.free_period, told.price),
        f"free={wrong.free} usable={wrong.usable}" if wrong else None,
        *("; ".join(told.doubts) or None, " ".join(told.placeholders) or None),
        *(publication.owner, publication.terms),
    )


def _yes_or_no(told: bool | None) -> str | None:  # noqa: FBT001  # what a cell says
    return None if told is None else str(told).lower()
