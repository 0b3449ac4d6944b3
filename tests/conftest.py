"""Real servers for the tests: PostgreSQL and Valkey from the wheels, one of each a session."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Thread

import asyncpg
import pytest
from hypothesis import settings
from redis.asyncio import Redis

from gateway.redis_client import connect
from occupancy import database, embedded

# A slow machine is no defect: no test asserts how long an example takes.
settings.register_profile("zhibo", deadline=None)
settings.load_profile("zhibo")

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")
IN_MEMORY, ROOMY_BYTES = Path("/dev/shm"), 6 << 30  # noqa: S108 -- the folder is made by mkdtemp


class _Servers:
    """Both servers on a loop of their own, so that every test may have its own loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._urls: Future[tuple[str, str]] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="servers")

    def start(self) -> tuple[str, str]:
        self._thread.start()
        return self._urls.result(timeout=60)

    def stop(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=60)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        logs = self._folder / "logs"
        async with AsyncExitStack() as stack:
            postgres = await embedded.prepare_postgres(self._folder / "pg", logs, FAST)
            valkey = embedded.prepare_valkey(self._folder / "redis", logs)
            urls = (
                await stack.enter_async_context(embedded.running(postgres)),
                await stack.enter_async_context(embedded.running(valkey)),
            )
            await database.migrate(urls[0])
            self._urls.set_result(urls)
            await self._stop.wait()


def _memory() -> Path | None:
    """Where files are kept in memory, if there is much of it: each test copies a database."""
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOMY_BYTES
    return IN_MEMORY if has_room else None


@pytest.fixture(scope="session")
def server_urls() -> Iterator[tuple[str, str]]:
    """PostgreSQL (migrated, a template for each test's own database) and Valkey."""
    folder = Path(tempfile.mkdtemp(prefix="zhibo-tests-", dir=_memory()))
    servers = _Servers(folder)
    try:
        yield servers.start()
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(server_urls: tuple[str, str]) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    template = server_urls[0]
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(template.replace("/zhibo?", "/postgres?"))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE zhibo STRATEGY FILE_COPY")
        yield template.replace("/zhibo?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def connections(postgres_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with database.pool(postgres_url) as made:
        yield made


@pytest.fixture
async def redis_url(server_urls: tuple[str, str]) -> str:
    """The session's server, emptied."""
    async with connect(server_urls[1]) as client:
        await client.flushall()
    return server_urls[1]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


ALONE = {"e2e", "faults", "machines"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share what it sets up, so they run in one process; whole towns run alone."""
    for item in items:
        if item.path.parent.name in ALONE:
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("spread") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_report_header() -> str:
    return "CI: missing parts fail" if os.environ.get("CI") else "missing parts are skipped"  # noqa: TID251
