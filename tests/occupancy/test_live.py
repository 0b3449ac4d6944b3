import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import Basis, GroupState, Observation
from occupancy.live import (
    CLOCK_TOLERANCE_MS,
    STALE_AFTER_MS,
    LiveOccupancy,
    Quality,
    Received,
    Status,
    Trend,
    as_seen_at,
    fold,
)
from occupancy.lot import OpeningState
from tests.builders import MORNING_MS, a_group, a_lot, an_observation


def received(observation: Observation, *, behind_ms: int = 0) -> Received:
    sent = observation.observed_at_ms
    return Received(observation, sent, sent + behind_ms)


def folded(*observations: Observation) -> LiveOccupancy:
    picture = None
    for observation in observations:
        picture = fold(picture, a_lot(), received(observation))
    assert picture is not None
    return picture


def with_free(free: int, sequence: int = 1) -> Observation:
    """36 bays of which `free` are free, spread over both groups."""
    cars = 36 - free
    first = min(cars, 18)
    split = [(min(n, 6), min(max(n - 6, 0), 6), max(n - 12, 0)) for n in (first, cars - first)]
    groups = (a_group(1, split[0]), a_group(2, split[1]))
    return an_observation(sequence, groups=groups, cars_on_pallets=cars, cars_inside=cars)


group_states = st.sampled_from([GroupState.WORKING, GroupState.JAMMED, GroupState.MAINTENANCE])
levels = st.tuples(*[st.integers(0, 6)] * 3)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    groups = tuple(a_group(n, draw(st.none() | levels), state=draw(group_states)) for n in (1, 2))
    groups = tuple(
        msgspec.structs.replace(g, state=GroupState.SILENT) if g.occupied_by_level is None else g
        for g in groups
    )
    inside = draw(st.none() | st.integers(-5, 60))
    return an_observation(draw(st.integers(1, 50)), groups=groups, cars_inside=inside)


@given(observations())
def test_the_spaces_add_up(observation: Observation) -> None:
    picture = folded(observation)
    assert picture.capacity == picture.usable + picture.out_of_service
    if picture.free is not None and picture.occupied is not None:
        assert picture.usable == picture.free + picture.occupied


@given(observations())
def test_levels_add_up_to_the_lot(observation: Observation) -> None:
    picture = folded(observation)
    assert sum(level.capacity for level in picture.levels) == picture.capacity
    assert sum(level.out_of_service for level in picture.levels) == picture.out_of_service
    if all(level.occupied is not None for level in picture.levels):
        assert sum(level.occupied or 0 for level in picture.levels) == picture.occupied


@given(st.lists(observations(), min_size=1, max_size=6))
def test_the_newest_wins_in_whatever_order_they_come(several: list[Observation]) -> None:
    newest = max(several, key=lambda o: o.position)
    picture = folded(*several)
    assert picture.sequence == newest.sequence


@given(observations())
def test_folding_twice_changes_nothing(observation: Observation) -> None:
    once = folded(observation)
    assert fold(once, a_lot(), received(observation)) is once


def test_a_jammed_group_takes_its_bays_and_cars_out_of_service() -> None:
    groups = (a_group(1, (3, 2, 1), state=GroupState.JAMMED), a_group(2, (3, 2, 1)))
    picture = folded(an_observation(groups=groups))
    assert (picture.usable, picture.out_of_service, picture.locked_in) == (18, 18, 6)
    assert (picture.occupied, picture.free) == (6, 12)


def test_a_silent_group_is_worked_out_from_the_counters_and_says_so() -> None:
    groups = (a_group(1), a_group(2, None))
    picture = folded(an_observation(groups=groups, cars_inside=20, basis=Basis.DERIVED))
    assert (picture.occupied, picture.free) == (20, 16)
    assert (picture.quality, picture.basis) == (Quality.ESTIMATED, Basis.DERIVED)


def test_more_cars_than_bays_are_suspect_and_never_clamped() -> None:
    groups = (a_group(1, (6, 6, 9)), a_group(2, (6, 6, 6)))
    picture = folded(an_observation(groups=groups))
    assert (picture.occupied, picture.free) == (39, -3)
    assert picture.quality is Quality.SUSPECT
    assert picture.status is Status.NO_DATA
    assert "occupied 39 of 36 usable" in picture.doubts


def test_devices_that_know_other_bays_than_the_lot_are_suspect() -> None:
    picture = fold(None, a_lot(capacity=40), received(an_observation()))
    assert picture.quality is Quality.SUSPECT
    assert "the devices have 36 bays, the lot 40" in picture.doubts


def test_nothing_known_is_no_data() -> None:
    groups = (a_group(1, None), a_group(2, None))
    picture = folded(an_observation(groups=groups, cars_inside=None))
    assert (picture.free, picture.status, picture.quality) == (
        None,
        Status.NO_DATA,
        Quality.SUSPECT,
    )


def test_a_source_silent_for_90_seconds_has_no_numbers() -> None:
    picture = folded(an_observation())
    fresh = as_seen_at(picture, picture.observed_at_ms + STALE_AFTER_MS - 1)
    stale = as_seen_at(picture, picture.observed_at_ms + STALE_AFTER_MS)
    assert fresh == picture
    assert (stale.free, stale.occupied, stale.status) == (None, None, Status.NO_DATA)
    assert stale.quality is Quality.STALE


def test_a_closed_lot_stays_closed_when_it_falls_silent() -> None:
    picture = fold(None, a_lot(opening=OpeningState.CLOSED), received(an_observation()))
    assert picture.status is Status.CLOSED
    assert as_seen_at(picture, MORNING_MS * 2).status is Status.CLOSED


def test_status_follows_the_thresholds() -> None:
    words = {free: folded(with_free(free)).status for free in (9, 8, 3, 2, 0)}
    assert words == {
        9: Status.OPEN,
        8: Status.ALMOST_FULL,
        3: Status.ALMOST_FULL,
        2: Status.FULL,
        0: Status.FULL,
    }


def test_one_car_leaving_does_not_make_the_status_flicker() -> None:
    full = with_free(2, 1)
    assert folded(full, with_free(3, 2)).status is Status.FULL
    assert folded(full, with_free(4, 2)).status is Status.ALMOST_FULL
    assert folded(with_free(8, 1), with_free(9, 2)).status is Status.ALMOST_FULL
    assert folded(with_free(8, 1), with_free(10, 2)).status is Status.OPEN


def test_a_gateway_clock_hours_off_is_taken_out_and_said() -> None:
    observation = an_observation()
    hour_ms = 3_600_000
    picture = fold(None, a_lot(), received(observation, behind_ms=hour_ms))
    assert picture.observed_at_ms == observation.observed_at_ms + hour_ms
    assert picture.clock_offset_ms == hour_ms
    assert "the gateway's clock is off by 3600 s" in picture.doubts
    assert picture.quality is Quality.COUNTED


@given(st.integers(-7_200_000, 7_200_000), st.integers(-7_200_000, 7_200_000))
def test_nothing_is_observed_after_it_came(set_by_ms: int, behind_ms: int) -> None:
    """Whatever the gateway's clock was set to between observing and sending."""
    observation = an_observation()
    sent_at_ms = observation.observed_at_ms + set_by_ms
    news = Received(observation, sent_at_ms, sent_at_ms + behind_ms)
    picture = fold(None, a_lot(), news)
    assert picture.observed_at_ms <= news.received_at_ms
    assert as_seen_at(picture, news.received_at_ms + STALE_AFTER_MS).free is None


def test_a_network_delay_is_no_clock_offset() -> None:
    assert fold(None, a_lot(), received(an_observation(), behind_ms=4_000)).clock_offset_ms == 0


@given(st.integers(0, 3_600_000), st.integers(-7_200_000, 7_200_000))
def test_what_lay_on_the_way_is_as_old_as_it_is(lay_ms: int, clock_behind_ms: int) -> None:
    """However late it is read, and however wrong its gateway's clock is."""
    true_ms = MORNING_MS + 1_000
    said_ms = true_ms - clock_behind_ms
    seen = msgspec.structs.replace(an_observation(), observed_at_ms=said_ms)
    picture = fold(None, a_lot(), Received(seen, said_ms, true_ms + lay_ms, true_ms))
    wrong_ms = clock_behind_ms if abs(clock_behind_ms) > CLOCK_TOLERANCE_MS else 0
    assert picture.clock_offset_ms == wrong_ms
    assert picture.observed_at_ms == min(true_ms, true_ms - clock_behind_ms + wrong_ms)
    assert (as_seen_at(picture, true_ms + STALE_AFTER_MS).free is None) is True


def trend_after(*frees: int) -> Trend:
    picture = None
    for minute, free in enumerate(frees):
        news = with_free(free, minute + 1)
        at = MORNING_MS + minute * 60_000
        news = msgspec.structs.replace(news, observed_at_ms=at)
        picture = fold(picture, a_lot(), received(news))
    assert picture is not None
    return picture.trend


def test_the_trend_needs_time_and_tells_the_way() -> None:
    assert trend_after(20, 15) is Trend.UNKNOWN
    assert trend_after(20, 18, 16, 14, 12) is Trend.FILLING
    assert trend_after(12, 14, 16, 18, 20) is Trend.EMPTYING
    assert trend_after(20, 21, 20, 19, 20) is Trend.STEADY
    assert trend_after(*range(30, 0, -2), *([5] * 12)) is Trend.STEADY
