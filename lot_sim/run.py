"""Run a simulated field: open every port, then let the town follow the clock."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import structlog
from aiohttp import web

from gateway.process import monotonic_seconds, now_ms
from lot_sim.config import SimSettings
from lot_sim.devices import Connections, lines_of, listen, open_lines, serve_line
from lot_sim.field import Field
from lot_sim.pace import Pace
from lot_sim.town import Town
from lot_sim.truth import Truth

TICK_SECONDS = 0.1
_SHUTDOWN_SECONDS = 1.0

log = structlog.get_logger()


async def run_sim(settings: SimSettings, stopping: asyncio.Event) -> None:
    """Until `stopping`. Raises PortTakenError before anything has been started."""
    start_ms = now_ms() if settings.start_ms is None else settings.start_ms
    field = build_field(settings, start_ms)
    pace = Pace(field.town, settings.speed, monotonic_seconds, now_ms)
    async with serving(field, settings, pace):
        while not stopping.is_set():
            pace.advance()
            await _pause(stopping)


def build_field(settings: SimSettings, start_ms: int) -> Field:
    town = Town(settings.scenario, settings.seed, start_ms)
    return Field(town, settings.maps, settings.faults)


@asynccontextmanager
async def serving(
    field: Field, settings: SimSettings, pace: Pace
) -> AsyncIterator[dict[int, socket.socket]]:
    """Serve Modbus and the truth; gives the listening sockets by the scenario's port."""
    async with AsyncExitStack() as stack:
        sockets = stack.enter_context(ExitStack())
        lines = lines_of(field.instruments)
        truth_socket = listen(settings.truth_port, "GET /truth", "ZHIBO_SIM_PORT", settings.host)
        sockets.enter_context(truth_socket)
        opened = open_lines(lines, settings.port_offset, sockets, settings.host)
        connections: Connections = set()
        stack.callback(_hang_up, connections)
        for port, listener in opened.items():
            server = await serve_line(lines[port], listener, pace.advance, connections)
            stack.callback(server.close)
        await _serve_truth(Truth(field, pace).app(), truth_socket, stack)
        _log_start(field, settings)
        yield opened


async def _serve_truth(
    app: web.Application, listener: socket.socket, stack: AsyncExitStack
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


def _hang_up(connections: Connections) -> None:
    for transport in tuple(connections):
        transport.abort()


async def _pause(stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(TICK_SECONDS):
            await stopping.wait()
    except TimeoutError:
        return


def _log_start(field: Field, settings: SimSettings) -> None:
    log.info(
        "simulated field is up",
        devices=len(field.instruments),
        bays=sum(lot.bays for lot in field.town.lots),
        speed=settings.speed,
        seed=settings.seed,
        faults=settings.faults,
        truth=f"http://{settings.host}:{settings.truth_port}/truth",
    )
