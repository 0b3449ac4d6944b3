"""The signs: what each shows against what it should, what it showed when, and taking one over."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from gateway.observation import FaceState
from occupancy import database_proofs, database_restrictions, sign_desk
from occupancy.database_proofs import Proof
from occupancy.edit import BadEditError, SettledError
from occupancy.override import Override
from occupancy.permissions import Permission
from occupancy.sign_desk import NoSuchOverrideError
from occupancy.sign_faces import TownSign
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import local_field, local_moment, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

PROOFS, OVERRIDES = 40, 20
HOUR_MS = 3_600_000


class Mirror(msgspec.Struct, frozen=True):
    """One sign as it is now; `lines` are car park, what it should show, what it says it shows."""

    sign: TownSign
    title: str
    lines: tuple[tuple[str, str, str], ...]
    state: FaceState
    override: Override | None


class SignsPage:
    """`/admin/signs`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        one = "/admin/signs/{sign}"
        return [
            AdminRoute("GET", "/admin/signs", self.mirror, Permission.SEE),
            AdminRoute("GET", "/admin/signs/rows", self.rows, Permission.SEE),
            AdminRoute("GET", one, self.ask, Permission.SEE),
            AdminRoute("POST", one, self.take_over, Permission.OVERRIDE_SIGN),
            AdminRoute("POST", one + "/test", self.light_all, Permission.OVERRIDE_SIGN),
            AdminRoute("POST", one + "/end", self.give_back, Permission.OVERRIDE_SIGN),
        ]

    async def mirror(self, visit: Visit) -> web.StreamResponse:
        return visit.page("signs.html", mirrors=await self._mirrors(visit))

    async def rows(self, visit: Visit) -> web.StreamResponse:
        return visit.fragment("sign_mirrors.html", mirrors=await self._mirrors(visit))

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, 200, dict(visit.restored), {})

    async def take_over(self, visit: Visit) -> web.StreamResponse:
        sign, form = self._his(visit), visit.form
        lines = [form.get(f"line{n}", "").strip() for n in range(1, len(sign.lot_ids) + 1)]
        until_ms = local_moment(form.get("until", ""))
        try:
            if until_ms is None:
                raise BadEditError("until", "请填写结束时间；到时自动恢复")  # noqa: TRY301
            await sign_desk.take_over(
                self._ground.connections,
                sign,
                lines,
                until_ms=until_ms,
                by=visit.person.name,
                reason=form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, form, {refusal.field: refusal.words})
        self._desk.tell_all()
        return visit.see_other(visit.path, done="已接管，几秒内上屏；到时自动恢复")

    async def light_all(self, visit: Visit) -> web.StreamResponse:
        sign = self._his(visit)
        reason = visit.form.get("reason", "")
        try:
            await sign_desk.light_all(
                self._ground.connections,
                sign,
                by=visit.person.name,
                reason=reason,
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, {}, {f"test_{refusal.field}": refusal.words})
        self._desk.tell_all()
        return visit.see_other(f"/admin/signs/{sign.sign_id}", done="测试图案已发出，一分钟后恢复")

    async def give_back(self, visit: Visit) -> web.StreamResponse:
        sign = self._his(visit)
        try:
            await sign_desk.give_back(
                self._ground.connections,
                sign,
                whole_number(visit.form.get("number", "")) or 0,
                by=visit.person.name,
                reason=visit.form.get("reason", "") or "提前恢复",
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, {}, {f"end_{refusal.field}": refusal.words})
        except (SettledError, NoSuchOverrideError) as refusal:
            return await self._form(visit, 409, {}, {"end": str(refusal)})
        self._desk.tell_all()
        return visit.see_other(f"/admin/signs/{sign.sign_id}", done="已恢复为实时余位")

    async def _form(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        sign = self._sign(visit)
        at_ms = local_moment(visit.asked("at")) or visit.now_ms
        connections = self._ground.connections
        (mirror,) = [m for m in await self._mirrors(visit) if m.sign.sign_id == sign.sign_id]
        later = {"until": local_field(visit.now_ms + HOUR_MS)}
        return visit.page(
            "sign.html",
            status,
            mirror=mirror,
            names=[self._name(lot_id) for lot_id in sign.lot_ids],
            values={**later, **values},
            errors=errors,
            at=local_field(at_ms),
            proofs=await database_proofs.list_proofs(
                connections, sign.sign_id, _end_of_minute(at_ms), PROOFS
            ),
            overrides=await database_restrictions.list_overrides(
                connections, sign.sign_id, OVERRIDES
            ),
            row_of=self._proof_words,
        )

    def _his(self, visit: Visit) -> TownSign:
        """A sign that shows several car parks is for who answers for all of them."""
        sign = self._sign(visit)
        visit.person.require_all(Permission.OVERRIDE_SIGN, sign.lot_ids)
        return sign

    def _sign(self, visit: Visit) -> TownSign:
        """Raises Problem 404 for a sign that is not there or not his."""
        sign_id = visit.word("sign")
        for sign in self._ground.signs:
            if sign.sign_id == sign_id and visit.sees(sign.driven_by):
                return sign
        raise Problem(404, f"没有 {sign_id[:40]} 这块诱导屏，或者不归你管", field="sign")

    async def _mirrors(self, visit: Visit) -> list[Mirror]:
        overrides = {
            one.sign_id: one
            for one in await database_restrictions.list_overrides_in_force(self._ground.connections)
        }
        mine = [sign for sign in self._ground.signs if visit.sees(sign.driven_by)]
        return [
            self._mirror(number, sign, overrides.get(sign.sign_id))
            for number, sign in enumerate(mine, start=1)
        ]

    def _mirror(self, number: int, sign: TownSign, override: Override | None) -> Mirror:
        detail = self._ground.showcase.detail(sign.driven_by)
        now = next((one for one in detail.signs if one.id == sign.sign_id), None)
        desired = now.desired if now else ()
        shown = (now.reported if now else None) or ()
        return Mirror(
            sign,
            f"{self._name(sign.driven_by)}入口屏" if sign.at_entrance else f"{number} 号路口屏",
            tuple(
                (self._name(lot_id), _at(desired, place), _at(shown, place))
                for place, lot_id in enumerate(sign.lot_ids)
            ),
            now.state if now else FaceState.UNKNOWN,
            override,
        )

    def _name(self, lot_id: str) -> str:
        lot = self._ground.showcase.lots.get(lot_id)
        return lot.short_name if lot else lot_id

    def _proof_words(self, proof: Proof) -> tuple[str, str]:
        """What it should and did show, in a line each."""
        shown = "—" if proof.reported is None else " ".join(proof.reported)
        return " ".join(proof.desired), shown


def _at(lines: tuple[str, ...], place: int) -> str:
    return lines[place] if place < len(lines) else "—"


def _end_of_minute(at_ms: int) -> int:
    """A field for a time has no seconds: what happened in this minute belongs to it."""
    return at_ms - at_ms % 60_000 + 59_999
