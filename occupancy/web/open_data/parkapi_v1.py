"""ParkAPI v1: the document of one city, as ParkenDD and its relatives read it."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from gateway.observation import Basis
from occupancy.live import Quality, Status
from occupancy.web.open_data.open_lot import OpenLot, opening_hours_words, utc_words
from occupancy.web.open_data.publication import Publication

REGION = "佛山市三水区"
LOT_TYPE = "机械立体停车库"


class Coords(Struct, frozen=True):
    """WGS-84 degrees."""

    lat: float
    lng: float


class V1Lot(Struct, frozen=True):
    """One car park. The format has no time of its own for a number: an old one is left out.

    Beyond the format: `quality`, `calculation` and `observed_at`.
    """

    id: str
    name: str
    address: str
    coords: Coords
    region: str
    lot_type: str
    total: int
    state: str
    forecast: bool
    opening_hours: str
    quality: Quality
    free: int | UnsetType = UNSET
    url: str | UnsetType = UNSET
    calculation: Basis | UnsetType = UNSET
    observed_at: str | UnsetType = UNSET


class V1City(Struct, frozen=True):
    """Times are UTC; `last_updated` is when a car park was last observed."""

    last_updated: str
    last_downloaded: str
    data_source: str
    owner: str
    licence: str
    lots: tuple[V1Lot, ...]


def city(lots: Sequence[OpenLot], publication: Publication, now_ms: int) -> V1City:
    newest_ms = max((one.observed_at_ms for one in lots if one.observed_at_ms), default=now_ms)
    return V1City(
        last_updated=utc_words(newest_ms),
        last_downloaded=utc_words(newest_ms),
        data_source=publication.address_of("/open/catalogue"),
        owner=publication.owner,
        licence=publication.terms,
        lots=tuple(_lot(one, publication) for one in lots),
    )


def _lot(one: OpenLot, publication: Publication) -> V1Lot:
    lot, numbers = one.lot, one.fresh_numbers
    return V1Lot(
        id=lot.lot_id,
        name=lot.name,
        address=lot.address,
        coords=Coords(lot.entrance.latitude, lot.entrance.longitude),
        region=REGION,
        lot_type=LOT_TYPE,
        total=lot.capacity,
        state=_state(one),
        forecast=True,
        opening_hours=opening_hours_words(lot.opening_hours),
        quality=one.quality,
        free=UNSET if numbers is None else numbers.free,
        url=publication.address_of(f"/v1/lots/{lot.lot_id}") or UNSET,
        calculation=one.calculation or UNSET,
        observed_at=UNSET if one.observed_at_ms is None else utc_words(one.observed_at_ms),
    )


def _state(one: OpenLot) -> str:
    """A full car park is open: it says so by `free`."""
    if one.is_open is False:
        return "closed"
    return "nodata" if one.status is Status.NO_DATA or one.fresh_numbers is None else "open"
