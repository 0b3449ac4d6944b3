"""Lets operators in: the session, the second factor, the permission, the token of each form."""

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from occupancy import database, database_users, session_store
from occupancy.database_users import Operator
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.permissions import NEEDS_SECOND_FACTOR, ForbiddenError, Permission, Person, Role
from occupancy.session_store import Session
from occupancy.web import bodies
from occupancy.web.admin import cookies, kept_forms, words
from occupancy.web.admin.admin_route import Access, AdminRoute
from occupancy.web.admin.frame import Frame
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem
from occupancy.web.routes import AnyQuery, Route

LOGIN, SECOND_FACTOR, OWN = "/admin/login", "/admin/second-factor", "/admin/me"
TRUSTED_FOR_MS = 2_000  # an operator who was locked is out after this long
TRUSTED_WHILE_AWAY_MS = 600_000
TOKEN = "csrf"  # noqa: S105  # the field's name
AWAY = "数据库暂时连接不上，只能查看，不能操作；请稍后再试"

log = structlog.get_logger()


class _Known(NamedTuple):
    operator: Operator | None
    at_ms: int


@dataclass
class Gate:
    """Stands before every page. `clock` is UTC milliseconds; `lots` are all of the town."""

    connections: database.Pool
    redis: Redis
    frame: Frame
    clock: Callable[[], int]
    lots: Collection[str] = ()
    password_rules: PasswordRules = ASVS
    _known: dict[str, _Known] = field(default_factory=dict)

    def route(self, page: AdminRoute) -> Route:
        """The page behind the gate, as the web service binds it."""

        async def answer(request: web.Request, _: object) -> web.StreamResponse:
            try:
                return await self._answer(page, request)
            except ForbiddenError as refusal:
                log.warning("not allowed", name=refusal.person.name, page=page.path)
                return self.frame.trouble(request, 403, words.forbidden(refusal))
            except Problem as problem:
                document = problem.document
                return self.frame.trouble(request, document.status, document.detail)
            except (*database.NOT_READY, RedisError):
                return self.frame.trouble(request, 503, AWAY)

        return Route(page.method, page.path, answer, "", query=AnyQuery, documented=False)

    def routes(self) -> list[Route]:
        """What stands beside the pages: the way in without a slash, and every wrong address."""

        async def home(request: web.Request, _: object) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{request.path}/"})

        async def nothing(request: web.Request, _: object) -> web.StreamResponse:
            return self.frame.trouble(request, 404, f"没有 {request.path[:80]} 这个页面")

        return [
            Route("GET", "/admin", home, "", query=AnyQuery, documented=False),
            Route("GET", "/reports", home, "", query=AnyQuery, documented=False),
            Route("GET", "/admin/{rest:.*}", nothing, "", query=AnyQuery, documented=False),
        ]

    async def find(self, key: str) -> tuple[Session, Operator] | None:
        """Whose live session this is; None for nobody's. Does not keep it from falling idle."""
        session = await session_store.find(self.redis, key, self.clock())
        operator = None if session is None else await self._operator(session.name)
        if session is None or operator is None or operator.is_locked:
            return None
        return (session, operator) if operator.generation == session.generation else None

    async def know_all(self) -> None:
        """Every operator in one question: those who are looked for next are known already."""
        now_ms = self.clock()
        with suppress(*database.NOT_READY):
            found = await database_users.list_operators(self.connections)
            self._known |= {one.name: _Known(one, now_ms) for one in found}

    def must_change(self, operator: Operator) -> bool:
        """Whether he must choose another password before anything else."""
        is_over = self.password_rules.is_over(operator.password_days(self.clock()))
        return operator.must_change or is_over

    def forget(self, name: str) -> None:
        """What was changed of him counts at once in this worker."""
        self._known.pop(name, None)

    async def _answer(self, page: AdminRoute, request: web.Request) -> web.StreamResponse:
        form = await _read_form(request) if request.method == "POST" else {}
        if page.needs is Access.ANYBODY:
            return await page.answer(self._stranger(request, form))
        key = cookies.read_session(request)
        found = await self.find(key)
        if found is None:
            return await self._to_login(request, key, form)
        session, operator = found
        if page.needs is not Access.HALF and not is_through(session, operator):
            return web.Response(status=303, headers={"Location": SECOND_FACTOR})
        if isinstance(page.needs, Permission) and self.must_change(operator):
            return web.Response(status=303, headers={"Location": OWN})
        if request.method == "POST":
            _require_token(request, session.csrf, form)
        await session_store.touch(self.redis, key, session, self.clock())
        visit = Visit(
            request,
            operator.person,
            session,
            key,
            self.frame,
            self.clock(),
            {name: value for name, value in form.items() if name != TOKEN},
            await self._restored(request, session.name),
            self.lots,
        )
        if isinstance(page.needs, Permission):
            visit.person.require(page.needs, visit.word(page.lot) if page.lot else "")
            if page.town_wide:
                visit.person.require_all(page.needs, self.lots)
        return await page.answer(visit)

    def _stranger(self, request: web.Request, form: Mapping[str, str]) -> Visit:
        if request.method == "POST":
            _require_own_origin(request)
            if not cookies.brings_form_key(request, form.get(TOKEN, "")):
                raise Problem(
                    403,
                    "登录页已过期，或浏览器没有带回 Cookie：请刷新登录页再试；"
                    "不在本机时须用 https 打开",
                )
        return Visit(request, NOBODY, NO_SESSION, "", self.frame, self.clock(), form)

    async def _to_login(
        self, request: web.Request, key: str, form: Mapping[str, str]
    ) -> web.StreamResponse:
        """What was typed is kept for whoever it was, until he has logged in again."""
        words = {"next": request.path_qs if request.method in ("GET", "HEAD") else request.path}
        if form:
            name = session_store.name_in(key)
            words["typed"] = await kept_forms.keep(self.redis, name, request.path, form)
        if request.headers.get("HX-Request"):
            return web.Response(status=401, headers={"HX-Redirect": LOGIN})
        return web.Response(status=303, headers={"Location": f"{LOGIN}?{urlencode(words)}"})

    async def _restored(self, request: web.Request, name: str) -> Mapping[str, str]:
        typed = request.query.get("typed", "")
        return await kept_forms.take(self.redis, name, request.path, typed) if typed else {}

    async def _operator(self, name: str) -> Operator | None:
        """From PostgreSQL, at most two seconds old; older while it is away."""
        now_ms, known = self.clock(), self._known.get(name)
        if known is not None and 0 <= now_ms - known.at_ms < TRUSTED_FOR_MS:
            return known.operator
        try:
            found = await database_users.find_operator(self.connections, name)
        except database.NOT_READY:
            if known is not None and now_ms - known.at_ms < TRUSTED_WHILE_AWAY_MS:
                return known.operator
            raise
        self._known[name] = _Known(found, now_ms)
        return found


def is_through(session: Session, operator: Operator) -> bool:
    """Whether the second factor was given where one is set up or required."""
    return session.is_proven or not needs_second_factor(operator)


def needs_second_factor(operator: Operator) -> bool:
    return operator.totp_secret is not None or operator.role in NEEDS_SECOND_FACTOR


NOBODY = Person("", Role.PLANNER)
NO_SESSION = Session("", 0, "", 0, 0, "", "")


async def _read_form(request: web.Request) -> dict[str, str]:
    """The fields as text. A field that stands twice is a list's: its values, one a line."""
    try:
        sent = await bodies.read_form(request)
    except Problem as refusal:
        raise _in_words(request, refusal.document.status) from None
    fields: dict[str, list[str]] = {}
    for name, value in sent:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return {name: "\n".join(values) for name, values in fields.items()}


def _in_words(request: web.Request, status: int) -> Problem:
    """Why a form was not read, as operators are told."""
    if status == web.HTTPRequestEntityTooLarge.status_code:
        most = bodies.most_bytes(request) // bodies.KB
        return Problem(status, f"内容过长：最多 {most} kB，请后退、缩短后再提交")
    if status == web.HTTPRequestTimeout.status_code:
        return Problem(status, f"表单在 {bodies.BODY_SECONDS:.0f} 秒内没有传完，请再试一次")
    return Problem(status, "表单读不出来：内容不是 UTF-8 文本的表单，这里也不能上传文件")


def _require_token(request: web.Request, token: str, form: Mapping[str, str]) -> None:
    _require_own_origin(request)
    sent = form.get(TOKEN, "")
    if not sent or not secrets.compare_digest(sent.encode(), token.encode()):
        raise Problem(403, "表单的安全标记不对：请后退、刷新页面后重新提交，没有任何改动")


def _require_own_origin(request: web.Request) -> None:
    """A browser says where a form comes from; other programs say nothing.

    Its Origin is `null` where the page it comes from may not be named.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is None or urlsplit(origin).netloc == request.host
    if not is_ours:
        raise Problem(403, "这个表单来自别的网站，已拒绝，没有任何改动")
