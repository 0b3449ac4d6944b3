"""NGSI-LD entities: an OffStreetParking a car park, a ParkingGroup a machine group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.observation import Basis
from occupancy.live import Status
from occupancy.web.formats import rfc3339
from occupancy.web.open_data.open_lot import OpenGroup, OpenLot, opening_hours_words
from occupancy.web.open_data.publication import Publication

CONTEXTS = (
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld",
)
_URN = "urn:ngsi-ld"
_STATUS = {
    Status.OPEN: ["open", "spacesAvailable"],
    Status.ALMOST_FULL: ["open", "almostFull"],
    Status.FULL: ["open", "full"],
    Status.CLOSED: ["closed"],
}
_DETECTION = {Basis.COUNTED: "singleSpaceDetection", Basis.DERIVED: "balancing"}
Entity = Mapping[str, Any]


class EntityType(StrEnum):
    """What there is."""

    OFF_STREET_PARKING = "OffStreetParking"
    PARKING_GROUP = "ParkingGroup"


class Attribute(NamedTuple):
    """One attribute; `observed_at_ms` where it was observed and is not simply so."""

    name: str
    value: Any
    kind: str = "Property"
    observed_at_ms: int | None = None


def entities(lots: Iterable[OpenLot], publication: Publication) -> Iterator[Entity]:
    """Every entity in full (`normalized`), car parks first."""
    shown = list(lots)
    for one in shown:
        yield _normalized(_lot_id(one), EntityType.OFF_STREET_PARKING, _of_lot(one, publication))
    for one in shown:
        for group in one.groups:
            entity_id = f"{_URN}:ParkingGroup:sanshui:{one.lot.lot_id}:{group.group_id}"
            yield _normalized(entity_id, EntityType.PARKING_GROUP, _of_group(one, group))


def simplified(entity: Entity) -> Entity:
    """Names and values alone (`keyValues`)."""
    return {name: _plain(told) for name, told in entity.items()}


def _plain(told: Any) -> Any:  # noqa: ANN401  # any JSON
    if not isinstance(told, dict) or "type" not in told:
        return told
    return told["object"] if told["type"] == "Relationship" else told["value"]


def _normalized(entity_id: str, kind: EntityType, attributes: Iterable[Attribute]) -> Entity:
    return {
        "id": entity_id,
        "type": kind.value,
        **{one.name: _whole(one) for one in attributes if one.value is not None},
    }


def _whole(one: Attribute) -> Mapping[str, Any]:
    place = "object" if one.kind == "Relationship" else "value"
    told = {"type": one.kind, place: one.value}
    if one.observed_at_ms is not None:
        told["observedAt"] = rfc3339(one.observed_at_ms)
    return told


def _lot_id(one: OpenLot) -> str:
    return f"{_URN}:OffStreetParking:sanshui:{one.lot.lot_id}"


def _of_lot(one: OpenLot, publication: Publication) -> Sequence[Attribute]:
    lot, at = one.lot, one.lot.entrance
    point = {"type": "Point", "coordinates": [at.longitude, at.latitude]}
    facts = {
        "name": lot.name,
        "address": {
            "streetAddress": lot.address,
            "addressLocality": "三水区",
            "addressRegion": "广东省佛山市",
            "addressCountry": "CN",
        },
        "category": ["public", "parkingGarage"],
        "layout": ["automatedParkingGarage"],
        "allowedVehicleType": ["car"],
        "maximumAllowedHeight": lot.limits.height_metres,
        "maximumAllowedWidth": lot.limits.width_metres,
        "openingHours": opening_hours_words(lot.opening_hours),
        "totalSpotNumber": lot.capacity,
        "parkingSiteId": lot.lot_id,
        "contactPoint": {"telephone": lot.hotline},
        "dataProvider": publication.owner,
        "source": publication.public_url or None,
        "license": publication.terms,
    }
    return [
        Attribute("location", point, "GeoProperty"),
        *(Attribute(name, value) for name, value in facts.items()),
        *_observed(one),
    ]


def _observed(one: OpenLot) -> Iterator[Attribute]:
    """Values with the moment of their observation; numbers that cannot be stand by themselves."""
    at_ms, numbers = one.observed_at_ms, one.numbers
    seen = "singleSpaceDetection" if one.calculation is None else _DETECTION.get(one.calculation)
    told: dict[str, Any] = {
        "status": _STATUS.get(one.status),
        "quality": one.quality.value,
        "occupancyCalculation": one.calculation.value if one.calculation else None,
        "occupancyDetectionType": [seen] if seen else None,
        "observationDateTime": None if at_ms is None else rfc3339(at_ms),
        "doubts": list(one.doubts) or None,
    }
    if numbers is not None:
        told |= {
            "availableSpotNumber": numbers.free,
            "occupiedSpotNumber": numbers.occupied,
            "occupancy": numbers.occupied / numbers.usable if numbers.usable else None,
            "outOfServiceSlotNumber": numbers.out_of_service,
        }
    if one.contradicting is not None:
        wrong = one.contradicting
        told["contradictingNumbers"] = {"free": wrong.free, "usable": wrong.usable}
    for name, value in told.items():
        yield Attribute(name, value, observed_at_ms=at_ms)


def _of_group(one: OpenLot, group: OpenGroup) -> Sequence[Attribute]:
    at_ms = one.observed_at_ms
    return [
        Attribute("refParkingSite", _lot_id(one), "Relationship"),
        Attribute("name", f"{one.lot.short_name} {group.group_id}"),
        Attribute("category", ["offStreet"]),
        Attribute("allowedVehicleType", "car"),
        Attribute("totalSpotNumber", group.capacity),
        Attribute("availableSpotNumber", group.free, observed_at_ms=at_ms),
        Attribute("quality", one.quality.value, observed_at_ms=at_ms),
    ]
