"""Blocks with guidance against blocks without: permutation test, interval by its inversion.

Blocks were paired before the draw (one time of day, one kind of day, neighbours), and in each pair
a coin decided. Under "guidance adds `d` to every block" each pair's difference less `d` could as
well have had the other sign: that gives p, and the interval is every `d` that is not refused. For
the mean the inversion has a closed form: each redrawing of signs refuses the `d` beyond the mean of
the pairs it turns (Hartigan's subset means), so the interval ends at quantiles of these means.
"""

import math
import random
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from occupancy.effect.block_plan import pairs_of
from occupancy.effect.evidence import ALPHA, Z_POWER, Evidence, said, student
from occupancy.effect.experiment import ON, Plan

METHOD, VERSION = "switchback", "switchback-1"
LEAST_PAIRS = 6  # with fewer no redrawing is rarer than 5 in 100
REDRAWN = 4_095
_EXACT_PAIRS = 12
FloatArray = NDArray[np.float64]


class Inverted(msgspec.Struct, frozen=True):
    """What the permutation test says of the pairs' differences."""

    effect: float
    low: float
    high: float
    p: float


def judge(plan: Plan, values: Mapping[int, float], detectable: float | None) -> Evidence:
    """`values` are the district's totals by block, without those too little is known of.

    `detectable` is the smallest effect as computed before the experiment; without, it is computed
    from the experiment's own blocks.
    """
    differences, pairs = differences_of(plan, values)
    blocks = 2 * len(differences)
    about = f"比较了 {blocks} 段（有诱导和无诱导各 {len(differences)} 段）。"
    unit = unit_of(plan)
    left_out = _left_out(plan, values, pairs)
    least = smallest_effect(differences, len(differences)) if detectable is None else detectable
    if len(differences) < LEAST_PAIRS:
        short = f"至少要 {LEAST_PAIRS} 对完整的时段，现有 {len(differences)} 对。"
        empty = Evidence(
            METHOD, VERSION, plan.metric, unit, None, None, None, None, blocks, least, "", left_out
        )
        return msgspec.structs.replace(empty, words=said(empty, short))
    found = invert(differences, plan.seed)
    evidence = Evidence(
        method=METHOD,
        method_version=VERSION,
        metric=plan.metric,
        unit=unit,
        effect=found.effect,
        low=found.low,
        high=found.high,
        p=found.p,
        blocks=blocks,
        detectable=least,
        words="",
        left_out=left_out,
    )
    return msgspec.structs.replace(evidence, words=said(evidence, about))


def unit_of(plan: Plan) -> str:
    """The metric's unit, for a block of this plan."""
    per = "每天" if plan.block_minutes == 1_440 else f"每 {plan.block_minutes // 60} 小时"  # noqa: PLR2004
    return f"{plan.metric.unit}（{per}）" if plan.metric.is_sum else plan.metric.unit


def differences_of(
    plan: Plan, values: Mapping[int, float]
) -> tuple[FloatArray, list[tuple[int, int]]]:
    """With less without, pair by pair where both are known; and the pairs."""
    pairs = [
        (pair[0], pair[1])
        for pair in pairs_of(plan)
        if len(pair) > 1 and all(block in values for block in pair)
    ]
    turned = [(a, b) if plan.arms[a] == ON else (b, a) for a, b in pairs]
    return np.array([values[a] - values[b] for a, b in turned], np.float64), pairs


def invert(differences: FloatArray, seed: str) -> Inverted:
    """The test of "no effect" and the interval that agrees with it."""
    effect = float(differences.mean())
    turned = _redrawn(len(differences), seed)
    # The mean of the pairs that a redrawing turns: it exceeds the estimate for any d beyond it.
    refused = np.sort(turned @ differences / turned.sum(axis=1))
    count = len(refused) + 1  # the draw that was made is one of them
    beyond = min(int((refused >= 0).sum()), int((refused <= 0).sum()))
    rank = max(math.floor(ALPHA / 2 * count), 1) - 1
    p = min(1.0, 2 * (beyond + 1) / count)
    return Inverted(effect, float(refused[rank]), float(refused[-rank - 1]), p)


def _redrawn(pairs: int, seed: str) -> FloatArray:
    """Which pairs each redrawing turns: all of them while they are few, else some at random."""
    if pairs <= _EXACT_PAIRS:
        numbers = np.arange(1, 2**pairs)
        return (numbers[:, None] >> np.arange(pairs) & 1).astype(np.float64)
    bits = random.Random(f"{seed}:redrawn").randbytes(REDRAWN * pairs // 8 + 1)  # noqa: S311
    drawn = np.unpackbits(np.frombuffer(bits, np.uint8), count=REDRAWN * pairs)
    turned = drawn.reshape(REDRAWN, pairs).astype(np.float64)
    return turned[turned.any(axis=1)]


def smallest_effect(differences: FloatArray, pairs: int) -> float | None:
    """What an experiment of so many pairs finds with POWER, where pairs differ like these.

    The differences of a time without any experiment are noise alone; those of an experiment hold
    its effect, too, which is taken off. (t + 0.84) standard errors of their mean.
    """
    if len(differences) < 2 or pairs < 1:  # noqa: PLR2004
        return None
    spread = float(np.std(differences, ddof=1))
    return (student(max(pairs - 1, 1)) + Z_POWER) * spread / math.sqrt(pairs)


def smallest_effect_of_past(plan: Plan, past: Sequence[Mapping[int, float]]) -> float | None:
    """Before the experiment: from the totals of the same blocks in earlier weeks, by block."""
    found = [differences_of(plan, values)[0] for values in past]
    differences = np.concatenate(found) if found else np.zeros(0)
    pairs = sum(len(pair) > 1 for pair in pairs_of(plan))
    return smallest_effect(differences, pairs)


def _left_out(
    plan: Plan, values: Mapping[int, float], pairs: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    used = {block for pair in pairs for block in pair}
    silent = sum(block not in values for block in range(len(plan.arms)))
    alone = len(plan.arms) - len(used) - silent
    said_ = []
    if silent:
        said_.append(f"{silent} 段数据不足九成，未用")
    if alone:
        said_.append(f"{alone} 段没有可比的另一段，未用")
    return tuple(said_)
