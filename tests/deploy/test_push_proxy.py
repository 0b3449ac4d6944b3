"""Gate systems push through the kit's proxy: by TLS that they check, posts and nothing else."""

import asyncio
import datetime as dt
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.process import now_ms
from gateway.push_message import sign
from occupancy.doctor import check_certificates
from tests.deploy.nginx import proxy
from tests.gateway.test_push_receiver import MALL, receiving
from tests.gateway.tls import certificate_files

KEY = ec.generate_private_key(ec.SECP256R1())
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
HOST = "push.example.invalid"


class Sender:
    """A gate system that checks whom it speaks to."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http, self._url, self._posts = http, f"https://localhost:{port}", 0

    async def push(self, **more: object) -> int:
        self._posts += 1
        code = MALL.park.park_code
        fields = {"parkCode": code, "timestamp": now_ms(), "nonce": f"n{self._posts}", **more}
        body = msgspec.json.encode(fields)
        signature = sign(MALL.dialect.signature, MALL.secret, body, {})
        return await self.ask("POST", f"/push/{code}", body, {"X-Signature": signature})

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> int:
        told = {"Host": HOST, **(headers or {})}
        data = io.BytesIO(body) if body else None
        async with self._http.request(method, self._url + path, data=data, headers=told) as answer:
            return answer.status


@asynccontextmanager
async def sending(chain: Path, port: int) -> AsyncIterator[Sender]:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(chain)))
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Sender(http, port)


async def test_posts_come_through_and_nothing_else_does(redis_url: str, tmp_path: Path) -> None:
    chain, _ = certificate_files(tmp_path, KEY)
    async with (
        receiving(redis_url, tmp_path) as gate,
        proxy(tmp_path, f"127.0.0.1:{gate.port}") as port,
        sending(chain, port) as sender,
    ):
        record = {"recordNo": "r1", "direction": "in", "time": now_ms()}
        assert await sender.push(records=[record]) == 200
        assert await sender.ask("GET", "/push/P-1") == 405
        assert await sender.ask("PUT", "/push/P-1", b"{}") == 405
        assert await sender.ask("GET", "/metrics") == 404
        assert await sender.ask("POST", "/push/P-1", bytes(1 << 20 | 1)) == 413
        posts = (sender.ask("POST", "/push/P-9", b"{}") for _ in range(400))
        answers = await asyncio.gather(*posts)
        assert set(answers) == {404, 429}  # none of ours; and too many at once


async def test_a_push_host_whose_certificate_expired_is_refused_and_named_until_it_is_renewed(
    redis_url: str, tmp_path: Path
) -> None:
    chain, _ = certificate_files(tmp_path, KEY, LONG_AGO, days=30)
    async with receiving(redis_url, tmp_path) as gate:
        push = f"127.0.0.1:{gate.port}"
        async with proxy(tmp_path, push) as port, sending(chain, port) as sender:
            with pytest.raises(aiohttp.ClientConnectorCertificateError, match="has expired"):
                await sender.push()
            (found,) = await check_certificates(_told(port), now_ms())
            assert found.thing == f"certificate of localhost:{port} (ZHIBO_PUSH_URL)"
            assert found.trouble == "its certificate expired on 2020-01-31 00:00 UTC"
            assert "renew the certificate on localhost" in found.cure
        certificate_files(tmp_path, KEY)
        async with proxy(tmp_path, push) as port, sending(chain, port) as sender:
            assert await sender.push() == 200
            (found,) = await check_certificates(_told(port), now_ms())
            assert found.ok


def _told(port: int) -> list[tuple[str, str]]:
    return [("ZHIBO_PUSH_URL", f"https://localhost:{port}")]
