"""Logging in and out: password, second factor, setting it up, one's own sessions and password."""

import io
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
import segno
import structlog
from aiohttp import web

from occupancy import operators, passwords, second_factor, session_store
from occupancy.database_users import Operator
from occupancy.operators import TooManyFailuresError
from occupancy.permissions import NEEDS_SECOND_FACTOR
from occupancy.session_store import Session
from occupancy.web.addresses import client_address
from occupancy.web.admin import cookies
from occupancy.web.admin.admin_route import Access, AdminRoute
from occupancy.web.admin.gate import LOGIN, SECOND_FACTOR, Gate, is_through, needs_second_factor
from occupancy.web.admin.menu import home_of
from occupancy.web.admin.visit import Visit

BROWSER_LENGTH = 120
WRONG = "用户名和密码不匹配"
WRONG_CODE = "验证码不对：请用手机上正在显示的 6 位数字，或一个没用过的恢复码"
TOO_MANY = "失败次数太多，请 15 分钟后再试，或请管理员重设密码"

log = structlog.get_logger()


class Login:
    """The pages before the others, and a person's own."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", LOGIN, self.ask, Access.ANYBODY),
            AdminRoute("POST", LOGIN, self.log_in, Access.ANYBODY),
            AdminRoute("GET", SECOND_FACTOR, self.ask_code, Access.HALF),
            AdminRoute("POST", SECOND_FACTOR, self.check_code, Access.HALF),
            AdminRoute("POST", "/admin/logout", self.log_out, Access.HALF),
            AdminRoute("GET", "/admin/me", self.me, Access.LOGGED_IN),
            AdminRoute("POST", "/admin/me", self.change_password, Access.LOGGED_IN),
            AdminRoute("POST", "/admin/me/sessions", self.end_session, Access.LOGGED_IN),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, 200, {})

    async def log_in(self, visit: Visit) -> web.StreamResponse:
        """The same answer for a name nobody has and for a wrong password."""
        name, password = visit.form.get("name", "").strip(), visit.form.get("password", "")
        address = client_address(visit.request)
        errors = _missing(name=name, password=password)
        if errors:
            return self._form(visit, 400, errors)
        try:
            operator = await operators.check_password(
                self._gate.connections, name, password, address
            )
        except TooManyFailuresError:
            log.warning("log-in refused", address=address, reason="too many failures")
            return self._form(visit, 429, {"password": TOO_MANY})
        if operator is None:
            # What was typed as a name may be a password: it stands in no log.
            log.warning("log-in refused", address=address, reason="wrong name or password")
            return self._form(visit, 401, {"password": WRONG})
        log.info("logged in", name=operator.name, address=address)
        session = _begun(visit, operator, is_proven=False)
        half = needs_second_factor(operator)
        target = _local(visit.form.get("next", "")) or home_of(operator.person)
        where = f"{SECOND_FACTOR}?{urlencode({'next': target})}" if half else target
        return await self._enter(visit, session, where, cookies.read_session(visit.request))

    async def ask_code(self, visit: Visit) -> web.StreamResponse:
        operator = await self._operator(visit)
        if is_through(visit.session, operator):
            return visit.see_other(home_of(visit.person))
        return await self._code_form(visit, operator, 200, {})

    async def check_code(self, visit: Visit) -> web.StreamResponse:
        operator = await self._operator(visit)
        code = visit.form.get("code", "").strip()
        if not code:
            return await self._code_form(visit, operator, 400, {"code": "请填写验证码"})
        if operator.totp_secret is None:
            return await self._enrol(visit, operator, code)
        try:
            is_right = await operators.check_code(
                self._gate.connections, operator, code, visit.now_ms, client_address(visit.request)
            )
        except TooManyFailuresError:
            return await self._code_form(visit, operator, 429, {"code": TOO_MANY})
        if not is_right:
            log.warning("second factor refused", name=operator.name)
            return await self._code_form(visit, operator, 401, {"code": WRONG_CODE})
        log.info("second factor given", name=operator.name)
        where = _local(visit.form.get("next", "")) or home_of(visit.person)
        proven = _begun(visit, operator, is_proven=True)
        return await self._enter(visit, proven, where, visit.session_key)

    async def log_out(self, visit: Visit) -> web.StreamResponse:
        digest = session_store.digest(visit.session_key)
        await session_store.end(self._gate.redis, visit.session.name, digest)
        response = visit.see_other(LOGIN, done="已退出")
        cookies.drop_session(visit.request, response)
        return response

    async def me(self, visit: Visit) -> web.StreamResponse:
        return await self._own_page(visit, 200, {})

    async def change_password(self, visit: Visit) -> web.StreamResponse:
        """Only with the old one; every other session is over then."""
        old, new = visit.form.get("password_old", ""), visit.form.get("password_new", "")
        errors = _missing(password_old=old, password_new=new)
        rules = self._gate.password_rules
        if new and (flaw := await passwords.find_flaw(new, visit.person.name, rules)):
            errors["password_new"] = flaw
        if not errors and new != visit.form.get("password_again", ""):
            errors["password_again"] = "两次输入的新密码不一样"  # noqa: S105
        if errors:
            return await self._own_page(visit, 400, errors)
        address, connections = client_address(visit.request), self._gate.connections
        try:
            operator = await operators.check_password(connections, visit.person.name, old, address)
        except TooManyFailuresError:
            return await self._own_page(visit, 429, {"password_old": TOO_MANY})
        if operator is None:
            return await self._own_page(visit, 401, {"password_old": "现在的密码不对"})
        if new == old:
            same = {"password_new": "新密码和现在的一样，请换一个"}
            return await self._own_page(visit, 400, same)
        generation = await operators.change_password(connections, operator, new)
        self._gate.forget(operator.name)
        await session_store.end_all(self._gate.redis, operator.name)
        renewed = msgspec.structs.replace(operator, generation=generation)
        session = _begun(visit, renewed, is_proven=visit.session.is_proven)
        return await self._enter(visit, session, "/admin/me?done=密码已更改", visit.session_key)

    async def end_session(self, visit: Visit) -> web.StreamResponse:
        which = visit.form.get("which", "")
        if which == "others":
            own = session_store.digest(visit.session_key)
            known = await session_store.list_of(self._gate.redis, visit.session.name, visit.now_ms)
            for digest in known:
                if digest != own:
                    await session_store.end(self._gate.redis, visit.session.name, digest)
        else:
            await session_store.end(self._gate.redis, visit.session.name, which)
        return visit.see_other("/admin/me", done="登录已结束")

    async def _enrol(self, visit: Visit, operator: Operator, code: str) -> web.StreamResponse:
        """The first code proves the new secret; the recovery codes are shown this once."""
        secret = visit.session.proposed_secret
        codes = await operators.enrol(self._gate.connections, operator, secret, code, visit.now_ms)
        if codes is None:
            return await self._code_form(visit, operator, 401, {"code": WRONG_CODE})
        self._gate.forget(operator.name)
        session = _begun(visit, operator, is_proven=True)
        key = await session_store.begin(self._gate.redis, session, visit.session_key)
        where = _local(visit.form.get("next", "")) or home_of(visit.person)
        response = visit.page("recovery_codes.html", codes=codes, next=where)
        cookies.set_session(visit.request, response, key)
        return response

    async def _code_form(
        self, visit: Visit, operator: Operator, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        target = visit.form.get("next", "") or visit.asked("next")
        if operator.totp_secret is not None:
            return visit.page("second_factor.html", status, errors=errors, next=target)
        secret = visit.session.proposed_secret
        if not secret:
            secret = second_factor.make_secret()
            await session_store.propose_secret(
                self._gate.redis, visit.session_key, visit.session, secret
            )
        drawn = _draw(second_factor.address(secret, operator.name))
        return visit.page(
            "enrol.html",
            status,
            errors=errors,
            next=target,
            secret=secret,
            drawn=drawn,
            is_required=operator.role in NEEDS_SECOND_FACTOR,
        )

    async def _own_page(
        self, visit: Visit, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        sessions = await session_store.list_of(self._gate.redis, visit.session.name, visit.now_ms)
        return visit.page(
            "me.html",
            status,
            errors=errors,
            sessions=sorted(sessions.items(), key=lambda one: -one[1].seen_at_ms),
            own=session_store.digest(visit.session_key),
            rules=self._gate.password_rules,
            operator=await self._operator(visit),
            must_change=self._gate.must_change(await self._operator(visit)),
        )

    async def _operator(self, visit: Visit) -> Operator:
        found = await self._gate.find(visit.session_key)
        if found is None:
            raise web.HTTPSeeOther(LOGIN)
        return found[1]

    async def _enter(
        self, visit: Visit, session: Session, where: str, replaced_key: str
    ) -> web.StreamResponse:
        """A new key each time somebody proves more: an old one is worth nothing."""
        key = await session_store.begin(self._gate.redis, session, replaced_key)
        response = web.Response(status=303, headers={"Location": where})
        cookies.set_session(visit.request, response, key)
        return response

    def _form(self, visit: Visit, status: int, errors: Mapping[str, str]) -> web.StreamResponse:
        key = cookies.form_key(visit.request)
        response = visit.page(
            "login.html",
            status,
            errors=errors,
            form_key=key,
            name=visit.form.get("name", ""),
            next=self._target(visit),
        )
        cookies.set_form_key(visit.request, response, key)
        return response

    def _target(self, visit: Visit) -> str:
        """Where he wanted to go, with what he had typed there."""
        target = _local(visit.form.get("next", "") or visit.asked("next"))
        if target and (typed := visit.asked("typed")):
            target += ("&" if "?" in target else "?") + urlencode({"typed": typed})
        return target


def _begun(visit: Visit, operator: Operator, *, is_proven: bool) -> Session:
    return Session(
        name=operator.name,
        generation=operator.generation,
        csrf=session_store.make_csrf(),
        began_at_ms=visit.now_ms,
        seen_at_ms=visit.now_ms,
        address=client_address(visit.request),
        browser=visit.request.headers.get("User-Agent", "")[:BROWSER_LENGTH],
        is_proven=is_proven,
    )


def _missing(**fields: str) -> dict[str, str]:
    return {name: "请填写" for name, value in fields.items() if not value}


def _local(target: str) -> str:
    """Only pages of the operators: nobody is sent elsewhere by a link."""
    is_ours = (
        target.startswith(("/admin/", "/reports/")) and "\\" not in target and "//" not in target
    )
    return target if is_ours and target.isprintable() else ""


def _draw(address: str) -> str:
    """The address as a QR code, an inline SVG without styles."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, title="QR", border=2
    )
    return drawn.getvalue().decode()
