"""`/wechat`: the server address of the account. WeChat never gets a 5xx or JSON from here."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from occupancy.web.routes import AnyQuery, Route
from wechat.config import WechatSettings
from wechat.crypto import RANDOM_BYTES, SealError, open_sealed
from wechat.guard import Passed, RefusedError, check_query, check_sealed
from wechat.message import MOST_BYTES, Message, UnreadableError, read_message, read_sealed
from wechat.once import Once
from wechat.reply_xml import NOTHING, sealed_reply, text_reply

BODY_SECONDS = 4.0
REFUSED, TOO_LARGE = 403, 413

log = structlog.get_logger()


class Answerer(Protocol):
    """Who knows what to say."""

    async def answer(self, message: Message) -> str:
        """The text; empty where there is nothing to say."""

    async def deliver(self, message: Message, text: str) -> None:
        """Say it later, by a message of our own."""


class _Opened(msgspec.Struct, frozen=True):
    """A body that was let in, and the key that opened it."""

    body: bytes
    key: bytes = b""


class Webhook:
    """GET proves the address is ours, POST brings messages."""

    def __init__(
        self,
        settings: WechatSettings,
        answerer: Answerer,
        once: Once,
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._answerer = answerer
        self._once = once
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(method, "/wechat", answer, summary, query=AnyQuery, documented=False)
            for method, answer, summary in (
                ("GET", _in_words(self.verify), "The account's server address proves itself"),
                ("POST", _in_words(self.receive), "Messages of the official account"),
            )
        ]

    async def verify(self, request: web.Request) -> bytes:
        """The echo, to whoever knows the token."""
        passed = self._passed(request)
        if not passed.echo:
            raise RefusedError("nothing to echo")
        return passed.echo.encode("utf-8", "replace")

    async def receive(self, request: web.Request) -> bytes:
        passed = self._passed(request)
        body = await _read(request)
        try:
            opened = self._opened(passed, body)
            message = read_message(opened.body)
        except (UnreadableError, SealError) as reason:
            # Signed by WeChat: to refuse it would only make it come again.
            log.warning("a message could not be read", reason=str(reason), bytes=len(body))
            return NOTHING
        reply = await self._once.answer(
            message.key,
            lambda: self._reply(message),
            lambda late: self._deliver(message, late),
        )
        return self._sealed(passed, opened, reply)

    def _passed(self, request: web.Request) -> Passed:
        settings = self._settings
        return check_query(request.query.items(), settings.tokens, settings.mode, self._clock())

    def _opened(self, passed: Passed, body: bytes) -> _Opened:
        """The message inside. Raises RefusedError, UnreadableError, SealError."""
        if not passed.is_sealed:
            return _Opened(body)
        try:
            sealed = read_sealed(body)
        except UnreadableError as reason:
            raise RefusedError(f"what should be sealed: {reason}") from None
        check_sealed(passed, sealed)
        refusal = SealError("there is no key")
        for key in self._settings.aes_keys:
            try:
                return _Opened(open_sealed(sealed, key, self._settings.app_id), key)
            except SealError as reason:
                refusal = reason
        raise refusal

    async def _reply(self, message: Message) -> bytes:
        text = await self._answerer.answer(message)
        if not text:
            return NOTHING
        return text_reply(message.from_user, message.to_user, self._clock() // 1_000, text)

    async def _deliver(self, message: Message, late: bytes) -> None:
        await self._answerer.deliver(message, read_message(late).content)

    def _sealed(self, passed: Passed, opened: _Opened, reply: bytes) -> bytes:
        if not opened.key or reply == NOTHING:
            return reply
        timestamp, nonce = str(self._clock() // 1_000), secrets.token_hex(8)
        random = secrets.token_bytes(RANDOM_BYTES)
        app_id = self._settings.app_id
        return sealed_reply(reply, opened.key, app_id, passed.token, timestamp, nonce, random)


def _in_words(
    answer: Callable[[web.Request], Awaitable[bytes]],
) -> Callable[[web.Request, object], Awaitable[web.StreamResponse]]:
    """Every refusal is a plain word: what is refused learns nothing more."""

    async def answered(request: web.Request, _: object) -> web.StreamResponse:
        try:
            body = await answer(request)
        except RefusedError as reason:
            log.warning("refused at the account's address", reason=str(reason))
            return _refusal(REFUSED)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(TOO_LARGE)
        kind = "application/xml" if body.startswith(b"<xml>") else "text/plain"
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return answered


def _refusal(status: int) -> web.Response:
    response = web.Response(text="refused", status=status)
    response.force_close()
    return response


async def _read(request: web.Request) -> bytes:
    """The body; one that is packed, late or longer than WeChat's is refused unread."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError("a packed body")
    if (request.content_length or 0) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES, request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise RefusedError("the body did not come") from None
