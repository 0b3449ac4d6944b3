"""WeChat's API as far as we call it: checks every call it gets, and fails on command."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wechat.account_server import APP_ID

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # nobody's
OK: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}
LIVES_SECONDS = 7_200
WRONG = 47001
Handler = Callable[[web.Request, dict[str, Any]], Awaitable[dict[str, Any]]]


class WrongCallError(Exception):
    """The call breaks a rule of the interface."""


def _rule(holds: object, words: str) -> None:
    if not holds:
        raise WrongCallError(words)


@dataclass
class StandIn:
    """`wrong` names the calls that no real WeChat would have taken."""

    address: str = ""
    valid: str = ""
    issued: int = 0
    forced: int = 0
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fail_next: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    said: list[tuple[str, str]] = field(default_factory=list)
    notices: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    consents: list[tuple[str, str]] = field(default_factory=list)
    menus: list[dict[str, Any]] = field(default_factory=list)
    conditional_menus: list[dict[str, Any]] = field(default_factory=list)
    made_tags: list[dict[str, Any]] = field(default_factory=list)
    tagged: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    is_broken: bool = False

    def expire(self) -> None:
        """The token is refused from now on; the next one asked for is another."""
        self.valid = ""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/cgi-bin/stable_token", self._open(self.stable_token)),
            web.get("/cgi-bin/ticket/getticket", self._guarded(self.ticket)),
            web.post("/cgi-bin/menu/create", self._guarded(self.create_menu)),
            web.post("/cgi-bin/menu/addconditional", self._guarded(self.add_conditional)),
            web.get("/cgi-bin/menu/delete", self._guarded(self.delete_menu)),
            web.get("/cgi-bin/tags/get", self._guarded(self.tags)),
            web.post("/cgi-bin/tags/create", self._guarded(self.create_tag)),
            web.post("/cgi-bin/tags/members/batchtagging", self._guarded(self.tag)),
            web.post("/cgi-bin/tags/members/batchuntagging", self._guarded(self.untag)),
            web.post("/cgi-bin/message/custom/send", self._guarded(self.send)),
            web.post("/cgi-bin/message/subscribe/bizsend", self._guarded(self.notice)),
            web.post("/cgi-bin/qrcode/create", self._guarded(self.qr)),
            web.get("/sns/oauth2/access_token", self._open(self.sign_in)),
        ]

    def _open(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            self.calls[request.path] += 1
            if self.is_broken:
                return web.Response(status=502, text="<html>bad gateway</html>")
            if self.fail_next[request.path]:
                code = self.fail_next[request.path].pop(0)
                return web.json_response({"errcode": code, "errmsg": "on command"})
            raw = await request.read()
            try:
                _rule(b"\\u" not in raw, "Chinese must travel as UTF-8, not escaped")
                body = json.loads(raw) if raw else {}
                return web.json_response(await handler(request, body))
            except (WrongCallError, KeyError, TypeError, ValueError) as reason:
                self.wrong.append(f"{request.path}: {reason!r}")
                return web.json_response({"errcode": WRONG, "errmsg": str(reason)})

        return answer

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def checked(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
            if not self.valid or request.query.get("access_token") != self.valid:
                return {"errcode": 40001 if self.valid else 42001, "errmsg": "token"}
            return await handler(request, body)

        return self._open(checked)

    async def stable_token(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        _rule(not request.query, "the secret travels in the body only")
        _rule(body["grant_type"] == "client_credential", "grant_type")
        if body["appid"] != APP_ID:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if body["secret"] != SECRET:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        force = body["force_refresh"]
        self.forced += force
        if force or not self.valid:
            self.issued += 1
            self.valid = f"token-{self.issued}"
        return {"access_token": self.valid, "expires_in": LIVES_SECONDS}

    async def ticket(self, request: web.Request, _: dict[str, Any]) -> dict[str, Any]:
        _rule(request.query["type"] == "jsapi", "type")
        return {**OK, "ticket": "ticket-1", "expires_in": LIVES_SECONDS}

    async def create_menu(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        check_menu(body["button"])
        _rule("matchrule" not in body, "a plain menu has no rule")
        self.menus.append(body)
        return OK

    async def add_conditional(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        check_menu(body["button"])
        _rule(self.menus, "a conditional menu needs a plain one")
        _rule(body["matchrule"].get("tag_id"), "matchrule")
        self.conditional_menus.append(body)
        return {"menuid": "1"}

    async def delete_menu(self, _: web.Request, __: dict[str, Any]) -> dict[str, Any]:
        self.menus.clear()
        self.conditional_menus.clear()
        return OK

    async def tags(self, _: web.Request, __: dict[str, Any]) -> dict[str, Any]:
        return {"tags": [{"id": 2, "name": "星标组", "count": 0}, *self.made_tags]}

    async def create_tag(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        name = body["tag"]["name"]
        _rule(0 < len(name) <= 30, "name of a tag")
        _rule(all(tag["name"] != name for tag in self.made_tags), "the tag is there already")
        self.made_tags.append({"id": 100 + len(self.made_tags), "name": name, "count": 0})
        return {"tag": {"id": self.made_tags[-1]["id"], "name": name}}

    async def tag(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        _rule(body["tagid"] in {tag["id"] for tag in self.made_tags}, "tagid")
        self.tagged |= set(body["openid_list"])
        return OK

    async def untag(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        _rule(body["tagid"] in {tag["id"] for tag in self.made_tags}, "tagid")
        self.tagged -= set(body["openid_list"])
        return OK

    async def send(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        _rule(body["msgtype"] == "text", "msgtype")
        content = body["text"]["content"]
        _rule(0 < len(content.encode()) <= 2048, "length of the text")
        _rule(body["touser"], "touser")
        self.said.append((body["touser"], content))
        return OK

    async def notice(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        consent = (body["touser"], body["template_id"])
        if consent not in self.consents:
            return {"errcode": 43101, "errmsg": "user refuse to accept the msg"}
        self.consents.remove(consent)
        values = {name: one["value"] for name, one in body["data"].items()}
        for name, value in values.items():
            _rule(0 < len(value) <= 20, f"length of {name}")
        self.notices.append((*consent, values))
        return OK

    async def qr(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        is_permanent = body["action_name"] == "QR_LIMIT_STR_SCENE"
        _rule(is_permanent or body["action_name"] == "QR_STR_SCENE", "action_name")
        _rule(is_permanent != ("expire_seconds" in body), "expire_seconds")
        scene = body["action_info"]["scene"]["scene_str"]
        _rule(1 <= len(scene) <= 64, "length of the scene")
        return {"ticket": "t", "url": f"http://weixin.qq.com/q/{scene}"}

    async def sign_in(self, request: web.Request, _: dict[str, Any]) -> dict[str, Any]:
        query = request.query
        _rule(query["appid"] == APP_ID and query["secret"] == SECRET, "appid, secret")
        _rule(query["grant_type"] == "authorization_code", "grant_type")
        if query["code"] != "good":
            return {"errcode": 40029, "errmsg": "invalid code"}
        return {"openid": "oSignedIn", "scope": "snsapi_base", "access_token": "x"}


def check_menu(buttons: list[dict[str, Any]]) -> None:
    _rule(1 <= len(buttons) <= 3, "one to three buttons")
    for button in buttons:
        _rule(len(button["name"].encode()) <= 16, "name of a button")
        inner = button.get("sub_button", [])
        _rule(len(inner) <= 5, "at most five below one")
        for one in inner or [button]:
            _check_button(one)


def _check_button(button: dict[str, Any]) -> None:
    _rule(len(button["name"].encode()) <= 60, "name of a button below")
    kind = button["type"]
    if kind == "view":
        _rule(button["url"].startswith("https://") and len(button["url"]) <= 1024, "url")
    else:
        _rule(kind in ("click", "location_select", "scancode_waitmsg"), "type")
        _rule(1 <= len(button["key"].encode()) <= 128, "key")


@asynccontextmanager
async def standing_in() -> AsyncIterator[StandIn]:
    """Served on a port of its own."""
    made = StandIn()
    app = web.Application()
    app.add_routes(made.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
