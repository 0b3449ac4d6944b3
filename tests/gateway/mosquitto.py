"""A real MQTT broker of a test's own, from Debian's mosquitto."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import until

BROKER = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def require_mosquitto() -> None:
    """Skips on a laptop without it; fails where CI is set."""
    if not Path(BROKER).exists():
        if os.environ.get("CI"):  # noqa: TID251
            pytest.fail("mosquitto is missing: apt-get install mosquitto")
        pytest.skip("mosquitto is not installed")


ANYBODY = "allow_anonymous true\n"


@dataclass
class Mosquitto:
    """One broker process; killed, it forgets what is retained."""

    folder: Path
    port: int
    process: asyncio.subprocess.Process | None = None
    certificate: tuple[Path, Path] | None = None  # with it: over TLS alone
    more: str = ANYBODY  # lines of its configuration

    async def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "max_queued_messages 0\npersistence false\n" + self.more + self._tls()
        )
        self.process = await asyncio.create_subprocess_exec(
            BROKER, "-c", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        await until(self._answers)

    def _tls(self) -> str:
        if self.certificate is None:
            return ""
        chain, key = self.certificate
        return f"certfile {chain}\nkeyfile {key}\nuser root\n"  # who may read the key

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def mosquitto(
    folder: Path, certificate: tuple[Path, Path] | None = None, more: str = ANYBODY
) -> AsyncIterator[Mosquitto]:
    require_mosquitto()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = Mosquitto(folder, port, certificate=certificate, more=more)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
