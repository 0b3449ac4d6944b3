"""Drivers who were guided against those who got the plain list at the same times.

Both were drawn by the same hash, so they differ by chance alone. What is compared is seen of both
alike: whether a driver set out for the car park he was shown first, and whether he asked again.
"""

import math

import msgspec

from occupancy.effect.evidence import Z_POWER, Evidence, Z, said, two_sided_p
from occupancy.effect.metric import Metric

METHOD, VERSION = "held_out_drivers", "held-out-1"
LEAST_DRIVERS = 30  # on each side


class Drivers(msgspec.Struct, frozen=True):
    """So many drivers were shown a list, so many of them did what is counted."""

    shown: int
    did: int

    @property
    def share(self) -> float:
        return self.did / self.shown


def judge(guided: Drivers, held_out: Drivers, metric: Metric = Metric.CHOSEN) -> Evidence:
    """Guided less held out. The interval is Newcombe's, made of two of Wilson's."""
    count = guided.shown + held_out.shown
    about = f"比较了 {guided.shown} 位按建议引导的和 {held_out.shown} 位只看普通列表的司机。"
    empty = Evidence(METHOD, VERSION, metric, metric.unit, None, None, None, None, count, None, "")
    if min(guided.shown, held_out.shown) < LEAST_DRIVERS:
        short = f"{about}每边至少要 {LEAST_DRIVERS} 位。"
        return msgspec.structs.replace(empty, words=said(empty, short))
    effect = guided.share - held_out.share
    (low_a, high_a), (low_b, high_b) = wilson(guided), wilson(held_out)
    evidence = msgspec.structs.replace(
        empty,
        effect=effect,
        low=effect - math.hypot(guided.share - low_a, high_b - held_out.share),
        high=effect + math.hypot(high_a - guided.share, held_out.share - low_b),
        p=_p(guided, held_out, effect),
        detectable=(Z + Z_POWER) * _error(guided, held_out),
    )
    return msgspec.structs.replace(evidence, words=said(evidence, about))


def wilson(drivers: Drivers) -> tuple[float, float]:
    """Where a share lies with 95 %: Wilson's interval."""
    n, share = drivers.shown, drivers.share
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return middle - reach, middle + reach


def _p(guided: Drivers, held_out: Drivers, effect: float) -> float:
    error = _error(guided, held_out)
    return two_sided_p(effect / error) if error else 1.0


def _error(guided: Drivers, held_out: Drivers) -> float:
    """Of the difference, were both alike."""
    share = (guided.did + held_out.did) / (guided.shown + held_out.shown)
    return math.sqrt(share * (1 - share) * (1 / guided.shown + 1 / held_out.shown))
