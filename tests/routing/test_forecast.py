import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import Observation
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot
from routing.forecast import ForecastBasis, Forecasts
from routing.forecast_model import MINUTE_MS
from tests.builders import MORNING_MS, a_lot, an_observation

NOW_MS = MORNING_MS + 1_000


def seen(lot: Lot, observation: Observation) -> LiveOccupancy:
    return fold(None, lot, Received(observation, NOW_MS, NOW_MS))


def counted() -> tuple[Lot, Forecasts]:
    lot = a_lot()
    forecasts = Forecasts([lot])
    forecasts.see(seen(lot, an_observation()))
    return lot, forecasts


def test_now_is_what_was_counted() -> None:
    lot, forecasts = counted()
    now = forecasts.expect(lot.lot_id, NOW_MS, NOW_MS)
    assert now.free_mean == pytest.approx(24, abs=0.5)
    assert now.high - now.low < 1


@given(st.integers(0, 180), st.integers(0, 180))
def test_the_interval_holds_its_mean_and_widens_with_time(one: int, other: int) -> None:
    lot, forecasts = counted()
    soon, late = (
        forecasts.expect(lot.lot_id, NOW_MS + minutes * MINUTE_MS, NOW_MS)
        for minutes in sorted((one, other))
    )
    assert 0 <= soon.low <= soon.free_mean <= soon.high <= soon.usable
    assert soon.spread <= late.spread + 1e-9


def test_a_silent_source_is_said_and_widens_the_interval() -> None:
    lot, forecasts = counted()
    later_ms = NOW_MS + 30 * MINUTE_MS
    silent = forecasts.expect(lot.lot_id, later_ms, later_ms)
    assert silent.basis is ForecastBasis.STALE
    assert silent.high - silent.low > 5


def test_a_lot_never_seen_has_a_wide_forecast_that_says_so() -> None:
    lot = a_lot()
    unseen = Forecasts([lot]).expect(lot.lot_id, NOW_MS, NOW_MS)
    assert unseen.basis is ForecastBasis.PROFILE
    assert unseen.high - unseen.low > lot.capacity / 3
