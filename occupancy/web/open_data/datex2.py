"""DATEX II 3.4, the light parking publication in JSON."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from gateway.observation import Basis
from occupancy.live import Quality, Status, Trend
from occupancy.web.open_data.open_lot import Numbers, OpenLot, opening_hours_words, utc_words
from occupancy.web.open_data.publication import Publication

LAYOUT = "automatedParkingGarage"
EXTENSION, EXTENSION_VERSION = "sanshuiQuality", "1"
# The trend of the cars, where ours is the trend of the spaces.
_TRENDS = {
    Trend.FILLING: "increasing",
    Trend.EMPTYING: "decreasing",
    Trend.STEADY: "stable",
    Trend.UNKNOWN: "unknown",
}


class Coordinates(Struct, frozen=True):
    """ETRS89, which is WGS-84 to within a metre."""

    latitude: float
    longitude: float


class Dimension(Struct, frozen=True):
    """The largest vehicle, metres."""

    height: float
    length: float
    width: float


class Location(Struct, frozen=True):
    """Where it is and what fits in."""

    coordinatesForDisplay: Coordinates  # noqa: N815  # the format's own words
    dimension: Dimension
    roadName: str  # noqa: N815


class SiteExtension(Struct, frozen=True):
    """What the light publication has no field for; the name of the extension is at the top."""

    layout: str
    quality: Quality
    calculation: Basis | UnsetType = UNSET
    doubts: tuple[str, ...] | UnsetType = UNSET
    contradicting: Numbers | UnsetType = UNSET


class Site(
    Struct,
    frozen=True,
    rename={"uid": "_id", "type_": "type", "extension": "_parkingSiteExtension"},
):
    """One car park; `numberOfSpaces` are those that can be used while that is known."""

    uid: str
    type_: str
    name: str
    description: str
    locationAndDimension: Location  # noqa: N815
    numberOfSpaces: int  # noqa: N815
    openingTimesDescription: tuple[str, ...]  # noqa: N815
    operatorInformation: tuple[str, ...]  # noqa: N815
    equipmentAndServices: tuple[str, ...]  # noqa: N815
    occupancyTrend: str  # noqa: N815
    extension: SiteExtension
    availableSpaces: int | UnsetType = UNSET  # noqa: N815
    isOpenNow: bool | UnsetType = UNSET  # noqa: N815
    temporaryClosed: bool | UnsetType = UNSET  # noqa: N815
    lastUpdate: str | UnsetType = UNSET  # noqa: N815
    tariffDescription: tuple[str, ...] | UnsetType = UNSET  # noqa: N815
    urlLinkAddress: str | UnsetType = UNSET  # noqa: N815


class LightPublication(Struct, frozen=True):
    """Car parks without single spaces."""

    lang: str
    name: str
    description: str
    publicationTime: str  # noqa: N815
    parkingSite: tuple[Site, ...]  # noqa: N815
    parkingSpace: tuple[()] = ()  # noqa: N815


class Payload(
    Struct,
    frozen=True,
    rename=lambda name: name if name == "parkingPublicationLight" else f"_{name}",
):
    """The document; `_profileName` names the profile and its extension."""

    version: str
    modelBaseVersion: str  # noqa: N815
    profileName: str  # noqa: N815
    profileVersion: str  # noqa: N815
    extensionName: str  # noqa: N815
    extensionVersion: str  # noqa: N815
    parkingPublicationLight: LightPublication  # noqa: N815


def payload(lots: Sequence[OpenLot], publication: Publication, now_ms: int) -> Payload:
    newest_ms = max((one.observed_at_ms for one in lots if one.observed_at_ms), default=now_ms)
    light = LightPublication(
        lang="zh",
        name="三水区公共立体停车库",
        description=f"{publication.owner}；许可：{publication.terms}",
        publicationTime=utc_words(newest_ms),
        parkingSite=tuple(_site(one, publication) for one in lots),
    )
    return Payload("3.4", "3", "parking light", "3.4", EXTENSION, EXTENSION_VERSION, light)


def _site(one: OpenLot, publication: Publication) -> Site:
    lot, numbers = one.lot, one.numbers
    return Site(
        uid=lot.lot_id,
        type_="carPark",
        name=lot.name,
        description=f"机械立体停车库（{LAYOUT}），{lot.address}",
        locationAndDimension=_location(one),
        numberOfSpaces=lot.capacity if numbers is None else numbers.usable,
        openingTimesDescription=(opening_hours_words(lot.opening_hours),),
        operatorInformation=(publication.owner, lot.hotline),
        equipmentAndServices=(LAYOUT,),
        occupancyTrend=_TRENDS[one.trend],
        extension=_extension(one),
        availableSpaces=UNSET if numbers is None else numbers.free,
        isOpenNow=UNSET if one.is_open is None else one.is_open,
        temporaryClosed=one.status is Status.CLOSED or UNSET,
        lastUpdate=UNSET if one.observed_at_ms is None else utc_words(one.observed_at_ms),
        tariffDescription=UNSET if one.price is None else (one.price.free_period, one.price.price),
        urlLinkAddress=publication.address_of(f"/v1/lots/{lot.lot_id}") or UNSET,
    )


def _location(one: OpenLot) -> Location:
    at, limits = one.lot.entrance, one.lot.limits
    return Location(
        Coordinates(at.latitude, at.longitude),
        Dimension(limits.height_metres, limits.length_metres, limits.width_metres),
        one.lot.address,
    )


def _extension(one: OpenLot) -> SiteExtension:
    return SiteExtension(
        LAYOUT,
        one.quality,
        one.calculation or UNSET,
        one.doubts or UNSET,
        UNSET if one.contradicting is None else one.contradicting,
    )
