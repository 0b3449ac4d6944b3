"""Guidance as planners see it: advice given, promises in force, experiments and what they say."""

import datetime as dt
from collections.abc import Callable, Mapping

from aiohttp import web

from occupancy import (
    database_changes,
    database_experiments,
    experiment_desk,
    experiment_results,
)
from occupancy.calendar import date_of
from occupancy.database_changes import KeptChange
from occupancy.database_experiments import KeptExperiment
from occupancy.edit import BadEditError, SettledError
from occupancy.effect.advice import Guiding, total
from occupancy.effect.block_plan import count_arms, pairs_of
from occupancy.effect.experiment import arm_at
from occupancy.effect.metric import OF_BLOCKS, Metric
from occupancy.experiment_desk import Preview, Wish
from occupancy.permissions import Permission
from occupancy.rollup import DAY_MS, day_start_ms, local_day
from occupancy.web.admin import experiment_view
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.experiment_view import State, grid_of, scale_of, state_of
from occupancy.web.admin.fields import read_day, whole_number
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

HOME = "/admin/guidance"
WEEK_DAYS = 7
SEED_LENGTH = 16
USUAL = {"metric": "refused", "block": "120", "days": "28", "held_out": "10"}
_OVER = (State.STOPPED, State.ENDED)


class GuidancePage:
    """`/admin/guidance`. `guiding` answers for the guidance of this process, if it has one."""

    def __init__(
        self, ground: AdminGround, desk: DeskStream, guiding: Callable[[], Guiding | None]
    ) -> None:
        self._ground = ground
        self._desk = desk
        self._guiding = guiding

    def routes(self) -> list[AdminRoute]:
        edit, new = Permission.EXPERIMENT, f"{HOME}/new"
        one = HOME + "/{number}"
        return [
            AdminRoute("GET", HOME, self.overview, Permission.SEE),
            AdminRoute("GET", new, self.ask, edit, town_wide=True),
            AdminRoute("POST", new, self.plan, edit, town_wide=True),
            AdminRoute("POST", f"{new}/preview", self.preview, edit, town_wide=True),
            AdminRoute("GET", one, self.one, Permission.SEE),
            AdminRoute("POST", f"{one}/start", self.start, edit, town_wide=True),
            AdminRoute("POST", f"{one}/stop", self.stop, edit, town_wide=True),
        ]

    async def overview(self, visit: Visit) -> web.StreamResponse:
        every = await database_experiments.list_experiments(self._ground.connections)
        now_ms, guiding = visit.now_ms, self._guiding()
        today_ms = day_start_ms(local_day(now_ms))
        spans = (("今天", today_ms), ("近 7 天", today_ms - (WEEK_DAYS - 1) * DAY_MS))
        given = []
        if guiding is not None:
            for words, since_ms in spans:
                found = await guiding.advice(since_ms, now_ms)
                mine = [one for one in found if visit.sees(one.lot_id)]
                given.append((words, total(mine), mine))
        changes = await database_changes.list_changes(self._ground.connections)
        running = next((one for one in every if one.experiment.is_running(now_ms)), None)
        return visit.page(
            "guidance.html",
            lots=self._ground.lots_of(visit),
            given=given,
            coming=None if guiding is None else await guiding.coming(),
            experiments=[(one, state_of(one.experiment, now_ms)) for one in every],
            changes=[
                (one, date_of(one.change.day), *_state_of_change(one, now_ms)) for one in changes
            ],
            states=experiment_view.WORDS,
            running=running,
            arm=arm_at(running.experiment, now_ms) if running else None,
            switches_ms=_next_switch(running, now_ms) if running else None,
        )

    async def ask(self, visit: Visit) -> web.StreamResponse:
        first = dt.date(1970, 1, 1) + dt.timedelta(days=local_day(visit.now_ms) + 1)
        usual = {**USUAL, "first": first.isoformat(), "seed": experiment_desk.new_seed()}
        return self._form(visit, 200, {**usual, **visit.restored}, {})

    async def preview(self, visit: Visit) -> web.StreamResponse:
        """What would be drawn, while it is typed; wrong fields are said as well."""
        try:
            shown = await self._preview(visit)
        except BadEditError as refusal:
            return visit.fragment("experiment_preview.html", shown=None, refusal=refusal.words)
        return visit.fragment(
            "experiment_preview.html",
            shown=shown,
            grid=grid_of(shown.plan, visit.now_ms),
            counts=count_arms(shown.plan),
            pairs=sum(len(pair) > 1 for pair in pairs_of(shown.plan)),
            refusal="",
        )

    async def plan(self, visit: Visit) -> web.StreamResponse:
        try:
            kept = await experiment_desk.plan(
                self._ground.connections,
                wish_of(visit.form),
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
                seed=_seed_of(visit.form),
            )
        except BadEditError as refusal:
            return self._form(visit, 400, visit.form, {refusal.field: refusal.words})
        self._desk.tell_all()
        done = f"第 {kept.number} 号实验已计划，点“开始”之后才会生效"
        return visit.see_other(f"{HOME}/{kept.number}", done=done)

    async def one(self, visit: Visit) -> web.StreamResponse:
        return await self._one(visit, 200, "")

    async def start(self, visit: Visit) -> web.StreamResponse:
        return await self._act(visit, experiment_desk.start, "实验已开始，到第一段时生效")

    async def stop(self, visit: Visit) -> web.StreamResponse:
        return await self._act(visit, experiment_desk.stop, "实验已停止，几秒内全部恢复诱导")

    async def _act(self, visit: Visit, act: experiment_desk.Act, done: str) -> web.StreamResponse:
        number = (await self._known(visit)).number
        try:
            await act(
                self._ground.connections,
                number,
                by=visit.person.name,
                reason=visit.form.get("reason", ""),
                now_ms=visit.now_ms,
            )
        except BadEditError as refusal:
            return await self._one(visit, 400, refusal.words)
        except SettledError as refusal:
            return await self._one(visit, 409, str(refusal))
        self._desk.tell_all()
        return visit.see_other(f"{HOME}/{number}", done=done)

    async def _one(self, visit: Visit, status: int, refusal: str) -> web.StreamResponse:
        kept, now_ms = await self._known(visit), visit.now_ms
        state = state_of(kept.experiment, now_ms)
        judged = None
        if state in _OVER:  # whoever saw it before would stop when he likes what he sees
            judged = await experiment_results.judge_experiment(self._ground.history, kept, now_ms)
        return visit.page(
            "experiment.html",
            status,
            kept=kept,
            state=state,
            states=experiment_view.WORDS,
            arm=arm_at(kept.experiment, now_ms),
            switches_ms=_next_switch(kept, now_ms),
            grid=grid_of(kept.plan, now_ms),
            counts=count_arms(kept.plan),
            done_blocks=len(experiment_results.run_blocks(kept, now_ms)),
            judged=judged,
            scale=scale_of(judged.blocks) if judged else None,
            drivers_scale=scale_of(judged.drivers) if judged else None,
            refusal=refusal,
        )

    async def _known(self, visit: Visit) -> KeptExperiment:
        number = whole_number(visit.word("number")) or 0
        kept = await database_experiments.find_experiment(self._ground.connections, number)
        if kept is None:
            raise Problem(404, f"没有第 {number} 号实验", field="number")
        return kept

    async def _preview(self, visit: Visit) -> Preview:
        return await experiment_desk.preview(
            self._ground.connections, wish_of(visit.form), _seed_of(visit.form), visit.now_ms
        )

    def _form(
        self, visit: Visit, status: int, values: Mapping[str, str], errors: Mapping[str, str]
    ) -> web.StreamResponse:
        return visit.page(
            "experiment_new.html",
            status,
            values={**values, "seed": _seed_of(values)},
            errors=errors,
            metrics=[(one.value, one.words) for one in OF_BLOCKS],
        )


def wish_of(form: Mapping[str, str]) -> Wish:
    """What was typed. Raises BadEditError for what is no date or no number."""
    metric = form.get("metric", "")
    if metric not in set(Metric):
        raise BadEditError("metric", "请选择看什么指标")
    day = read_day(form, "first")
    numbers = {}
    for name, words in (("block", "每段时长"), ("days", "天数"), ("held_out", "百分比")):
        number = whole_number(form.get(name, ""))
        if number is None:
            raise BadEditError(name, f"“{form.get(name, '')[:20]}”不是{words}")
        numbers[name] = number
    return Wish(Metric(metric), numbers["block"], day, numbers["days"], numbers["held_out"])


def _seed_of(form: Mapping[str, str]) -> str:
    """The one that was previewed; anything else is drawn anew."""
    seed = form.get("seed", "")
    is_ours = len(seed) == SEED_LENGTH and all(mark in "0123456789abcdef" for mark in seed)
    return seed if is_ours else experiment_desk.new_seed()


def _state_of_change(kept: KeptChange, now_ms: int) -> tuple[str, str]:
    """In words, and the shape that goes with them."""
    if kept.withdrawn_ms is not None:
        return "已撤销", "shape-closed"
    if kept.change.is_over(now_ms):
        return "可以看结果", "tick"
    return "等变化后的日子过完", "shape-no_data"


def _next_switch(kept: KeptExperiment, now_ms: int) -> int | None:
    """When the present block ends."""
    block = kept.plan.block_at(now_ms)
    return None if block is None else kept.plan.start_of(block + 1)
