"""The official account's server as it calls us: its own signing and sealing, every message kind."""

import base64
import hashlib
import os
import struct
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from tests.builders import MORNING_MS

APP_ID, TOKEN = "wx0123456789abcdef", "sanshuizhibo"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_TOKEN, OLD_AES_KEY = "token4before", "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba"[:42] + "E"
ACCOUNT, CITIZEN = "gh_0123456789ab", "oCitizen-0001_abcdefghijklmn"


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324


def as_xml(fields: Mapping[str, Any], root: str = "xml") -> str:
    """Numbers bare, words in CDATA, mappings nested: as WeChat writes them."""
    inner = "".join(
        as_xml(value, name)
        if isinstance(value, Mapping)
        else f"<{name}>{value}</{name}>"
        if isinstance(value, int | float)
        else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in fields.items()
    )
    return f"<{root}>{inner}</{root}>"


@dataclass(frozen=True)
class Heard:
    """What we answered: the plain text of the reply where there is one."""

    status: int
    body: bytes
    content_type: str
    fields: dict[str, str]

    @property
    def text(self) -> str:
        return self.fields.get("Content", "")


@dataclass(frozen=True)
class AccountServer:
    """Sends to one address. `now_ms` is the time it believes to be."""

    http: aiohttp.ClientSession
    url: str
    mode: str = "safe"
    token: str = TOKEN
    aes_key: str = AES_KEY
    app_id: str = APP_ID
    now_ms: int = MORNING_MS
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changed: Any) -> "AccountServer":  # noqa: ANN401
        return replace(self, **changed)

    async def verify(self, echo: str = "5913526475") -> Heard:
        params = {**self._signed(), "echostr": echo, **self.query}
        async with self.http.get(self.url, params=params) as answer:
            return await _heard(answer, None, "")

    async def text(self, content: str, *, msg_id: int = 1, by: str = CITIZEN) -> Heard:
        return await self.message("text", msg_id=msg_id, by=by, Content=content)

    async def message(
        self,
        kind: str,
        *,
        msg_id: int = 1,
        by: str = CITIZEN,
        **fields: Any,  # noqa: ANN401
    ) -> Heard:
        return await self.send({**self._head(by, kind), **fields, "MsgId": msg_id})

    async def event(self, name: str, *, by: str = CITIZEN, **fields: Any) -> Heard:  # noqa: ANN401
        return await self.send({**self._head(by, "event"), "Event": name, **fields})

    async def send(self, fields: Mapping[str, Any]) -> Heard:
        return await self.send_raw(as_xml(fields).encode())

    async def send_raw(self, plain: bytes) -> Heard:
        """Whatever the body is, signed and sealed as the mode says."""
        if self.mode == "plain":
            return await self.post(plain, self._signed())
        sealed = self.seal(plain)
        signed = self._signed()
        signed["encrypt_type"] = "aes"
        signed["msg_signature"] = sign(self.token, signed["timestamp"], signed["nonce"], sealed)
        envelope = as_xml({"ToUserName": ACCOUNT, "Encrypt": sealed})
        if self.mode == "compatible":
            envelope = plain.decode().replace("</xml>", f"<Encrypt>{sealed}</Encrypt></xml>")
        return await self.post(envelope.encode(), signed)

    async def post(self, body: bytes, params: Mapping[str, str]) -> Heard:
        headers = {"Content-Type": "text/xml", **self.headers}
        async with self.http.post(
            self.url, params={**params, **self.query}, data=body, headers=headers
        ) as answer:
            return await _heard(answer, self._key, self.token)

    def seal(self, plain: bytes) -> str:
        padder = PKCS7(256).padder()
        text = os.urandom(16) + struct.pack("!I", len(plain)) + plain + self.app_id.encode()
        padded = padder.update(text) + padder.finalize()
        box = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).encryptor()
        return base64.b64encode(box.update(padded) + box.finalize()).decode()

    @property
    def _key(self) -> bytes:
        return base64.b64decode(self.aes_key + "=")

    def _head(self, by: str, kind: str) -> dict[str, Any]:
        return {
            "ToUserName": ACCOUNT,
            "FromUserName": by,
            "CreateTime": self.now_ms // 1_000,
            "MsgType": kind,
        }

    def _signed(self) -> dict[str, str]:
        timestamp, nonce = str(self.now_ms // 1_000), os.urandom(5).hex()
        return {
            "signature": sign(self.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": CITIZEN,
        }


@asynccontextmanager
async def calling(url: str, **settings: Any) -> AsyncIterator[AccountServer]:  # noqa: ANN401
    async with aiohttp.ClientSession() as http:
        yield AccountServer(http, url, **settings)


async def _heard(answer: aiohttp.ClientResponse, key: bytes | None, token: str) -> Heard:
    body = await answer.read()
    fields: dict[str, str] = {}
    if body.startswith(b"<xml>"):
        fields = _fields(body)
        if "Encrypt" in fields:
            assert key is not None
            parts = (token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
            assert fields["MsgSignature"] == sign(*parts)
            fields = _fields(_unseal(fields["Encrypt"], key))
    return Heard(answer.status, body, answer.content_type, fields)


def _fields(body: bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ET.fromstring(body)}  # noqa: S314


def _unseal(sealed: str, key: bytes) -> bytes:
    box = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    padded = box.update(base64.b64decode(sealed)) + box.finalize()
    unpadder = PKCS7(256).unpadder()
    text = unpadder.update(padded) + unpadder.finalize()
    (length,) = struct.unpack("!I", text[16:20])
    assert text[20 + length :].decode() == APP_ID
    return text[20 : 20 + length]
