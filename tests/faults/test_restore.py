"""The database is lost, and comes back from its backup: the outboxes bring what came after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from gateway.outbox import Memory, Outbox
from gateway.outbox_thread import OutboxThread
from gateway.process import monotonic_seconds, now_ms
from gateway.redis_client import connect
from gateway.uplink import Uplink
from occupancy import database
from occupancy.embedded import postgres_program, prepare_postgres, prepare_valkey, running
from occupancy.recorder import Recorder
from tests.builders import a_lot, an_observation
from tests.waiting import until

LOT = "kangle"


class Gateway:
    """One car park's outbox and its uplink."""

    def __init__(self, path: Path, redis: Redis) -> None:
        self._outbox = OutboxThread(Outbox(path, now_ms()))
        self._uplink = Uplink(self._outbox, None, redis, LOT, now_ms, monotonic_seconds)
        self.cars = 0

    async def count(self, cars: int) -> None:
        """So many cars come in, an observation each."""
        for _ in range(cars):
            self.cars += 1
            news = an_observation(1, entries_total=self.cars, observed_at_ms=now_ms())
            placed = await self._outbox.append(news, Memory(), counts=True)
            self._uplink.tell(placed)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._uplink.run(), name="uplink")
            yield
            work.cancel()

    def close(self) -> None:
        self._outbox.close()


@asynccontextmanager
async def recording(redis: Redis, postgres_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with database.pool(postgres_url) as connections, asyncio.TaskGroup() as group:
        recorder = Recorder(redis, connections, {LOT: a_lot()}, [], now_ms)
        work = group.create_task(recorder.run(), name="recorder")
        yield connections
        work.cancel()


async def counted(connections: asyncpg.Pool) -> list[int]:
    """The running totals in history, in the order of the gateway's own numbers."""
    rows = await connections.fetch("SELECT entries_total FROM observation ORDER BY epoch, sequence")
    return [row["entries_total"] for row in rows]


async def run(program: str, *arguments: str) -> None:
    """A command of docs/operations.md."""
    process = await asyncio.create_subprocess_exec(str(postgres_program(program)), *arguments)
    assert await process.wait() == 0


async def test_a_lost_database_comes_back_from_its_backup_and_the_outboxes_fill_the_rest(
    tmp_path: Path,
) -> None:
    dump = tmp_path / "zhibo.dump"
    valkey = prepare_valkey(tmp_path / "redis", tmp_path)
    async with running(valkey) as redis_url, connect(redis_url) as redis:
        gateway = Gateway(tmp_path / "kangle.sqlite", redis)
        async with gateway.sending():
            first = await prepare_postgres(tmp_path / "first", tmp_path)
            async with running(first) as url:
                await database.migrate(url)
                async with recording(redis, url) as connections:
                    await gateway.count(20)
                    await until(lambda: holds(connections, 20))
                    await run("pg_dump", "-Fc", "-f", str(dump), url)
                    await gateway.count(15)  # recorded, and lost with the database
                    await until(lambda: holds(connections, 35))
            await gateway.count(5)  # while there is no database
            second = await prepare_postgres(tmp_path / "second", tmp_path)
            async with running(second) as url:
                await run("pg_restore", "--no-privileges", "-d", url, str(dump))
                assert await database.migrate(url) == 0
                async with database.pool(url, database.WEB_ROLE) as web:
                    assert await counted(web)
                async with recording(redis, url) as connections:
                    await gateway.count(5)
                    await until(lambda: holds(connections, 45), within_seconds=60)
                    assert await counted(connections) == list(range(1, 46))
        gateway.close()


async def holds(connections: asyncpg.Pool, cars: int) -> bool:
    return len(await counted(connections)) == cars
