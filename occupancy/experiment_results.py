"""What experiments and changes brought: read from history and judged on district totals."""

import asyncio
from collections.abc import Mapping

import msgspec

from occupancy import database_experiments
from occupancy.database import Pool
from occupancy.database_experiments import KeptExperiment
from occupancy.database_observed import read_facts, read_observed
from occupancy.effect import held_out, interrupted, switchback
from occupancy.effect.block_totals import District, total_by_block
from occupancy.effect.change import Change
from occupancy.effect.evidence import Evidence
from occupancy.effect.experiment import Arm, Plan
from occupancy.effect.held_out import Drivers
from occupancy.effect.interrupted import BeforeAfter, Day
from occupancy.effect.metric import Metric
from occupancy.observed import Span
from occupancy.refused import estimate
from occupancy.rollup import DAY_MS, day_start_ms, local_day
from occupancy.tariff_desk import read_calendar

QUARTER_MINUTES = 15
PAST_WEEKS = 8  # from so far back the smallest detectable effect is computed
_WEEK_MS = 7 * DAY_MS
_NOBODY = Drivers(0, 0)


class Judged(msgspec.Struct, frozen=True):
    """An experiment's results: of its blocks, and of its drivers. `values` are the blocks'."""

    blocks: Evidence
    drivers: Evidence
    values: Mapping[int, float]
    counted: Mapping[Arm, database_experiments.ArmDrivers]


async def judge_experiment(connections: Pool, kept: KeptExperiment, now_ms: int) -> Judged:
    """From the blocks that lie wholly in the time the experiment ran."""
    blocks = run_blocks(kept, now_ms)
    values = await read_totals(connections, kept.plan.metric, blocks, now_ms)
    evidence = await asyncio.to_thread(switchback.judge, kept.plan, values, kept.detectable)
    counted = await database_experiments.read_drivers(connections, kept.number, now_ms)
    return Judged(evidence, _judge_drivers(counted), values, counted)


async def judge_change(
    connections: Pool, metric: Metric, span: tuple[int, int], change_day: int, now_ms: int
) -> BeforeAfter:
    """Before and after `change_day`, over the days `span` (first, last) as the calendar counts."""
    days = await _read_days(connections, metric, span, now_ms)
    return await asyncio.to_thread(interrupted.judge, metric, days, change_day)


async def read_change_detectable(connections: Pool, change: Change, now_ms: int) -> float | None:
    """The smallest effect that its days would show, by as many days before it; None: no past."""
    last = min(change.day, local_day(now_ms)) - 1
    first = last + 1 - change.before_days - change.after_days
    days = await _read_days(connections, change.metric, (first, last), now_ms)
    return await asyncio.to_thread(interrupted.smallest_effect_of_past, days, change.after_days)


async def read_detectable(connections: Pool, plan: Plan, now_ms: int) -> float | None:
    """The smallest effect this plan would see, by the same blocks of earlier weeks."""
    back = -(-(plan.to_ms - now_ms) // _WEEK_MS) * _WEEK_MS
    past: list[dict[int, float]] = []
    while back <= plan.from_ms - now_ms + PAST_WEEKS * _WEEK_MS or not past:
        blocks = {
            number: Span(plan.start_of(number) - back, plan.start_of(number + 1) - back)
            for number in range(len(plan.arms))
        }
        past.append(await read_totals(connections, plan.metric, blocks, now_ms))
        back += -(-(plan.to_ms - plan.from_ms) // _WEEK_MS) * _WEEK_MS
    return switchback.smallest_effect_of_past(plan, past)


async def read_totals(
    connections: Pool, metric: Metric, blocks: Mapping[int, Span], now_ms: int
) -> dict[int, float]:
    """The district's totals; blocks that are not over, or of which too little is known, lack."""
    over = {number: span for number, span in blocks.items() if span.until_ms <= now_ms}
    if not over:
        return {}
    span = Span(
        min(one.from_ms for one in over.values()), max(one.until_ms for one in over.values())
    )
    facts = await read_facts(connections, span.until_ms, span.from_ms)
    lots = tuple(
        [
            await read_observed(connections, one, span, QUARTER_MINUTES, now_ms)
            for one in facts
            if one.opened_ms is not None
        ]
    )
    calendar = await read_calendar(connections)

    def total() -> dict[int, float]:
        needed = metric in (Metric.REFUSED, Metric.FOUND)
        refusals = tuple(estimate(one, calendar) for one in lots) if needed else ()
        return total_by_block(metric, District(lots, refusals), over)

    return await asyncio.to_thread(total)


async def _read_days(
    connections: Pool, metric: Metric, span: tuple[int, int], now_ms: int
) -> list[Day]:
    first, last = span
    wanted = {day: Span(day_start_ms(day), day_start_ms(day + 1)) for day in range(first, last + 1)}
    values = await read_totals(connections, metric, wanted, now_ms)
    calendar = await read_calendar(connections)
    return [Day(day, calendar.day_type(day), values.get(day)) for day in wanted]


def run_blocks(kept: KeptExperiment, now_ms: int) -> dict[int, Span]:
    """The blocks in which what was drawn held from beginning to end."""
    experiment, plan = kept.experiment, kept.plan
    if experiment.started_ms is None:
        return {}
    until_ms = min(now_ms, experiment.stopped_ms or plan.to_ms)
    spans = {n: Span(plan.start_of(n), plan.start_of(n + 1)) for n in range(len(plan.arms))}
    return {
        number: span
        for number, span in spans.items()
        if experiment.started_ms <= span.from_ms and span.until_ms <= until_ms
    }


def days_of(from_ms: int, to_ms: int) -> tuple[int, int]:
    """The first and last day of a span, as the calendar counts them."""
    return local_day(from_ms), local_day(to_ms - 1)


def _judge_drivers(counted: Mapping[Arm, database_experiments.ArmDrivers]) -> Evidence:
    def chose(arm: Arm) -> Drivers:
        return counted[arm].chose_first if arm in counted else _NOBODY

    return held_out.judge(chose(Arm.GUIDED), chose(Arm.HELD_OUT))
