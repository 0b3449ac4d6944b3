"""Heavy reads and a real streaming replica: it lags, dies, is promoted; nobody fails."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.children import Child
from occupancy import database
from occupancy.doctor import check_replica
from occupancy.reading import Reading, replica_conditions
from occupancy.replica import ReplicaState
from tests.free_port import free_port
from tests.machines.standby import copy_primary, make_primary
from tests.waiting import until

FAST = ("fsync=off", "max_connections=30", "listen_addresses=127.0.0.1")
LOOPBACK = "127.0.0.1/32"


class Server:
    """A PostgreSQL on a port of its own."""

    def __init__(self, folder: Path, port: int, command: list[str]) -> None:
        self.url = f"postgresql://zhibo@127.0.0.1:{port}/postgres"
        self.child = Child("postgres", command, {"PATH": "/usr/bin:/bin"}, folder / "logs")
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await self.child.start()
        await until(self._answers)

    async def end(self, number: signal.Signals = signal.SIGQUIT) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(number)
            await process.wait()

    async def _answers(self) -> bool:
        async with database.pool(self.url) as pool:
            try:
                return bool(await pool.fetchval("SELECT true"))
            except database.UNREACHABLE:
                return False


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """A primary and the replica that follows it."""
    ports = (free_port(), free_port())
    options = (*FAST, f"port={ports[0]}", "wal_level=replica")
    command = await make_primary(tmp_path / "one", options, [LOOPBACK])
    primary = Server(tmp_path / "one", ports[0], command)
    await primary.start()
    await copy_primary("127.0.0.1", ports[0], tmp_path / "two")
    follower = await make_primary(tmp_path / "two", (*FAST, f"port={ports[1]}"))
    replica = Server(tmp_path / "two", ports[1], follower)
    await replica.start()
    try:
        yield primary, replica
    finally:
        await replica.end()
        await primary.end()


async def test_heavy_reads_follow_the_replica_and_leave_it_when_they_must(
    pair: tuple[Server, Server],
) -> None:
    primary, replica = pair
    now_ms = [0]
    async with database.pool(primary.url) as ours, database.pool(replica.url) as theirs:
        reading = Reading(ours, theirs, 10, lambda: now_ms[0])

        async def look() -> ReplicaState:
            now_ms[0] += 1_000
            await reading.look()
            return reading.standing.state

        async def serves() -> bool:
            return await look() is ReplicaState.SERVING

        async def where() -> bool:
            return bool(await reading.pool.fetchval("SELECT pg_is_in_recovery()"))

        assert await where() is False, "nothing is known of the replica yet"
        await until(serves)
        assert await where() is True
        assert (await check_replica(primary.url, replica.url)).ok

        await theirs.execute("SELECT pg_wal_replay_pause()")
        await ours.execute("CREATE TABLE news (n int)")
        await ours.execute("INSERT INTO news SELECT generate_series(1, 1000)")
        assert await reading.pool.fetchval("SELECT count(*) FROM news") == 1_000
        assert reading.fallbacks == 1, "the replica has no such table yet"
        for _ in range(12):
            await look()
        assert reading.standing.state is ReplicaState.LAGGING
        assert await where() is False
        (condition,) = replica_conditions(reading.standing)
        assert condition.value > 10

        await theirs.execute("SELECT pg_wal_replay_resume()")
        await until(serves)
        assert await reading.pool.fetchval("SELECT count(*) FROM news") == 1_000
        assert await where() is True

        async with asyncio.TaskGroup() as group:
            slow = group.create_task(
                reading.pool.fetchval("SELECT pg_is_in_recovery() FROM pg_sleep(0.5)"),
                name="in mid-answer",
            )
            await asyncio.sleep(0)
            await replica.end()
        assert slow.result() is False, "the primary answered what the dying replica did not"
        assert await look() is ReplicaState.AWAY
        assert await where() is False
        assert not (await check_replica(primary.url, replica.url)).ok

        await replica.start()
        await until(serves)
        await theirs.fetchval("SELECT pg_promote()")

        async def is_promoted() -> bool:
            return await look() is ReplicaState.PROMOTED

        await until(is_promoted)
        assert await where() is False
        assert "no replica" in (await check_replica(primary.url, replica.url)).line()
