import datetime as dt

import numpy as np
import pytest

from routing.series_grid import SLOTS_A_DAY, Sighting, make_grid
from tests.routing.series import FIRST_DAY, sightings


def seen(minutes: float, occupied: float = 50.0, lot: str = "a") -> Sighting:
    return Sighting(lot, 100.0, occupied, FIRST_DAY + dt.timedelta(minutes=minutes))


def test_the_row_nearest_to_a_half_hour_stands_for_it_and_of_equals_the_last() -> None:
    grid = make_grid([seen(475, 10), seen(481, 20), seen(493, 30), seen(481, 40)])
    assert grid.rate.tolist() == [[[0.4]]]
    assert grid.minutes_off.tolist() == [[[1.0]]]


@pytest.mark.parametrize(("occupied", "rate"), [(-7, 0.0), (55, 0.55), (120, 1.0)])
def test_shares_are_clipped(occupied: float, rate: float) -> None:
    assert make_grid([seen(480, occupied)]).rate.item() == rate


def test_the_last_minutes_of_a_day_belong_to_the_next_midnight() -> None:
    grid = make_grid([seen(0, 10), seen(24 * 60 - 5, 20)])
    assert grid.days == 2
    assert grid.rate[0, :, 0].tolist() == [0.1, 0.2]


def test_days_and_lots_nobody_saw_are_holes() -> None:
    grid = make_grid([seen(480), seen(480 + 3 * 1440, lot="b")])
    assert np.isnan(grid.rate).sum() == 6
    assert grid.weekdays.tolist() == [0, 1, 2, 3]


def test_later_stays_within_the_day_when_nights_are_unseen() -> None:
    grid = make_grid(sightings(2, 3))
    later = grid.later(grid.rate, 2)
    assert np.array_equal(later[:, :, :-2], grid.rate[:, :, 2:])
    assert np.isnan(later[:, :, -2:]).all()
    assert np.array_equal(grid.later(later, -2)[:, :, 2:], grid.rate[:, :, 2:])


def test_later_goes_over_midnight_when_whole_days_are_seen() -> None:
    grid = make_grid(seen(30 * slot, slot % 90) for slot in range(2 * SLOTS_A_DAY))
    assert grid.later(grid.rate, 1)[0, 0, -1] == grid.rate[0, 1, 0]
    assert np.isnan(grid.later(grid.rate, 1)[0, 1, -1])
