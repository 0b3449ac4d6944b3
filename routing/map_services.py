"""What map services are asked and what they answer: distances and places, as plain values.

AMap: web service API v3 `distance`, v5 `place/text` (lng,lat; GCJ-02). Tencent:
`distance/v1/matrix`, `place/v1/suggestion` (lat,lng; GCJ-02). OSRM: `table/v1`; Valhalla:
`sources_to_targets` (WGS-84). Durations come in seconds.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from occupancy.coordinates import from_gcj02, to_gcj02
from occupancy.lot import Place

ADCODE = "440607"  # Sanshui District
DECIMALS = 6
_SECONDS = 60.0


class Service(StrEnum):
    """Who is asked for ways."""

    STRAIGHT = "straight"
    AMAP = "amap"
    TENCENT = "tencent"
    OSRM = "osrm"
    VALHALLA = "valhalla"


class Mode(StrEnum):
    """How one moves."""

    DRIVE = "drive"
    WALK = "walk"


class BadAnswerError(Exception):
    """A service answers, but not with what was asked; the message is its own words."""


class Asked(NamedTuple):
    """One HTTP request: GET with a query, or POST when there is a body."""

    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None = None


class NamedPlace(NamedTuple):
    """A place a geocoder found inside the district, WGS-84."""

    place_id: str
    name: str
    place: Place


ADDRESSES = {
    Service.AMAP: "https://restapi.amap.com",
    Service.TENCENT: "https://apis.map.qq.com",
}


def ask_ways(
    service: Service, mode: Mode, origin: Place, to: Sequence[Place], key: str
) -> list[Asked]:
    """The requests for the ways from one place to several; their answers in this order."""
    if service is Service.AMAP:
        return _amap_ways(mode, origin, to, key)
    if service is Service.TENCENT:
        query = {
            "mode": "driving" if mode is Mode.DRIVE else "walking",
            "from": _lat_lng(origin),
            "to": ";".join(_lat_lng(place) for place in to),
            "key": key,
        }
        return [Asked("/ws/distance/v1/matrix", query)]
    if service is Service.OSRM:
        points = ";".join(_lng_lat(place) for place in (origin, *to))
        profile = "driving" if mode is Mode.DRIVE else "foot"
        targets = ";".join(str(place + 1) for place in range(len(to)))
        query = {"sources": "0", "destinations": targets, "annotations": "duration"}
        return [Asked(f"/table/v1/{profile}/{points}", query)]
    body = {
        "sources": [{"lat": origin.latitude, "lon": origin.longitude}],
        "targets": [{"lat": place.latitude, "lon": place.longitude} for place in to],
        "costing": "auto" if mode is Mode.DRIVE else "pedestrian",
    }
    return [Asked("/sources_to_targets", {}, body)]


def read_ways(service: Service, answers: Sequence[Any], count: int) -> list[float]:
    """Minutes to each place. Raises BadAnswerError for anything else than `count` of them."""
    try:
        seconds = [found for answer in answers for found in _SECONDS_OF[service](answer)]
        minutes = [float(one) / _SECONDS for one in seconds]
    except (KeyError, IndexError, TypeError, ValueError) as reason:
        raise BadAnswerError(f"{service}: an answer of another form ({reason})") from None
    if len(minutes) != count:
        raise BadAnswerError(f"{service}: {len(minutes)} ways for {count} places")
    return minutes


def ask_places(service: Service, words: str, key: str) -> Asked:
    """The request for places of the district with such a name."""
    if service is Service.AMAP:
        query = {"keywords": words, "region": ADCODE, "city_limit": "true", "key": key}
        return Asked("/v5/place/text", query)
    query = {"keyword": words, "region": "佛山市三水区", "region_fix": "1", "key": key}
    return Asked("/ws/place/v1/suggestion", query)


def read_places(service: Service, answer: Any) -> list[NamedPlace]:  # noqa: ANN401  # JSON
    """The places inside the district; those that lie elsewhere are left out."""
    try:
        found = _amap_places(answer) if service is Service.AMAP else _tencent_places(answer)
        return list(found)
    except (KeyError, IndexError, TypeError, ValueError) as reason:
        raise BadAnswerError(f"{service}: an answer of another form ({reason})") from None


def _amap_ways(mode: Mode, origin: Place, to: Sequence[Place], key: str) -> list[Asked]:
    """AMap takes many origins and one destination: on foot both directions are one way."""
    if mode is Mode.WALK:
        query = {
            "origins": "|".join(_lng_lat_gcj02(place) for place in to),
            "destination": _lng_lat_gcj02(origin),
            "type": "3",
            "key": key,
        }
        return [Asked("/v3/distance", query)]
    return [
        Asked(
            "/v3/distance",
            {
                "origins": _lng_lat_gcj02(origin),
                "destination": _lng_lat_gcj02(place),
                "type": "1",
                "key": key,
            },
        )
        for place in to
    ]


def _amap_seconds(answer: Any) -> list[float]:  # noqa: ANN401
    _require(answer["status"] == "1", str(answer.get("info", "")))
    return [float(one["duration"]) for one in answer["results"]]


def _tencent_seconds(answer: Any) -> list[float]:  # noqa: ANN401
    _require(answer["status"] == 0, str(answer.get("message", "")))
    return [float(one["duration"]) for one in answer["result"]["rows"][0]["elements"]]


def _osrm_seconds(answer: Any) -> list[float]:  # noqa: ANN401
    _require(answer["code"] == "Ok", str(answer.get("message", answer["code"])))
    return [float(one) for one in answer["durations"][0]]


def _valhalla_seconds(answer: Any) -> list[float]:  # noqa: ANN401
    return [float(one["time"]) for one in answer["sources_to_targets"][0]]


_SECONDS_OF = {
    Service.AMAP: _amap_seconds,
    Service.TENCENT: _tencent_seconds,
    Service.OSRM: _osrm_seconds,
    Service.VALHALLA: _valhalla_seconds,
}


def _amap_places(answer: Any) -> list[NamedPlace]:  # noqa: ANN401
    _require(answer["status"] == "1", str(answer.get("info", "")))
    found = []
    for poi in answer["pois"]:
        lng, lat = (float(part) for part in poi["location"].split(","))
        if str(poi["adcode"]) == ADCODE:
            found.append(_named("amap", poi["id"], poi["name"], Place(lat, lng)))
    return found


def _tencent_places(answer: Any) -> list[NamedPlace]:  # noqa: ANN401
    _require(answer["status"] == 0, str(answer.get("message", "")))
    return [
        _named(
            "tencent",
            one["id"],
            one["title"],
            Place(float(one["location"]["lat"]), float(one["location"]["lng"])),
        )
        for one in answer["data"]
        if str(one["adcode"]) == ADCODE
    ]


def _named(who: str, place_id: str, name: str, gcj02: Place) -> NamedPlace:
    return NamedPlace(f"{who}:{place_id}", str(name), from_gcj02(gcj02))


def _require(holds: bool, words: str) -> None:  # noqa: FBT001
    if not holds:
        raise BadAnswerError(words)


def _lng_lat(place: Place) -> str:
    return f"{place.longitude:.{DECIMALS}f},{place.latitude:.{DECIMALS}f}"


def _lng_lat_gcj02(place: Place) -> str:
    return _lng_lat(to_gcj02(place))


def _lat_lng(place: Place) -> str:
    there = to_gcj02(place)
    return f"{there.latitude:.{DECIMALS}f},{there.longitude:.{DECIMALS}f}"
