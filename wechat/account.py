"""Our own calls of WeChat's API: one token for all processes, refusals by name, quotas kept."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from redis.asyncio import Redis

from wechat.account_errors import (
    QuotaUsedUpError,
    TokenRefusedError,
    TooFastError,
    UnreachableError,
    named,
)
from wechat.config import WechatSettings
from wechat.shared_token import Fetched, SharedToken

CALL_SECONDS = 5.0
TRIES = 2
QUIET_MS = {QuotaUsedUpError: 3_600_000, TooFastError: 60_000}
SIGN_IN_PAGE = "https://open.weixin.qq.com/connect/oauth2/authorize"
TEMPORARY_SECONDS = 2_592_000

Json = Mapping[str, Any]


class Account:
    """The official account as we call it. Every method raises WechatError."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        redis: Redis,
        settings: WechatSettings,
        clock: Callable[[], int],
    ) -> None:
        self._http = http
        self._settings = settings
        self._clock = clock
        self._quiet_until_ms: dict[str, tuple[int, type[Exception]]] = {}
        self._token = SharedToken(redis, "access", self._fetch_token, clock)
        self._ticket = SharedToken(redis, "jsapi", self._fetch_ticket, clock)

    async def token(self) -> str:
        return await self._token.get()

    async def jsapi_ticket(self) -> str:
        return await self._ticket.get()

    async def create_menu(self, menu: Json) -> None:
        await self._call("/cgi-bin/menu/create", menu)

    async def add_conditional_menu(self, menu: Json) -> None:
        await self._call("/cgi-bin/menu/addconditional", menu)

    async def delete_menu(self) -> None:
        """All of them, the conditional ones too."""
        await self._call("/cgi-bin/menu/delete", None)

    async def find_tag(self, name: str) -> int:
        """The id of a tag of this name, made where there is none."""
        answer = await self._call("/cgi-bin/tags/get", None)
        tags = answer.get("tags", [])
        found = next((tag["id"] for tag in tags if tag.get("name") == name), None)
        if found is None:
            made = await self._call("/cgi-bin/tags/create", {"tag": {"name": name}})
            found = made.get("tag", {}).get("id")
        if not isinstance(found, int):
            raise UnreachableError(0, "a tag without an id")
        return found

    async def tag(self, openid: str, tag_id: int) -> None:
        """So that he sees the menu made for this tag."""
        body = {"openid_list": [openid], "tagid": tag_id}
        await self._call("/cgi-bin/tags/members/batchtagging", body)

    async def untag(self, openid: str, tag_id: int) -> None:
        body = {"openid_list": [openid], "tagid": tag_id}
        await self._call("/cgi-bin/tags/members/batchuntagging", body)

    async def send_text(self, openid: str, text: str) -> None:
        """A customer-service message."""
        message = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        await self._call("/cgi-bin/message/custom/send", message)

    async def send_notice(
        self, openid: str, template: str, data: Mapping[str, str], page: str = ""
    ) -> None:
        """A subscribe notice: one for each consent."""
        values = {name: {"value": value} for name, value in data.items()}
        notice = {"touser": openid, "template_id": template, "page": page, "data": values}
        await self._call("/cgi-bin/message/subscribe/bizsend", notice)

    async def make_qr(self, scene: str, *, is_permanent: bool = True) -> str:
        """The address behind a QR code whose scan tells us `scene`."""
        asked: dict[str, Any] = {
            "action_name": "QR_LIMIT_STR_SCENE" if is_permanent else "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        if not is_permanent:
            asked["expire_seconds"] = TEMPORARY_SECONDS
        answer = await self._call("/cgi-bin/qrcode/create", asked)
        return _word(answer, "url")

    async def openid_of(self, code: str) -> str:
        """Who came back from the sign-in page (snsapi_base): his openid and nothing else."""
        query = {
            "appid": self._settings.app_id,
            "secret": self._settings.secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        answer = await self._ask("/sns/oauth2/access_token", query, None)
        return _word(answer, "openid")

    def sign_in_page(self, back_to: str, state: str) -> str:
        query = {
            "appid": self._settings.app_id,
            "redirect_uri": back_to,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{SIGN_IN_PAGE}?{urlencode(query)}#wechat_redirect"

    async def _fetch_token(self, refused: str) -> Fetched:
        """What WeChat holds for us; by force only when that is the refused one."""
        fetched = await self._stable_token(force=False)
        return fetched if fetched.value != refused else await self._stable_token(force=True)

    async def _stable_token(self, *, force: bool) -> Fetched:
        asked = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.secret,
            "force_refresh": force,
        }
        answer = await self._ask("/cgi-bin/stable_token", {}, asked)
        return Fetched(_word(answer, "access_token"), _seconds(answer))

    async def _fetch_ticket(self, _: str) -> Fetched:
        answer = await self._call("/cgi-bin/ticket/getticket", None, {"type": "jsapi"})
        return Fetched(_word(answer, "ticket"), _seconds(answer))

    async def _call(
        self, path: str, body: Json | None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """With the token; a refused one is renewed, once."""
        for left in reversed(range(TRIES)):
            token = await self._token.get()
            try:
                return await self._ask(path, {**(query or {}), "access_token": token}, body)
            except TokenRefusedError:
                await self._token.refuse(token)
                if not left:
                    raise
        raise AssertionError  # pragma: no cover

    async def _ask(self, path: str, query: Mapping[str, str], body: Json | None) -> dict[str, Any]:
        """One question. The query holds secrets: neither it nor an exception with it is logged."""
        self._check_quota(path)
        raw = await self._bytes(path, query, body)
        try:
            answer = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.DecodeError:
            raise UnreachableError(0, "no JSON came back") from None
        code = answer.get("errcode", 0)
        if not code:
            return answer
        error = named(int(code), str(answer.get("errmsg", "")))
        quiet_ms = QUIET_MS.get(type(error))
        if quiet_ms is not None:
            self._quiet_until_ms[path] = (self._clock() + quiet_ms, type(error))
        raise error

    async def _bytes(self, path: str, query: Mapping[str, str], body: Json | None) -> bytes:
        method = "GET" if body is None else "POST"
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._http.request(
                    method,
                    self._settings.api + path,
                    params=query,
                    data=data,
                    headers={"Content-Type": "application/json"},
                    allow_redirects=False,
                ) as answer,
            ):
                return await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as trouble:
            raise UnreachableError(0, type(trouble).__name__) from None

    def _check_quota(self, path: str) -> None:
        until_ms, kind = self._quiet_until_ms.get(path, (0, QuotaUsedUpError))
        if self._clock() < until_ms:
            raise kind(0, "not asked again yet")


@asynccontextmanager
async def opened(
    redis: Redis, settings: WechatSettings, clock: Callable[[], int]
) -> AsyncIterator[Account]:
    """The account with a connection pool of its own."""
    async with aiohttp.ClientSession() as http:
        yield Account(http, redis, settings, clock)


def _word(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise UnreachableError(0, f"an answer without {name}")
    return value


def _seconds(answer: Mapping[str, Any]) -> int:
    value = answer.get("expires_in", 0)
    return value if isinstance(value, int) else 0
