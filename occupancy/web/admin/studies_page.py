"""What if: planners try a change in a town fitted to what was recorded, and read the difference."""

import datetime as dt
from collections.abc import Mapping

import msgspec
from aiohttp import web

from occupancy import database_studies, study_desk
from occupancy.database_studies import KeptStudy
from occupancy.edit import BadEditError, SettledError
from occupancy.permissions import Permission
from occupancy.study import (
    BOARD_SHARE,
    LENGTHS_DAYS,
    METRES_A_YUAN,
    NewBoard,
    NewPrice,
    StudyWish,
    words_of,
)
from occupancy.study_desk import NoSuchStudyError
from occupancy.study_outcome import read_outcome
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.formats import SHANGHAI
from occupancy.web.problems import Problem

PATH = "/admin/studies"
SHOWN, USUAL_DAYS = 60, 28
WHOLE = 100


class StudiesPage:
    """`/admin/studies`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        one = PATH + "/{number}"
        return [
            AdminRoute("GET", PATH, self.every, Permission.SEE),
            AdminRoute("POST", PATH, self.ask, Permission.STUDY),
            AdminRoute("GET", one, self.show, Permission.SEE),
            AdminRoute("GET", one + "/progress", self.progress, Permission.SEE),
            AdminRoute("GET", one + "/study.json", self.document, Permission.SEE),
            AdminRoute("POST", one + "/withdraw", self.withdraw, Permission.STUDY),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        return await self._list(visit, 200, visit.restored or self._usual(visit), {})

    async def ask(self, visit: Visit) -> web.StreamResponse:
        self._require_whole_town(visit)
        try:
            number = await study_desk.ask(
                self._ground.connections,
                self._ground.showcase.lots,
                wish_of(visit.form),
                by=visit.person.name,
                today=_today(visit),
            )
        except BadEditError as refusal:
            return await self._list(visit, 400, visit.form, {refusal.field: refusal.words})
        return visit.see_other(f"{PATH}/{number}", done="已记下，算完自动显示结果")

    async def show(self, visit: Visit) -> web.StreamResponse:
        return self._one(visit, 200, await self._kept(visit), "")

    async def progress(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that changes while it is played."""
        kept = await self._kept(visit)
        if not kept.is_open:
            return web.Response(status=204, headers={"HX-Refresh": "true"})
        return visit.fragment("study_progress.html", study=kept)

    async def document(self, visit: Visit) -> web.StreamResponse:
        """Everything needed to play it again, and what came of it."""
        kept = await self._kept(visit)
        body = {
            "number": kept.number,
            "wish": msgspec.to_builtins(kept.wish),
            "spec": msgspec.json.decode(kept.spec) if kept.spec else None,
            "outcome": msgspec.json.decode(kept.outcome) if kept.outcome else None,
            "outcome_sha256": kept.outcome_sha256,
            "trouble": kept.trouble,
        }
        name = f'attachment; filename="study-{kept.number}.json"'
        return web.Response(
            body=msgspec.json.format(msgspec.json.encode(body)),
            content_type="application/json",
            headers={"Content-Disposition": name, "Cache-Control": "no-store"},
        )

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        self._require_whole_town(visit)
        kept = await self._kept(visit)
        try:
            await study_desk.withdraw(self._ground.connections, kept.number, by=visit.person.name)
        except (SettledError, NoSuchStudyError) as refusal:
            return self._one(visit, 409, kept, str(refusal))
        return visit.see_other(PATH, done=f"已撤回“{kept.wish.name}”")

    async def _kept(self, visit: Visit) -> KeptStudy:
        number = whole_number(visit.word("number"))
        kept = None
        if number is not None:
            kept = await database_studies.find_study(self._ground.connections, number)
        if kept is None:
            raise Problem(404, f"没有 {visit.word('number')[:20]} 号方案", field="number")
        return kept

    async def _list(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        names = self._ground.short_names()
        kept = await database_studies.list_studies(self._ground.connections, SHOWN)
        return visit.page(
            "studies.html",
            status,
            studies=[(one, "；".join(words_of(one.wish, names))) for one in kept],
            lots=list(names.items()),
            lengths=[(str(days), f"{days} 天") for days in LENGTHS_DAYS],
            may_ask=visit.may(Permission.STUDY) and not visit.person.lots,
            values=values,
            errors=errors,
        )

    def _one(self, visit: Visit, status: int, kept: KeptStudy, refusal: str) -> web.StreamResponse:
        names = self._ground.short_names()
        outcome = read_outcome(kept.outcome) if kept.outcome else None
        return visit.page(
            "study.html",
            status,
            study=kept,
            changes=words_of(kept.wish, names),
            outcome=outcome,
            lot_names=names,
            loose=[fit.lot_id for fit in outcome.fits if fit.is_loose] if outcome else [],
            may_withdraw=kept.is_open and visit.may(Permission.STUDY) and not visit.person.lots,
            refusal=refusal,
        )

    def _usual(self, visit: Visit) -> dict[str, str]:
        last = _today(visit) - dt.timedelta(days=1)
        first = last - dt.timedelta(days=USUAL_DAYS - 1)
        return {
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "days": str(LENGTHS_DAYS[0]),
            "board_share": f"{BOARD_SHARE * WHOLE:.0f}",
            "metres_a_yuan": f"{METRES_A_YUAN:.0f}",
        }

    def _require_whole_town(self, visit: Visit) -> None:
        """A change at one car park moves drivers to all others. Raises Problem 403."""
        if visit.person.lots:
            raise Problem(403, "试算涉及全区所有车场，只有负责全部车场的人可以提交")


def _today(visit: Visit) -> dt.date:
    return dt.datetime.fromtimestamp(visit.now_ms / 1_000, tz=SHANGHAI).date()


def wish_of(form: Mapping[str, str]) -> StudyWish:
    """What was typed. Raises BadEditError for what is no date or no number."""
    price_lot, board_lot = form.get("price_lot", ""), form.get("board_lot", "")
    spaces_lot, closed_lot = form.get("spaces_lot", ""), form.get("closed_lot", "")
    price = NewPrice(price_lot, _optional(form, "free_minutes"), _optional(form, "percent"))
    return StudyWish(
        name=form.get("name", ""),
        first_day=_date(form, "first_day"),
        last_day=_date(form, "last_day"),
        days=_number(form, "days"),
        spaces={spaces_lot: _number(form, "spaces")} if spaces_lot else {},
        closed=(closed_lot,) if closed_lot else (),
        price=price if price_lot else None,
        board=NewBoard(board_lot, _number(form, "board_share") / WHOLE) if board_lot else None,
        metres_a_yuan=float(_number(form, "metres_a_yuan")),
    )


def _date(form: Mapping[str, str], field: str) -> dt.date:
    try:
        return dt.date.fromisoformat(form.get(field, "").strip())
    except ValueError:
        raise BadEditError(field, "请填日期，如 2026-10-01") from None


def _number(form: Mapping[str, str], field: str) -> int:
    found = whole_number(form.get(field, ""))
    if found is None:
        raise BadEditError(field, f"“{form.get(field, '')[:20]}”不是整数")
    return found


def _optional(form: Mapping[str, str], field: str) -> int | None:
    return _number(form, field) if form.get(field, "").strip() else None
