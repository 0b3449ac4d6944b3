"""Everything on one machine: embedded servers, and one child process for each other part."""

import asyncio
import fcntl
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp

from gateway.children import Child, keep_running
from gateway.settings import BadSettingError
from occupancy import database, embedded
from occupancy.config import RUNNING_FILE
from occupancy.first_start import prepare
from occupancy.join_file import Driver
from occupancy.operators import Made, add_first_administrator

MODBUS_OFFSETS = range(0, 16_000, 1_000)  # below the ports the kernel gives out by itself
READY_SECONDS = 120.0
LOOPBACK = "127.0.0.1"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Town:
    """What `zhibo up` was asked for, every value checked."""

    data: Path
    host: str
    port: int
    sim_port: int
    postgres_url: str
    redis_url: str
    scenario: Path
    car_parks: Sequence[Path]
    joined: Sequence[Path]
    modbus_ports: Sequence[int]

    @property
    def logs(self) -> Path:
        return self.data / "logs"


async def run_together(
    town: Town, environ: Mapping[str, str], stopping: asyncio.Event, say: Say
) -> None:
    """Start all, say where it is, and run until `stopping`; every part ends before the servers."""
    _require_free(town.host, town.port, "ZHIBO_PORT")
    _require_free(LOOPBACK, town.sim_port, "ZHIBO_SIM_PORT")
    with _alone_in(town.data), free_offset(town.modbus_ports) as offset:
        say(f"starting, ready in about half a minute; logs in {town.logs}")
        async with _servers(town) as (postgres_url, redis_url):
            await prepare(postgres_url)
            first = await _first_administrator(postgres_url)
            places = {
                "ZHIBO_DATA": str(town.data.absolute()),
                "ZHIBO_OUTBOX": str(town.data.absolute() / "outbox"),
                "ZHIBO_POSTGRES_URL": postgres_url,
                "ZHIBO_REDIS_URL": redis_url,
                "ZHIBO_MODBUS_PORT_OFFSET": str(offset),
            }
            with _told_to_others(town.data, places):
                await _run_parts(
                    town, {**environ, **places, "ZHIBO_CHILD": "1"}, stopping, say, first
                )
    say(f"stopped; the data is in {town.data}")


async def _first_administrator(postgres_url: str) -> Made | None:
    async with database.pool(postgres_url) as connections:
        return await add_first_administrator(connections)


async def _run_parts(
    town: Town,
    environ: Mapping[str, str],
    stopping: asyncio.Event,
    say: Say,
    first: Made | None,
) -> None:
    async with asyncio.TaskGroup() as group:
        for child in _children(town, environ):
            group.create_task(keep_running(child, stopping), name=child.name)
        group.create_task(_announce(town, stopping, say, first), name="announce")


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Two towns in one folder would fight over it. Raises BadSettingError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise BadSettingError(
            f"ZHIBO_DATA={data}: {reason.strerror}; set a folder that can be written"
        ) from None
    with (data / "lock").open("w") as lock:
        if not _locked(lock):
            raise BadSettingError(
                f"ZHIBO_DATA={data}: another `zhibo up` runs in this folder; "
                "stop it or set another ZHIBO_DATA"
            )
        yield


@contextmanager
def _told_to_others(data: Path, places: Mapping[str, str]) -> Iterator[None]:
    """While we run, `zhibo doctor` and the other commands find our servers in this file."""
    file = data / RUNNING_FILE
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}='{value}'\n" for name, value in places.items()))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _children(town: Town, environ: Mapping[str, str]) -> list[Child]:
    parts: list[tuple[str, tuple[str, ...]]] = [
        ("sim", ("sim", str(town.scenario))),
        ("recorder", ("recorder",)),
        ("serve", ("serve",)),
        ("study", ("study", "work")),
        ("press", ("press",)),
        *((f"gateway-{path.stem}", ("gateway", str(path))) for path in town.car_parks),
    ]
    ours = [
        Child(name, (sys.executable, "-m", "zhibo", *arguments), environ, town.logs)
        for name, arguments in parts
    ]
    return [*ours, *(_joined(path, environ, town.logs) for path in town.joined)]


def _joined(file: Path, environ: Mapping[str, str], logs: Path) -> Child:
    """A car park that joined has devices of its own, at the ports that its file says.

    The file is `LOT.DRIVER.toml`.
    """
    lot_id, driver = file.stem.rsplit(".", 1)
    command = Driver(driver).process
    there = {**environ, "ZHIBO_MODBUS_PORT_OFFSET": "0"}
    arguments = (sys.executable, "-m", "zhibo", command, str(file))
    return Child(f"{command}-{lot_id}", arguments, there, logs)


@asynccontextmanager
async def _servers(town: Town) -> AsyncIterator[tuple[str, str]]:
    """The two servers' URLs: those that are set, embedded ones for the rest."""
    async with AsyncExitStack() as stack:
        postgres_url, redis_url = town.postgres_url, town.redis_url
        if not postgres_url:
            server = await embedded.prepare_postgres(town.data / "postgres", town.logs)
            postgres_url = await stack.enter_async_context(embedded.running(server))
        if not redis_url:
            server = embedded.prepare_valkey(town.data / "redis", town.logs)
            redis_url = await stack.enter_async_context(embedded.running(server))
        yield postgres_url, redis_url


async def _announce(town: Town, stopping: asyncio.Event, say: Say, first: Made | None) -> None:
    web = f"http://{town.host}:{town.port}"
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not stopping.is_set() and not await _is_ready(web):  # noqa: ASYNC110  # a server has no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        say(f"the web service is not ready after {READY_SECONDS:.0f} s; see {town.logs}/serve.log")
        return
    if not stopping.is_set():
        say(
            f"三水智泊 is up. Ctrl-C stops it.\n"
            f"  big screen    {web}/board\n"
            f"  operators     {web}/admin/   (planners: {web}/reports/)\n"
            f"  API           {web}/v1/lots   (documentation {web}/docs)\n"
            f"  live stream   {web}/v1/stream\n"
            f"  simulated truth  http://{LOOPBACK}:{town.sim_port}/truth"
        )
        if first is not None:
            say(
                f"  first operator   {first.operator.name}, password {first.password} "
                "(shown this once; another: zhibo user password admin)"
            )


async def _is_ready(web: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{web}/readyz") as answer:
            return answer.status == 200  # noqa: PLR2004
    except aiohttp.ClientError:
        return False


def _require_free(host: str, port: int, setting: str) -> None:
    if not _is_free(host, port):
        raise BadSettingError(
            f"{setting}={port}: something else listens on {host}:{port} already; "
            f"stop it or set another {setting}"
        )


@contextmanager
def free_offset(ports: Sequence[int]) -> Iterator[int]:
    """The first shift at which every simulated device finds its port free, held while we run.

    The lock keeps apart two towns that start at the same moment and see the same ports free.
    """
    for offset in MODBUS_OFFSETS:
        claim = Path(tempfile.gettempdir()) / f"zhibo-{os.getuid()}-ports-{offset}.lock"
        with claim.open("w") as lock:
            if _locked(lock) and all(_is_free(LOOPBACK, port + offset) for port in ports):
                yield offset
                return
    raise BadSettingError("ZHIBO_MODBUS_PORT_OFFSET: no free range of ports for the field devices")


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
