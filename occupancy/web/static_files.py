"""Files of the pages: named by their content, so that a browser may keep them for ever."""

import hashlib
import mimetypes
from collections.abc import Callable
from importlib.resources import files

from aiohttp import web

from occupancy.web.prepared import Prepared, prepare_bytes
from occupancy.web.problems import Problem
from occupancy.web.routes import Route

PREFIX = "/static/"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class StaticFiles:
    """Every file under a package's `static/`, read once. `clock` is UTC milliseconds."""

    def __init__(
        self, clock: Callable[[], int], package: str = "occupancy.web", prefix: str = PREFIX
    ) -> None:
        self._clock = clock
        self._prefix = prefix
        self._urls: dict[str, str] = {}
        self._by_url: dict[str, Prepared] = {}
        self._by_name: dict[str, Prepared] = {}
        for file in (files(package) / "static").iterdir():
            if file.is_file():
                self._add(file.name, file.read_bytes())

    def url(self, name: str) -> str:
        """The address of a file by its plain name. Raises KeyError for a file that is not there."""
        return self._urls[name]

    def answer_plain(self, request: web.Request, name: str) -> web.StreamResponse:
        """A file at an address that stays while its content changes."""
        return self._by_name[name].answer(request, self._clock())

    def routes(self) -> list[Route]:
        icon = Route("GET", "/favicon.ico", self.icon, "The icon", documented=False)
        return [*self.file_routes(), icon]

    def file_routes(self) -> list[Route]:
        path = self._prefix + "{name}"
        return [Route("GET", path, self.answer, "A file of the pages", documented=False)]

    async def answer(self, request: web.Request, _: object) -> web.StreamResponse:
        found = self._by_url.get(request.path)
        if found is None:
            raise Problem(404, f"nothing is served at {request.path}")
        return found.answer(request, self._clock())

    async def icon(self, request: web.Request, _: object) -> web.StreamResponse:
        return self.answer_plain(request, "icon.svg")

    def _add(self, name: str, body: bytes) -> None:
        stem, _, ending = name.rpartition(".")
        url = f"{self._prefix}{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{ending}"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind.endswith(("javascript", "svg+xml", "json")):
            kind += "; charset=utf-8"
        self._urls[name] = url
        self._by_url[url] = prepare_bytes(body, url, kind, _FOR_EVER)
        self._by_name[name] = prepare_bytes(body, "/", kind, _ASK_AGAIN)
