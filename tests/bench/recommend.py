"""A recommendation over HTTP at 200 a second, with real servers; joint decisions of thousands."""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from gateway.redis_client import connect
from occupancy import embedded, snapshot
from occupancy.first_start import prepare
from occupancy.lot_file import load_shipped
from tests.bench import joint_decision
from tests.bench.report import Report, at_most, shown
from tests.bench.web_server import picture

GOAL_MS = 50.0
READY_SECONDS = 30.0
PICTURES_EVERY_SECONDS = 5.0


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench recommend")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    told = uvloop.run(_measure(chosen.workers, chosen.rate, chosen.seconds))
    took = sorted(told["ms"])
    asked = len(took) + told["failed"]
    at = f"at {chosen.rate:g}/s"
    return Report(
        "recommend",
        [
            at_most(f"recommendation over HTTP {at}, p99", _part(took, 0.99), GOAL_MS, "ms"),
            at_most("requests without an answer", told["failed"], 0, "requests"),
            shown(f"the same {at}, p95", _part(took, 0.95), "ms"),
            shown(f"the same {at}, median", _part(took, 0.5), "ms"),
            *joint_decision.figures(),
        ],
        {
            "requests": asked,
            "workers": chosen.workers,
            "cores": os.cpu_count(),
            "shown": told["shown"],
        },
    )


def _part(took: list[float], part: float) -> float:
    return round(took[min(int(len(took) * part), len(took) - 1)], 2) if took else float("inf")


async def _measure(workers: int, rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    async with _service(workers) as port:
        print("warming up", file=sys.stderr)
        await _drivers(port, rate, 2.0)
        print(f"{rate:g} drivers a second for {seconds:g} s", file=sys.stderr)
        return await _drivers(port, rate, seconds)


async def _drivers(port: int, rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    command = (sys.executable, "-m", "tests.bench.recommend_client")
    process = await asyncio.create_subprocess_exec(
        *command, str(port), str(rate), str(seconds), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return json.loads(output)


@asynccontextmanager
async def _service(workers: int) -> AsyncIterator[int]:
    """`zhibo serve` with five lots that are heard all the time; its port."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            logs = folder / "logs"
            postgres = await embedded.prepare_postgres(folder / "pg", logs)
            postgres_url = await stack.enter_async_context(embedded.running(postgres))
            valkey = embedded.prepare_valkey(folder / "redis", logs)
            redis_url = await stack.enter_async_context(embedded.running(valkey))
            await prepare(postgres_url)
            port = _free_port()
            environ = {
                **os.environ,
                "ZHIBO_DATA": str(folder),
                "ZHIBO_POSTGRES_URL": postgres_url,
                "ZHIBO_REDIS_URL": redis_url,
                "ZHIBO_WORKERS": str(workers),
                "ZHIBO_PORT": str(port),
            }
            group = await stack.enter_async_context(asyncio.TaskGroup())
            heard = group.create_task(_be_heard(redis_url), name="pictures")
            stack.callback(heard.cancel)
            await stack.enter_async_context(_serving(environ))
            await _until_ready(port)
            yield port


@asynccontextmanager
async def _serving(environ: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "serve"), env=environ, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _be_heard(redis_url: str) -> None:
    """What gateways and recorder would say: some cars more or less, every few seconds."""
    lots, sequence = load_shipped(), 0
    async with connect(redis_url) as redis:
        run_id = await snapshot.read_run_id(redis)
        while True:
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
