"""The past of a car park or a part of it: drawn, compared with weeks before, as a table."""

from urllib.parse import urlencode

import msgspec
from aiohttp import web

from occupancy import database_explore, database_parts, tariff_desk
from occupancy.database_parts import DeviceSpan
from occupancy.edit import BadEditError
from occupancy.explore import (
    STEPS_SECONDS,
    Curve,
    Explored,
    Part,
    Plan,
    Subject,
    UnlikeDay,
    plan_steps,
    unlike_days,
)
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.fields import local_field, local_moment, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

DAY_MS = 86_400_000
TABLE_ROWS = 200


class Line(msgspec.Struct, frozen=True):
    """One curve for the chart: times in UTC milliseconds, null is a gap."""

    times: tuple[int, ...]
    occupied: tuple[float | None, ...]
    free: tuple[float | None, ...]
    entries: tuple[int | None, ...]
    exits: tuple[int | None, ...]


class Drawing(msgspec.Struct, frozen=True):
    """What the page's script draws."""

    step_seconds: int
    now: Line
    before: Line | None


class ExplorePage:
    """`/admin/explore`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/explore", self.page, Permission.SEE),
            AdminRoute("GET", "/admin/explore/data", self.data, Permission.SEE),
        ]

    async def page(self, visit: Visit) -> web.StreamResponse:
        lots = self._ground.lots_of(visit)
        begins = visit.asked("from") or local_field(visit.now_ms - DAY_MS)
        ends = visit.asked("to") or local_field(visit.now_ms)
        lot_id = visit.asked("lot") or (lots[0].id if lots else "")
        explored: Explored | None = None
        spans: list[DeviceSpan] = []
        errors: dict[str, str] = {}
        unlike: tuple[UnlikeDay, ...] = ()
        if lot_id:
            try:
                subject, plan, weeks = self._asked(visit, lot_id, begins, ends)
                explored = await self._explore(subject, plan, weeks)
                spans = await self._spans(subject, plan)
                calendar = await tariff_desk.read_calendar(self._ground.connections)
                unlike = unlike_days(plan, weeks, calendar) if weeks else ()
            except BadEditError as refusal:
                errors = {refusal.field: refusal.words}
        connections = self._ground.history
        shape = await database_explore.read_shape(connections, lot_id)
        levels_ms, devices_ms = await database_parts.find_first_ms(connections, lot_id)
        return visit.page(
            "explore.html",
            400 if errors else 200,
            lots=lots,
            lot_id=lot_id,
            shape=shape,
            levels=await database_parts.count_levels(connections, lot_id),
            devices=await database_parts.list_devices(connections, lot_id),
            kind=visit.asked("part", "lot").partition("-")[0],
            levels_ms=levels_ms,
            devices_ms=devices_ms,
            steps=STEPS_SECONDS,
            step=visit.asked("step", "0"),
            step_used=None if explored is None else explored.step_seconds,
            spans=spans[::-1],
            part=visit.asked("part", "lot"),
            begins=begins,
            ends=ends,
            weeks=visit.asked("weeks_back", "0"),
            drawing="" if explored is None else _address(visit, lot_id, begins, ends),
            rows=[] if explored is None else _rows(explored.now),
            unlike=unlike,
            errors=errors,
        )

    async def data(self, visit: Visit) -> web.StreamResponse:
        """The same numbers for programs."""
        try:
            asked = self._asked(visit, visit.asked("lot"), visit.asked("from"), visit.asked("to"))
            explored = await self._explore(*asked)
        except BadEditError as refusal:
            raise Problem(400, refusal.words, field=refusal.field) from None
        body = msgspec.json.encode(_drawn(explored))
        headers = {"Cache-Control": "no-store"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _asked(
        self, visit: Visit, lot_id: str, begins: str, ends: str
    ) -> tuple[Subject, Plan, int]:
        """Raises BadEditError, Problem 404."""
        self._ground.known(visit, lot_id)
        kind, _, place = visit.asked("part", "lot").partition("-")
        if kind not in set(Part):
            raise BadEditError("part", f"“{kind[:20]}”不是车场、层、机组、车道或设备")
        name = place if kind == Part.DEVICE else ""
        subject = Subject(lot_id, Part(kind), whole_number(place) or 0, name)
        step = whole_number(visit.asked("step", "0"))
        if step is None:
            raise BadEditError("step", f"“{visit.asked('step')[:20]}”不是步长")
        weeks = whole_number(visit.asked("weeks_back", "0"))
        if weeks is None:
            raise BadEditError("weeks_back", "对比几周以前：请填数字")
        from_ms, to_ms = local_moment(begins), local_moment(ends)
        if from_ms is None:
            raise BadEditError("from", f"“{begins[:20]}”不是时间")
        if to_ms is None:
            raise BadEditError("to", f"“{ends[:20]}”不是时间")
        finest = subject.finest_seconds
        return subject, plan_steps(from_ms, to_ms, visit.now_ms, step, finest), weeks

    async def _spans(self, subject: Subject, plan: Plan) -> list[DeviceSpan]:
        """How a device answered, span by span; of anything else nothing."""
        if subject.part is not Part.DEVICE:
            return []
        ends = (plan.from_ms, plan.to_ms)
        return await database_parts.list_spans(
            self._ground.history, subject.lot_id, subject.name, *ends
        )

    async def _explore(self, subject: Subject, plan: Plan, weeks: int) -> Explored:
        return await database_explore.explore(self._ground.history, subject, plan, weeks)


def _address(visit: Visit, lot_id: str, begins: str, ends: str) -> str:
    """Where the page's script has the numbers from."""
    asked = {
        "lot": lot_id,
        "part": visit.asked("part", "lot"),
        "from": begins,
        "to": ends,
        "weeks_back": visit.asked("weeks_back", "0"),
        "step": visit.asked("step", "0"),
    }
    return f"/admin/explore/data?{urlencode(asked)}"


def _drawn(explored: Explored) -> Drawing:
    before = explored.before
    return Drawing(
        explored.step_seconds,
        _line(explored.now),
        None if before is None else _line(before),
    )


def _line(curve: Curve) -> Line:
    return Line(
        tuple(curve.times_ms),
        tuple(curve.occupied),
        tuple(curve.free),
        tuple(curve.entries),
        tuple(curve.exits),
    )


def _rows(curve: Curve) -> list[tuple[int, float | None, float | None, int | None, int | None]]:
    """At most so many, evenly chosen: all of them are in the export."""
    rows = list(
        zip(
            curve.times_ms,
            curve.occupied,
            curve.free,
            curve.entries,
            curve.exits,
            strict=True,
        )
    )
    step = -(-len(rows) // TABLE_ROWS)
    return rows[::step] if rows else []
