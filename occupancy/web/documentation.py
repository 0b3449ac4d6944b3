"""`/openapi.json` and `/docs`: the routes as a document for programs and for people."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from aiohttp import web

from occupancy.web.openapi import document
from occupancy.web.pages import Pages
from occupancy.web.routes import Route
from occupancy.web.showcase import prepare
from occupancy.web.static_files import StaticFiles


class Documentation:
    """Made once from the routes it is given and its own."""

    def __init__(self, routes: Sequence[Route], static: StaticFiles) -> None:
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
        self._prepared = prepare(self.document)
        self._page = Pages(static).render("docs.html", document=self.document)

    def routes(self) -> list[Route]:
        return self._own

    async def program(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._prepared.answer(request)

    async def person(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(text=self._page, content_type="text/html")
