"""Readings and failures folded into one car park's state."""

from collections.abc import Iterable

import pytest

from gateway.counter import CounterState, Verdict
from gateway.observation import (
    Basis,
    DeviceState,
    FaceState,
    GroupState,
    Observation,
)
from gateway.reading import Failure, FailureKind, Reading
from gateway.reconcile import Anchor
from gateway.signs import FULL
from gateway.station_state import StationState, moved_counts, same_news
from tests.gateway.parks import DEVICES, NOW_MS, count, pallets, small_park, spaces

HOUR_MS = 3_600_000


def _state(
    *news: Reading | Failure,
    counters: dict[str, CounterState] | None = None,
    anchor: Anchor | None = None,
) -> StationState:
    state = StationState(small_park(), counters or {}, anchor, uptime_ms=0)
    for one in news:
        state.fold(one, 0)
    return state


def _all_heard(occupied: int = 2) -> tuple[Reading, ...]:
    return (count("in", 100), count("out", 50), spaces("g1", occupied), spaces("g2", occupied))


def _keep_answering(state: StationState, devices: Iterable[str], uptime_ms: int) -> None:
    for device in devices:
        state.fold(Reading(device, {}, NOW_MS + uptime_ms), uptime_ms)


def test_pallets_are_counted_level_by_level_from_the_ground_up() -> None:
    seen = _state(spaces("g1", 5)).observe(NOW_MS, 0)
    assert seen.groups[0].occupied_by_level == (3, 2)
    assert seen.groups[1].occupied_by_level is None


def test_counting_begins_when_every_lane_and_group_has_spoken() -> None:
    *early, last = _all_heard()
    state = _state(*early)
    assert state.observe(NOW_MS, 0).cars_inside is None
    state.fold(last, 0)
    assert state.observe(NOW_MS, 0).cars_inside == 4
    assert state.anchor == Anchor(4, 0, 0, NOW_MS)


def test_cars_that_wait_to_be_stored_are_inside() -> None:
    state = _state(*_all_heard()[:3], spaces("g2", 2, storing=3))
    assert state.observe(NOW_MS, 0).cars_inside == 7


def test_entries_and_exits_move_the_running_totals() -> None:
    state = _state(*_all_heard())
    before = state.observe(NOW_MS, 0)
    assert state.fold(count("in", 102), 500) is Verdict.COUNTED
    state.fold(count("out", 51), 500)
    seen = state.observe(NOW_MS, 500)
    assert (seen.entries_total, seen.exits_total, seen.cars_inside) == (2, 1, 5)
    assert moved_counts(before, seen)
    assert moved_counts(None, seen)
    assert not moved_counts(seen, state.observe(NOW_MS + 1, 501))


def test_a_restarted_station_counts_on_from_what_the_outbox_kept() -> None:
    kept = {
        "in": CounterState(raw=100, total=7, read_at_ms=NOW_MS - 60_000),
        "out": CounterState(raw=50, total=3, read_at_ms=NOW_MS - 60_000),
    }
    state = _state(counters=kept, anchor=Anchor(1, 0, 0, NOW_MS))
    assert state.fold(count("in", 120), 0) is Verdict.COUNTED
    assert state.fold(count("in", 130), 500) is Verdict.JUMPED
    seen = state.observe(NOW_MS, 500)
    assert (seen.entries_total, seen.exits_total, seen.cars_inside) == (27, 3, 25)


def test_a_clock_set_back_an_hour_neither_loses_nor_invents_cars() -> None:
    state = _state(*_all_heard())
    state.fold(count("in", 101, NOW_MS - HOUR_MS), 500)
    state.fold(count("in", 103, NOW_MS - HOUR_MS + 500), 1_000)
    assert state.observe(NOW_MS - HOUR_MS, 1_000).entries_total == 3


def test_a_jump_is_carried_as_doubt_of_its_lane() -> None:
    state = _state(*_all_heard())
    state.fold(count("in", 900), 500)
    lane = state.observe(NOW_MS, 500).lanes[0]
    assert lane.cars_total == 0
    assert lane.doubts == ("up to 800 cars of a jump or reset are not counted",)


def test_a_count_that_is_no_number_is_not_counted() -> None:
    assert _state().fold(Reading("in", {"count": "many"}, NOW_MS), 0) is None


def test_a_device_is_online_then_late_then_lost_and_its_values_are_forgotten() -> None:
    state = _state(*_all_heard())
    states = [state.observe(NOW_MS, ms).devices[2].state for ms in (0, 3_000, 3_001, 10_001)]
    assert states == [
        DeviceState.ONLINE,
        DeviceState.ONLINE,
        DeviceState.LATE,
        DeviceState.LOST,
    ]
    lost = state.observe(NOW_MS, 10_001).groups[0]
    assert (lost.state, lost.occupied_by_level) == (GroupState.SILENT, None)


def test_a_clock_that_is_set_makes_no_device_lost_and_none_alive() -> None:
    state = _state(*_all_heard())
    assert state.observe(NOW_MS + HOUR_MS, 500).devices[0].state is DeviceState.ONLINE
    assert state.observe(NOW_MS - HOUR_MS, 10_001).devices[0].state is DeviceState.LOST


def test_a_device_that_never_answered_is_late_at_first_and_lost_then() -> None:
    state = _state(Failure("g1", FailureKind.REFUSED, NOW_MS, "nothing listens"))
    early, late = (state.observe(NOW_MS, ms).devices[2] for ms in (0, 10_001))
    assert (early.state, early.note) == (DeviceState.LATE, "refused: nothing listens")
    assert (late.state, late.last_answer_at_ms) == (DeviceState.LOST, None)


def test_an_answer_ends_the_note_of_a_failure() -> None:
    state = _state(Failure("g1", FailureKind.TIMEOUT, NOW_MS), spaces("g1", 1))
    assert state.observe(NOW_MS, 0).devices[2].note == ""


def test_a_silent_group_is_filled_by_the_counters() -> None:
    state = _state(*_all_heard())
    assert state.observe(NOW_MS, 0).basis is Basis.COUNTED
    state.fold(Failure("g2", FailureKind.TIMEOUT, NOW_MS), 11_000)
    _keep_answering(state, ("in", "out", "g1"), 11_000)
    seen = state.observe(NOW_MS, 11_000)
    assert (seen.basis, seen.cars_on_pallets, seen.cars_inside) == (Basis.DERIVED, None, 4)


def test_counters_that_have_been_silent_too_long_fill_nothing() -> None:
    state = _state(*_all_heard())
    _keep_answering(state, ("in", "g1", "g2"), 90_001)
    assert state.observe(NOW_MS, 90_000).cars_inside == 4
    assert state.observe(NOW_MS, 90_001).cars_inside is None


def test_more_cars_than_bays_are_doubted_and_not_clamped() -> None:
    group = _state(spaces("g1", 9)).observe(NOW_MS, 0).groups[0]
    assert group.occupied_by_level == (3, 6)
    assert group.doubts == ("2 pallets occupied beyond the 7 bays",)


def test_a_total_outside_physics_is_doubted_in_the_observation() -> None:
    news = (count("in", 1), count("out", 1), spaces("g1", 32), spaces("g2", 0))
    seen = _state(*news).observe(NOW_MS, 0)
    assert seen.doubts[0] == "occupied 32 of 14 usable"


def test_what_could_not_be_read_is_forgotten_and_said() -> None:
    state = _state(spaces("g1", 2))
    unread = Reading("g1", {"pallets": pallets(3)}, NOW_MS, ("group_state: code 9 has no meaning",))
    state.fold(unread, 100)
    seen = state.observe(NOW_MS, 100)
    assert seen.groups[0].state is GroupState.SILENT
    assert seen.groups[0].occupied_by_level == (3, 0)
    assert seen.devices[2].state is DeviceState.SUSPECT
    assert seen.devices[2].note == "group_state: code 9 has no meaning"
    state.fold(spaces("g1", 3), 200)
    assert state.observe(NOW_MS, 200).devices[2].state is DeviceState.ONLINE


@pytest.mark.parametrize(
    ("clock", "doubt"),
    [
        (17, "its clock stands in 1970: the battery is flat"),
        (NOW_MS // 1_000 + 7_200, "its clock is +2 h from ours"),
        (NOW_MS // 1_000 - 26 * 3_600, "its clock is -26 h from ours"),
    ],
)
def test_a_device_whose_clock_is_wrong_is_doubted(clock: int, doubt: str) -> None:
    state = _state(spaces("g1", 1), Reading("g1", {"clock": clock}, NOW_MS))
    seen = state.observe(NOW_MS, 0)
    assert seen.groups[0].doubts == (doubt,)
    assert seen.devices[2].state is DeviceState.SUSPECT


@pytest.mark.parametrize("clock", [NOW_MS // 1_000 + 900, "noon"])
def test_a_clock_that_is_about_right_is_not_doubted(clock: int | str) -> None:
    state = _state(spaces("g1", 1), Reading("g1", {"clock": clock}, NOW_MS))
    assert state.observe(NOW_MS, 0).groups[0].doubts == ()


def test_a_controller_whose_heartbeat_stands_still_is_doubted_then_as_good_as_silent() -> None:
    state = _state(spaces("g1", 2))
    for uptime_ms in range(0, 95_000, 1_000):
        state.fold(Reading("g1", {"heartbeat": 7}, NOW_MS), uptime_ms)
    doubted, silent = (state.observe(NOW_MS, ms).groups[0] for ms in (90_000, 95_000))
    assert doubted.doubts == ("its heartbeat stands still: its program has stopped",)
    assert doubted.occupied_by_level == (2, 0)
    assert silent.occupied_by_level is None


def test_a_heartbeat_that_moves_is_no_news() -> None:
    state = _state(spaces("g1", 2))
    for beat in range(60):
        state.fold(Reading("g1", {"heartbeat": beat}, NOW_MS), beat * 1_000)
    assert state.observe(NOW_MS, 60_000).groups[0].doubts == ()


def test_a_broken_loop_is_doubted() -> None:
    state = _state(Reading("in", {"count": 5, "loop_status": (False, True)}, NOW_MS))
    assert state.observe(NOW_MS, 0).lanes[0].doubts == ("its loop or cable is broken",)


def test_a_sign_is_as_desired_once_it_says_what_it_should() -> None:
    state = _state()
    assert state.observe(NOW_MS, 0).signs[0].state is FaceState.UNKNOWN
    state.order_face("sign", ("12",))
    state.fold(_shown(12, "number"), 0)
    assert state.observe(NOW_MS, 0).signs[0].state is FaceState.AS_DESIRED
    state.fold(_shown(12, "full"), 0)
    seen = state.observe(NOW_MS, 0).signs[0]
    assert (seen.state, seen.desired, seen.reported) == (FaceState.DIFFERS, ("12",), (FULL,))


def test_what_a_sign_showed_before_is_no_answer_to_a_new_order() -> None:
    state = _state()
    state.order_face("sign", ("12",))
    state.fold(_shown(12, "number"), 0)
    state.order_face("sign", ("12",))
    assert state.observe(NOW_MS, 0).signs[0].state is FaceState.AS_DESIRED
    state.order_face("sign", ("11",))
    assert state.observe(NOW_MS, 0).signs[0].state is FaceState.UNKNOWN


def _shown(number: int, face: str) -> Reading:
    faces = (face, "blank", "blank", "blank")
    return Reading("sign", {"numbers": (number, 0, 0, 0), "faces": faces}, NOW_MS)


def test_a_station_is_primed_when_every_device_was_asked_or_time_is_up() -> None:
    state = _state()
    for device in DEVICES[:-1]:
        state.fold(Failure(device, FailureKind.REFUSED, NOW_MS), 10)
    assert not state.is_primed(4_999)
    assert state.is_primed(5_000)
    state.fold(Reading(DEVICES[-1], {}, NOW_MS), 20)
    assert state.is_primed(20)


def test_times_alone_are_no_news() -> None:
    state = _state(*_all_heard())
    first = state.observe(NOW_MS, 0)
    for news in _all_heard():
        state.fold(type(news)(news.device_id, news.values, NOW_MS + 500), 500)
    later = state.observe(NOW_MS + 500, 500)
    assert later != first
    assert same_news(first, later)
    assert not same_news(None, later)
    state.fold(spaces("g1", 3), 600)
    assert not same_news(later, state.observe(NOW_MS + 600, 600))


def test_an_answer_that_says_nothing_new_is_no_news() -> None:
    state = _state(*_all_heard())
    state.observe(NOW_MS, 0)
    for news in (*_all_heard(), Reading("g1", {"clock": NOW_MS // 1_000, "heartbeat": 7}, NOW_MS)):
        state.fold(news, 100)
    assert not state.has_news


@pytest.mark.parametrize(
    "news",
    [
        count("in", 101),
        count("in", 900),
        spaces("g1", 3),
        spaces("g1", 2, "jammed"),
        Failure("g1", FailureKind.TIMEOUT, NOW_MS),
        Reading("g1", {}, NOW_MS, ("pallets: asked 2 addresses, got 1",)),
        Reading("sign", {}, NOW_MS),
    ],
)
def test_whatever_else_a_poll_brings_is_news(news: Reading | Failure) -> None:
    state = _state(*_all_heard())
    state.observe(NOW_MS, 0)
    state.fold(news, 100)
    assert state.has_news


def test_a_jump_that_is_settled_by_a_reading_of_the_same_number_is_news() -> None:
    state = _state(*_all_heard())
    for uptime_ms in (500, 1_000):
        state.fold(count("in", 103), uptime_ms)
    state.observe(NOW_MS, 1_000)
    assert state.fold(count("in", 103), 3_000) is Verdict.EXPLAINED
    assert state.has_news


def test_a_device_that_answers_again_is_news() -> None:
    state = _state(*_all_heard(), Failure("g1", FailureKind.TIMEOUT, NOW_MS))
    state.observe(NOW_MS, 0)
    state.fold(spaces("g1", 2), 100)
    assert state.has_news


def test_the_stations_own_doubts_travel_with_the_observation() -> None:
    seen: Observation = _state().observe(NOW_MS, 0, ("the outbox was full",))
    assert seen.doubts == ("the outbox was full",)


def test_a_car_park_without_lanes_has_no_cars_by_counters() -> None:
    config = small_park()
    groups = tuple(d for d in config.car_park.devices if d.device_id in ("g1", "g2"))
    lots = type(config)(type(config.car_park)("small", config.car_park.links, groups), config.maps)
    state = StationState(lots, {}, None, uptime_ms=0)
    for news in (spaces("g1", 1), spaces("g2", 1)):
        state.fold(news, 0)
    seen = state.observe(NOW_MS, 0)
    assert (seen.cars_inside, seen.cars_on_pallets) == (None, 2)
