"""How many spaces a lot will have at a moment of the next three hours, and how sure that is."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from math import sqrt
from typing import NamedTuple

import msgspec

from occupancy.live import LiveOccupancy, Quality, stale_at_ms
from occupancy.lot import Lot
from routing.arrival import Demand
from routing.forecast_model import (
    CROWDED,
    CROWDED_WIDTH,
    FIRST_MODEL,
    HORIZONS,
    LAST_HORIZON,
    MINUTE_MS,
    Follow,
    LotModel,
    Model,
    unrest,
    usual_rate,
)

MOST_AHEAD_MINUTES = LAST_HORIZON
_HOUR_MS = 60 * MINUTE_MS
_SAMPLE_MS = 5 * MINUTE_MS
_LEAST_TREND_MS = 40 * MINUTE_MS
_FADE_MINUTES = 180.0  # beyond the last horizon a residual halves in this time
_SPARE_MS = 10 * MINUTE_MS
_UNSEEN_SPREAD = 2.0  # against the widest horizon, when a lot was never counted
_LOW, _HIGH = 0.1, 0.9


class ForecastBasis(StrEnum):
    """What a forecast stands on; it travels with the number."""

    LEARNED = "learned"  # the lot's own weeks and its live count
    SIBLINGS = "siblings"  # too young for weeks of its own: the other lots' day, and its count
    STALE = "stale"  # its source is silent: an old count, and what is usual
    PROFILE = "profile"  # no count at all: only what is usual


class Expectation(msgspec.Struct, frozen=True, dict=True):
    """One lot at one moment: free spaces expected, where 80 % of the truth lies, on what basis."""

    lot_id: str
    at_ms: int
    usable: int
    basis: ForecastBasis
    demand: Demand

    @cached_property
    def free_mean(self) -> float:
        return self.demand.free_mean(self.usable)

    @property
    def low(self) -> float:
        return self.demand.free_at(_LOW, self.usable)

    @property
    def high(self) -> float:
        return self.demand.free_at(_HIGH, self.usable)

    @property
    def spread(self) -> float:
        return self.demand.scale

    def chance_of_at_least(self, spaces: float, promised: float = 0.0) -> float:
        """The chance that `spaces` are free beyond those promised to others."""
        return self.demand.chance_of_at_least(spaces, self.usable, promised)


class _Count(msgspec.Struct, frozen=True):
    """A lot's newest trusted count."""

    usable: int
    wanted: float  # share of the bays
    at_ms: int
    stale_at_ms: int


class _Moved(NamedTuple):
    """What a lot's forecast depends on, in shares of its bays."""

    residual: float
    trend: float
    district: float
    change: float  # of the usual share on the way, without its sign
    usual: float  # then


class Forecasts:
    """Every lot's forecast from what was learned and what is live. Times are arguments."""

    def __init__(self, lots: Iterable[Lot], model: Model = FIRST_MODEL) -> None:
        self._model = model
        self._usable = {lot.lot_id: lot.capacity for lot in lots}
        self._counts: dict[str, _Count] = {}
        self._hours: dict[str, deque[tuple[int, float]]] = {}
        self._residuals: dict[str, float] = {}

    @property
    def model(self) -> Model:
        return self._model

    def counted_at_ms(self, lot_id: str) -> int | None:
        """When the count was made that the lot's forecast starts from."""
        count = self._counts.get(lot_id)
        return None if count is None else count.at_ms

    def learn(self, model: Model) -> None:
        """Go on with a newer model."""
        self._model = model
        self._residuals = {
            lot_id: count.wanted - usual_rate(self._lot(lot_id), count.at_ms)
            for lot_id, count in self._counts.items()
        }

    def see(self, picture: LiveOccupancy) -> None:
        """Take in the newest picture of a lot; one that is not trusted tells its bays alone."""
        lot_id, at_ms = picture.lot_id, picture.observed_at_ms
        before = self._counts.get(lot_id)
        if before is not None and at_ms <= before.at_ms:
            return
        self._usable[lot_id] = picture.usable
        if picture.free is None or picture.quality is Quality.SUSPECT or not picture.usable:
            return
        wanted = 1 - picture.free / picture.usable
        self._counts[lot_id] = _Count(picture.usable, wanted, at_ms, stale_at_ms(picture))
        self._residuals[lot_id] = wanted - usual_rate(self._lot(lot_id), at_ms)
        hour = self._hours.setdefault(lot_id, deque())
        if not hour or at_ms - hour[-1][0] >= _SAMPLE_MS:
            hour.append((at_ms, wanted))
        while at_ms - hour[0][0] > _HOUR_MS + _SAMPLE_MS:
            hour.popleft()

    def expect(self, lot_id: str, at_ms: int, now_ms: int) -> Expectation:
        """What this lot will have at `at_ms`; a moment already past counts as now."""
        model, count, usable = self._lot(lot_id), self._counts.get(lot_id), self._usable[lot_id]
        at_ms = max(at_ms, now_ms)
        usual = usual_rate(model, at_ms)
        if count is None:
            follow = self._model.follow[-1]
            scale = follow.spread * _UNSEEN_SPREAD * unrest(model, at_ms)
            demand = Demand(usual * usable, scale * usable, follow.shape, self._model.spare)
            return Expectation(lot_id, at_ms, usable, ForecastBasis.PROFILE, demand)
        off, scale, follow = self._follow(lot_id, model, count, at_ms)
        # A count of this moment is exact; the spaces between two cars take minutes to come.
        spare = self._model.spare * min((at_ms - count.at_ms) / _SPARE_MS, 1.0)
        demand = Demand((usual + off) * usable, scale * usable, follow.shape, spare)
        return Expectation(lot_id, at_ms, usable, _basis(model, count, now_ms), demand)

    def _lot(self, lot_id: str) -> LotModel:
        return self._model.lots.get(lot_id, self._model.siblings)

    def _follow(
        self, lot_id: str, model: LotModel, count: _Count, at_ms: int
    ) -> tuple[float, float, Follow]:
        """How far from usual it will be, the scale of that, and whose shape it has."""
        then = usual_rate(model, count.at_ms)
        residual = count.wanted - then
        usual = usual_rate(model, at_ms)
        trend, district = self._trend(lot_id, model, residual), self._district(lot_id)
        moved = _Moved(residual, trend, district, abs(usual - then), max(usual, 0.0))
        minutes = (at_ms - count.at_ms) / MINUTE_MS
        early, late, part = _bracket(minutes)
        before, after = (self._model.follow[place] for place in (early, late))
        off_before, scale_before = _move(before, moved)
        off_after, scale_after = _move(after, moved)
        off = off_before + part * (off_after - off_before)
        # Between the horizons errors grow as a root, as chance sums up.
        scale = scale_before + _by_root(early, late, minutes) * (scale_after - scale_before)
        beyond = max(minutes - LAST_HORIZON, 0.0) / _FADE_MINUTES
        off *= 0.5**beyond
        scale *= 1 + min(beyond, 1.0)
        return off, scale * unrest(model, at_ms), after if part > 0 else before

    def _trend(self, lot_id: str, model: LotModel, residual: float) -> float:
        """How much the residual rose within the last hour."""
        newest, (at_ms, wanted) = self._counts[lot_id].at_ms, self._hours[lot_id][0]
        if newest - at_ms < _LEAST_TREND_MS:
            return 0.0
        return residual - (wanted - usual_rate(model, at_ms))

    def _district(self, lot_id: str) -> float:
        others = len(self._residuals) - 1
        if others < 1:
            return 0.0
        return (sum(self._residuals.values()) - self._residuals[lot_id]) / others


def _basis(model: LotModel, count: _Count, now_ms: int) -> ForecastBasis:
    if now_ms >= count.stale_at_ms:
        return ForecastBasis.STALE
    return ForecastBasis.LEARNED if model.is_own else ForecastBasis.SIBLINGS


def _move(follow: Follow, moved: _Moved) -> tuple[float, float]:
    """How far from usual, and the scale of its error."""
    off = (
        follow.constant
        + follow.residual * moved.residual
        + follow.trend * moved.trend
        + follow.district * moved.district
    )
    off += follow.crowding * _crowded(moved.usual + off)
    spread = (
        follow.spread
        + follow.spread_change * moved.change
        + follow.spread_residual * abs(moved.residual)
        + follow.spread_usual * moved.usual
        + follow.spread_crowding * _crowded(moved.usual)
    )
    return off, spread


def _by_root(early: int, late: int, minutes: float) -> float:
    """How far between two horizons on the scale of square roots."""
    low, high = (sqrt(HORIZONS[place]) for place in (early, late))
    return min((sqrt(max(minutes, 0.0)) - low) / (high - low), 1.0) if high > low else 0.0


def _crowded(share: float) -> float:
    return max(0.0, 1 - abs(share - CROWDED) / CROWDED_WIDTH)


def _bracket(minutes: float) -> tuple[int, int, float]:
    """The two horizons around, and how far between; beyond the last the last."""
    late = min(bisect_left(HORIZONS, minutes), len(HORIZONS) - 1)
    if late == 0:
        return 0, 0, 0.0
    early = late - 1
    part = (minutes - HORIZONS[early]) / (HORIZONS[late] - HORIZONS[early])
    return early, late, min(part, 1.0)
