"""Is an effect that was put into the simulated town found again, and none where there is none?"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from occupancy.calendar import Calendar, DayType, day_of
from occupancy.effect import interrupted, switchback
from occupancy.effect.block_plan import draw_plan
from occupancy.effect.evidence import Evidence
from occupancy.effect.interrupted import Day
from occupancy.effect.metric import Metric
from tests.bench.effect_town import STEP_MINUTES, STEPS_A_DAY, Habits, Totals, simulate
from tests.bench.guidance_world import FloatArray, IntArray
from tests.bench.report import Figure, Report, at_least, shown

RUNS = 200
FOUND, FALSE = 0.90, 0.93  # the least that is promised
SWITCHED_DAYS, HALF_DAYS = 28, 42
MONDAY = day_of(date(2025, 6, 9))
FOLLOWED = Habits(follow=0.4)
IGNORED = Habits(follow=0.0)
MINUTES_A_DAY = 1_440
_SEEDS = {FOLLOWED: 3, IGNORED: 11}


@dataclass(frozen=True)
class Recovered:
    """Over many runs: how often the truth lay in the interval, how often an effect was seen."""

    truth: float
    mean: float
    inside: float
    seen: float
    detectable: float


def measure(arguments: list[str]) -> Report:
    """`zhibo bench effect [RUNS]`."""
    runs = int(arguments[0]) if arguments else RUNS
    figures: list[Figure] = []
    for name, minutes in (("2 h", 120), ("a day", MINUTES_A_DAY)):
        print(f"switchback, blocks of {name}", file=sys.stderr)
        figures += _figures(f"switchback, blocks of {name}", *both_switchbacks(minutes, runs))
    print("interrupted time series", file=sys.stderr)
    figures += _figures("interrupted time series", *both_before_afters(runs))
    return Report("effect", figures, {"runs": runs, "days": SWITCHED_DAYS, "half": HALF_DAYS})


def _figures(name: str, with_effect: Recovered, without: Recovered) -> list[Figure]:
    return [
        at_least(f"{name}: injected effect inside its interval", with_effect.inside, FOUND, ""),
        at_least(f"{name}: none found where there is none", 1 - without.seen, FALSE, ""),
        shown(f"{name}: injected effect, refused drivers", round(with_effect.truth, 2), "cars"),
        shown(f"{name}: mean estimate", round(with_effect.mean, 2), "cars"),
        shown(f"{name}: smallest effect that would be seen", round(with_effect.detectable, 1), ""),
        shown(f"{name}: runs that saw the effect", with_effect.seen, ""),
    ]


def both_switchbacks(minutes: int, runs: int = RUNS) -> tuple[Recovered, Recovered]:
    """With drivers who follow, and with drivers whom guidance leaves as they are."""
    truth = true_effect(FOLLOWED, minutes, runs)
    return (
        recover(_switchbacks(FOLLOWED, minutes, runs), truth),
        recover(_switchbacks(IGNORED, minutes, runs), 0.0),
    )


def both_before_afters(runs: int = RUNS) -> tuple[Recovered, Recovered]:
    truth = true_effect(FOLLOWED, MINUTES_A_DAY, runs)
    return (
        recover(_before_afters(FOLLOWED, runs), truth),
        recover(_before_afters(IGNORED, runs), 0.0),
    )


def true_effect(habits: Habits, minutes: int, runs: int) -> float:
    """What guidance does to a block, were it always on against never: by other towns."""
    shape = runs, SWITCHED_DAYS * STEPS_A_DAY
    always = simulate(np.ones(shape, np.int64), 1, habits)
    never = simulate(np.zeros(shape, np.int64), 2, habits)
    return float(_refused(always, minutes).mean() - _refused(never, minutes).mean())


def recover(found: Sequence[Evidence], truth: float) -> Recovered:
    told = [(e.effect, e.low, e.high, e.detectable) for e in found]
    effect, low, high, least = np.array(told, np.float64).T
    inside = (low <= truth) & (truth <= high)
    seen = float(np.mean([one.is_seen for one in found]))
    return Recovered(truth, float(effect.mean()), float(inside.mean()), seen, float(least.mean()))


def _switchbacks(habits: Habits, minutes: int, runs: int) -> list[Evidence]:
    plans = [
        draw_plan(Metric.REFUSED, minutes, MONDAY, SWITCHED_DAYS, f"run {run}", Calendar())
        for run in range(runs)
    ]
    by_block: IntArray = np.array([[int(arm) for arm in plan.arms] for plan in plans])
    guided = by_block.repeat(minutes // STEP_MINUTES, axis=1)
    values = _refused(simulate(guided, _SEEDS[habits], habits), minutes)
    return [
        switchback.judge(plan, dict(enumerate(row.tolist())), None)
        for plan, row in zip(plans, values, strict=True)
    ]


def _before_afters(habits: Habits, runs: int) -> list[Evidence]:
    guided = np.zeros((runs, 2 * HALF_DAYS * STEPS_A_DAY), np.int64)
    guided[:, HALF_DAYS * STEPS_A_DAY :] = 1
    values = _refused(simulate(guided, _SEEDS[habits], habits), MINUTES_A_DAY)
    # Whole weeks without a holiday: the simulated town knows weekdays alone.
    days = range(MONDAY, MONDAY + 2 * HALF_DAYS)
    return [
        interrupted.judge(
            Metric.REFUSED,
            [Day(day, DayType.WORKDAY, v) for day, v in zip(days, row.tolist(), strict=True)],
            MONDAY + HALF_DAYS,
        ).evidence
        for row in values
    ]


def _refused(totals: Totals, minutes: int) -> FloatArray:
    return totals.by_block(minutes)[0]
