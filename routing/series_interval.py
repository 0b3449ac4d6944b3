"""Where 80 % of the truth lies around a forecast: from its own errors of the days before."""

import numpy as np

from routing.series_features import Table
from routing.series_grid import Numbers

_LOW, _HIGH = 10, 90
_KEPT = 20_000
_LEAST_SCALE = 0.002
_ABOUT = ("usual_change", "usual_spread", "change_error_spread", "residual_0", "rise_residual")


class Interval:
    """The scale of an error told from what is known beforehand, and the errors in that scale."""

    def __init__(self, past: Table, errors: Numbers) -> None:
        about = self._about(past)
        self._weights, *_ = np.linalg.lstsq(about, np.abs(errors), rcond=None)
        self._relative = errors / self._scale(past)

    def around(self, asked: Table, rate: Numbers) -> tuple[Numbers, Numbers]:
        low, high = np.percentile(self._relative, [_LOW, _HIGH])
        scale = self._scale(asked)
        return np.clip(rate + low * scale, 0.0, 1.0), np.clip(rate + high * scale, 0.0, 1.0)

    def learn(self, seen: Table, errors: Numbers) -> None:
        """Take in a day's errors; the oldest leave."""
        relative = errors / self._scale(seen)
        self._relative = np.concatenate([self._relative, relative])[-_KEPT:]

    def _scale(self, table: Table) -> Numbers:
        return np.maximum(self._about(table) @ self._weights, _LEAST_SCALE)

    def _about(self, table: Table) -> Numbers:
        columns = [np.abs(np.nan_to_num(table.column(name))) for name in _ABOUT]
        return np.stack([np.ones(len(table.now)), *columns], axis=-1)
