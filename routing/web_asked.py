"""What `POST /v1/recommendations` is asked, checked: each wrong field is named with the way out."""

from typing import Annotated

import msgspec
from msgspec import Meta

from occupancy.coordinates import from_gcj02
from occupancy.lot import Place
from occupancy.tariff import VehicleClass
from routing.config import District
from routing.gathering import metres
from routing.question import Question, Vehicle, Wish

LEAST_STAY_MINUTES, MOST_STAY_DAYS = 1, 30
MOST_AHEAD_DAYS = 7
LATE_MS = 5 * 60_000  # a request that was on its way, a clock that is a little off
DEFAULT_STAY = "PT2H"
SAME_PLACE_METRES = 50.0
FARTHEST_ORIGIN_METRES = 300_000.0
MOST_WORDS = 100
_MINUTE_SECONDS, _DAY_MINUTES, _DAY_MS = 60, 1440, 86_400_000


class BadQuestionError(Exception):
    """A question that cannot be answered; `field` names what is wrong with it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class PointAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]


class PlaceAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in one datum, or in both."""

    gcj02: PointAsked | None = None
    wgs84: PointAsked | None = None


class VehicleAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}
):
    """What the driver says of his vehicle; a limit is checked where he says its size."""

    kind: VehicleClass = VehicleClass.CAR
    height_metres: Annotated[float, Meta(gt=0, le=10)] | None = None
    weight_tonnes: Annotated[float, Meta(gt=0, le=100)] | None = None
    length_metres: Annotated[float, Meta(gt=0, le=30)] | None = None
    width_metres: Annotated[float, Meta(gt=0, le=10)] | None = None
    new_energy: bool = False


class RecommendationAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Where to (`destination` in words, or `place`), from where, when, how long, with what."""

    destination: Annotated[
        str, Meta(max_length=MOST_WORDS, description="目的地名称或编号，例如 三水区人民医院")
    ] = ""
    place: PlaceAsked | None = None
    from_: PlaceAsked | None = None
    arrive: Annotated[
        str, Meta(description="到达时间，RFC 3339；默认为现在出发，最多提前 7 天")
    ] = ""
    stay: Annotated[str, Meta(description="停放时长，ISO 8601，例如 PT2H；1 分钟至 30 天")] = (
        DEFAULT_STAY
    )
    vehicle: VehicleClass | VehicleAsked = VehicleClass.CAR
    prefer: Wish | tuple[Wish, ...] = ()
    without: Annotated[
        tuple[str, ...], Meta(max_length=100, description="不要的停车场，用于换一个")
    ] = ()
    driver: Annotated[
        str,
        Meta(max_length=128, description="调用方自取的司机标识；相同提问在短时间内得到相同回答"),
    ] = ""


def place_of(asked: PlaceAsked, field: str) -> Place:
    """WGS-84. Raises BadQuestionError when both datums are given and contradict each other."""
    if asked.gcj02 is None and asked.wgs84 is None:
        raise BadQuestionError(field, f"{field} needs gcj02 or wgs84, each {{lat, lng}}")
    converted = None if asked.gcj02 is None else from_gcj02(_plain(asked.gcj02))
    if asked.wgs84 is None:
        return converted  # type: ignore[return-value]  # one of both is given
    place = _plain(asked.wgs84)
    if converted is not None and metres(converted, place) > SAME_PLACE_METRES:
        detail = f"{field}: gcj02 and wgs84 lie {metres(converted, place):.0f} m apart; give one"
        raise BadQuestionError(field, detail)
    return place


def check_stay(seconds: int) -> int:
    """Whole minutes, a begun one counts. Raises BadQuestionError."""
    minutes = -(-seconds // _MINUTE_SECONDS)
    if not LEAST_STAY_MINUTES <= minutes <= MOST_STAY_DAYS * _DAY_MINUTES:
        detail = f"a stay lasts 1 minute to {MOST_STAY_DAYS} days, this one {minutes} minutes"
        raise BadQuestionError("stay", detail)
    return minutes


def check_arrival(arrive_ms: int, now_ms: int) -> int:
    """Raises BadQuestionError for a moment that is over or too far ahead."""
    if arrive_ms < now_ms - LATE_MS:
        raise BadQuestionError("arrive", "the arrival lies in the past; leave it out to go now")
    if arrive_ms > now_ms + MOST_AHEAD_DAYS * _DAY_MS:
        detail = f"the arrival lies more than {MOST_AHEAD_DAYS} days ahead: ask again nearer to it"
        raise BadQuestionError("arrive", detail)
    return max(arrive_ms, now_ms)


def check_inside(place: Place, district: District, field: str) -> Place:
    if not district.contains(place):
        bounds = f"{district.south}..{district.north} N, {district.west}..{district.east} E"
        detail = (
            f"{field} ({place.latitude:.5f}, {place.longitude:.5f} in WGS-84) lies outside the "
            f"district that is served ({bounds}); mind the order lat, lng and the datum"
        )
        raise BadQuestionError(field, detail)
    return place


def vehicle_of(asked: VehicleClass | VehicleAsked) -> Vehicle:
    if isinstance(asked, VehicleClass):
        return Vehicle(asked)
    return Vehicle(
        asked.kind,
        asked.height_metres,
        asked.weight_tonnes,
        asked.length_metres,
        asked.width_metres,
        asked.new_energy,
    )


def wishes_of(asked: Wish | tuple[Wish, ...]) -> frozenset[Wish]:
    return frozenset((asked,) if isinstance(asked, Wish) else asked)


def question_of(
    asked: RecommendationAsked,
    destination: tuple[Place, str],
    arrive_ms: int | None,
    stay_minutes: int,
) -> Question:
    """All of it, with the destination found. Raises BadQuestionError."""
    place, name = destination
    origin = None if asked.from_ is None else place_of(asked.from_, "from")
    if origin is not None and metres(origin, place) > FARTHEST_ORIGIN_METRES:
        far = metres(origin, place) / 1_000
        detail = f"`from` lies {far:.0f} km from the destination; mind the order lat, lng"
        raise BadQuestionError("from", detail)
    return Question(
        destination=place,
        destination_name=name,
        stay_minutes=stay_minutes,
        origin=origin,
        arrive_ms=arrive_ms,
        vehicle=vehicle_of(asked.vehicle),
        wishes=wishes_of(asked.prefer),
        without=frozenset(asked.without),
    )


def _plain(point: PointAsked) -> Place:
    return Place(point.lat, point.lng)
