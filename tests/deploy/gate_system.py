"""A gate system that pushes by TLS through the kit's proxy, and checks whom it speaks to."""

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from gateway.process import monotonic_seconds, now_ms
from gateway.push_config import Sender
from gateway.push_message import sign
from tests.gateway.test_push_receiver import MALL

PUSH, PAGES = "push.example.invalid", "parking.example.invalid"


class GateSystem:
    """Of one car park."""

    def __init__(self, http: aiohttp.ClientSession, port: int, ours: Sender) -> None:
        self._http, self._url, self._ours = http, f"https://localhost:{port}", ours

    async def push(self, **more: object) -> int:
        code, told = self._ours.park.park_code, {"nonce": f"{monotonic_seconds()}", **more}
        body = msgspec.json.encode({"parkCode": code, "timestamp": now_ms(), **told})
        signature = sign(self._ours.dialect.signature, self._ours.secret, body, {})
        return await self.ask("POST", f"/push/{code}", body, {"X-Signature": signature})

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        host: str = PUSH,
    ) -> int:
        told = {"Host": host, **(headers or {})}
        data = io.BytesIO(body) if body else None
        async with self._http.request(method, self._url + path, data=data, headers=told) as answer:
            return answer.status


@asynccontextmanager
async def sending(chain: Path, port: int, ours: Sender = MALL) -> AsyncIterator[GateSystem]:
    trusting = ssl.create_default_context(cafile=str(chain))
    # Few at a time: on a busy machine no post's body lags so far that the proxy gives it up.
    connector = aiohttp.TCPConnector(ssl=trusting, limit=20)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield GateSystem(http, port, ours)
