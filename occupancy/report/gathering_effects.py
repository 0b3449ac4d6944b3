"""What experiments, named changes and openings of car parks brought, judged for a report."""

import datetime as dt
from collections.abc import Iterable

import msgspec

from occupancy import database_changes, database_experiments
from occupancy.calendar import date_of, day_of
from occupancy.database import Pool
from occupancy.database_experiments import KeptExperiment
from occupancy.effect.evidence import Evidence
from occupancy.effect.metric import Metric
from occupancy.experiment_results import judge_change, judge_experiment
from occupancy.report.facts import ChangeSeen, Opening
from occupancy.report.period import Period
from occupancy.rollup import local_day
from occupancy.site import Site

AROUND_DAYS = 60  # looked at on each side of an opening
LEAST_DAYS_SINCE = 21  # fewer days say nothing of what an opening changed


async def read_evidence(connections: Pool, period: Period, now_ms: int) -> tuple[Evidence, ...]:
    """Of the experiments that ended in this period or reached into it: blocks, then drivers."""
    found: list[Evidence] = []
    for kept in await database_experiments.list_experiments(connections):
        if _concerns(kept, period, now_ms):
            judged = await judge_experiment(connections, kept, now_ms)
            found += [_named(kept, judged.blocks), _named(kept, judged.drivers)]
    return tuple(found)


async def read_changes(connections: Pool, period: Period, now_ms: int) -> tuple[ChangeSeen, ...]:
    """Of the changes that were named whose days after them reach into this period, all over."""
    found = []
    for kept in reversed(await database_changes.list_changes(connections)):
        change = kept.change
        is_near = change.day <= day_of(period.last) and change.span[1] >= day_of(period.first)
        if kept.withdrawn_ms is None and change.is_over(now_ms) and is_near:
            judged = await judge_change(connections, change.metric, change.span, change.day, now_ms)
            found.append(ChangeSeen(kept.number, change, judged))
    return tuple(found)


async def read_openings(
    connections: Pool, sites: Iterable[Site], period: Period, now_ms: int
) -> tuple[Opening, ...]:
    """District refusals before and since each opening that lies in reach of the period."""
    last = min(period.last, date_of(local_day(now_ms) - 1))
    found = []
    for site in sites:
        opened = site.opened_on
        if opened is None or not _is_in_reach(opened, period, last):
            continue
        span = (day_of(opened) - AROUND_DAYS, min(day_of(opened) + AROUND_DAYS, day_of(last)))
        judged = await judge_change(connections, Metric.REFUSED, span, day_of(opened), now_ms)
        found.append(Opening(site.site_id, judged.evidence))
    return tuple(found)


def _is_in_reach(opened: dt.date, period: Period, last: dt.date) -> bool:
    """Not so long ago that it was told in an earlier report, nor too lately to say anything."""
    since = (last - opened).days
    return since >= LEAST_DAYS_SINCE and opened > period.first - dt.timedelta(days=AROUND_DAYS)


def _concerns(kept: KeptExperiment, period: Period, now_ms: int) -> bool:
    experiment, plan = kept.experiment, kept.plan
    if experiment.started_ms is None or not experiment.is_over(now_ms):
        return False
    ended_ms = plan.to_ms if experiment.stopped_ms is None else experiment.stopped_ms
    return experiment.started_ms < period.end_ms and ended_ms > period.start_ms


def _named(kept: KeptExperiment, evidence: Evidence) -> Evidence:
    first = date_of(local_day(kept.plan.from_ms))
    last = date_of(local_day(kept.plan.to_ms - 1))
    when = f"{first.month} 月 {first.day} 日至 {last.month} 月 {last.day} 日"
    words = f"第 {kept.number} 号试验（{when}）：{evidence.words}"
    return msgspec.structs.replace(evidence, words=words)
