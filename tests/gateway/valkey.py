"""A Valkey of a test's own: killed, started again, on a socket or on ports, in any role."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.children import Child
from gateway.redis_client import connect
from occupancy.embedded import prepare_valkey
from tests.free_port import free_port
from tests.waiting import until


@dataclass
class Valkey:
    """One server process; what it holds in memory dies with it."""

    child: Child
    port: int
    process: asyncio.subprocess.Process | None = None
    clients: list[Redis] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.process = await self.child.start()
        await until(self._answers)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.process = None

    async def _answers(self) -> bool:
        async with connect(self.url) as redis:
            try:
                await redis.ping()
            except (RedisError, OSError):
                return False
        return True


@asynccontextmanager
async def valkey(
    folder: Path, options: Sequence[str] = (), port: int = 0, config: Path | None = None
) -> AsyncIterator[Valkey]:
    """A running server on a free port (or the one given) until the block ends."""
    folder.mkdir(exist_ok=True, parents=True)
    port = port or free_port()
    command = list(prepare_valkey(folder, folder).child.command)
    command[command.index("--port") + 1] = str(port)
    if config is not None:
        command.insert(command.index("--port"), str(config))
    server = Valkey(Child("valkey", [*command, *options], {}, folder), port)
    await server.start()
    try:
        yield server
    finally:
        if server.process is not None:
            await server.kill()
