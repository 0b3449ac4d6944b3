"""What others do: drive to the nearest, or to the nearest with a free space on its sign."""

from collections.abc import Sequence

import numpy as np

from tests.bench.guidance_run import Ask
from tests.bench.guidance_travel import Travel
from tests.bench.guidance_world import IntArray, Lots, Rules


class LiveSign:
    """The untried lot nearest to the destination that shows a free space; else the overflow."""

    def __init__(self, lots: Lots, rules: Rules) -> None:
        self.capacity, self.travel = lots.capacity, Travel(lots, rules)

    def decide(self, now: float, asks: Sequence[Ask], live: IntArray) -> list[int]:  # noqa: ARG002
        return [self._nearest_with_space(ask, live) for ask in asks]

    def _nearest_with_space(self, ask: Ask, live: IntArray) -> int:
        apart = self.travel.distances_m(np.array([ask.to_x_m]), np.array([ask.to_y_m]))[0, :-1]
        open_lots = live < self.capacity
        open_lots[list(ask.tried)] = False
        if not open_lots.any():
            return len(self.capacity)
        return int(np.where(open_lots, apart, np.inf).argmin())
