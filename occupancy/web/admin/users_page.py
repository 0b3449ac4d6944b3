"""Who may do what, and to which car parks: added, changed, locked, given a new password."""

from collections.abc import Mapping

from aiohttp import web

from occupancy import database_users, operators, people_desk, session_store
from occupancy.database_users import NameTakenError, Operator
from occupancy.edit import BadEditError, StaleEditError
from occupancy.people_desk import LastAdministratorError, PersonChange
from occupancy.permissions import ROLES, Permission, Role
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import find_reason_flaw, whole_number
from occupancy.web.admin.gate import Gate
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem


class UsersPage:
    """`/admin/users`."""

    def __init__(self, ground: AdminGround, gate: Gate) -> None:
        self._ground = ground
        self._gate = gate

    def routes(self) -> list[AdminRoute]:
        one, needs = "/admin/users/{name}", Permission.MANAGE_USERS
        return [
            AdminRoute("GET", "/admin/users", self.page, needs),
            AdminRoute("POST", "/admin/users", self.add, needs),
            AdminRoute("GET", one, self.ask, needs),
            AdminRoute("POST", one, self.change, needs),
            AdminRoute("POST", one + "/password", self.renew_password, needs),
            AdminRoute("POST", one + "/second-factor", self.reset_second_factor, needs),
            AdminRoute("POST", one + "/sessions", self.end_sessions, needs),
        ]

    async def page(self, visit: Visit) -> web.StreamResponse:
        return await self._list(visit, 200, dict(visit.restored), {})

    async def add(self, visit: Visit) -> web.StreamResponse:
        """His password is shown once, to who made him."""
        form = visit.form
        errors = self._errors(form)
        name = form.get("name", "").strip()
        if not database_users.is_name(name):
            errors["name"] = "用户名 2 到 32 个字符：小写字母开头，可用小写字母、数字、点、横线"
        if errors:
            return await self._list(visit, 400, form, errors)
        try:
            made = await operators.add_operator(
                self._ground.connections,
                name,
                Role(form["role"]),
                _lots(form),
                by=visit.person.name,
                reason=form["reason"].strip(),
                rules=self._ground.password_rules,
            )
        except NameTakenError:
            taken = {"name": f"{name} 已经有人用了，用户名不重复使用，请换一个"}
            return await self._list(visit, 409, form, taken)
        return visit.page("new_password.html", name=name, password=made.password)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        operator = await self._operator(visit)
        return await self._form(visit, 200, operator, visit.restored or _as_form(operator), {})

    async def change(self, visit: Visit) -> web.StreamResponse:
        operator, form = await self._operator(visit), visit.form
        errors = self._errors(form)
        if errors:
            return await self._form(visit, 400, operator, form, errors)
        change = PersonChange(
            Role(form["role"]), _lots(form), is_locked=form.get("is_locked") == "yes"
        )
        try:
            await people_desk.change_person(
                self._ground.connections,
                operator.name,
                change,
                version=_version(form),
                known_lots=self._ground.showcase.lots,
                by=visit.person.name,
                reason=form["reason"],
            )
        except (BadEditError, StaleEditError, LastAdministratorError) as refusal:
            return await self._refused(visit, operator, form, refusal)
        await self._shut_out(operator)
        return visit.see_other("/admin/users", done=f"{operator.name} 已修改")

    async def renew_password(self, visit: Visit) -> web.StreamResponse:
        operator = await self._operator(visit)
        password = await operators.renew_password(
            self._ground.connections,
            operator.name,
            by=visit.person.name,
            rules=self._ground.password_rules,
        )
        await self._shut_out(operator)
        return visit.page("new_password.html", name=operator.name, password=password)

    async def reset_second_factor(self, visit: Visit) -> web.StreamResponse:
        """For somebody who lost his phone and his recovery codes; he sets up another at log-in."""
        operator, form = await self._operator(visit), visit.form
        try:
            await people_desk.reset_second_factor(
                self._ground.connections,
                operator.name,
                version=_version(form),
                by=visit.person.name,
                reason=form.get("reason", ""),
            )
        except (BadEditError, StaleEditError) as refusal:
            return await self._refused(visit, operator, _as_form(operator), refusal, "reset_")
        await self._shut_out(operator)
        return visit.see_other("/admin/users", done=f"{operator.name} 的二次验证已清除")

    async def end_sessions(self, visit: Visit) -> web.StreamResponse:
        operator = await self._operator(visit)
        await session_store.end_all(self._ground.redis, operator.name)
        return visit.see_other(f"/admin/users/{operator.name}", done="他的登录已全部结束")

    async def _shut_out(self, operator: Operator) -> None:
        self._gate.forget(operator.name)
        await session_store.end_all(self._ground.redis, operator.name)

    async def _refused(
        self,
        visit: Visit,
        operator: Operator,
        form: Mapping[str, str],
        refusal: Exception,
        prefix: str = "",
    ) -> web.StreamResponse:
        """Beside the field at fault; where somebody else was faster, as he is now."""
        if isinstance(refusal, BadEditError):
            return await self._form(
                visit, 400, operator, form, {prefix + refusal.field: refusal.words}
            )
        if isinstance(refusal, StaleEditError):
            return await self._form(visit, 409, operator, form, {"conflict": str(refusal)})
        return await self._form(visit, 409, operator, form, {"role": str(refusal)})

    async def _list(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        return visit.page(
            "users.html",
            status,
            operators=await database_users.list_operators(self._ground.connections),
            lots=self._ground.showcase.lots.values(),
            permissions=ROLES,
            values=values,
            errors=errors,
        )

    async def _form(
        self,
        visit: Visit,
        status: int,
        operator: Operator,
        values: Mapping[str, str],
        errors: Mapping[str, str],
    ) -> web.StreamResponse:
        sessions = await session_store.list_of(self._ground.redis, operator.name, visit.now_ms)
        return visit.page(
            "user.html",
            status,
            operator=operator,
            lots=self._ground.showcase.lots.values(),
            values=values,
            errors=errors,
            sessions=sorted(sessions.values(), key=lambda one: -one.seen_at_ms),
        )

    async def _operator(self, visit: Visit) -> Operator:
        name = visit.word("name")
        operator = await database_users.find_operator(self._ground.connections, name)
        if operator is None:
            raise Problem(404, f"没有 {name[:40]} 这个用户", field="name")
        return operator

    def _errors(self, form: Mapping[str, str]) -> dict[str, str]:
        errors = find_reason_flaw(form, "新员工入职")
        if form.get("role", "") not in set(Role):
            errors["role"] = "请选择角色"
        unknown = [lot for lot in _lots(form) if lot not in self._ground.showcase.lots]
        if unknown:
            errors["lots"] = f"没有这个车场：{unknown[0][:40]}"
        return errors


def _lots(form: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(form.get("lots", "").split())


def _version(form: Mapping[str, str]) -> int:
    """0, which no version is, where none was sent."""
    return whole_number(form.get("version", "")) or 0


def _as_form(operator: Operator) -> dict[str, str]:
    return {
        "role": operator.role.value,
        "lots": "\n".join(operator.lots),
        "is_locked": "yes" if operator.is_locked else "",
        "version": str(operator.version),
    }
