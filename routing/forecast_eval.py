"""`zhibo forecast-eval`: how far off our forecaster is on someone else's series, walked forward."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from routing.series_features import ALMOST_FULL, FULL, FeatureBook, Table
from routing.series_file import BadSeriesError, Series, read_series
from routing.series_grid import SLOT_MINUTES, Grid, Numbers, Sighting, make_grid
from routing.series_interval import Interval
from routing.series_learner import Ensemble, fit, fit_quick
from routing.series_profile import week_ahead

HORIZONS_MINUTES = (30, 60, 120)
LEAST_TRAINING_DAYS = 14
RELEARN_DAYS = 7
_CORES = 2
_INTERVAL_DAYS = 14
_DECIMALS = 5
Say = Callable[[str], None]

DEFINITION = (
    "Occupancy rate = Occupancy / Capacity, clipped to 0..1, on half hours (the row nearest to each"
    " within 15 minutes). At each half hour of the test file every lot is forecast 30, 60 and 120"
    " minutes ahead from what was seen by then, earlier test days included; models are learned"
    f" again every {RELEARN_DAYS} days. Persistence says: as now. Week ahead: every day is forecast"
    f" from the days before its block of {RELEARN_DAYS} test days, nothing live."
)


class HorizonScore(msgspec.Struct, frozen=True):
    """Errors of one horizon; Brier scores of "more than 0.9" and of "full"."""

    minutes: int
    cases: int
    mae: float
    mae_persistence: float
    brier_above_090: float
    brier_above_090_persistence: float
    brier_full: float
    brier_full_persistence: float
    interval_80_coverage: float
    interval_80_mean_width: float


class WeekScore(msgspec.Struct, frozen=True):
    """The blind week-ahead profile."""

    cases: int
    mae: float


class LotScore(msgspec.Struct, frozen=True):
    """One lot: how often it was forecast, and its error by horizon in minutes."""

    lot: str
    training_days: int
    cases: dict[str, int]
    mae: dict[str, float]


class LeftOut(msgspec.Struct, frozen=True):
    """A lot of the test file that is not judged, and why."""

    lot: str
    training_days: int
    why: str


class Evaluation(msgspec.Struct, frozen=True):
    """What `zhibo forecast-eval` prints."""

    train: dict[str, int]
    test: dict[str, int]
    test_days: int
    horizons: list[HorizonScore]
    week_ahead: WeekScore
    lots: list[LotScore]
    left_out: list[LeftOut]
    definition: str = DEFINITION


@dataclass(frozen=True)
class Forecast:
    """All cases of one horizon, said before the truth was known."""

    table: Table
    rate: Numbers
    almost_full: Numbers
    full: Numbers
    low: Numbers
    high: Numbers


def evaluate_files(train: Path, test: Path, say: Say) -> Evaluation:
    """Raises BadSeriesError."""
    return evaluate(read_series(train), read_series(test), test, say)


def evaluate(train: Series, test: Series, test_name: Path, say: Say) -> Evaluation:
    begin = min(one.at for one in test.sightings).date()
    training_days = _training_days(train, begin)
    tested = {one.lot for one in test.sightings}
    judged = {lot for lot in tested if training_days.get(lot, 0) >= LEAST_TRAINING_DAYS}
    if not judged:
        raise BadSeriesError(
            f"{test_name}: none of its {len(tested)} lots has {LEAST_TRAINING_DAYS} days in the "
            f"training file before {begin}"
        )
    known = [one for one in (*train.sightings, *test.sightings) if one.lot in judged]
    grid = make_grid(known)
    test_days = _days(grid, test.sightings)
    forecasts = walk(grid, test_days, say)
    week = _score_week(grid, test_days)
    return Evaluation(
        train.oddities,
        test.oddities,
        len(test_days),
        [_score(minutes, forecast) for minutes, forecast in forecasts.items()],
        week,
        [_score_lot(n, lot, training_days[lot], forecasts) for n, lot in enumerate(grid.lots)],
        [
            LeftOut(lot, training_days.get(lot, 0), _why(training_days.get(lot, 0)))
            for lot in sorted(tested - judged)
        ],
    )


def _why(days: int) -> str:
    if not days:
        return "not in the training file"
    return f"fewer than {LEAST_TRAINING_DAYS} training days"


def _training_days(train: Series, begin: dt.date) -> dict[str, int]:
    seen = {(one.lot, one.at.date()) for one in train.sightings if one.at.date() < begin}
    days: dict[str, int] = {}
    for lot, _ in seen:
        days[lot] = days.get(lot, 0) + 1
    return days


def _days(grid: Grid, sightings: list[Sighting]) -> list[int]:
    return sorted({one.at.toordinal() - grid.first_day for one in sightings})


def walk(grid: Grid, test_days: list[int], say: Say) -> dict[int, Forecast]:
    """Forecasts of all test days by horizon in minutes; what a day is told was known before it."""
    book = FeatureBook(grid)
    tables = {minutes: book.table(minutes // SLOT_MINUTES) for minutes in HORIZONS_MINUTES}
    blocks = [
        [day for day in test_days if start <= day < start + RELEARN_DAYS]
        for start in range(test_days[0], test_days[-1] + 1, RELEARN_DAYS)
    ]
    blocks = [block for block in blocks if block]
    say(f"{len(grid.lots)} lots, {len(test_days)} test days, learning {len(blocks)} times")

    def learn(minutes: int, block: list[int]) -> Ensemble:
        learned = fit(tables[minutes], block[0])
        say(f"{minutes} minutes ahead: learned for day {block[0]}")
        return learned

    with ThreadPoolExecutor(_CORES) as pool:
        learning = {
            minutes: [pool.submit(learn, minutes, block) for block in blocks]
            for minutes in HORIZONS_MINUTES
        }
        return {
            minutes: _forecast(
                tables[minutes], blocks, [future.result() for future in learning[minutes]]
            )
            for minutes in HORIZONS_MINUTES
        }


def _forecast(table: Table, blocks: list[list[int]], learned: list[Ensemble]) -> Forecast:
    rows = np.isin(table.day, [day for block in blocks for day in block])
    asked = table.take(rows & ~np.isnan(table.truth))
    rate, almost, full = (np.zeros(len(asked.now)) for _ in range(3))
    for block, ensemble in zip(blocks, learned, strict=True):
        here = np.isin(asked.day, block)
        if here.any():
            part = asked.take(here)
            rate[here] = ensemble.rate(part)
            almost[here], full[here] = ensemble.chances(part)
    low, high = _intervals(table, asked, rate)
    return Forecast(asked, rate, almost, full, low, high)


def _intervals(table: Table, asked: Table, rate: Numbers) -> tuple[Numbers, Numbers]:
    """Day by day, from the errors of the days before: at first a quick model's, then our own."""
    start = int(asked.day.min())
    quick = fit_quick(table, start - _INTERVAL_DAYS)
    before = (table.day >= start - _INTERVAL_DAYS) & (table.day < start) & ~np.isnan(table.truth)
    past = table.take(before)
    said = np.clip(past.now + quick.predict(past.values), 0.0, 1.0)
    interval = Interval(past, past.truth - said)
    low, high = np.zeros(len(rate)), np.zeros(len(rate))
    for day in np.unique(asked.day):
        here = asked.day == day
        part = asked.take(here)
        low[here], high[here] = interval.around(part, rate[here])
        interval.learn(part, part.truth - rate[here])
    return low, high


def _score(minutes: int, forecast: Forecast) -> HorizonScore:
    truth, now = forecast.table.truth, forecast.table.now
    almost, full = truth > ALMOST_FULL, truth > FULL
    held = (truth >= forecast.low) & (truth <= forecast.high)
    return HorizonScore(
        minutes,
        len(truth),
        _mean(np.abs(forecast.rate - truth)),
        _mean(np.abs(now - truth)),
        _mean((forecast.almost_full - almost) ** 2),
        _mean((now > ALMOST_FULL) != almost),
        _mean((forecast.full - full) ** 2),
        _mean((now > FULL) != full),
        _mean(held),
        _mean(forecast.high - forecast.low),
    )


def _score_lot(
    number: int, lot: str, training_days: int, forecasts: dict[int, Forecast]
) -> LotScore:
    cases: dict[str, int] = {}
    errors: dict[str, float] = {}
    for minutes, forecast in forecasts.items():
        mine = forecast.table.lot == number
        cases[str(minutes)] = int(mine.sum())
        if mine.any():
            off = np.abs(forecast.rate[mine] - forecast.table.truth[mine])
            errors[str(minutes)] = _mean(off)
    return LotScore(lot, training_days, cases, errors)


def _score_week(grid: Grid, test_days: list[int]) -> WeekScore:
    errors = []
    for day in test_days:
        behind = test_days[0] + (day - test_days[0]) // RELEARN_DAYS * RELEARN_DAYS
        said = np.clip(week_ahead(grid, day, behind), 0.0, 1.0)
        off = np.abs(said - grid.rate[:, day])
        errors.append(off[~np.isnan(off)])
    every = np.concatenate(errors)
    return WeekScore(len(every), _mean(every))


def _mean(values: Numbers | npt.NDArray[np.bool_]) -> float:
    return round(float(np.mean(values)), _DECIMALS)
