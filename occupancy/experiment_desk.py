"""Experiments planned, started and stopped by planners, each step with its record in the audit."""

import secrets
from collections.abc import Awaitable, Mapping
from typing import Protocol

import msgspec

from occupancy import database_audit, database_experiments
from occupancy.audit import Entry
from occupancy.calendar import Calendar
from occupancy.database import Connection, Pool
from occupancy.database_experiments import KeptExperiment
from occupancy.edit import BadEditError, SettledError, require_reason
from occupancy.effect.block_plan import draw_plan, pairs_of
from occupancy.effect.experiment import BLOCK_MINUTES, Plan
from occupancy.effect.metric import OF_BLOCKS, Metric
from occupancy.effect.switchback import LEAST_PAIRS
from occupancy.experiment_results import read_detectable
from occupancy.rollup import local_day
from occupancy.tariff_desk import read_calendar

MOST_DAYS, MOST_HELD_OUT, MOST_AHEAD_DAYS = 180, 50, 366


class NoSuchExperimentError(Exception):
    """There is none of this number."""


class Act(Protocol):
    """Starting or stopping one."""

    def __call__(
        self, connections: Pool, number: int, /, *, by: str, reason: str, now_ms: int
    ) -> Awaitable[None]: ...


class Wish(msgspec.Struct, frozen=True):
    """An experiment as somebody wants it. Days are counted as in occupancy.calendar."""

    metric: Metric
    block_minutes: int
    first_day: int
    days: int
    held_out_percent: int = 10


class Preview(msgspec.Struct, frozen=True):
    """What was drawn, and the smallest effect that it could see; None: no past to tell."""

    plan: Plan
    detectable: float | None


async def preview(connections: Pool, wish: Wish, seed: str, now_ms: int) -> Preview:
    """The same seed draws the same blocks when it is planned. Raises BadEditError."""
    plan = require_possible(wish, seed, await read_calendar(connections), now_ms)
    return Preview(plan, await read_detectable(connections, plan, now_ms))


async def plan(
    connections: Pool, wish: Wish, *, by: str, reason: str, now_ms: int, seed: str = ""
) -> KeptExperiment:
    """Draw it and keep it; nothing changes before it is started. Raises BadEditError."""
    why = require_reason(reason)
    shown = await preview(connections, wish, seed or new_seed(), now_ms)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_experiments.add_experiment(
            connection, shown.plan, shown.detectable, why, by
        )
        await _record(connection, "plan_experiment", kept, why, by, None, facts_of(kept))
    return kept


async def start(connections: Pool, number: int, *, by: str, reason: str, now_ms: int) -> None:
    """From now on, or from its first block on. Raises BadEditError, SettledError."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        every = await database_experiments.lock_experiments(connection)
        kept = _find(every, number)
        _require_startable(kept, now_ms)
        for other in every:
            if _is_in_the_way(other, kept, now_ms):
                raise SettledError(f"第 {other.number} 号实验在同一时间进行：同一时间只能有一个")
        await database_experiments.mark_started(connection, number, by, now_ms)
        await _record(
            connection, "start_experiment", kept, why, by, {"started": False}, {"started": True}
        )


async def stop(connections: Pool, number: int, *, by: str, reason: str, now_ms: int) -> None:
    """Guidance is for everybody again within seconds. Raises BadEditError, SettledError."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = _find(await database_experiments.lock_experiments(connection), number)
        if kept.experiment.stopped_ms is not None:
            raise SettledError(f"{kept.stopped_by} 已经停止了它")
        if kept.experiment.is_over(now_ms):
            raise SettledError("它已经到期结束")
        await database_experiments.mark_stopped(connection, number, by, why, now_ms)
        await _record(
            connection, "stop_experiment", kept, why, by, {"stopped": False}, {"stopped": True}
        )


def new_seed() -> str:
    """Nobody can guess it: it also hides who is held out."""
    return secrets.token_hex(8)


def require_possible(wish: Wish, seed: str, calendar: Calendar, now_ms: int) -> Plan:
    """The plan that is drawn of it. Raises BadEditError for the first field that cannot be."""
    if wish.metric not in OF_BLOCKS:
        raise BadEditError("metric", f"只能选 {'、'.join(one.words for one in OF_BLOCKS)}")
    if wish.block_minutes not in BLOCK_MINUTES:
        raise BadEditError("block", "每段只能是 2 小时或一天")
    tomorrow = local_day(now_ms) + 1
    if not tomorrow <= wish.first_day <= tomorrow + MOST_AHEAD_DAYS:
        raise BadEditError("first", "第一天最早是明天，最晚一年以后")
    if not 1 <= wish.days <= MOST_DAYS:
        raise BadEditError("days", f"可以做 1 到 {MOST_DAYS} 天")
    if not 0 <= wish.held_out_percent <= MOST_HELD_OUT:
        raise BadEditError("held_out", f"对照司机可以是 0 到 {MOST_HELD_OUT}%")
    drawn = draw_plan(
        wish.metric,
        wish.block_minutes,
        wish.first_day,
        wish.days,
        seed,
        calendar,
        wish.held_out_percent,
    )
    pairs = sum(len(pair) > 1 for pair in pairs_of(drawn))
    if pairs < LEAST_PAIRS:
        words = f"只有 {pairs} 对可比的时段，至少要 {LEAST_PAIRS} 对：请加长天数或改为 2 小时一段"
        raise BadEditError("days", words)
    return drawn


def facts_of(kept: KeptExperiment) -> Mapping[str, object]:
    """What the audit knows of it: enough to draw it again."""
    plan_ = kept.plan
    return {
        "number": kept.number,
        "metric": plan_.metric.value,
        "block_minutes": plan_.block_minutes,
        "from_ms": plan_.from_ms,
        "to_ms": plan_.to_ms,
        "arms": plan_.arms,
        "kinds": plan_.kinds,
        "seed": plan_.seed,
        "held_out_percent": plan_.held_out_percent,
        "detectable": kept.detectable,
    }


def _find(every: list[KeptExperiment], number: int) -> KeptExperiment:
    for kept in every:
        if kept.number == number:
            return kept
    raise NoSuchExperimentError(f"没有第 {number} 号实验")


def _require_startable(kept: KeptExperiment, now_ms: int) -> None:
    if kept.experiment.stopped_ms is not None:
        raise SettledError(f"{kept.stopped_by} 已经停止了它；停止的实验不能再开始，请另做计划")
    if kept.experiment.started_ms is not None:
        raise SettledError(f"{kept.started_by} 已经开始了它")
    if kept.experiment.is_over(now_ms):
        raise SettledError("计划的时间已经过去，请另做计划")


def _is_in_the_way(other: KeptExperiment, kept: KeptExperiment, now_ms: int) -> bool:
    one = other.experiment
    if one.number == kept.number or one.started_ms is None or one.is_over(now_ms):
        return False
    return one.plan.from_ms < kept.plan.to_ms and kept.plan.from_ms < one.plan.to_ms


async def _record(
    connection: Connection,
    action: str,
    kept: KeptExperiment,
    why: str,
    by: str,
    before: object,
    after: object,
) -> None:
    subject = f"experiment {kept.number}"
    await database_audit.append(
        connection, Entry(by, action, subject, why, before=before, after=after)
    )
