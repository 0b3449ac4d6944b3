"""`/openapi.json` and `/docs`: the routes as a document for programs and for people."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from aiohttp import web

from occupancy.web.openapi import document
from occupancy.web.pages import Pages
from occupancy.web.prepared import prepare, prepare_bytes
from occupancy.web.routes import Route
from occupancy.web.static_files import StaticFiles

HTML = "text/html; charset=utf-8"


class Documentation:
    """Made once from the routes it is given and its own. `clock` is UTC milliseconds."""

    def __init__(
        self, routes: Sequence[Route], static: StaticFiles, clock: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._own = [
            Route("GET", "/openapi.json", self.program, "This document", gives=Any, tag="about"),
            Route(
                "GET",
                "/docs",
                self.person,
                "This document for people",
                content_type="text/html",
                tag="about",
            ),
        ]
        self.document = document([*routes, *self._own], version("zhibo"))
        page = Pages(static).render("docs.html", document=self.document)
        self._for_programs = prepare(self.document, "/openapi.json")
        self._for_people = prepare_bytes(page.encode(), "/docs", HTML, "no-cache")

    def routes(self) -> list[Route]:
        return self._own

    async def program(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._for_programs.answer(request, self._clock())

    async def person(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._for_people.answer(request, self._clock())
