"""The whole service as real processes, with links between them that can be made to misbehave."""

import asyncio
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.children import Child
from gateway.config import GatewayConfig, list_shipped, load_config
from gateway.redis_client import connect
from occupancy import embedded
from occupancy.first_start import prepare
from occupancy.together import free_offset
from tests.e2e.town import shell_environ
from tests.faults import stepped_clock
from tests.faults.part import Part
from tests.faults.proxy import Link, link_to
from tests.faults.small_disk import SmallDisk, small_disk
from tests.free_port import free_port

POSTGRES_MEGABYTES, OUTBOX_MEGABYTES = 400, 64
MORNING = "2026-11-23T08:00:00+08:00"
FASTEST = 120.0
HTTP_SECONDS = 2.0
POSTGRES_OPTIONS = ("listen_addresses=127.0.0.1", "max_wal_size=96MB", "max_connections=60")
LOOK_SECONDS = 0.2
HEARD_SECONDS = 180.0  # nine processes start at once, on a machine that may be busy


@dataclass
class Stage:
    """Everything that runs. `redis` and `postgres_url` go past the links, to judge and to harm."""

    folder: Path
    dice: random.Random
    speed: float
    configs: Mapping[str, GatewayConfig]
    outboxes: SmallDisk
    postgres_disk: SmallDisk
    parts: dict[str, Part]
    links: Mapping[str, Link]
    redis: Redis
    postgres_url: str
    web: str
    sim: str
    http: aiohttp.ClientSession
    notes: dict[str, list[float]] = field(default_factory=dict)
    struck: str = ""  # what exactly the last fault hit
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def lots(self) -> Sequence[str]:
        return sorted(self.configs)

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def deaths(self) -> list[str]:
        return [death for part in self.parts.values() for death in part.deaths]

    def gateways(self) -> list[Part]:
        return [self.parts[f"gateway-{lot_id}"] for lot_id in self.lots]

    def recorders(self) -> list[Part]:
        return [self.parts["recorder-1"], self.parts["recorder-2"]]

    def redis_links(self) -> list[Link]:
        return [link for name, link in self.links.items() if name.startswith("redis")]

    def outbox(self, lot_id: str) -> Path:
        """As the gateway sees it."""
        return self.outboxes.path / f"{lot_id}.sqlite"

    async def set_speed(self, speed: float) -> None:
        async with self.http.post(self.sim + "/clock", json={"speed": speed}) as answer:
            assert answer.status < 300, await answer.text()

    async def get(self, url: str) -> Any:  # noqa: ANN401  # JSON
        async with self.http.get(url) as answer:
            assert answer.status == 200, (url, answer.status)
            return await answer.json()

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.postgres_url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows
        finally:
            await connection.close()

    async def watermarks(self) -> dict[str, tuple[int, int]]:
        """How far each car park is recorded; nothing while PostgreSQL is away."""
        try:
            rows = await self.fetch("SELECT lot_id, epoch, sequence FROM watermark")
        except (OSError, asyncpg.PostgresError):
            return {}
        return {row["lot_id"]: (row["epoch"], row["sequence"]) for row in rows}

    async def mourn(self) -> None:
        """Until cancelled: parts that end by themselves are noted and started again."""
        while True:
            for part in self.parts.values():
                await part.mourn()
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def stage(
    folder: Path, seed: int, speed: float, told: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Up, heard and standing still: `set_speed(stage.speed)` lets the town go.

    `told` comes into every part's environment, and the schema is that of whoever it names.
    """
    async with AsyncExitStack() as stack:
        made = await _open(folder, seed, speed, stack, told or {})
        for name in ("sim", *(p.name for p in made.gateways()), "recorder-1", "recorder-2", "web"):
            await made.parts[name].start()
        await _until_heard(made)
        mourners = await stack.enter_async_context(asyncio.TaskGroup())
        mourning = mourners.create_task(made.mourn(), name="mourn")
        try:
            yield made
        finally:
            mourning.cancel()


async def _open(
    folder: Path, seed: int, speed: float, stack: AsyncExitStack, told: Mapping[str, str]
) -> Stage:
    """Servers, links and everything but the service's own processes."""
    configs = {c.car_park.lot_id: c for c in map(load_config, list_shipped())}
    ports = [link.port for config in configs.values() for link in config.car_park.links]
    offset = stack.enter_context(free_offset(ports))
    outboxes, postgres_disk = [
        await stack.enter_async_context(small_disk(folder / name, megabytes))
        for name, megabytes in (("outbox", OUTBOX_MEGABYTES), ("history", POSTGRES_MEGABYTES))
    ]
    parts: dict[str, Part] = {}
    stack.push_async_callback(_end_all, parts)
    redis_port, postgres_port = free_port(), free_port()
    parts["redis"] = await _redis(folder, redis_port)
    parts["postgres"] = await _postgres(folder, postgres_port, postgres_disk)
    for server in tuple(parts.values()):
        await server.start()
    postgres_url = f"postgresql://zhibo@127.0.0.1:{postgres_port}/zhibo"
    await _create_database(postgres_url)
    await _prepare(postgres_url, told)
    links = {
        name: await stack.enter_async_context(link_to("127.0.0.1", port, seed))
        for name, port in (
            ("redis-gateways", redis_port),
            ("redis-recorders", redis_port),
            ("redis-web", redis_port),
            ("postgres", postgres_port),
        )
    }
    web_port, sim_port = free_port(), free_port()
    stepped_clock.step(folder / "clock", 0)
    environ = {
        **shell_environ(),
        "ZHIBO_CHILD": "1",
        "ZHIBO_DATA": str(folder),
        "ZHIBO_OUTBOX": str(outboxes.path),
        "ZHIBO_POSTGRES_URL": f"postgresql://zhibo@127.0.0.1:{links['postgres'].port}/zhibo",
        "ZHIBO_MODBUS_PORT_OFFSET": str(offset),
        "ZHIBO_PORT": str(web_port),
        "ZHIBO_SIM_PORT": str(sim_port),
        "ZHIBO_SIM_SPEED": "0",
        "ZHIBO_SIM_SEED": str(seed),
        "ZHIBO_SIM_START": MORNING,
        "ZHIBO_COUNTER_RATE_FACTOR": str(FASTEST),
        **told,
    }
    for part in _service(folder, environ, links, outboxes, configs):
        parts[part.name] = part
    redis: Redis = await stack.enter_async_context(
        Redis(port=redis_port, retry=Retry(NoBackoff(), 2))  # its server has been killed before
    )
    patience = aiohttp.ClientTimeout(HTTP_SECONDS)
    http = await stack.enter_async_context(aiohttp.ClientSession(timeout=patience))
    return Stage(
        folder=folder,
        dice=random.Random(seed),  # noqa: S311  # the same faults at the next run
        speed=speed,
        configs=configs,
        outboxes=outboxes,
        postgres_disk=postgres_disk,
        parts=parts,
        links=links,
        redis=redis,
        postgres_url=postgres_url,
        web=f"http://127.0.0.1:{web_port}",
        sim=f"http://127.0.0.1:{sim_port}",
        http=http,
    )


def _service(
    folder: Path,
    environ: Mapping[str, str],
    links: Mapping[str, Link],
    disk: SmallDisk,
    configs: Mapping[str, GatewayConfig],
) -> list[Part]:
    """The simulated field, a gateway for each car park, two recorders, the web service."""

    def part(name: str, words: Sequence[str], redis: str, *, clock: bool = False) -> Part:
        front = ("tests.faults.stepped_clock", str(folder / "clock")) if clock else ("zhibo",)
        command = [sys.executable, "-m", *front, *words]
        url = f"redis://127.0.0.1:{links[redis].port}"
        told = {**environ, "ZHIBO_REDIS_URL": url}
        if not clock:
            return Part(Child(name, command, told, folder / "logs"))
        # Its log on the disk of its outbox, as `zhibo up` has it: both are full together.
        return Part(Child(name, disk.inside(command), told, disk.seen("logs")))

    files = {load_config(path).car_park.lot_id: path for path in list_shipped()}
    return [
        part("sim", ("sim",), "redis-web"),
        *(
            part(f"gateway-{lot_id}", ("gateway", str(files[lot_id])), "redis-gateways", clock=True)
            for lot_id in configs
        ),
        part("recorder-1", ("recorder",), "redis-recorders"),
        part("recorder-2", ("recorder",), "redis-recorders"),
        part("web", ("serve",), "redis-web"),
    ]


async def _redis(folder: Path, port: int) -> Part:
    """With a log, so that it may come back with a part of what it had."""
    command = list(embedded.prepare_valkey(folder / "redis", folder / "logs").child.command)
    command[command.index("--port") + 1] = str(port)
    command[command.index("--appendonly") + 1] = "yes"
    url = f"redis://127.0.0.1:{port}"

    async def answers() -> bool:
        async with connect(url) as redis:
            try:
                await redis.ping()
            except (RedisError, OSError):
                return False
        return True

    return Part(Child("redis", command, {"PATH": os.defpath}, folder / "logs"), answers)


async def _postgres(folder: Path, port: int, disk: SmallDisk) -> Part:
    """Its data on the small disk, its socket beside."""
    options = (*POSTGRES_OPTIONS, f"port={port}")
    server = await embedded.prepare_postgres(folder / "postgres", folder / "logs", options)
    data = folder / "postgres" / "data"
    await asyncio.to_thread(shutil.copytree, data, disk.seen("postgres"))
    command = list(server.child.command)
    command[command.index("-D") + 1] = str(disk.path / "postgres")
    environ = dict(server.child.environ)

    async def answers() -> bool:
        try:
            admin = await asyncpg.connect(f"postgresql://zhibo@127.0.0.1:{port}/postgres")
        except (OSError, asyncpg.PostgresError):
            return False
        await admin.close()
        return True

    return Part(Child("postgres", disk.inside(command), environ, folder / "logs"), answers)


async def _create_database(url: str) -> None:
    admin = await asyncpg.connect(url.removesuffix("zhibo") + "postgres")
    await admin.execute("CREATE DATABASE zhibo")
    await admin.close()


async def _prepare(url: str, told: Mapping[str, str]) -> None:
    if told:
        environ = {**shell_environ(), **told, "ZHIBO_POSTGRES_URL": url}
        command = (sys.executable, "-m", "zhibo", "migrate")
        # A bench prints its report alone.
        silent = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=silent)
        assert await process.wait() == 0
    else:
        await prepare(url)


async def _until_heard(made: Stage) -> None:
    """Every counter has been read while no car moves, and the web service is ready."""
    async with asyncio.timeout(HEARD_SECONDS):
        while not await _is_heard(made):  # noqa: ASYNC110  # processes have no event
            await asyncio.sleep(0.1)


async def _is_heard(made: Stage) -> bool:
    for part in made.parts.values():
        assert part.is_running, part.last_words()
    try:
        ready = await made.get(made.web + "/readyz")
    except (AssertionError, aiohttp.ClientError, TimeoutError):
        return False
    rows = await made.fetch("SELECT DISTINCT lot_id FROM observation")
    return bool(ready["lots_heard"] == len(made.lots) == len(rows))


async def _end_all(parts: Mapping[str, Part]) -> None:
    for part in reversed(list(parts.values())):
        await part.end()
