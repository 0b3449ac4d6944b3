from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.series_features import FeatureBook
from routing.series_grid import Grid, make_grid
from tests.routing.series import sightings

GRID = make_grid(sightings(4, 16))


def disturbed(grid: Grid, day: int, slot: int, noise: int) -> Grid:
    """The same past; from right after this slot on everything is otherwise."""
    chance = np.random.default_rng(noise)
    rate = grid.rate.copy()
    rate[:, day, slot + 1 :] = chance.uniform(size=rate[:, day, slot + 1 :].shape)
    rate[:, day + 1 :] = chance.uniform(size=rate[:, day + 1 :].shape)
    return replace(grid, rate=rate)


@settings(max_examples=20, deadline=None)
@given(st.integers(8, 14), st.integers(0, 16), st.integers(0, 999), st.sampled_from([1, 2, 4]))
def test_no_feature_knows_what_comes_later(day: int, slot: int, noise: int, ahead: int) -> None:
    before = FeatureBook(GRID).table(ahead)
    after = FeatureBook(disturbed(GRID, day, slot, noise)).table(ahead)
    for table_before, table_after in [(before, after)]:
        known = [
            (table.day < day) | ((table.day == day) & (table.slot <= slot))
            for table in (table_before, table_after)
        ]
        assert np.array_equal(
            table_before.values[known[0]], table_after.values[known[1]], equal_nan=True
        )


def test_a_lot_seen_later_in_the_same_half_hour_tells_nothing() -> None:
    rate = GRID.rate.copy()
    rate[3] = 0.5  # seen three seconds after lot 0
    same = FeatureBook(replace(GRID, rate=rate)).table(1)
    usual = FeatureBook(GRID).table(1)
    last = (usual.lot == 0) & (usual.day == 15) & (usual.slot == 9)
    for name in ("town", "district"):
        assert np.array_equal(same.column(name)[last], usual.column(name)[last])


def test_truth_is_what_was_seen_so_much_later() -> None:
    table = FeatureBook(GRID).table(4)
    for row in (0, 500, 900):
        lot, day, slot = table.lot[row], table.day[row], table.slot[row]
        truth = GRID.rate[lot, day, slot + 4] if slot < 14 else np.nan
        assert np.array_equal(table.truth[row], truth, equal_nan=True)
