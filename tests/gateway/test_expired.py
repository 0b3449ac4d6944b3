"""A certificate that has expired: nobody speaks to its bearer, it is said why, nothing is lost."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from gateway.bay_config import BayConfig, load_maps, read_broker
from gateway.bay_ledger import BayPark
from gateway.bay_receiver import BayReceiver, BaySettings, run_bays
from gateway.process import monotonic_seconds, now_ms
from gateway.redis_client import connect
from tests.gateway.mosquitto import mosquitto
from tests.gateway.tls import certificate_files
from tests.waiting import until

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
MALL = BayPark("mall", "mall", "common", {"B1": ("s1",)})
CONFIG = BayConfig((MALL,))


def expired(folder: Path) -> tuple[Path, Path]:
    return certificate_files(folder, KEY, LONG_AGO, days=30)


KEY = ec.generate_private_key(ec.SECP256R1())


async def test_a_broker_whose_certificate_expired_is_named_and_followed_once_it_is_renewed(
    redis_url: str, tmp_path: Path
) -> None:
    chain, key = expired(tmp_path)
    stopping, made = asyncio.Event(), list[BayReceiver]()
    async with mosquitto(tmp_path, (chain, key)) as broker:
        address = read_broker(f"mqtts://localhost:{broker.port}", str(chain))
        with capture_logs() as said:
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    run_bays(
                        *(CONFIG, load_maps(CONFIG), address, BaySettings(redis_url, tmp_path)),
                        *(now_ms, monotonic_seconds, stopping, made.append),
                    ),
                    name="bays",
                )
                await until(lambda: any("certificate has expired" in str(line) for line in said))
                assert made[0].meters.registry.get_sample_value("zhibo_bay_broker_up") == 0
                away = next(line for line in said if "expired" in str(line))
                assert away["broker"] == f"mqtts://localhost:{broker.port}"
                stopping.set()
        certificate_files(tmp_path, KEY)  # renewed, under the same key
        await broker.stop()
        await broker.start()
        stopping.clear()
        made.clear()
        address = read_broker(f"mqtts://localhost:{broker.port}", str(chain))
        async with asyncio.TaskGroup() as group:
            group.create_task(
                run_bays(
                    *(CONFIG, load_maps(CONFIG), address, BaySettings(redis_url, tmp_path)),
                    *(now_ms, monotonic_seconds, stopping, made.append),
                ),
                name="bays",
            )
            await until(
                lambda: (
                    bool(made)
                    and made[0].meters.registry.get_sample_value("zhibo_bay_broker_up") == 1
                )
            )
            stopping.set()


@asynccontextmanager
async def before_redis(redis_url: str, certificate: tuple[Path, Path]) -> AsyncIterator[int]:
    """TLS before a real Valkey on its socket; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(redis_url.removeprefix("unix://"))
        async with asyncio.TaskGroup() as group:
            group.create_task(pipe(reader, back), name="to redis")
            group.create_task(pipe(there, writer), name="from redis")

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_a_redis_whose_certificate_expired_is_lost_and_says_so(
    redis_url: str, tmp_path: Path
) -> None:
    certificate = expired(tmp_path)
    async with (
        before_redis(redis_url, certificate) as port,
        connect(f"rediss://localhost:{port}?ssl_ca_certs={certificate[0]}") as redis,
    ):
        with pytest.raises(RedisConnectionError, match="certificate has expired"):
            await redis.ping()
    renewed = certificate_files(tmp_path, KEY)
    async with (
        before_redis(redis_url, renewed) as port,
        connect(f"rediss://localhost:{port}?ssl_ca_certs={renewed[0]}") as redis,
    ):
        assert await redis.ping()
