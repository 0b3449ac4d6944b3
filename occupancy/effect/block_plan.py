"""Draws an experiment's blocks with and without guidance, balanced by hour and kind of day."""

import random
from collections.abc import Sequence

from occupancy.calendar import Calendar, DayType
from occupancy.effect.experiment import BLOCK_MINUTES, OFF, ON, REST_DAY, WORKDAY, Plan
from occupancy.effect.metric import Metric
from occupancy.rollup import DAY_MS, MINUTE_MS, day_start_ms, local_day

_WORKED = (DayType.WORKDAY, DayType.MAKEUP_WORKDAY)


def draw_plan(
    metric: Metric,
    block_minutes: int,
    first_day: int,
    days: int,
    seed: str,
    calendar: Calendar,
    held_out_percent: int = 10,
) -> Plan:
    """From the beginning of a day on, so many whole days. The same seed draws the same plan."""
    if block_minutes not in BLOCK_MINUTES:
        raise ValueError(f"a block has {BLOCK_MINUTES} minutes, not {block_minutes}")
    from_ms = day_start_ms(first_day)
    blocks = days * DAY_MS // (block_minutes * MINUTE_MS)
    starts = [from_ms + n * block_minutes * MINUTE_MS for n in range(blocks)]
    kinds = "".join(kind_of(calendar.day_type(local_day(at_ms))) for at_ms in starts)
    unknown = Plan(metric, block_minutes, from_ms, seed, OFF * blocks, kinds, held_out_percent)
    return Plan(metric, block_minutes, from_ms, seed, draw_arms(unknown), kinds, held_out_percent)


def kind_of(day_type: DayType) -> str:
    return WORKDAY if day_type in _WORKED else REST_DAY


def pairs_of(plan: Plan) -> list[tuple[int, ...]]:
    """Neighbours of one stratum, two by two; the last of an odd number is alone."""
    strata: dict[tuple[str, int], list[int]] = {}
    for block in range(len(plan.kinds)):
        strata.setdefault(plan.stratum_of(block), []).append(block)
    return sorted(
        tuple(blocks[n : n + 2]) for blocks in strata.values() for n in range(0, len(blocks), 2)
    )


def draw_arms(plan: Plan) -> str:
    """A coin for each pair: one of it is with guidance, the other without."""
    chance = random.Random(plan.seed)  # noqa: S311 -- drawn again by whoever checks it
    arms = [OFF] * len(plan.kinds)
    for pair in pairs_of(plan):
        for block, arm in zip(pair, chance.choice(((ON, OFF), (OFF, ON))), strict=False):
            arms[block] = arm
    return "".join(arms)


def count_arms(plan: Plan, blocks: Sequence[int] | None = None) -> tuple[int, int]:
    """How many blocks are with guidance, and how many without."""
    chosen = plan.arms if blocks is None else [plan.arms[block] for block in blocks]
    with_it = sum(arm == ON for arm in chosen)
    return with_it, len(chosen) - with_it
