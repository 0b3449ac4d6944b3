"""What guidance is told: how far it may send a driver, how much it promises, which district."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from gateway.settings import BadSettingError, Setting, number, text, whole_number
from occupancy.lot import Place
from routing.map_services import Service

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class District:
    """The box of places that are served, WGS-84 degrees."""

    south: float
    west: float
    north: float
    east: float

    def contains(self, place: Place) -> bool:
        inside_ns = self.south <= place.latitude <= self.north
        return inside_ns and self.west <= place.longitude <= self.east


class Geocoding(StrEnum):
    """Who is asked for places."""

    NONE = "none"
    AMAP = "amap"
    TENCENT = "tencent"


def _one_of(kind: type[E], raw: str) -> E:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(one.value for one in kind)}") from None


def _address(raw: str) -> str:
    if raw and not raw.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return raw


def _district(raw: str) -> District:
    try:
        south, west, north, east = (float(part) for part in raw.split(","))
    except ValueError:
        raise ValueError("not south,west,north,east in degrees") from None
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):  # noqa: PLR2004
        raise ValueError("south must lie below north and west left of east")
    return District(south, west, north, east)


MOST_REGRET = Setting(
    "ZHIBO_MOST_REGRET_MINUTES",
    "5",
    lambda raw: number(raw, least=0, most=60),
    "generalised minutes a driver is at most asked to lose for others",
)
FOLLOW_SHOWN = Setting(
    "ZHIBO_FOLLOW_SHOWN",
    "0.6",
    lambda raw: number(raw, least=0.01, most=1),
    "chance that a driver goes to the car park he is shown; what one recommendation promises",
)
FOLLOW_CHOSEN = Setting(
    "ZHIBO_FOLLOW_CHOSEN",
    "0.9",
    lambda raw: number(raw, least=0.01, most=1),
    "the same once he has opened the navigation link",
)
OVERBOOKING = Setting(
    "ZHIBO_OVERBOOKING_PERCENT",
    "10",
    lambda raw: number(raw, least=0, most=100),
    "how far promises may exceed the free spaces expected",
)
SAME_ANSWER = Setting(
    "ZHIBO_SAME_ANSWER_SECONDS",
    "60",
    lambda raw: number(raw, least=0, most=600),
    "how long a driver who asks the same gets the same answer",
)
GATHER = Setting(
    "ZHIBO_GATHER_MS",
    "4",
    lambda raw: number(raw, least=0, most=100),
    "requests that come within so many milliseconds are decided together",
)
DISTRICT = Setting(
    "ZHIBO_DISTRICT",
    "22.9,112.7,23.65,113.1",
    _district,
    "south,west,north,east in WGS-84 degrees: destinations outside are refused",
)
TRAVEL = Setting(
    "ZHIBO_TRAVEL",
    "straight",
    lambda raw: _one_of(Service, raw),
    "who tells travel times: straight (the straight line with a detour), amap, tencent, osrm, "
    "valhalla",
)
TRAVEL_URL = Setting(
    "ZHIBO_TRAVEL_URL",
    "",
    _address,
    "address of OSRM or Valhalla; for amap and tencent only where theirs is not to be used",
)
GEOCODER = Setting(
    "ZHIBO_GEOCODER",
    "",
    lambda raw: _one_of(Geocoding, raw or "none"),
    "who knows places that our own list does not: amap, tencent; empty: nobody",
)
GEOCODER_URL = Setting(
    "ZHIBO_GEOCODER_URL",
    "",
    _address,
    "its address, only where the service's own is not to be used",
)
AMAP_KEY = Setting("ZHIBO_AMAP_KEY", "", text, "key of AMap's web service API", secret=True)
TENCENT_KEY = Setting("ZHIBO_TENCENT_KEY", "", text, "key of Tencent's map API", secret=True)
MAP_CALLS = Setting(
    "ZHIBO_MAP_CALLS_A_DAY",
    "5000",
    lambda raw: whole_number(raw, least=0, most=100_000_000),
    "calls of map services a day and process; beyond, the straight line serves",
)
SETTINGS = (
    TRAVEL,
    TRAVEL_URL,
    GEOCODER,
    GEOCODER_URL,
    AMAP_KEY,
    TENCENT_KEY,
    MAP_CALLS,
    MOST_REGRET,
    FOLLOW_SHOWN,
    FOLLOW_CHOSEN,
    OVERBOOKING,
    SAME_ANSWER,
    GATHER,
    DISTRICT,
)


@dataclass(frozen=True)
class MapSettings:
    """Which map services are asked, and how often; keys are secrets."""

    travel: Service = Service.STRAIGHT
    travel_url: str = ""
    geocoder: Geocoding = Geocoding.NONE
    geocoder_url: str = ""
    amap_key: str = ""
    tencent_key: str = ""
    calls_a_day: int = 5_000

    def key_of(self, service: Service) -> str:
        keys = {Service.AMAP: self.amap_key, Service.TENCENT: self.tencent_key}
        return keys.get(service, "")


@dataclass(frozen=True)
class GuidanceSettings:
    """Everything guidance is told, checked."""

    most_regret_minutes: float = 5.0
    follow_shown: float = 0.6
    follow_chosen: float = 0.9
    overbooking: float = 0.1
    same_answer_ms: int = 60_000
    gather_seconds: float = 0.004
    district: District = District(22.9, 112.7, 23.65, 113.1)
    maps: MapSettings = MapSettings()


def load_settings(environ: Mapping[str, str]) -> GuidanceSettings:
    """Raises BadSettingError."""
    return GuidanceSettings(
        most_regret_minutes=MOST_REGRET.read(environ),
        follow_shown=FOLLOW_SHOWN.read(environ),
        follow_chosen=FOLLOW_CHOSEN.read(environ),
        overbooking=OVERBOOKING.read(environ) / 100,
        same_answer_ms=round(SAME_ANSWER.read(environ) * 1_000),
        gather_seconds=GATHER.read(environ) / 1_000,
        district=DISTRICT.read(environ),
        maps=_load_maps(environ),
    )


def _load_maps(environ: Mapping[str, str]) -> MapSettings:
    maps = MapSettings(
        travel=TRAVEL.read(environ),
        travel_url=TRAVEL_URL.read(environ),
        geocoder=GEOCODER.read(environ),
        geocoder_url=GEOCODER_URL.read(environ),
        amap_key=AMAP_KEY.read(environ),
        tencent_key=TENCENT_KEY.read(environ),
        calls_a_day=MAP_CALLS.read(environ),
    )
    if maps.travel in (Service.OSRM, Service.VALHALLA) and not maps.travel_url:
        raise BadSettingError(f"ZHIBO_TRAVEL={maps.travel.value} needs ZHIBO_TRAVEL_URL")
    for setting, needed in (("ZHIBO_TRAVEL", maps.travel), ("ZHIBO_GEOCODER", maps.geocoder)):
        for service, key in ((Service.AMAP, AMAP_KEY), (Service.TENCENT, TENCENT_KEY)):
            if needed.value == service.value and not maps.key_of(service):
                raise BadSettingError(f"{setting}={needed.value} needs {key.name}")
    return maps
