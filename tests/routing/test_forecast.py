import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import Observation
from occupancy.live import LiveOccupancy, Quality, Received, fold
from occupancy.lot import Lot
from routing.forecast import ForecastBasis, Forecasts
from routing.forecast_model import (
    CROWDED_WIDTH,
    FIRST_FOLLOW,
    FIRST_MODEL,
    HORIZONS,
    MINUTE_MS,
    Follow,
    LotModel,
    Model,
    usual_rate,
)
from tests.builders import MORNING_MS, a_group, a_lot, an_observation

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


def with_free(free: int, at_ms: int = MORNING_MS) -> LiveOccupancy:
    """36 bays, so many of them free."""
    taken = 36 - free
    first, second = min(taken, 18), max(taken - 18, 0)
    groups = tuple(
        a_group(number, occupied=(min(n, 6), min(max(n - 6, 0), 6), max(n - 12, 0)))
        for number, n in ((1, first), (2, second))
    )
    news = an_observation(groups=groups, cars_inside=None, observed_at_ms=at_ms)
    return fold(None, a_lot(), Received(news, at_ms, at_ms))


models = st.builds(
    lambda follow, spare, level: Model(
        1,
        {"kangle": LotModel({20_780: (level,) * 96}, is_own=True)},
        LotModel({}),
        (FIRST_FOLLOW[0], *follow),
        spare,
    ),
    st.lists(
        st.builds(
            Follow,
            st.floats(0, 1),
            st.just(0.0),
            st.floats(0, 0.5),
            st.floats(-CROWDED_WIDTH, CROWDED_WIDTH),
            st.floats(-0.05, 0.05),
            st.floats(0.002, 0.2),
            st.floats(0, 0.3),
            st.just(0.0),
            st.floats(0, 0.2),
            st.floats(0, 0.1),
        ),
        min_size=len(HORIZONS) - 1,
        max_size=len(HORIZONS) - 1,
    ),
    st.floats(0, 5),
    st.floats(0, 1.2),
)


@given(models, st.integers(0, 35), st.integers(0, 240), st.integers(1, 36), st.floats(0, 10))
def test_another_free_space_now_never_makes_a_space_then_less_likely(
    model: Model, free: int, minutes: int, spaces: int, promised: float
) -> None:
    chances = []
    for now in (free, free + 1):
        forecasts = Forecasts([a_lot()], model)
        forecasts.see(with_free(now))
        expected = forecasts.expect("kangle", MORNING_MS + minutes * MINUTE_MS, MORNING_MS)
        chances.append(expected.chance_of_at_least(spaces, promised))
        assert 0 <= chances[-1] <= 1
        assert 0 <= expected.low <= expected.high <= expected.usable
        assert 0 <= expected.free_mean <= expected.usable
    assert chances[0] <= chances[1] + 1e-9


def test_an_older_picture_and_a_doubtful_one_change_no_forecast() -> None:
    lot, forecasts = counted()
    before = forecasts.expect(lot.lot_id, NOW_MS, NOW_MS)
    forecasts.see(with_free(3, MORNING_MS))
    doubtful = msgspec.structs.replace(
        with_free(5, NOW_MS + 1_000), quality=Quality.SUSPECT, usable=before.usable
    )
    forecasts.see(doubtful)
    assert forecasts.expect(lot.lot_id, NOW_MS, NOW_MS) == before


def test_a_lot_that_loses_bays_has_as_many_fewer() -> None:
    lot, forecasts = counted()
    jammed = msgspec.structs.replace(with_free(24, NOW_MS + 1_000), usable=18, free=None)
    forecasts.see(jammed)
    assert forecasts.expect(lot.lot_id, NOW_MS, NOW_MS).usable == 18


def test_a_moment_gone_by_counts_as_now() -> None:
    lot, forecasts = counted()
    assert forecasts.expect(lot.lot_id, NOW_MS - 9_000, NOW_MS).at_ms == NOW_MS


def test_what_moves_all_lots_moves_each() -> None:
    """The other lots' residual counts, its own does not count twice."""
    follow = tuple(msgspec.structs.replace(one, district=0.5) for one in FIRST_FOLLOW)
    model = msgspec.structs.replace(FIRST_MODEL, follow=follow)
    lots = [a_lot(), a_lot(lot_id="other")]
    means = []
    for free in (5, 30):
        forecasts = Forecasts(lots, model)
        forecasts.see(with_free(20))
        other = msgspec.structs.replace(with_free(free), lot_id="other")
        forecasts.see(other)
        later_ms = MORNING_MS + 60 * MINUTE_MS
        means.append(forecasts.expect("kangle", later_ms, MORNING_MS).free_mean)
    assert means[0] < means[1]


def test_a_rise_over_the_last_hour_goes_on() -> None:
    follow = tuple(msgspec.structs.replace(one, trend=0.5) for one in FIRST_FOLLOW)
    model = msgspec.structs.replace(FIRST_MODEL, follow=follow)
    means = []
    for earlier in (10, 20):
        forecasts = Forecasts([a_lot()], model)
        forecasts.see(with_free(earlier, MORNING_MS - 50 * MINUTE_MS))
        forecasts.see(with_free(15, MORNING_MS))
        later_ms = MORNING_MS + 60 * MINUTE_MS
        means.append(forecasts.expect("kangle", later_ms, MORNING_MS).free_mean)
    assert means[0] > means[1]


def test_only_the_last_hour_counts_as_a_trend() -> None:
    follow = tuple(msgspec.structs.replace(one, trend=0.5) for one in FIRST_FOLLOW)
    forecasts = Forecasts([a_lot()], msgspec.structs.replace(FIRST_MODEL, follow=follow))
    plain = Forecasts([a_lot()])
    for made in (forecasts, plain):
        made.see(with_free(36, MORNING_MS - 180 * MINUTE_MS))
        made.see(with_free(15, MORNING_MS))
    later_ms = MORNING_MS + 60 * MINUTE_MS
    said, flat = (made.expect("kangle", later_ms, MORNING_MS) for made in (forecasts, plain))
    assert said.free_mean == flat.free_mean


def test_beyond_three_hours_the_count_fades_and_the_interval_widens() -> None:
    _, forecasts = counted()
    near, far, farther = (
        forecasts.expect("kangle", NOW_MS + hours * 60 * MINUTE_MS, NOW_MS) for hours in (3, 6, 72)
    )
    assert near.spread < far.spread
    usual = usual_rate(forecasts.model.siblings, farther.at_ms)
    assert farther.demand.cars == pytest.approx(usual * farther.usable, abs=0.01)


def test_a_newer_model_is_taken_up_at_once() -> None:
    lot, forecasts = counted()
    calm = LotModel({20_780: (0.9,) * 96}, is_own=True)
    forecasts.learn(msgspec.structs.replace(FIRST_MODEL, lots={"kangle": calm}))
    expected = forecasts.expect(lot.lot_id, NOW_MS + 60 * MINUTE_MS, NOW_MS)
    assert expected.basis is ForecastBasis.LEARNED
    assert forecasts.counted_at_ms("kangle") == NOW_MS
    assert forecasts.counted_at_ms("nowhere") is None
