"""Gate systems push through the kit's proxies: by TLS that they check, posts and nothing else."""

import asyncio
import datetime as dt
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.process import now_ms
from occupancy.doctor import check_certificates
from tests.deploy.gate_system import PAGES, sending
from tests.deploy.names import name_server
from tests.deploy.nginx import proxy
from tests.gateway.test_push_receiver import receiving
from tests.gateway.tls import certificate_files
from tests.occupancy.web.faces import served
from tests.waiting import until

KEY = ec.generate_private_key(ec.SECP256R1())
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("name", ["zhibo.conf", "compose.conf"])
async def test_posts_come_through_and_nothing_else_does(
    name: str, redis_url: str, tmp_path: Path
) -> None:
    chain, _ = certificate_files(tmp_path, KEY)
    slow = "1r/s"  # however slowly the test goes: no more posts than the burst
    async with (
        receiving(redis_url, tmp_path) as gate,
        name_server("push") as names,
        proxy(name, tmp_path, gate.port, names=names.port, rate=slow) as port,
        sending(chain, port) as system,
    ):
        record = {"recordNo": "r1", "direction": "in", "time": now_ms()}
        assert await system.push(records=[record]) == 200
        assert await system.ask("GET", "/push/P-1") == 405
        assert await system.ask("PUT", "/push/P-1", b"{}") == 405
        assert await system.ask("GET", "/metrics") == 404
        assert await system.ask("POST", "/push/P-1", bytes(1 << 20 | 1)) == 413
        posts = (system.ask("POST", "/push/P-9", b"{}") for _ in range(400))
        answers = await asyncio.gather(*posts)
        assert set(answers) == {404, 429}  # none of ours; and too many at once


async def test_pages_are_served_without_a_push_receiver_and_one_that_comes_is_found(
    redis_url: str, tmp_path: Path
) -> None:
    chain, _ = certificate_files(tmp_path, KEY)
    async with (
        served() as site,
        receiving(redis_url, tmp_path) as gate,
        name_server("web") as names,
        proxy("compose.conf", tmp_path, gate.port, site.port, names.port) as port,
        sending(chain, port) as system,
    ):

        async def is_served() -> bool:
            return await system.ask("GET", "/healthz", host=PAGES) == 200

        async def is_taken() -> bool:
            return await system.push() == 200

        await until(is_served)
        assert await system.push() == 502
        assert await is_served()
        names.known.add("push")
        await until(is_taken)


async def test_a_push_host_whose_certificate_expired_is_refused_and_named_until_it_is_renewed(
    redis_url: str, tmp_path: Path
) -> None:
    chain, _ = certificate_files(tmp_path, KEY, LONG_AGO, days=30)
    async with receiving(redis_url, tmp_path) as gate:
        async with (
            proxy("zhibo.conf", tmp_path, gate.port) as port,
            sending(chain, port) as system,
        ):
            with pytest.raises(aiohttp.ClientConnectorCertificateError, match="has expired"):
                await system.push()
            (found,) = await check_certificates(_told(port), now_ms())
            assert found.thing == f"certificate of localhost:{port} (ZHIBO_PUSH_URL)"
            assert found.trouble == "its certificate expired on 2020-01-31 00:00 UTC"
            assert "renew the certificate on localhost" in found.cure
        certificate_files(tmp_path, KEY)
        async with (
            proxy("zhibo.conf", tmp_path, gate.port) as port,
            sending(chain, port) as system,
        ):
            assert await system.push() == 200
            (found,) = await check_certificates(_told(port), now_ms())
            assert found.ok


def _told(port: int) -> list[tuple[str, str]]:
    return [("ZHIBO_PUSH_URL", f"https://localhost:{port}")]
