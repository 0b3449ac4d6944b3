"""`/open/catalogue`: the resource directory as JSON for programs and as a page for people."""

from collections.abc import Callable

from aiohttp import web

from occupancy.web.open_data.catalogue import Catalogue, catalogue
from occupancy.web.open_data.publication import Publication
from occupancy.web.pages import Pages
from occupancy.web.prepared import prepare, prepare_bytes
from occupancy.web.routes import Route
from occupancy.web.static_files import StaticFiles

PAGE, JSON = "/open/catalogue", "/open/catalogue.json"
HTML = "text/html; charset=utf-8"


class CatalogueRoutes:
    """Made once; `clock` is UTC milliseconds."""

    def __init__(
        self, static: StaticFiles, publication: Publication, clock: Callable[[], int]
    ) -> None:
        made = catalogue(publication)
        page = Pages(static).render("catalogue.html", catalogue=made)
        self._clock = clock
        self._for_programs = prepare(made, JSON)
        self._for_people = prepare_bytes(page.encode(), PAGE, HTML, "no-cache")

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                JSON,
                self.program,
                "Every open data set: fields, units, update period, owner, licence",
                gives=Catalogue,
                tag="open data",
            ),
            Route("GET", PAGE, self.person, "The same for people", documented=False, is_page=True),
            *(
                Route("GET", path, self.home, "To the catalogue", documented=False, is_page=True)
                for path in ("/open", "/open/")
            ),
        ]

    async def home(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": PAGE})

    async def program(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._for_programs.answer(request, self._clock())

    async def person(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._for_people.answer(request, self._clock())
