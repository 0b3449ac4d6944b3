"""Serve small fields on ports that the system picks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from lot_sim.devices import Connections, lines_of, listen, serve_line
from lot_sim.field import Field
from lot_sim.pace import Pace
from tests.lot_sim.towns import MONDAY_NOON_MS


@dataclass
class Clock:
    """A clock that goes when told."""

    at_seconds: float = 0.0

    def seconds(self) -> float:
        return self.at_seconds

    def wall_ms(self) -> int:
        return MONDAY_NOON_MS + int(self.at_seconds * 1000)


def paced(field: Field, speed: float, clock: Clock) -> Pace:
    return Pace(field.town, speed, clock.seconds, clock.wall_ms)


def standing(field: Field) -> Pace:
    """The town stands still; only what a test does changes it."""
    return paced(field, 0.0, Clock())


@dataclass
class Served:
    """A field behind sockets: ports by those of its scenario."""

    field: Field
    ports: dict[int, int]
    connections: Connections


@asynccontextmanager
async def served(field: Field, pace: Pace | None = None) -> AsyncIterator[Served]:
    connections: Connections = set()
    ports: dict[int, int] = {}
    servers = []
    for port, instruments in lines_of(field.instruments).items():
        listener = listen(0, str(port), "nothing")
        ports[port] = listener.getsockname()[1]
        servers.append(
            await serve_line(instruments, listener, (pace or standing(field)).advance, connections)
        )
    try:
        yield Served(field, ports, connections)
    finally:
        for server in servers:
            server.close()
        for transport in tuple(connections):
            transport.abort()


@asynccontextmanager
async def client(
    port: int, *, rtu: bool = False, timeout_seconds: float = 3
) -> AsyncIterator[AsyncModbusTcpClient]:
    modbus = AsyncModbusTcpClient(
        "127.0.0.1",
        port=port,
        framer=FramerType.RTU if rtu else FramerType.SOCKET,
        timeout=timeout_seconds,
        retries=0,
        reconnect_delay=0,
    )
    assert await modbus.connect()
    try:
        yield modbus
    finally:
        modbus.close()
