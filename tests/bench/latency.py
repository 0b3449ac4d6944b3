"""A change of a register to Redis and to an SSE client, through the real processes, poll 200 ms."""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop

from gateway import stream
from gateway.children import Child, keep_running
from gateway.redis_client import connect
from occupancy import database, embedded
from tests.bench.report import Report, at_most, shown
from tests.builders import a_lot
from tests.field_line import FieldLine, serving

PERIOD_MS = 200
BAYS = 36
PALLETS = 16  # the register of lift_slide_plc where the pallet bits begin
CONFIG = """
lot_id = "kangle"
[[link]]
link_id = "plc"
kind = "tcp"
port = {port}
[[device]]
device_id = "kangle-g1"
link_id = "plc"
map = "lift_slide_plc"
role = "group"
group_id = "g1"
period_ms = {period}
bays_by_level = [18]
"""


@dataclass
class _Garage:
    """The PLC's registers, and when each number of cars was set and seen."""

    cars: int = 0
    set_at: dict[int, float] = field(default_factory=dict)
    in_redis: dict[int, float] = field(default_factory=dict)
    at_client: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    def word(self, _: int, address: int) -> int:
        bits = (1 << self.cars % 18) - 1
        return {PALLETS: bits & 0xFFFF, PALLETS + 1: bits >> 16, 7: 40_000, 6: 30_000}.get(
            address, 0
        )


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench latency")
    parser.add_argument("--changes", type=int, default=150)
    chosen = parser.parse_args(arguments)
    garage = uvloop.run(_measure(chosen.changes))
    redis_ms = _delays(garage, garage.in_redis)
    client_ms = _delays(garage, garage.at_client)
    lost = len(garage.set_at) - len(client_ms)
    return Report(
        "latency",
        [
            at_most("register to Redis p99", _p99(redis_ms), PERIOD_MS + 50, "ms"),
            at_most("register to SSE client p99", _p99(client_ms), PERIOD_MS + 100, "ms"),
            at_most("changes not seen by the client", lost, 0, "changes"),
            shown("register to Redis median", statistics.median(redis_ms), "ms"),
            shown("register to SSE client median", statistics.median(client_ms), "ms"),
        ],
        {"changes": len(garage.set_at), "poll_period_ms": PERIOD_MS},
    )


def _delays(garage: _Garage, seen: dict[int, float]) -> list[float]:
    return [(seen[n] - garage.set_at[n]) * 1_000 for n in garage.set_at if n in seen]


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]


async def _measure(changes: int) -> _Garage:
    garage = _Garage()
    dice = random.Random(1)  # noqa: S311  # repeatable
    with tempfile.TemporaryDirectory(prefix="zhibo-bench-") as folder:
        async with (
            _pipeline(Path(folder), garage) as (redis_url, web),
            asyncio.TaskGroup() as group,
        ):
            watchers = [
                group.create_task(_watch_redis(redis_url, garage), name="redis"),
                group.create_task(_watch_stream(web, garage), name="stream"),
            ]
            await asyncio.sleep(2)
            for number in range(1, changes + 1):
                garage.cars = number
                garage.set_at[number] = time.perf_counter()
                await asyncio.sleep(dice.uniform(0.3, 0.6))
                print(f"\r{number} of {changes}", end="", file=sys.stderr)
            await asyncio.sleep(1)
            for watcher in watchers:
                watcher.cancel()
    print(file=sys.stderr)
    return garage


async def _watch_redis(redis_url: str, garage: _Garage) -> None:
    after = {"kangle": "$"}
    async with connect(redis_url) as redis:
        while True:
            for _, entry_id, entry in await stream.read_now(redis, after, 1_000):
                after["kangle"] = entry_id
                _note(garage, garage.in_redis, entry.observation.cars_on_pallets)


async def _watch_stream(web: str, garage: _Garage) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{web}/v1/stream") as answer:
        async for line in answer.content:
            if line.startswith(b'data: {"id"'):
                _note(garage, garage.at_client, json.loads(line[6:])["live"]["occupied"])


def _note(garage: _Garage, seen: dict[int, float], cars: int | None) -> None:
    """The first sight of the newest number that shows as this many cars."""
    if cars is not None and garage.cars % 18 == cars and garage.cars in garage.set_at:
        seen.setdefault(garage.cars, time.perf_counter())


@asynccontextmanager
async def _pipeline(folder: Path, garage: _Garage) -> AsyncIterator[tuple[str, str]]:
    async with AsyncExitStack() as stack:
        logs = folder / "logs"
        postgres = await embedded.prepare_postgres(folder / "pg", logs)
        postgres_url = await stack.enter_async_context(embedded.running(postgres))
        valkey = embedded.prepare_valkey(folder / "redis", logs)
        redis_url = await stack.enter_async_context(embedded.running(valkey))
        await database.migrate(postgres_url)
        async with database.pool(postgres_url) as connections:
            await database.seed_lots(connections, [a_lot(capacity=18)])
        line = await stack.enter_async_context(serving(FieldLine(value=garage.word)))
        config = folder / "kangle.toml"
        config.write_text(CONFIG.format(port=line.port, period=PERIOD_MS), encoding="utf-8")
        port = _free_port()
        environ = {
            "PATH": os.defpath,
            "ZHIBO_CHILD": "1",
            "ZHIBO_OUTBOX": str(folder / "outbox"),
            "ZHIBO_POSTGRES_URL": postgres_url,
            "ZHIBO_REDIS_URL": redis_url,
            "ZHIBO_PORT": str(port),
        }
        await stack.enter_async_context(_children(folder, environ, config))
        web = f"http://127.0.0.1:{port}"
        await _until_ready(web)
        yield redis_url, web


@asynccontextmanager
async def _children(folder: Path, environ: dict[str, str], config: Path) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for arguments in (("gateway", str(config)), ("recorder",), ("serve",)):
            command = (sys.executable, "-m", "zhibo", *arguments)
            child = Child(arguments[0], command, environ, folder / "logs")
            group.create_task(keep_running(child, stopping), name=arguments[0])
        try:
            yield
        finally:
            stopping.set()


async def _until_ready(web: str) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{web}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
