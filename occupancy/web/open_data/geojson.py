"""GeoJSON (RFC 7946): a point a car park, for maps; longitude first, WGS-84."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.observation import Basis
from occupancy.live import Quality, Status
from occupancy.web.formats import rfc3339
from occupancy.web.open_data.open_lot import Numbers, OpenLot, opening_hours_words
from occupancy.web.open_data.publication import Publication

CONTENT_TYPE = "application/geo+json"


class PointGeometry(Struct, frozen=True, tag="Point", tag_field="type"):
    """Longitude, latitude."""

    coordinates: tuple[float, float]


class LotProperties(Struct, frozen=True):
    """A car park; null where nobody knows. `contradicting`: numbers that cannot be, as told."""

    name: str
    address: str
    hotline: str
    capacity: int
    usable: int | None
    occupied: int | None
    free: int | None
    out_of_service: int | None
    status: Status
    is_open: bool | None
    quality: Quality
    calculation: Basis | None
    observed_at: str | None
    opening_hours: str
    free_period: str | None
    price: str | None
    contradicting: Numbers | None
    doubts: tuple[str, ...]
    placeholders: tuple[str, ...]


class Feature(Struct, frozen=True, tag="Feature", tag_field="type"):
    """One car park at its entrance."""

    id: str
    geometry: PointGeometry
    properties: LotProperties


class FeatureCollection(Struct, frozen=True, tag="FeatureCollection", tag_field="type"):
    """Every car park, with whose data it is."""

    owner: str
    licence: str
    features: tuple[Feature, ...]


def collection(lots: Sequence[OpenLot], publication: Publication) -> FeatureCollection:
    features = tuple(_feature(one) for one in lots)
    return FeatureCollection(publication.owner, publication.terms, features)


def _feature(one: OpenLot) -> Feature:
    at = one.lot.entrance
    return Feature(one.lot.lot_id, PointGeometry((at.longitude, at.latitude)), lot_properties(one))


def lot_properties(one: OpenLot) -> LotProperties:
    """The same words and numbers for maps and tables."""
    lot, numbers = one.lot, one.numbers
    return LotProperties(
        name=lot.name,
        address=lot.address,
        hotline=lot.hotline,
        capacity=lot.capacity,
        usable=None if numbers is None else numbers.usable,
        occupied=None if numbers is None else numbers.occupied,
        free=None if numbers is None else numbers.free,
        out_of_service=None if numbers is None else numbers.out_of_service,
        status=one.status,
        is_open=one.is_open,
        quality=one.quality,
        calculation=one.calculation,
        observed_at=None if one.observed_at_ms is None else rfc3339(one.observed_at_ms),
        opening_hours=opening_hours_words(lot.opening_hours),
        free_period=one.price.free_period if one.price else None,
        price=one.price.price if one.price else None,
        contradicting=one.contradicting,
        doubts=one.doubts,
        placeholders=lot.placeholders,
    )
