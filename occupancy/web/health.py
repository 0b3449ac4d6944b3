"""Is the process alive, is it ready, and how is it doing."""

import msgspec
from aiohttp import web

from occupancy.web.metrics import Metrics
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Ready(msgspec.Struct, frozen=True):
    """Everything a reader needs is there."""

    status: str
    lots: int
    lots_heard: int


class Health:
    """`/healthz`, `/readyz`, `/metrics`."""

    def __init__(self, showcase: Showcase, metrics: Metrics) -> None:
        self._showcase = showcase
        self._metrics = metrics

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.alive, "The process answers", gives=Alive, tag="health"),
            Route(
                "GET",
                "/readyz",
                self.ready,
                "503 until every car park has been heard and Redis is there",
                gives=Ready,
                problems=(503,),
                tag="health",
            ),
            Route(
                "GET",
                "/metrics",
                self.metrics,
                "Prometheus metrics",
                content_type="text/plain",
                tag="health",
            ),
        ]

    async def alive(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.json_response(body=msgspec.json.encode(Alive()))

    async def ready(self, _: web.Request, __: object) -> web.StreamResponse:
        shown = self._showcase
        if shown.link_lost_since_ms is not None:
            raise Problem(503, "Redis is away; the last pictures age and turn into dashes")
        missing = [lot_id for lot_id in shown.lots if lot_id not in shown.pictures]
        if not shown.is_primed or missing:
            waited_for = ", ".join(missing) or "the first pictures"
            raise Problem(503, f"not heard yet: {waited_for}", choices=tuple(missing))
        body = Ready("ready", len(shown.lots), len(shown.pictures))
        return web.json_response(body=msgspec.json.encode(body))

    async def metrics(self, _: web.Request, __: object) -> web.StreamResponse:
        return web.Response(body=self._metrics.text(), content_type="text/plain", charset="utf-8")
