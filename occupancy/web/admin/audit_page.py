"""The log of everything that was done, and whether it is whole."""

from urllib.parse import urlencode

import msgspec
from aiohttp import web

from occupancy import database_audit
from occupancy.audit import Head
from occupancy.database_audit import Wanted
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

PAGE = 50
VERIFIED_FOR_MS = 60_000


class AuditPage:
    """`/admin/audit`. The chain is gone through once a minute at most."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground
        self._verified: tuple[int, Head, str | None] | None = None

    def routes(self) -> list[AdminRoute]:
        return [AdminRoute("GET", "/admin/audit", self.page, Permission.SEE_AUDIT)]

    async def page(self, visit: Visit) -> web.StreamResponse:
        wanted = _wanted(visit)
        connections = self._ground.connections
        records = await database_audit.list_newest(connections, PAGE + 1, wanted)
        head, flaw = await self._verify(visit.now_ms)
        return visit.page(
            "audit.html",
            records=records[:PAGE],
            wanted=wanted,
            head=head,
            flaw=flaw,
            older=_older(wanted, records[PAGE - 1].number) if len(records) > PAGE else "",
        )

    async def _verify(self, now_ms: int) -> tuple[Head, str | None]:
        if self._verified is None or now_ms - self._verified[0] > VERIFIED_FOR_MS:
            head, flaw = await database_audit.verify(self._ground.connections)
            self._verified = (now_ms, head, flaw)
        return self._verified[1:]


def _wanted(visit: Visit) -> Wanted:
    before = visit.asked("before")
    number = whole_number(before)
    if before and number is None:
        raise Problem(400, f"before={before[:30]}: 应是记录编号", field="before")
    return Wanted(
        visit.asked("subject").strip(),
        visit.asked("who").strip(),
        visit.asked("action").strip(),
        visit.person.lots,
        number,
    )


def _older(wanted: Wanted, before: int) -> str:
    kept = {
        name: value
        for name, value in msgspec.structs.asdict(wanted).items()
        if value and name in ("subject", "who", "action")
    }
    return urlencode({**kept, "before": before})
