"""How many spaces a lot will have at a moment of the next three hours, and how sure that is."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from occupancy.live import LiveOccupancy, Quality, stale_at_ms
from occupancy.lot import Lot
from routing.arrival import USUAL_SHAPE, Demand, Shape

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS
_SHANGHAI_AHEAD_MS = 8 * 60 * MINUTE_MS
QUARTERS = 96
MOST_AHEAD_MINUTES = 180
HORIZONS = (0, 15, 30, 60, 90, 120, 180)
_LOW, _HIGH = 0.1, 0.9
_WEEK_DAYS = 7


class ForecastBasis(StrEnum):
    """What a forecast stands on; it travels with the number."""

    LEARNED = "learned"  # the lot's own weeks and its live count
    SIBLINGS = "siblings"  # too young for weeks of its own: the other lots' day, and its count
    STALE = "stale"  # its source is silent: an old count and its weeks
    PROFILE = "profile"  # no count at all: only what is usual


class Expectation(msgspec.Struct, frozen=True):
    """One lot at one moment: free spaces expected, where 80 % of the truth lies, on what basis."""

    lot_id: str
    at_ms: int
    usable: int
    free_mean: float
    low: float
    high: float
    basis: ForecastBasis
    demand: Demand

    @property
    def spread(self) -> float:
        return self.demand.scale

    def chance_of_at_least(self, spaces: float, promised: float = 0.0) -> float:
        """The chance that `spaces` are free beyond those promised to others."""
        return self.demand.chance_of_at_least(spaces, self.usable, promised)


class Follow(msgspec.Struct, frozen=True):
    """How forecasts of one horizon follow what is live, and how far off they have been."""

    residual: float  # how much of the lot's distance from its usual day stays
    trend: float  # how much of the distance's change over the last hour goes on
    district: float  # how much of the other lots' mean distance it takes over
    constant: float
    spread: float  # the scale of the errors: at rest,
    spread_slope: float  # for each change the usual day has on the way,
    spread_residual: float  # and for each distance from the usual day
    shape: Shape = USUAL_SHAPE


class LotModel(msgspec.Struct, frozen=True):
    """A lot's usual days as shares of its bays, by local day and quarter of an hour."""

    days: dict[int, tuple[float, ...]]
    scale: float  # this lot's errors against the others'
    weeks: float  # how much history stands behind it
    basis: ForecastBasis = ForecastBasis.LEARNED


class Model(msgspec.Struct, frozen=True):
    """All that was learned at one time: every lot's days, and how to follow what is live."""

    learned_at_ms: int
    lots: dict[str, LotModel]
    siblings: LotModel
    follow: tuple[Follow, ...]


def _first_follow(minutes: int) -> Follow:
    """Before anything is learned: the distance halves in three hours, errors grow as its root."""
    stays = 0.5 ** (minutes / 180)
    grown = 0.002 + 0.1 * (minutes / 180) ** 0.5
    return Follow(stays, 0.0, 0.0, 0.0, grown, 0.25, 0.1)


# A town nobody has seen yet: empty at night, busy by day. The spread says how little that is.
_FIRST_DAY = tuple(
    0.25 + 0.4 * max(0.0, 1 - abs(quarter / 4 - 14) / 7) for quarter in range(QUARTERS)
)
FIRST_MODEL = Model(
    0,
    {},
    LotModel({}, 2.0, 0.0, ForecastBasis.SIBLINGS),
    tuple(_first_follow(minutes) for minutes in HORIZONS),
)


class _Seen(msgspec.Struct):
    """The live count of one lot, and its distances from its usual day an hour back."""

    usable: int
    rate: float | None
    at_ms: int
    stale_at_ms: int
    hour: list[tuple[int, float]]


class Forecasts:
    """Every lot's forecast from what was learned and what is live. Times are arguments."""

    def __init__(self, lots: Iterable[Lot], model: Model = FIRST_MODEL) -> None:
        self._model = model
        self._usable = {lot.lot_id: lot.capacity for lot in lots}
        self._seen: dict[str, _Seen] = {}

    @property
    def model(self) -> Model:
        return self._model

    def learn(self, model: Model) -> None:
        """Go on with a newer model."""
        self._model = model

    def see(self, picture: LiveOccupancy) -> None:
        """Take in the newest picture of a lot."""
        before = self._seen.get(picture.lot_id)
        trusted = picture.occupied is not None and picture.quality is not Quality.SUSPECT
        if not trusted or not picture.usable:
            if before is not None:
                before.usable = picture.usable
            return
        rate = (picture.occupied or 0) / picture.usable
        at_ms = picture.observed_at_ms
        hour = [] if before is None else before.hour
        if not hour or at_ms - hour[-1][0] >= QUARTER_MS // 3:
            hour.append((at_ms, rate))
        while hour and at_ms - hour[0][0] > 5 * QUARTER_MS:
            hour.pop(0)
        self._seen[picture.lot_id] = _Seen(picture.usable, rate, at_ms, stale_at_ms(picture), hour)

    def expect(self, lot_id: str, at_ms: int, now_ms: int) -> Expectation:
        """What this lot will have at `at_ms`; a moment already past counts as now."""
        model = self._model.lots.get(lot_id, self._model.siblings)
        seen = self._seen.get(lot_id)
        usable = self._usable[lot_id] if seen is None else seen.usable
        at_ms = max(at_ms, now_ms)
        usual = usual_rate(model, at_ms)
        if seen is None or seen.rate is None:
            follow = self._model.follow[-1]
            scale = (follow.spread + 0.1) * model.scale * 1.5
            return _expectation(
                lot_id,
                at_ms,
                usable,
                Demand(usual * usable, scale * usable, follow.shape),
                ForecastBasis.PROFILE,
            )
        then = usual_rate(model, seen.at_ms)
        residual = seen.rate - then
        minutes = (at_ms - seen.at_ms) / MINUTE_MS
        early, late, part = _bracket(minutes)
        moves = [
            _move(self._model.follow[place], residual, usual - then, model.scale)
            for place in (early, late)
        ]
        off, scale = (a + part * (b - a) for a, b in zip(*moves, strict=True))
        demand = Demand((usual + off) * usable, scale * usable, self._model.follow[late].shape)
        stale = now_ms >= seen.stale_at_ms
        return _expectation(
            lot_id, at_ms, usable, demand, ForecastBasis.STALE if stale else model.basis
        )


def _move(follow: Follow, residual: float, change: float, lot_scale: float) -> tuple[float, float]:
    off = follow.constant + follow.residual * residual
    spread = (
        follow.spread + follow.spread_slope * abs(change) + follow.spread_residual * abs(residual)
    )
    return off, spread * lot_scale


def _bracket(minutes: float) -> tuple[int, int, float]:
    """The two horizons around, and how far between; beyond the last the last."""
    late = min(bisect_left(HORIZONS, minutes), len(HORIZONS) - 1)
    early = max(late - 1, 0)
    if early == late:
        return early, late, 0.0
    part = (minutes - HORIZONS[early]) / (HORIZONS[late] - HORIZONS[early])
    return early, late, min(part, 1.0)


def _expectation(
    lot_id: str, at_ms: int, usable: int, demand: Demand, basis: ForecastBasis
) -> Expectation:
    return Expectation(
        lot_id,
        at_ms,
        usable,
        demand.free_mean(usable),
        demand.free_at(_LOW, usable),
        demand.free_at(_HIGH, usable),
        basis,
        demand,
    )


def usual_rate(model: LotModel, at_ms: int) -> float:
    """The usual share of bays taken, between quarters as on a straight line."""
    quarter, part = divmod((at_ms + _SHANGHAI_AHEAD_MS) / QUARTER_MS, 1)
    first = _usual_quarter(model.days, int(quarter))
    return first + part * (_usual_quarter(model.days, int(quarter) + 1) - first)


def _usual_quarter(days: Mapping[int, tuple[float, ...]], quarter: int) -> float:
    day, of_day = divmod(quarter, QUARTERS)
    usual = days.get(day)
    if usual is None:
        # Learned too long ago for this very day: the same weekday of what there is.
        usual = next((days[d] for d in days if (day - d) % _WEEK_DAYS == 0), _FIRST_DAY)
    return usual[of_day]
