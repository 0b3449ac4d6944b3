"""Certificates of the servers we use are told before they end, whatever is spoken before TLS."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.certificate import (
    DAY_SECONDS,
    WARN_DAYS,
    Endpoint,
    Greeting,
    Term,
    cure_of,
    endpoints,
    trouble_of,
)
from gateway.certificate_look import look_at
from gateway.process import now_ms
from occupancy.doctor import check_certificates
from tests.free_port import free_port
from tests.gateway.mosquitto import mosquitto
from tests.gateway.test_expired import before_redis
from tests.gateway.tls import certificate_files
from zhibo.settings import tls_addresses

KEY = ec.generate_private_key(ec.SECP256R1())
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
EXPIRED = "its certificate expired on 2020-01-31 00:00 UTC"
HOUR_MS = 3_600_000
ONE = Endpoint("ZHIBO_X", "a.example", 443)


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("rediss://u:p@cache", ["cache:6379"]),
        ("rediss+sentinel://:p@a,b:2/main", ["a:26379", "b:2"]),
        ("rediss+cluster://a:1,b:2", ["a:1", "b:2"]),
        ("postgresql://zhibo@db/zhibo?sslmode=verify-full", ["db:5432"]),
        ("postgresql://zhibo@db:6000/zhibo?sslmode=require", ["db:6000"]),
        ("mqtts://u:p@broker", ["broker:8883"]),
        ("https://parking.example.org/", ["parking.example.org:443"]),
        ("https://[::1]:8443", ["::1:8443"]),
        ("", []),
        ("redis://cache", []),
        ("unix:///run/redis.sock", []),
        ("postgresql://zhibo@db/zhibo?sslmode=disable", []),
        ("postgresql://zhibo@/zhibo?host=/run&sslmode=require", []),
        ("mqtt://localhost", []),
        ("http://localhost:8080", []),
    ],
)
def test_what_speaks_tls_is_looked_at_host_by_host(address: str, places: list[str]) -> None:
    assert [one.place for one in endpoints([("ZHIBO_X", address)])] == places


@given(st.integers(min_value=-400 * 24, max_value=400 * 24))
def test_it_is_told_from_two_weeks_ahead_and_ever_after(hours: int) -> None:
    now = 1_800_000_000_000
    words = trouble_of(Term(ONE, now + hours * HOUR_MS), now)
    assert bool(words) == (hours * 3_600 < WARN_DAYS * DAY_SECONDS)
    assert ("expired" in words) == (hours <= 0)


def test_the_way_out_names_the_host_and_the_setting() -> None:
    assert "a.example" in cure_of(ONE)
    assert "ZHIBO_X" in cure_of(ONE)


async def test_a_broker_is_named_before_and_after_its_certificate_ends(tmp_path: Path) -> None:
    began = dt.datetime.fromtimestamp(now_ms() / 1_000, tz=dt.UTC)
    soon = began - dt.timedelta(days=20, hours=12)
    certificate = certificate_files(tmp_path, KEY, soon, days=30)
    async with mosquitto(tmp_path, certificate) as broker:
        told = [("ZHIBO_MQTT_URL", f"mqtts://bays:sesame@localhost:{broker.port}")]
        (found,) = await check_certificates(told, now_ms())
        assert "expires in 9 days" in found.trouble
        assert f"localhost:{broker.port} (ZHIBO_MQTT_URL)" in found.line()
        assert "sesame" not in found.line()


async def test_a_redis_behind_tls_is_named_once_its_certificate_expired(
    redis_url: str, tmp_path: Path
) -> None:
    async with before_redis(redis_url, certificate_files(tmp_path, KEY, LONG_AGO, 30)) as port:
        (found,) = await check_certificates([("ZHIBO_REDIS_URL", f"rediss://localhost:{port}")], 0)
        assert found.ok  # by a clock of 1970
        (found,) = await check_certificates(
            [("ZHIBO_REDIS_URL", f"rediss://localhost:{port}")], now_ms()
        )
    assert found.trouble == EXPIRED


@asynccontextmanager
async def like_postgres(certificate: tuple[Path, Path], answer: bytes) -> AsyncIterator[int]:
    """What PostgreSQL says to who asks for TLS; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readexactly(8) == bytes.fromhex("0000000804d2162f")
        if asked:
            writer.write(answer)
        if asked and answer == b"S":
            await writer.start_tls(context)
            await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_postgresql_is_asked_for_tls_in_its_own_way(tmp_path: Path) -> None:
    certificate = certificate_files(tmp_path, KEY, LONG_AGO, 30)
    url = "postgresql://zhibo:sesame@localhost:{}/zhibo?sslmode=verify-full"
    async with like_postgres(certificate, b"S") as port:
        (found,) = await check_certificates([("ZHIBO_POSTGRES_URL", url.format(port))], now_ms())
        assert found.trouble == EXPIRED
    async with like_postgres(certificate, b"N") as port:
        (found,) = await check_certificates([("ZHIBO_POSTGRES_URL", url.format(port))], now_ms())
        assert found.trouble == "no certificate seen: the server does not speak TLS"


async def test_a_host_that_does_not_answer_is_said_not_to(tmp_path: Path) -> None:
    (found,) = await check_certificates(
        [("ZHIBO_PUBLIC_URL", f"https://127.0.0.1:{free_port()}")], now_ms()
    )
    assert "no certificate seen" in found.trouble
    async with like_postgres(certificate_files(tmp_path, KEY), b"N") as port:  # no TLS at once
        (term,) = await look_at([Endpoint("ZHIBO_X", "127.0.0.1", port, Greeting.NONE)])
    assert term.expires_ms is None
    assert term.trouble


def test_all_addresses_with_certificates_are_looked_at() -> None:
    names = [name for name, _ in tls_addresses({})]
    assert {name.removeprefix("ZHIBO_").removesuffix("_URL") for name in names} == {
        *("REDIS", "POSTGRES", "POSTGRES_REPLICA", "MQTT", "PUSH", "PUBLIC"),
    }
