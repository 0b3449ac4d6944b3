"""Learned correctors: trees that say what a lot will do from what is known of it."""

from dataclasses import dataclass
from typing import Any, Protocol

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from routing.series_features import ALMOST_FULL, FULL, Table
from routing.series_grid import Numbers

THREADS = 1  # several learn side by side; threads that wait for each other spin
_HALF_LIFE_DAYS = 60.0
_MOST_ROWS = 40_000
_SEED = 1
_RARELY = 0.002
_BOOSTED: dict[str, Any] = {
    "num_leaves": 24,
    "learning_rate": 0.03,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbose": -1,
    "num_threads": THREADS,
    "seed": _SEED,
}


class Learned(Protocol):
    """Something that was fitted."""

    def predict(self, values: Numbers) -> Numbers: ...


@dataclass(frozen=True)
class Ensemble:
    """For one horizon: the change to come, and the chances to be almost full and full."""

    boosted: tuple[Learned, ...]
    forest: Learned
    almost_full: tuple[Learned, ...]
    full: tuple[Learned, ...]

    def rate(self, table: Table) -> Numbers:
        """The share of bays taken then, 0 to 1."""
        boosted, forest = (
            np.mean([m.predict(table.values) for m in self.boosted], axis=0),
            self.forest.predict(table.values),
        )
        change = (boosted + forest) / 2
        rate: Numbers = np.clip(table.now + change, 0.0, 1.0)
        return rate

    def chances(self, table: Table) -> tuple[Numbers, Numbers]:
        """Of more than 0.9, and of full; full is never likelier than almost full."""
        almost, full = (
            np.clip(np.mean([one.predict(table.values) for one in models], axis=0), 0.0, 1.0)
            for models in (self.almost_full, self.full)
        )
        return almost, np.minimum(almost, full)


def fit(table: Table, today: int) -> Ensemble:
    """Learn from the rows whose truth was known before `today`; recent days weigh more."""
    rows = (table.day < today) & ~np.isnan(table.truth)
    known = _thinned(table.take(rows))
    weights = 0.5 ** ((today - known.day) / _HALF_LIFE_DAYS)
    change = known.truth - known.now
    return Ensemble(
        (
            _Boosted(known, change, weights, "l1"),
            _Boosted(known, change, weights, "l2"),
        ),
        _Forest(known, change, weights),
        _chance_models(known, known.truth > ALMOST_FULL, weights),
        _chance_models(known, known.truth > FULL, weights),
    )


def fit_quick(table: Table, today: int) -> Learned:
    """The forest alone: what its errors are tells how sure the whole may be."""
    rows = (table.day < today) & ~np.isnan(table.truth)
    known = _thinned(table.take(rows))
    weights = 0.5 ** ((today - known.day) / _HALF_LIFE_DAYS)
    return _Forest(known, known.truth - known.now, weights)


def _thinned(table: Table) -> Table:
    """At most so many rows, every one as likely, so that learning ends in time."""
    count = len(table.now)
    if count <= _MOST_ROWS:
        return table
    chosen = np.random.default_rng(_SEED).choice(count, _MOST_ROWS, replace=False)
    return table.take(np.isin(np.arange(count), chosen))


def _chance_models(
    table: Table, hit: npt.NDArray[np.bool_], weights: Numbers
) -> tuple[Learned, ...]:
    if not hit.any():
        return (_Never(),)
    hits = hit.astype(float)
    return (
        _Boosted(table, hits, weights, "binary"),
        _Boosted(table, hits, weights, "l2"),
        _ForestChance(table, hits, weights),
    )


class _Never:
    """What never happened so far happens rarely."""

    def predict(self, values: Numbers) -> Numbers:
        return np.full(len(values), _RARELY)


class _Boosted:
    """Gradient-boosted trees."""

    def __init__(self, table: Table, target: Numbers, weights: Numbers, objective: str) -> None:
        rounds = 200 if objective == "binary" else 350
        data = lightgbm.Dataset(table.values, target, weight=weights)
        self._model = lightgbm.train({**_BOOSTED, "objective": objective}, data, rounds)

    def predict(self, values: Numbers) -> Numbers:
        return np.asarray(self._model.predict(values, num_threads=THREADS))


class _Forest:
    """Randomised trees on what is left beside the usual change, which they cannot draw well."""

    def __init__(self, table: Table, target: Numbers, weights: Numbers) -> None:
        self._usual = [table.names.index(name) for name in ("usual_change", "quick_change")]
        self._model = ExtraTreesRegressor(
            60, min_samples_leaf=3, max_features=0.5, n_jobs=THREADS, random_state=_SEED
        )
        self._model.fit(
            np.nan_to_num(table.values), target - self._base(table.values), sample_weight=weights
        )

    def predict(self, values: Numbers) -> Numbers:
        rest: Numbers = self._model.predict(np.nan_to_num(values)) + self._base(values)
        return rest

    def _base(self, values: Numbers) -> Numbers:
        base: Numbers = np.nan_to_num(values[:, self._usual].mean(axis=1))
        return base


class _ForestChance:
    """The share of randomised trees that say yes."""

    def __init__(self, table: Table, hits: Numbers, weights: Numbers) -> None:
        self._model = ExtraTreesClassifier(
            100, min_samples_leaf=3, max_features=0.5, n_jobs=THREADS, random_state=_SEED
        )
        self._model.fit(np.nan_to_num(table.values), hits, sample_weight=weights)

    def predict(self, values: Numbers) -> Numbers:
        chances: Numbers = self._model.predict_proba(np.nan_to_num(values))[:, -1]
        return chances
