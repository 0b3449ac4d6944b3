"""One of the servers that `zhibo bench api` compares: `python -m tests.bench.web_server WHAT`.

It prints its port and the length of its body, then takes orders on stdin, one a line: `change`
publishes one change and prints when (monotonic nanoseconds); `memory` prints its resident bytes.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

import uvloop
from aiohttp import web

from gateway.process import now_ms
from occupancy import database
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.web.server import Face, make_face, serving
from tests.bench.limits import allow_many_files
from tests.builders import a_group, an_observation

AWAY = "postgresql://nobody@/nothing?host=/nowhere"
_PAGE_BYTES = 4_096


def picture(lot: Lot, sequence: int) -> LiveOccupancy:
    """A whole lot; with each sequence other cars in its first group."""
    groups = tuple(
        a_group(
            number,
            device_id=f"{lot.lot_id}-{group.group_id}",
            group_id=group.group_id,
            bays_by_level=group.bays_by_level,
            occupied_by_level=(sequence % 6 if number == 1 else 4, 3, 2),
        )
        for number, group in enumerate(lot.groups, start=1)
    )
    news = an_observation(
        sequence, lot_id=lot.lot_id, observed_at_ms=now_ms(), groups=groups, cars_inside=None
    )
    return fold(None, lot, Received(news, now_ms(), now_ms()))


@asynccontextmanager
async def ours() -> AsyncIterator[Face]:
    """The whole application with five lots that have just been heard."""
    lots = {lot.lot_id: lot for lot in load_shipped()}
    async with database.pool(AWAY) as connections:
        face = make_face(lots, (), connections, now_ms)
        face.showcase.take_in([picture(lot, 1) for lot in lots.values()])
        yield face


def constant(body: bytes) -> web.Application:
    """The least an aiohttp handler can do."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/v1/lots", answer)
    return app


async def _obey(face: Face) -> None:
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sequence = 1
    lots = list(face.showcase.lots.values())
    async for order in orders:
        if order.strip() == b"memory":
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(pages * _PAGE_BYTES, flush=True)
            continue
        sequence += 1
        news = picture(lots[sequence % len(lots)], sequence)
        began_ns = time.monotonic_ns()
        face.showcase.take_in([news])
        print(began_ns, flush=True)


async def _serve(what: str) -> None:
    async with ours() as face:
        body = face.showcase.lot_list().plain.body
        app = face.app if what == "ours" else constant(body)
        with socket() as listening:
            listening.bind(("127.0.0.1", 0))
            async with serving(app, listening):
                print(listening.getsockname()[1], len(body), flush=True)
                await _obey(face)


if __name__ == "__main__":
    allow_many_files()
    uvloop.run(_serve(sys.argv[1]))
