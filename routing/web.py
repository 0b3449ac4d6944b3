"""`POST /v1/recommendations` and `/v1/trips`: where to park, links to go there, how it stands."""

import contextlib
from collections.abc import Sequence
from typing import Protocol

import msgspec
from aiohttp import web

from occupancy.lot import Lot, Place
from occupancy.navigation import links_to
from occupancy.web.formats import BothDatums, both_datums
from occupancy.web.lots import moment_ms, seconds_of
from occupancy.web.problems import CONTENT_TYPE, Problem
from occupancy.web.routes import Route
from routing.destination import Destination
from routing.guided_trips import GuidedTrips
from routing.patience import AwayError
from routing.question import Question
from routing.service import Guidance
from routing.trip_promise import Answer
from routing.web_asked import (
    BadQuestionError,
    RecommendationAsked,
    check_arrival,
    check_inside,
    check_stay,
    place_of,
    question_of,
)
from routing.web_formats import (
    MAPS,
    RecommendationDocument,
    TripDocument,
    recommendation_document,
    trip_document,
)

PLACE_NAME = "指定位置"


class Destinations(Protocol):
    """Finds destinations by words, pinyin, initials, or with a typing error."""

    def find(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        """The clear best match of our own list if there is one, and what may be meant."""
        ...

    async def look_up(self, words: str) -> tuple[Destination | None, Sequence[Destination]]:
        """As `find`; of what our own list does not know others may know."""
        ...


class ChosenAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The car park the driver goes to: one that he was shown."""

    lot: str


class Choice(msgspec.Struct, frozen=True):
    """A destination that may be meant."""

    id: str
    name: str
    place: BothDatums


class ChoicesDocument(msgspec.Struct, frozen=True):
    """RFC 9457 with the destinations that may be meant."""

    title: str
    status: int
    detail: str
    field: str
    choices: tuple[str, ...]
    candidates: tuple[Choice, ...]
    type: str = "about:blank"


class Recommendations:
    """The answers; `public_url` is this service as citizens see it."""

    def __init__(
        self,
        guidance: Guidance,
        trips: GuidedTrips,
        destinations: Destinations,
        public_url: str = "",
    ) -> None:
        self._guidance = guidance
        self._trips = trips
        self._destinations = destinations
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[Route]:
        about = {
            "trip_id": "as in a recommendation",
            "lot_id": "a car park of it",
            "map": "|".join(MAPS),
        }
        return [
            Route(
                "POST",
                "/v1/recommendations",
                self.recommend,
                "Where to park for a destination: ranked, with reasons; those left out, with why",
                gives=RecommendationDocument,
                body=RecommendationAsked,
                problems=(300, 404),
                tag="guidance",
                about=ABOUT,
            ),
            Route(
                "GET",
                "/v1/trips/{trip_id}",
                self.trip,
                "How a guided trip stands, and whether to go on",
                gives=TripDocument,
                problems=(404, 503),
                path_about=about,
                tag="guidance",
            ),
            Route(
                "POST",
                "/v1/trips/{trip_id}/chosen",
                self.chosen,
                "The driver goes to a car park that he was shown",
                gives=TripDocument,
                body=ChosenAsked,
                problems=(404, 503),
                path_about=about,
                tag="guidance",
            ),
            Route(
                "GET",
                "/v1/trips/{trip_id}/open/{lot_id}/{map}",
                self.open,
                "Leads to a map's navigation; the driver is counted as on his way",
                problems=(302, 404),
                path_about=about,
                tag="guidance",
            ),
        ]

    async def recommend(
        self, request: web.Request, _: object, asked: RecommendationAsked
    ) -> web.StreamResponse:
        if asked.place is None and asked.destination.strip():
            best, others = await self._destinations.look_up(asked.destination)
            if best is None:
                return _choices(asked.destination, others)
            destination = best.place, best.name
        else:
            destination = self._place(asked)
        question = self._question(asked, destination)

        driver = asked.driver or request.headers.get("Idempotency-Key", "")

        def encode(answer: Answer) -> bytes:
            return msgspec.json.encode(recommendation_document(answer, self._public_url))

        words = msgspec.json.encode(asked).decode()
        body = await self._guidance.same_answer(question, driver, words, encode)
        return web.Response(body=body, content_type="application/json")

    async def trip(self, request: web.Request, _: object) -> web.StreamResponse:
        return await self._standing(request.match_info["trip_id"])

    async def chosen(
        self, request: web.Request, _: object, asked: ChosenAsked
    ) -> web.StreamResponse:
        trip_id = request.match_info["trip_id"]
        try:
            standing = await self._trips.find(trip_id)
            if standing is not None and asked.lot not in standing.trip.shown:
                shown = tuple(standing.trip.shown)
                raise Problem(400, f"{asked.lot!r} was not shown", field="lot", choices=shown)
            await self._trips.choose(trip_id, asked.lot)
        except AwayError:
            raise _away() from None
        return await self._standing(trip_id)

    async def open(self, request: web.Request, _: object) -> web.StreamResponse:
        """A driver is never held up: an unknown trip or a lost Redis still leads to the map."""
        lot = self._guidance.lots.get(request.match_info["lot_id"])
        if lot is None:
            known = tuple(self._guidance.lots)
            raise Problem(404, "there is no such car park", field="lot_id", choices=known)
        target = _links(lot).get(request.match_info["map"])
        if target is None:
            raise Problem(404, "there is no such map", field="map", choices=MAPS)
        if request.method == "HEAD":  # a preview of the link, not the driver
            return _leads_to(target)
        with contextlib.suppress(AwayError):
            await self._trips.choose(request.match_info["trip_id"], lot.lot_id)
        return _leads_to(target)

    def _place(self, asked: RecommendationAsked) -> tuple[Place, str]:
        if asked.place is None:  # nothing, or nothing but blanks
            raise Problem(400, "say where to: `destination` or `place`", field="destination")
        if asked.destination:
            raise Problem(400, "give either `destination` or `place`", field="place")
        try:
            return place_of(asked.place, "place"), PLACE_NAME
        except BadQuestionError as refusal:
            raise Problem(400, str(refusal), field=refusal.field) from None

    def _question(self, asked: RecommendationAsked, destination: tuple[Place, str]) -> Question:
        guidance = self._guidance
        now_ms = guidance.clock()
        try:
            said = "destination" if asked.place is None else "place"
            check_inside(destination[0], guidance.settings.district, said)
            arrive_ms = None
            if asked.arrive:
                arrive_ms = check_arrival(moment_ms(asked.arrive, "arrive"), now_ms)
            stay_minutes = check_stay(seconds_of(asked.stay, "stay"))
            self._check_lots(asked.without)
            return question_of(asked, destination, arrive_ms, stay_minutes)
        except BadQuestionError as refusal:
            raise Problem(400, str(refusal), field=refusal.field) from None

    def _check_lots(self, lot_ids: Sequence[str]) -> None:
        for lot_id in lot_ids:
            if lot_id not in self._guidance.lots:
                known = tuple(self._guidance.lots)
                raise Problem(
                    400, f"there is no car park {lot_id!r}", field="without", choices=known
                )

    async def _standing(self, trip_id: str) -> web.StreamResponse:
        try:
            found = await self._trips.find(trip_id)
        except AwayError:
            raise _away() from None
        lot = None if found is None else self._guidance.lots.get(found.trip.lot_id)
        if found is None or lot is None:
            raise Problem(404, "this trip is not known, or it is long over", field="trip_id")
        document = trip_document(found.trip, lot, found.chance_now, found.advice)
        return web.Response(body=msgspec.json.encode(document), content_type="application/json")


ABOUT = (
    "`destination` in words or `place` in gcj02 or wgs84. What is shown is promised softly, it is "
    "no reservation. With `driver` the same question gets the same answer for a short while; "
    "`without` asks for another car park."
)


def _links(lot: Lot) -> dict[str, str]:
    links = links_to(lot)
    return {"amap": links.amap, "tencent": links.tencent, "baidu": links.baidu}


def _leads_to(target: str) -> web.Response:
    return web.Response(status=302, headers={"Location": target, "Cache-Control": "no-store"})


def _choices(words: str, others: Sequence[Destination]) -> web.Response:
    """300 when several may be meant, 404 when none comes near."""
    candidates = tuple(
        Choice(one.destination_id, one.name, both_datums(one.place)) for one in others
    )
    names = "、".join(one.name for one in others)
    document = ChoicesDocument(
        title="Several destinations may be meant" if others else "There is no such destination",
        status=300 if others else 404,
        detail=f"“{words}”可能是：{names}"
        if others
        else f"没有找到“{words}”，请换个说法或给出位置",
        field="destination",
        choices=tuple(one.destination_id for one in others),
        candidates=candidates,
    )
    body = msgspec.json.encode(document)
    return web.Response(body=body, status=document.status, content_type=CONTENT_TYPE)


def _away() -> Problem:
    return Problem(503, "guided trips cannot be seen at present; navigation works all the same")
