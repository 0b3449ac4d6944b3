"""ParkAPI v3: parking sites with what is always so and what is so now."""

import zlib
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.observation import Basis
from occupancy.live import Quality
from occupancy.web.open_data.open_lot import OpenLot, opening_hours_words, utc_words
from occupancy.web.open_data.publication import Publication

SOURCE_ID = 1
CENTIMETRES = 100
_STATUS = {True: "OPEN", False: "CLOSED", None: "UNKNOWN"}


class V3Realtime(Struct, frozen=True):
    """What is so now; without numbers where nobody has renewed them for half an hour.

    Beyond the format: `quality`, `calculation`, `doubts`, and `contradicting`, the numbers of a
    source that contradicts itself as it told them.
    """

    uid: str
    realtime_data_updated_at: str
    realtime_opening_status: str
    quality: Quality
    realtime_capacity: int | UnsetType = UNSET
    realtime_free_capacity: int | UnsetType = UNSET
    calculation: Basis | UnsetType = UNSET
    doubts: tuple[str, ...] | UnsetType = UNSET
    contradicting: dict[str, int] | UnsetType = UNSET


class V3Site(Struct, frozen=True):
    """One car park; heights and widths in centimetres, coordinates WGS-84 as decimal texts."""

    id: int
    source_id: int
    original_uid: str
    uid: str
    name: str
    operator_name: str
    address: str
    type: str
    purpose: str
    capacity: int
    lat: str
    lon: str
    max_height: int
    max_width: int
    opening_hours: str
    has_realtime_data: bool
    static_data_updated_at: str
    created_at: str
    modified_at: str
    quality: Quality
    is_covered: bool | UnsetType = UNSET
    public_url: str | UnsetType = UNSET
    fee_description: str | UnsetType = UNSET
    realtime_opening_status: str | UnsetType = UNSET
    realtime_data_updated_at: str | UnsetType = UNSET
    realtime_capacity: int | UnsetType = UNSET
    realtime_free_capacity: int | UnsetType = UNSET
    calculation: Basis | UnsetType = UNSET
    doubts: tuple[str, ...] | UnsetType = UNSET
    contradicting: dict[str, int] | UnsetType = UNSET


class V3Sites(Struct, frozen=True):
    """Every car park."""

    items: tuple[V3Site, ...]
    total_count: int
    owner: str
    licence: str


class V3RealtimeList(Struct, frozen=True):
    """What is so now of those car parks that were ever heard of."""

    items: tuple[V3Realtime, ...]
    total_count: int
    owner: str
    licence: str


def sites(lots: Sequence[OpenLot], publication: Publication, facts_ms: int) -> V3Sites:
    """`facts_ms`: when somebody last changed what is always so."""
    items = tuple(_site(one, publication, utc_words(facts_ms)) for one in lots)
    return V3Sites(items, len(items), publication.owner, publication.terms)


def realtime(lots: Sequence[OpenLot], publication: Publication) -> V3RealtimeList:
    items = tuple(V3Realtime(uid=one.lot.lot_id, **_now(one)) for one in lots if one.observed_at_ms)
    return V3RealtimeList(items, len(items), publication.owner, publication.terms)


def site_number(lot_id: str) -> int:
    """A whole number that stays a car park's own while others come and go."""
    return zlib.crc32(lot_id.encode())


def _site(one: OpenLot, publication: Publication, facts_at: str) -> V3Site:
    lot = one.lot
    now = _now(one) if one.observed_at_ms else {"quality": one.quality}
    return V3Site(
        id=site_number(lot.lot_id),
        source_id=SOURCE_ID,
        original_uid=lot.lot_id,
        uid=lot.lot_id,
        name=lot.name,
        operator_name=publication.owner,
        address=lot.address,
        type="CAR_PARK",
        purpose="CAR",
        capacity=lot.capacity,
        lat=f"{lot.entrance.latitude:.7f}",
        lon=f"{lot.entrance.longitude:.7f}",
        max_height=round(lot.limits.height_metres * CENTIMETRES),
        max_width=round(lot.limits.width_metres * CENTIMETRES),
        opening_hours=opening_hours_words(lot.opening_hours),
        has_realtime_data=True,
        static_data_updated_at=facts_at,
        created_at=facts_at,
        modified_at=facts_at,
        is_covered=UNSET if lot.covered is None else lot.covered,
        public_url=publication.address_of(f"/v1/lots/{lot.lot_id}") or UNSET,
        fee_description=UNSET if one.price is None else one.price.price,
        **now,
    )


def _now(one: OpenLot) -> dict[str, Any]:
    numbers, wrong = one.numbers, one.contradicting
    return {
        "realtime_data_updated_at": utc_words(one.observed_at_ms or 0),
        "realtime_opening_status": _STATUS[one.is_open],
        "realtime_capacity": UNSET if numbers is None else numbers.usable,
        "realtime_free_capacity": UNSET if numbers is None else numbers.free,
        "quality": one.quality,
        "calculation": one.calculation or UNSET,
        "doubts": one.doubts or UNSET,
        "contradicting": UNSET if wrong is None else {"usable": wrong.usable, "free": wrong.free},
    }
