"""Tariffs: what is published, drafts with their prices and differences, approval by a second."""

from collections.abc import Mapping

from aiohttp import web

from occupancy import database_drafts, database_tariffs, tariff_desk
from occupancy.edit import BadEditError, SamePersonError, SettledError, StaleEditError
from occupancy.permissions import Permission
from occupancy.tariff_check import BadTariffError
from occupancy.tariff_clock import DAY_MINUTES, local_minute, written
from occupancy.tariff_desk import NoSuchVersionError
from occupancy.tariff_draft import BadDraftError, Draft, DraftState
from occupancy.tariff_preview import preview
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

_REFUSALS = (
    BadEditError,
    BadDraftError,
    BadTariffError,
    StaleEditError,
    SettledError,
    SamePersonError,
    NoSuchVersionError,
)
_DONE = {
    "save": "草稿已保存",
    "submit": "已提交复核",
    "return": "已退回修改",
    "approve": "已批准，到生效时间自动执行",
    "discard": "草稿已作废",
}


class TariffsPage:
    """`/admin/tariffs`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        home, draft = "/admin/tariffs", "/admin/tariffs/drafts/{draft}"
        version = "/admin/tariffs/{tariff}/{version}"
        return [
            AdminRoute("GET", home, self.every, Permission.SEE),
            AdminRoute("GET", draft, self.one, Permission.SEE),
            AdminRoute("POST", draft, self.deal, Permission.DRAFT_TARIFF),
            AdminRoute("POST", draft + "/preview", self.show_review, Permission.SEE),
            AdminRoute("POST", home + "/{tariff}", self.begin, Permission.DRAFT_TARIFF),
            AdminRoute("GET", version, self.version, Permission.SEE),
            AdminRoute("POST", version, self.withdraw, Permission.APPROVE_TARIFF),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        return await self._list(visit, 200, {})

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """A draft of the next version, from tomorrow on, as the newest one is now."""
        tariff_id = self._tariff_id(visit)
        visit.person.require_all(Permission.DRAFT_TARIFF, self._lots_of(tariff_id))
        tomorrow = (local_minute(visit.now_ms) // DAY_MINUTES + 1) * DAY_MINUTES
        connections = self._ground.connections
        try:
            text = await tariff_desk.propose_text(connections, tariff_id, tomorrow)
            reason = visit.form.get("reason", "")
            draft = await tariff_desk.begin_draft(
                connections, tariff_id, text, by=visit.person.name, reason=reason
            )
        except BadEditError as refusal:
            return await self._list(visit, 400, {tariff_id: refusal.words})
        return visit.see_other(f"/admin/tariffs/drafts/{draft.draft_id}", done="草稿已建立")

    async def one(self, visit: Visit) -> web.StreamResponse:
        return await self._draft_page(visit, 200, visit.restored, {})

    async def deal(self, visit: Visit) -> web.StreamResponse:
        draft, deed = await self._draft(visit), visit.form.get("deed", "")
        needs = Permission.APPROVE_TARIFF if deed == "approve" else Permission.DRAFT_TARIFF
        visit.person.require_all(needs, self._lots_of(draft.tariff_id))
        try:
            await self._deal(visit, draft, deed)
        except _REFUSALS as refusal:
            status, errors = said_of(refusal)
            return await self._draft_page(visit, status, visit.form, errors)
        self._desk.tell_all()
        return visit.see_other(visit.path, done=_DONE[deed])

    async def show_review(self, visit: Visit) -> web.StreamResponse:
        """Remarks, prices and differences of what stands in the field now."""
        draft = await self._draft(visit)
        text = visit.form.get("text", "")
        try:
            review = await tariff_desk.review_text(
                self._ground.connections, draft.tariff_id, text, visit.now_ms
            )
        except BadEditError as refusal:
            return visit.fragment("tariff_review.html", review=None, refusal=refusal.words)
        return visit.fragment("tariff_review.html", review=review, refusal="")

    async def version(self, visit: Visit) -> web.StreamResponse:
        return await self._version_page(visit, 200, {})

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        tariff_id, number = self._tariff_id(visit), whole_number(visit.word("version")) or 0
        visit.person.require_all(Permission.APPROVE_TARIFF, self._lots_of(tariff_id))
        try:
            await tariff_desk.withdraw_version(
                self._ground.connections,
                tariff_id,
                number,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except _REFUSALS as refusal:
            status, errors = said_of(refusal)
            return await self._version_page(visit, status, errors)
        return visit.see_other("/admin/tariffs", done=f"{tariff_id} 第 {number} 版已撤回")

    async def _deal(self, visit: Visit, draft: Draft, deed: str) -> None:
        form, now_ms, number = visit.form, visit.now_ms, draft.draft_id
        connections, by, reason = (
            self._ground.connections,
            visit.person.name,
            form.get("reason", ""),
        )
        edit = whole_number(form.get("edit", "")) or 0
        text = form.get("text", draft.text)
        if deed == "save" or (deed == "submit" and text != draft.text):
            saved = await tariff_desk.save_draft(
                connections, number, text, edit=edit, by=by, reason=reason
            )
            edit = saved.edit
        if deed == "submit":
            await tariff_desk.submit_draft(
                connections, number, edit=edit, by=by, reason=reason, now_ms=now_ms
            )
        elif deed == "return":
            await tariff_desk.return_draft(connections, number, edit=edit, by=by, reason=reason)
        elif deed == "approve":
            await tariff_desk.approve_draft(
                connections, number, edit=edit, by=by, reason=reason, now_ms=now_ms
            )
        elif deed == "discard":
            await tariff_desk.discard_draft(connections, number, edit=edit, by=by, reason=reason)
        elif deed != "save":
            raise BadEditError("deed", "请选择要做什么")

    async def _list(
        self, visit: Visit, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        connections = self._ground.connections
        names: dict[str, list[str]] = {}
        for lot in self._ground.showcase.lots.values():
            if visit.sees(lot.lot_id):
                names.setdefault(lot.tariff_id, []).append(lot.short_name)
        versions = {
            tariff_id: await database_tariffs.list_versions(connections, tariff_id)
            for tariff_id in names
        }
        drafts = await database_drafts.list_drafts(connections)
        return visit.page(
            "tariffs.html",
            status,
            names=names,
            versions=versions,
            drafts=[one for one in drafts if one.tariff_id in names],
            now_minute=local_minute(visit.now_ms),
            written=written,
            errors=errors,
            lots_of=self._lots_of,
        )

    async def _draft_page(
        self, visit: Visit, status: int, typed: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        draft = await self._draft(visit)
        text, lots = typed.get("text", draft.text), self._lots_of(draft.tariff_id)
        review, refusal = None, ""
        try:
            review = await tariff_desk.review_text(
                self._ground.connections, draft.tariff_id, text, visit.now_ms
            )
        except BadEditError as reason:
            refusal = reason.words
        return visit.page(
            "tariff_draft.html",
            status,
            draft=draft,
            text=text,
            values=typed,
            errors=errors,
            review=review,
            refusal=refusal,
            is_author=visit.person.name in draft.authors,
            lots=lots,
            can_edit=draft.state is DraftState.DRAFT
            and visit.may_for(Permission.DRAFT_TARIFF, lots),
        )

    async def _version_page(
        self, visit: Visit, status: int, errors: Mapping[str, str]
    ) -> web.StreamResponse:
        tariff_id, number = self._tariff_id(visit), whole_number(visit.word("version")) or 0
        connections = self._ground.connections
        for one in await database_tariffs.list_versions(connections, tariff_id):
            if one.tariff.version == number:
                calendar = await tariff_desk.read_calendar(connections)
                return visit.page(
                    "tariff_version.html",
                    status,
                    one=one,
                    prices=preview(one.tariff, calendar),
                    written=written,
                    is_future=one.tariff.valid_from > local_minute(visit.now_ms),
                    errors=errors,
                    lots=self._lots_of(tariff_id),
                )
        raise Problem(404, f"{tariff_id} 没有第 {number} 版", field="version")

    async def _draft(self, visit: Visit) -> Draft:
        number = whole_number(visit.word("draft")) or 0
        draft = await database_drafts.find_draft(self._ground.connections, number)
        if draft is None or not self._is_his(visit, draft.tariff_id):
            raise Problem(404, f"没有第 {visit.word('draft')[:20]} 号草稿", field="draft")
        return draft

    def _tariff_id(self, visit: Visit) -> str:
        """Raises Problem 404 for a tariff of none of his car parks."""
        wanted = visit.word("tariff")
        if not self._is_his(visit, wanted):
            raise Problem(404, f"没有 {wanted[:40]} 这个收费标准", field="tariff")
        return wanted

    def _is_his(self, visit: Visit, tariff_id: str) -> bool:
        """Whether one of his car parks takes it."""
        return any(visit.sees(lot_id) for lot_id in self._lots_of(tariff_id))

    def _lots_of(self, tariff_id: str) -> list[str]:
        """All car parks that take it: whoever changes it answers for each of them."""
        lots = self._ground.showcase.lots.values()
        return [lot.lot_id for lot in lots if lot.tariff_id == tariff_id]


def said_of(refusal: Exception) -> tuple[int, dict[str, str]]:
    """The status and what stands at which field."""
    if isinstance(refusal, BadEditError):
        return 400, {refusal.field: refusal.words}
    if isinstance(refusal, BadDraftError):
        return 400, {"text": "还有错误，见右边的说明，改好后再提交"}
    if isinstance(refusal, StaleEditError):
        theirs = refusal.theirs
        who = theirs.changed_by if isinstance(theirs, Draft) else "别人"
        words = f"{who} 刚刚改过这份草稿：下面是他的版本和你的版本，请合并后再保存"
        text = theirs.text if isinstance(theirs, Draft) else ""
        return 409, {"conflict": words, "theirs": text}
    return 409, {"conflict": str(refusal)}
