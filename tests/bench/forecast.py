"""Our forecaster on the kept-aside weeks of a series, against a peer and against "as now"."""

import sys
from datetime import timedelta
from pathlib import Path

from routing.forecast_eval import HorizonScore, evaluate
from routing.series_file import Series, read_series
from routing.series_grid import make_grid
from tests.bench.forecast_peer import mean_error
from tests.bench.report import Figure, Report, at_most, shown

BIRMINGHAM = Path(__file__).parent / "data" / "birmingham_train.csv"
KEPT_ASIDE_DAYS = 21
# What the method to beat reached on the weeks after these (see the issue): minutes ahead to
# mean absolute error, Brier score of "more than 0.9", Brier score of "full".
TO_BEAT = {
    30: (0.0119, 0.0121, 0.0090),
    60: (0.0180, 0.0194, 0.0111),
    120: (0.0272, 0.0340, 0.0126),
}
WEEK_AHEAD = 0.050


def measure(arguments: list[str]) -> Report:
    """`zhibo bench forecast [SERIES.csv]`: the last three weeks of the file are the test."""
    file = Path(arguments[0]) if arguments else BIRMINGHAM
    whole = read_series(file)
    begin = max(one.at for one in whole.sightings).date() - timedelta(days=KEPT_ASIDE_DAYS - 1)
    train = Series([one for one in whole.sightings if one.at.date() < begin], {})
    test = Series([one for one in whole.sightings if one.at.date() >= begin], {})
    evaluation = evaluate(train, test, file, lambda words: print(words, file=sys.stderr))
    grid = make_grid(whole.sightings)
    peers = {
        one.minutes: mean_error(grid, begin.toordinal() - grid.first_day, one.minutes)
        for one in evaluation.horizons
    }
    figures = [
        figure for one in evaluation.horizons for figure in figures_of(one, peers[one.minutes])
    ]
    week = evaluation.week_ahead.mae
    figures.append(at_most("a week ahead, blind: MAE", week, WEEK_AHEAD, "share of bays"))
    about = {"file": file.name, "kept_aside_from": str(begin), "definition": evaluation.definition}
    return Report("forecast", figures, about)


def figures_of(one: HorizonScore, peer: float) -> list[Figure]:
    ahead = f"{one.minutes} minutes ahead"
    mae, above_090, full = TO_BEAT[one.minutes]
    return [
        at_most(f"{ahead}: MAE", one.mae, mae, "share of bays"),
        at_most(f"{ahead}: MAE against the peer's in this run", one.mae / peer, 1.0, ""),
        shown(f"{ahead}: MAE of the peer", peer, "share of bays"),
        shown(f"{ahead}: MAE of persistence", one.mae_persistence, "share of bays"),
        at_most(f"{ahead}: Brier of more than 0.9", one.brier_above_090, above_090, "1"),
        at_most(f"{ahead}: Brier of full", one.brier_full, full, "1"),
        shown(f"{ahead}: truth within the 80 % interval", one.interval_80_coverage, "1"),
    ]
