"""`/open/...`: the live picture in formats of others, made once a change for all readers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from occupancy.web.open_data import datex2, geojson, lot_table, ngsi_ld, parkapi_v1, parkapi_v3
from occupancy.web.open_data.entity_pages import PATH, EntityQuery, find_entity, page_of
from occupancy.web.open_data.ngsi_ld import CONTEXTS, Entity
from occupancy.web.open_data.open_lot import OpenLot, open_lot
from occupancy.web.open_data.publication import Publication
from occupancy.web.prepared import JSON, Prepared, prepare_bytes
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase

JSON_LD = "application/ld+json"
TAG = "open data"
_CONTEXT_LINK = (
    f'<{CONTEXTS[0]}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
)


class Moment(NamedTuple):
    """What was prepared holds for this edition of the pictures, and for this second."""

    edition: int
    second: int


class Publisher:
    """The answers, from memory; `facts_ms`: when somebody last changed what is always so."""

    def __init__(self, showcase: Showcase, publication: Publication, facts_ms: int) -> None:
        self._showcase = showcase
        self._publication = publication
        self._facts_ms = facts_ms
        self._moment = Moment(-1, -1)
        self._lots: Sequence[OpenLot] = ()
        self._prepared: dict[str, Prepared] = {}

    def routes(self) -> list[Route]:
        return [
            self._document(
                "/open/parkapi/v1/sanshui.json", self._v1, parkapi_v1.V1City, "ParkAPI v1"
            ),
            self._document(
                "/open/parkapi/v3/parking-sites", self._v3, parkapi_v3.V3Sites, "ParkAPI v3"
            ),
            self._document(
                "/open/parkapi/v3/parking-sites/realtime",
                self._v3_realtime,
                parkapi_v3.V3RealtimeList,
                "ParkAPI v3, what is so now",
            ),
            self._document(
                "/open/datex2/v3.4/parking.json",
                self._datex2,
                datex2.Payload,
                "DATEX II 3.4, light parking publication",
            ),
            self._document(
                "/open/geojson/parking.geojson",
                self._geojson,
                geojson.FeatureCollection,
                "GeoJSON, longitude first",
                geojson.CONTENT_TYPE,
            ),
            self._document(
                "/open/csv/parking.csv",
                self._csv,
                None,
                "CSV, UTF-8 with its mark",
                lot_table.CONTENT_TYPE,
            ),
            Route(
                "GET",
                PATH,
                self.entities,
                "NGSI-LD: OffStreetParking and ParkingGroup",
                gives=list[dict[str, Any]],
                query=EntityQuery,
                problems=(404,),
                tag=TAG,
            ),
            Route(
                "GET",
                PATH + "/{entity_id}",
                self.entity,
                "NGSI-LD: one entity",
                gives=dict[str, Any],
                problems=(404,),
                tag=TAG,
                path_about={"entity_id": "e.g. urn:ngsi-ld:OffStreetParking:sanshui:kangle"},
            ),
        ]

    def _document(
        self,
        path: str,
        make: Callable[[], object],
        gives: type | None,
        summary: str,
        content_type: str = JSON,
    ) -> Route:
        async def answer(request: web.Request, _: object) -> web.StreamResponse:
            self._look()
            if path not in self._prepared:
                made = make()
                body = made if isinstance(made, bytes) else msgspec.json.encode(made)
                self._prepared[path] = prepare_bytes(body, path, content_type, "no-cache")
            return self._prepared[path].answer(request, self._showcase.now_ms())

        return Route("GET", path, answer, summary, gives=gives, content_type=content_type, tag=TAG)

    async def entities(self, request: web.Request, query: EntityQuery) -> web.StreamResponse:
        self._look()
        page = page_of(self._entities(), query)
        shown = [ngsi_ld.simplified(one) if query.is_simplified else one for one in page.entities]
        links = [f'<{url}>; rel="{relation}"' for relation, url in page.links.items()]
        more = {"NGSILD-Results-Count": str(page.total)} if query.count else {}
        return self._answer(request, shown, links, more)

    async def entity(self, request: web.Request, _: object) -> web.StreamResponse:
        self._look()
        found = find_entity(self._entities(), request.match_info["entity_id"])
        return self._answer(request, found, [], {})

    def _answer(
        self,
        request: web.Request,
        content: Entity | list[Entity],
        links: list[str],
        more: dict[str, str],
    ) -> web.StreamResponse:
        """The context stands in a header, or in the document for whoever asks for JSON-LD."""
        content_type = JSON
        if JSON_LD in request.headers.get("Accept", ""):
            content, content_type = _with_context(content), JSON_LD
        else:
            links = [_CONTEXT_LINK, *links]
        headers = {"Link": ", ".join(links), **more} if links else more
        body = msgspec.json.encode(content)
        ready = prepare_bytes(body, request.path, content_type, "no-cache", headers)
        return ready.answer(request, self._showcase.now_ms())

    def _entities(self) -> list[Entity]:
        return list(ngsi_ld.entities(self._lots, self._publication))

    def _look(self) -> None:
        """Say anew what has changed, or has grown old, since it was last said."""
        self._showcase.let_age()
        now_ms = self._showcase.now_ms()
        moment = Moment(self._showcase.edition, now_ms // 1_000)
        if moment != self._moment:
            self._moment = moment
            self._prepared.clear()
            self._lots = [self._open(lot_id, now_ms) for lot_id in self._showcase.lots]

    def _open(self, lot_id: str, now_ms: int) -> OpenLot:
        shown = self._showcase
        return open_lot(
            shown.lots[lot_id], shown.pictures.get(lot_id), shown.tariffs.get(lot_id), now_ms
        )

    def _v1(self) -> parkapi_v1.V1City:
        return parkapi_v1.city(self._lots, self._publication, self._showcase.now_ms())

    def _v3(self) -> parkapi_v3.V3Sites:
        facts_ms = max(self._facts_ms, self._showcase.facts_ms)
        return parkapi_v3.sites(self._lots, self._publication, facts_ms)

    def _v3_realtime(self) -> parkapi_v3.V3RealtimeList:
        return parkapi_v3.realtime(self._lots, self._publication)

    def _datex2(self) -> datex2.Payload:
        return datex2.payload(self._lots, self._publication, self._showcase.now_ms())

    def _geojson(self) -> geojson.FeatureCollection:
        return geojson.collection(self._lots, self._publication)

    def _csv(self) -> bytes:
        return lot_table.table(self._lots, self._publication)


def _with_context(content: Entity | list[Entity]) -> Entity | list[Entity]:
    context = {"@context": list(CONTEXTS)}
    if isinstance(content, list):
        return [{**one, **context} for one in content]
    return {**content, **context}
