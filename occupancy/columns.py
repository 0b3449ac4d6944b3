"""Windows side by side as columns: what an estimate needs of a whole month of minutes."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from occupancy.observed import Observed, Span
from occupancy.rollup import MINUTE_MS

Numbers = NDArray[np.int64]
FIELDS = ("start_ms", "entries", "told_ms", "full_ms")


class Columns(NamedTuple):
    """One car park's windows of so many minutes, in order of time; those without data may lack."""

    minutes: int
    start_ms: Numbers
    entries: Numbers
    told_ms: Numbers
    full_ms: Numbers

    @property
    def is_ever_full(self) -> bool:
        return bool(self.full_ms.any())

    def within(self, seen: Observed) -> "Columns":
        """Those that lie in the windows of a period that count."""
        length_ms = seen.minutes * MINUTE_MS
        counted = np.array([one.start_ms for one in seen.windows], dtype=np.int64)
        kept = np.isin(self.start_ms // length_ms * length_ms, counted)
        return Columns(self.minutes, *(column[kept] for column in self[1:]))


def columns_of(seen: Observed) -> Columns:
    windows = seen.windows
    columns = (np.array([getattr(one, name) for one in windows], np.int64) for name in FIELDS)
    return Columns(seen.minutes, *columns)


def stack(minutes: int, rows: Iterable[Iterable[int]]) -> Columns:
    """Rows in the order of FIELDS."""
    told = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, len(FIELDS))
    return Columns(minutes, *(np.ascontiguousarray(column) for column in told.T))


def join(parts: Iterable[Columns]) -> Columns:
    """Several periods of one car park, whichever came first."""
    told = list(parts)
    columns = [np.concatenate(one) for one in zip(*(part[1:] for part in told), strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Columns(told[0].minutes, *(one[order] for one in columns))


def spans_apart(spans: Iterable[Span]) -> list[Span]:
    """The same time, nothing twice."""
    apart: list[Span] = []
    for one in sorted(spans):
        if apart and one.from_ms <= apart[-1].until_ms:
            apart[-1] = Span(apart[-1].from_ms, max(apart[-1].until_ms, one.until_ms))
        else:
            apart.append(one)
    return apart
