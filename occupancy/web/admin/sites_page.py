"""The construction plan: every site, added or changed by planners with a reason."""

from collections.abc import Mapping
from datetime import date

from aiohttp import web

from occupancy import database_sites, site_desk
from occupancy.edit import BadEditError, StaleEditError
from occupancy.permissions import Permission
from occupancy.site import Site, Stage
from occupancy.site_desk import NEW
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

SITES = "/reports/sites"
STAGES = {
    Stage.PLANNED: "规划",
    Stage.BUILDING: "在建",
    Stage.BUILT: "已建成",
    Stage.DROPPED: "已取消",
}
UNSURE_WORDS = {
    "name": "名称",
    "address": "位置",
    "planned_spaces": "规划泊位",
    "built_spaces": "建成泊位",
    "opened_on": "开放日期",
}


class SitesPage:
    """`/reports/sites`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        one = SITES + "/{site}"
        return [
            AdminRoute("GET", SITES, self.every, Permission.SEE),
            AdminRoute("GET", SITES + "/new", self.ask_new, Permission.EDIT_SITES),
            AdminRoute("POST", SITES + "/new", self.add, Permission.EDIT_SITES),
            AdminRoute("GET", one, self.ask, Permission.EDIT_SITES),
            AdminRoute("POST", one, self.change, Permission.EDIT_SITES),
        ]

    async def every(self, visit: Visit) -> web.StreamResponse:
        sites = await database_sites.list_sites(self._ground.connections)
        return visit.page("sites.html", sites=sites, stages=STAGES)

    async def ask_new(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, 200, visit.restored or {"stage": Stage.PLANNED.value}, NEW, {})

    async def ask(self, visit: Visit) -> web.StreamResponse:
        kept = await self._known(visit)
        return self._form(visit, 200, visit.restored or as_form(kept.site), kept.version, {})

    async def add(self, visit: Visit) -> web.StreamResponse:
        return await self._keep(visit, visit.form.get("site_id", "").strip())

    async def change(self, visit: Visit) -> web.StreamResponse:
        kept = await self._known(visit)
        return await self._keep(visit, kept.site.site_id)

    async def _keep(self, visit: Visit, site_id: str) -> web.StreamResponse:
        form = visit.form
        seen = whole_number(form.get("version", "")) or NEW
        try:
            await site_desk.keep_site(
                self._ground.connections,
                self._site(site_id, form),
                seen=seen,
                by=visit.person.name,
                reason=form.get("reason", ""),
            )
        except BadEditError as refusal:
            return self._form(visit, 400, form, seen, {refusal.field: refusal.words})
        except StaleEditError as refusal:
            words = f"别人刚刚把它改成了：{_as_words(refusal.theirs)}。没有改动，请核对后再提交"
            theirs = await database_sites.find_site(self._ground.connections, site_id)
            version = NEW if theirs is None else theirs.version
            return self._form(visit, 409, form, version, {"conflict": words})
        return visit.see_other(SITES, done="建设项目已保存，下一份报告按此统计")

    def _site(self, site_id: str, form: Mapping[str, str]) -> Site:
        lot_id = form.get("lot_id", "")
        if lot_id and lot_id not in self._ground.showcase.lots:
            raise BadEditError("lot_id", f"没有 {lot_id[:40]} 这个车场")
        return site_of(site_id, form)

    def _form(
        self,
        visit: Visit,
        status: int,
        values: Mapping[str, str],
        version: int,
        errors: Mapping[str, str],
    ) -> web.StreamResponse:
        return visit.page(
            "site.html",
            status,
            values=values,
            version=version,
            errors=errors,
            is_new=visit.path.endswith("/new"),
            lots=self._ground.short_names(),
            stages=STAGES,
            unsure=UNSURE_WORDS,
            unsure_now=values.get("placeholders", "").split(),
        )

    async def _known(self, visit: Visit) -> database_sites.KeptSite:
        site_id = visit.word("site")
        kept = await database_sites.find_site(self._ground.connections, site_id)
        if kept is None:
            raise Problem(404, f"没有 {site_id[:40]} 这个建设项目", field="site")
        return kept


def site_of(site_id: str, form: Mapping[str, str]) -> Site:
    """What was typed; empty is not known. Raises BadEditError for what cannot be read."""
    stage = form.get("stage", "")
    if stage not in set(Stage):
        raise BadEditError("stage", "请选择阶段")
    return Site(
        site_id=site_id,
        name=form.get("name", ""),
        stage=Stage(stage),
        lot_id=form.get("lot_id", ""),
        address=form.get("address", ""),
        planned_spaces=_spaces(form, "planned_spaces"),
        built_spaces=_spaces(form, "built_spaces"),
        opened_on=_day(form, "opened_on"),
        note=form.get("note", ""),
        placeholders=tuple(form.get("placeholders", "").split()),
    )


def as_form(site: Site) -> dict[str, str]:
    told = {name: getattr(site, name) for name in Site.__struct_fields__}
    words = {name: "" if value is None else str(value) for name, value in told.items()}
    return words | {"stage": site.stage.value, "placeholders": " ".join(site.placeholders)}


def _spaces(form: Mapping[str, str], name: str) -> int | None:
    raw = form.get(name, "").strip()
    if not raw:
        return None
    spaces = whole_number(raw)
    if spaces is None:
        raise BadEditError(name, f"“{raw[:20]}”不是整数；不知道就留空")
    return spaces


def _day(form: Mapping[str, str], name: str) -> date | None:
    raw = form.get(name, "").strip()
    if not raw:
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise BadEditError(name, f"“{raw[:20]}”不是日期，请写成 2026-09-01") from None


def _as_words(theirs: object) -> str:
    if not isinstance(theirs, Site):
        return "已不存在"
    told = [f"{STAGES[theirs.stage]}"]
    for name in ("planned_spaces", "built_spaces", "opened_on"):
        value = getattr(theirs, name)
        told.append(f"{UNSURE_WORDS[name]} {'不明' if value is None else value}")
    return f"{theirs.name}（{'，'.join(told)}）"
