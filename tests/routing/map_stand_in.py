"""Stands in for every map service on loopback: checks what it is asked, answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class StandIn:
    """What came in, and what is answered; `status` other than 200 is an illness."""

    answer: Any = None
    status: int = 200
    text: str = ""
    meets: asyncio.Barrier | None = None  # an answer waits until so many were asked
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    address: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query)))
        if self.meets is not None:
            await self.meets.wait()
        if request.can_read_body:
            self.bodies.append(await request.json())
        if self.text:
            return web.Response(text=self.text, status=self.status)
        return web.json_response(self.answer, status=self.status)


@asynccontextmanager
async def stand_in(answer: Any = None) -> AsyncIterator[StandIn]:  # noqa: ANN401  # JSON
    made = StandIn(answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
