"""Files of the pages: named by their content, so that a browser may keep them for ever."""

import hashlib
import mimetypes
from importlib.resources import files

from aiohttp import web

from occupancy.web.problems import Problem
from occupancy.web.routes import Route

PREFIX = "/static/"
_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles:
    """Every file under `static/`, read once."""

    def __init__(self) -> None:
        folder = files("occupancy.web") / "static"
        self._by_name: dict[str, str] = {}
        self._bodies: dict[str, tuple[bytes, str]] = {}
        for file in folder.iterdir():
            if file.is_file():
                self._add(file.name, file.read_bytes())

    def url(self, name: str) -> str:
        """The address of a file by its plain name. Raises KeyError for a file that is not there."""
        return self._by_name[name]

    def body(self, name: str) -> bytes:
        return self._bodies[self._by_name[name].removeprefix(PREFIX)][0]

    def routes(self) -> list[Route]:
        return [
            Route("GET", PREFIX + "{name}", self.answer, "A file of the pages", documented=False),
            Route("GET", "/favicon.ico", self.icon, "The icon", documented=False),
        ]

    async def answer(self, request: web.Request, _: object) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self._bodies:
            raise Problem(404, f"nothing is served at {request.path}")
        body, content_type = self._bodies[name]
        headers = {"Cache-Control": _FOR_EVER, "Content-Type": content_type}
        return web.Response(body=body, headers=headers)

    async def icon(self, _: web.Request, __: object) -> web.StreamResponse:
        body, content_type = self._bodies[self._by_name["icon.svg"].removeprefix(PREFIX)]
        return web.Response(body=body, headers={"Content-Type": content_type})

    def _add(self, name: str, body: bytes) -> None:
        stem, _, ending = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{ending}"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind.endswith(("javascript", "svg+xml", "json")):
            kind += "; charset=utf-8"
        self._by_name[name] = PREFIX + hashed
        self._bodies[hashed] = (body, kind)
