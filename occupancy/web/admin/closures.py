"""Closing and reserving: what is meant, from when to when, what it does, and opening again."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from occupancy import closure_desk, database_restrictions
from occupancy.closure_desk import NoSuchRestrictionError, Wish
from occupancy.database_restrictions import KeptRestriction
from occupancy.edit import BadEditError, SettledError
from occupancy.lot import Lot
from occupancy.permissions import Permission
from occupancy.restriction import Extent, Restriction
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.closure_preview import Effect, preview
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import local_field, local_moment, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

HISTORY = 60
OnTheWay = Callable[[str], Awaitable[int | None]]


class Closures:
    """`/admin/closures` and `/admin/reservations`. `on_the_way` counts drivers guided there."""

    def __init__(self, ground: AdminGround, desk: DeskStream, on_the_way: OnTheWay) -> None:
        self._ground = ground
        self._desk = desk
        self._on_the_way = on_the_way

    def routes(self) -> list[AdminRoute]:
        needs = Permission.CLOSE
        routes = [AdminRoute("POST", "/admin/closures/{number}/end", self.end, needs)]
        for kind in ("closures", "reservations"):
            one = f"/admin/{kind}/{{lot}}"
            routes += [
                AdminRoute("GET", f"/admin/{kind}", self.every, needs),
                AdminRoute("GET", one, self.ask, needs, lot="lot"),
                AdminRoute("POST", one, self.make, needs, lot="lot"),
                AdminRoute("POST", one + "/preview", self.show_effect, needs, lot="lot"),
            ]
        return routes

    async def every(self, visit: Visit) -> web.StreamResponse:
        return await self._list(visit, 200, "")

    async def ask(self, visit: Visit) -> web.StreamResponse:
        values = {"extent": "lot", "from": local_field(visit.now_ms), **visit.restored}
        return await self._form(visit, 200, values, {})

    async def make(self, visit: Visit) -> web.StreamResponse:
        lot = self._ground.known(visit, visit.word("lot"))
        try:
            made = await closure_desk.restrict(
                self._ground.connections,
                lot,
                wish_of(visit.form, is_reserving=_is_reserving(visit), now_ms=visit.now_ms),
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._form(visit, 400, visit.form, {refusal.field: refusal.words})
        self._desk.tell_all()
        kind = "预留" if made.extent is Extent.SPACES else "停用"
        is_now = made.from_ms <= visit.now_ms
        when = "几秒内生效" if is_now else f"{local_field(made.from_ms).replace('T', ' ')} 生效"
        return visit.see_other(_home(visit), done=f"{lot.short_name} 的{kind}已记录，{when}")

    async def show_effect(self, visit: Visit) -> web.StreamResponse:
        """What it would do, while it is typed; wrong fields are said as well."""
        lot = self._ground.known(visit, visit.word("lot"))
        form = {**visit.form, "wording": "—"}  # it may not have been typed yet
        try:
            wish = wish_of(form, is_reserving=_is_reserving(visit), now_ms=visit.now_ms)
            made = closure_desk.require_possible(lot, wish, visit.now_ms)
        except BadEditError as refusal:
            return visit.fragment("closure_effect.html", effect=None, refusal=refusal.words)
        effect = await self._effect(lot, made)
        return visit.fragment("closure_effect.html", effect=effect, refusal="")

    async def end(self, visit: Visit) -> web.StreamResponse:
        number = whole_number(visit.word("number")) or 0
        kept = await self._kept(visit, number)
        visit.person.require(Permission.CLOSE, kept.restriction.lot_id)
        try:
            await closure_desk.end(
                self._ground.connections,
                number,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except (BadEditError, SettledError, NoSuchRestrictionError) as refusal:
            words = refusal.words if isinstance(refusal, BadEditError) else str(refusal)
            return await self._list(visit, 409 if isinstance(refusal, SettledError) else 400, words)
        self._desk.tell_all()
        where = "reservations" if kept.restriction.extent is Extent.SPACES else "closures"
        return visit.see_other(f"/admin/{where}", done="已恢复开放，几秒内生效")

    async def _kept(self, visit: Visit, number: int) -> KeptRestriction:
        kept = await database_restrictions.find_restriction(self._ground.connections, number)
        if kept is None or not visit.sees(kept.restriction.lot_id):
            raise Problem(404, f"没有第 {number} 号停用或预留", field="number")
        return kept

    async def _effect(self, lot: Lot, made: Restriction) -> Effect:
        ground = self._ground
        picture = ground.showcase.pictures.get(lot.lot_id)
        driven = [sign.sign_id for sign in ground.signs if lot.lot_id in sign.lot_ids]
        every = await database_restrictions.list_in_force(ground.connections)
        standing = [one for one in every if one.lot_id == lot.lot_id]
        on_the_way = await self._on_the_way(lot.lot_id)
        return preview(lot, picture, made, standing, driven, on_the_way)

    async def _list(self, visit: Visit, status: int, words: str) -> web.StreamResponse:
        is_reserving = _is_reserving(visit)
        every = await database_restrictions.list_restrictions(self._ground.connections, HISTORY)
        mine = [
            one
            for one in every
            if visit.sees(one.restriction.lot_id)
            and (one.restriction.extent is Extent.SPACES) == is_reserving
        ]
        is_open = [
            one.ended_at_ms is None and not one.restriction.is_over(visit.now_ms) for one in mine
        ]
        return visit.page(
            "closures.html",
            status,
            lots=self._ground.lots_of(visit),
            current=[one for one, is_it in zip(mine, is_open, strict=True) if is_it],
            past=[one for one, is_it in zip(mine, is_open, strict=True) if not is_it],
            is_reserving=is_reserving,
            kind=_kind(visit),
            refusal=words,
        )

    async def _form(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        lot = self._ground.known(visit, visit.word("lot"))
        levels = max((len(group.bays_by_level) for group in lot.groups), default=0)
        return visit.page(
            "closure.html",
            status,
            lot=lot,
            detail=self._ground.showcase.detail(lot.lot_id),
            levels=range(1, levels + 1),
            values=values,
            errors=errors,
            is_reserving=_is_reserving(visit),
            kind=_kind(visit),
        )


def wish_of(form: Mapping[str, str], *, is_reserving: bool, now_ms: int) -> Wish:
    """What was typed. Raises BadEditError for what is no time or no number."""
    chosen = form.get("extent", "")
    extent = Extent.SPACES if is_reserving else None
    if extent is None and chosen not in (Extent.LOT, Extent.GROUP, Extent.LEVEL):
        raise BadEditError("extent", "请选择停用整个车场、一个机组还是一层")
    extent = extent or Extent(chosen)
    begins = form.get("from", "")
    from_ms = local_moment(begins) if begins else now_ms
    if from_ms is None:
        raise BadEditError("from", f"“{begins[:20]}”不是时间")
    ends = form.get("until", "")
    until_ms = local_moment(ends) if ends else None
    if ends and until_ms is None:
        raise BadEditError("until", f"“{ends[:20]}”不是时间")
    spaces = whole_number(form.get("spaces", "0") or "0")
    if spaces is None:
        raise BadEditError("spaces", f"“{form['spaces'][:20]}”不是车位数")
    part = form.get("level" if extent is Extent.LEVEL else "group", "")
    return Wish(extent, from_ms, until_ms, form.get("wording", ""), part, spaces)


def _is_reserving(visit: Visit) -> bool:
    return visit.path.startswith("/admin/reservations")


def _kind(visit: Visit) -> str:
    return "reservations" if _is_reserving(visit) else "closures"


def _home(visit: Visit) -> str:
    return f"/admin/{_kind(visit)}"
