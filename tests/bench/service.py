"""`zhibo serve` with its own PostgreSQL and Redis, and car parks that are heard all the time."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway.process import is_cancelled
from gateway.redis_client import connect
from occupancy import database, embedded, snapshot
from occupancy.first_start import prepare
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from tests.bench.web_server import picture
from tests.free_port import free_port

READY_SECONDS = 120.0  # also on a machine that has other work
ENDS_SECONDS = 15.0
PICTURES_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Service:
    """Where it listens: one port a process that was started."""

    ports: tuple[int, ...]
    redis_url: str
    postgres_url: str


Hearing = Callable[[str, Sequence[Lot]], Coroutine[Any, Any, None]]


@asynccontextmanager
async def service(
    processes: int = 1,
    workers: int = 1,
    settings: Mapping[str, str] | None = None,
    town: Sequence[Lot] = (),
    hearing: Hearing | None = None,
) -> AsyncIterator[Service]:
    """So many `zhibo serve`, each with a port of its own and so many workers behind it.

    `town` are the car parks, without it those that ship; `hearing` lets them be heard.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            logs = folder / "logs"
            postgres = await embedded.prepare_postgres(folder / "pg", logs)
            postgres_url = await stack.enter_async_context(embedded.running(postgres))
            valkey = embedded.prepare_valkey(folder / "redis", logs)
            redis_url = await stack.enter_async_context(embedded.running(valkey))
            if town:
                await _found(postgres_url, town)
            await prepare(postgres_url)
            environ = {
                **os.environ,
                "ZHIBO_DATA": str(folder),
                "ZHIBO_POSTGRES_URL": postgres_url,
                "ZHIBO_REDIS_URL": redis_url,
                "ZHIBO_WORKERS": str(workers),
                **(settings or {}),
            }
            group = await stack.enter_async_context(asyncio.TaskGroup())
            lots = town or load_shipped()
            heard = group.create_task((hearing or _be_heard)(redis_url, lots), name="pictures")
            stack.callback(heard.cancel)
            ports = tuple(free_port() for _ in range(processes))
            for port in ports:
                await stack.enter_async_context(_serving({**environ, "ZHIBO_PORT": str(port)}))
            for port in ports:
                await _until_ready(port)
            yield Service(ports, redis_url, postgres_url)


async def _found(postgres_url: str, town: Sequence[Lot]) -> None:
    await database.migrate(postgres_url)
    async with database.pool(postgres_url) as connections:
        await database.seed_lots(connections, town)


@asynccontextmanager
async def _serving(environ: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "serve"), env=environ, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(ENDS_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _be_heard(redis_url: str, lots: Sequence[Lot]) -> None:
    """What gateways and recorder would say: some cars more or less, every few seconds."""
    sequence = 0
    async with connect(redis_url) as redis:
        run_id = await snapshot.read_run_id(redis)
        while not is_cancelled():
            sequence += 1
            for lot in lots:
                await snapshot.write(redis, run_id, picture(lot, sequence))
            await asyncio.sleep(PICTURES_EVERY_SECONDS)


async def _until_ready(port: int) -> None:
    async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
        while not await _is_ready(http, port):  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.1)


async def _is_ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
