"""What an analysis says: effect, interval, p, number of blocks, what it could have seen, words."""

from statistics import NormalDist

import msgspec

from occupancy.effect.metric import Metric

ALPHA = 0.05  # a difference is called one where chance alone makes as large a one in 5 of 100
POWER = 0.8  # the smallest detectable effect is found in 80 of 100 experiments
_NORMAL = NormalDist()
Z = _NORMAL.inv_cdf(1 - ALPHA / 2)
Z_POWER = _NORMAL.inv_cdf(POWER)


class Evidence(msgspec.Struct, frozen=True):
    """One result. None: too little data to say it; `left_out` says what could not be used.

    `blocks` are the blocks, days or drivers compared; `detectable` the smallest effect that would
    have been seen. `words` is the whole in Chinese.
    """

    method: str
    method_version: str
    metric: Metric
    unit: str
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    blocks: int
    detectable: float | None
    words: str
    left_out: tuple[str, ...] = ()

    @property
    def is_seen(self) -> bool:
        """Whether chance alone is no good explanation."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def two_sided_p(ratio: float) -> float:
    """Of an effect by its standard error, by the normal distribution."""
    return 2 * (1 - _NORMAL.cdf(abs(ratio)))


def student(degrees: int) -> float:
    """The factor in place of 1.96 for an interval from so few degrees of freedom.

    Cornish and Fisher's expansion about the normal one, good to 0.2 % from 5 degrees on.
    """
    first = (Z**3 + Z) / (4 * degrees)
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * degrees**2)
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * degrees**3)
    return Z + first + second + third


def said(evidence: Evidence, about: str) -> str:
    """The sentence a planner reads. `about` says what was compared."""
    metric, unit = evidence.metric, evidence.unit
    if evidence.effect is None or evidence.low is None or evidence.high is None:
        return f"{metric.words}：数据不够，还不能下结论。{about}"
    spread = f"95% 区间 {number(evidence.low, metric)} 至 {number(evidence.high, metric)}"
    chance = "p < 0.001" if (evidence.p or 0) < 0.001 else f"p = {evidence.p:.3f}"  # noqa: PLR2004
    least = _least(evidence)
    if not evidence.is_seen:
        return (
            f"{metric.words}：没有看出作用。估计 {number(evidence.effect, metric)} {unit}"
            f"（{spread}，{chance}）。{about}{least}没有看出不等于没有。"
        )
    is_better = (evidence.effect > 0) == metric.more_is_better
    verdict = "有改善" if is_better else "变差了"
    return (
        f"{metric.words}：{verdict}，{number(evidence.effect, metric)} {unit}"
        f"（{spread}，{chance}）。{about}{least}"
    )


def number(value: float, metric: Metric) -> str:
    """With its sign, and as many decimals as the metric has."""
    shown = f"{value * metric.scale:+.{metric.decimals}f}"
    return shown.replace("-", "−")


def _least(evidence: Evidence) -> str:
    if evidence.detectable is None:
        return ""
    size = number(evidence.detectable, evidence.metric).lstrip("+")
    return f"能看出的最小变化约 {size} {evidence.unit}。"
