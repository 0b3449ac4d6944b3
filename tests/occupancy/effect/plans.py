"""Plans and totals with everything filled in, so that a test says only what matters."""

from datetime import date
from typing import Any

import numpy as np
from msgspec.structs import replace

from occupancy.calendar import Calendar, day_of
from occupancy.effect.block_plan import draw_plan
from occupancy.effect.experiment import Plan
from occupancy.effect.metric import Metric

MONDAY = day_of(date(2026, 11, 30))


def a_plan(minutes: int = 1_440, days: int = 28, seed: str = "s", **other: Any) -> Plan:  # noqa: ANN401
    return replace(draw_plan(Metric.REFUSED, minutes, MONDAY, days, seed, Calendar()), **other)


def totals(
    plan: Plan, effect: float = 0.0, seed: int = 1, spread: float = 10.0
) -> dict[int, float]:
    """Each block's total: noise, and the effect where guidance is on."""
    noise = np.random.default_rng(seed).normal(100, spread, len(plan.arms)).tolist()
    return {n: noise[n] + effect * (arm == "1") for n, arm in enumerate(plan.arms)}
