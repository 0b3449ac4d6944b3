"""`/m/signature`: lets our own pages use WeChat's JS-SDK, and nobody else's."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from wechat.account_errors import WechatError

PATH = "/m/signature"


class SignatureQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address of the page, without its fragment."""

    url: str = ""


class Signature(msgspec.Struct, frozen=True, rename="camel"):
    """The arguments of wx.config."""

    app_id: str
    timestamp: int
    nonce_str: str
    signature: str


class Tickets(Protocol):
    """Who has the ticket that pages are signed with."""

    async def jsapi_ticket(self) -> str:
        """Raises WechatError."""


class PageSignatures:
    """`clock` is UTC milliseconds; `public_url` is this service as citizens see it."""

    def __init__(
        self, tickets: Tickets, app_id: str, public_url: str, clock: Callable[[], int]
    ) -> None:
        self._tickets = tickets
        self._app_id = app_id
        self._host = urlsplit(public_url).netloc
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                PATH,
                self.sign,
                "A JS-SDK signature for a page of ours",
                query=SignatureQuery,
                documented=False,
            )
        ]

    async def sign(self, _: web.Request, query: SignatureQuery) -> web.StreamResponse:
        page = urlsplit(query.url)
        if page.scheme not in ("http", "https") or not self._host or page.netloc != self._host:
            raise Problem(403, f"only pages of {self._host or 'ZHIBO_PUBLIC_URL'}", field="url")
        try:
            ticket = await self._tickets.jsapi_ticket()
        except WechatError:
            raise Problem(
                503, "WeChat gives no ticket at present; links work all the same"
            ) from None
        signed = sign(
            ticket,
            query.url.partition("#")[0],
            secrets.token_hex(8),
            self._clock() // 1_000,
            self._app_id,
        )
        headers = {"Cache-Control": "no-store"}
        body = msgspec.json.encode(signed)
        return web.Response(body=body, content_type="application/json", headers=headers)


def sign(ticket: str, url: str, nonce: str, at_seconds: int, app_id: str) -> Signature:
    """SHA-1 over the four values in the order of WeChat's JS-SDK documentation."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={at_seconds}&url={url}"
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Signature(app_id, at_seconds, nonce, digest)
