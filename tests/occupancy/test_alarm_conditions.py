"""What is measured of a car park, and from when on it is too much."""

import math

import msgspec

from gateway.observation import (
    HEARTBEAT_DOUBT,
    LOOP_DOUBT,
    NEARLY_FULL_DOUBT,
    DeviceHealth,
    DeviceState,
    Direction,
    FaceState,
    LaneReading,
    Observation,
    SignReading,
)
from occupancy.alarm import RULES, AlarmKind
from occupancy.alarm_conditions import LotFacts, list_conditions
from occupancy.stuck_loops import StuckLoops, follow
from tests.builders import MORNING_MS, a_group, an_observation

NOW_MS = MORNING_MS + 2_000


def too_much(facts: LotFacts, now_ms: int = NOW_MS) -> dict[tuple[AlarmKind, str], str]:
    """Kind and subject to words, of what the shipped rules would raise."""
    return {
        (found.key.kind, found.key.subject): found.words
        for found in list_conditions(facts, now_ms)
        if found.value >= RULES[found.key.kind].threshold
    }


def facts(news: Observation | None = None, **other: object) -> LotFacts:
    seen = an_observation(1) if news is None else news
    return msgspec.structs.replace(LotFacts("kangle", MORNING_MS, news=seen), **other)


def test_a_car_park_that_is_well_has_nothing() -> None:
    assert too_much(facts(rows_in_outbox=3, rows_in_stream=0)) == {}


def test_a_car_park_that_falls_silent_and_one_never_heard() -> None:
    assert AlarmKind.LOT_SILENT in {kind for kind, _ in too_much(facts(), NOW_MS + 90_000)}
    never = LotFacts("kangle", MORNING_MS)
    assert too_much(never, MORNING_MS + 89_000) == {}
    assert list(too_much(never, MORNING_MS + 91_000)) == [(AlarmKind.LOT_SILENT, "")]


def test_a_wrong_clock_makes_no_silence_but_an_offset() -> None:
    hour_ms = 3_600_000
    behind = an_observation(1, observed_at_ms=MORNING_MS - hour_ms)
    found = too_much(facts(behind, offset_ms=hour_ms))
    assert found == {(AlarmKind.CLOCK_OFFSET, ""): "网关时钟与本机相差 -3600 秒"}


def test_a_device_that_is_lost_is_offline_by_our_clock_too() -> None:
    lost = DeviceHealth("kangle-g1", DeviceState.LOST, MORNING_MS - 40_000)
    never = DeviceHealth("kangle-g2", DeviceState.LOST, None)
    late = DeviceHealth("kangle-in", DeviceState.LATE, MORNING_MS - 40_000)
    found = too_much(facts(an_observation(1, devices=(lost, never, late))))
    assert found == {
        (AlarmKind.DEVICE_OFFLINE, "kangle-g1"): "设备 kangle-g1 离线",
        (AlarmKind.DEVICE_OFFLINE, "kangle-g2"): "设备 kangle-g2 离线",
    }


def test_sensors_that_say_they_are_broken_are_stuck() -> None:
    lane = LaneReading("kangle-in", Direction.ENTRY, 10, MORNING_MS, (LOOP_DOUBT,))
    group = a_group(1, doubts=(HEARTBEAT_DOUBT,))
    news = an_observation(1, lanes=(lane,), groups=(group, a_group(2)))
    assert set(too_much(facts(news))) == {
        (AlarmKind.SENSOR_STUCK, "kangle-in"),
        (AlarmKind.SENSOR_STUCK, "kangle-g1"),
    }


def test_a_sign_that_shows_something_else_is_named_with_both_faces() -> None:
    wrong = SignReading("kangle-s3", ("24",), ("满",), FaceState.DIFFERS, MORNING_MS)
    right = SignReading("kangle-s2", ("24",), ("24",), FaceState.AS_DESIRED, MORNING_MS)
    dark = SignReading("kangle-s1", ("24",), None, FaceState.DIFFERS, MORNING_MS)
    found = too_much(facts(an_observation(1, signs=(wrong, right, dark))))
    assert found == {
        (AlarmKind.SIGN_DIFFERS, "kangle-s3"): "诱导屏 kangle-s3 显示 满，应为 24",
        (AlarmKind.SIGN_DIFFERS, "kangle-s1"): "诱导屏 kangle-s1 显示 空白，应为 24",
    }


def test_counters_that_part_from_the_machines_have_drifted() -> None:
    assert too_much(facts(an_observation(1, cars_inside=16))) == {}
    found = too_much(facts(an_observation(1, cars_inside=17)))
    assert found == {(AlarmKind.DRIFT, ""): "进出计数比机械车位多 5 辆，请盘点校准"}
    found = too_much(facts(an_observation(1, cars_inside=6)))
    assert "少 6 辆" in found[(AlarmKind.DRIFT, "")]
    corrected = an_observation(1, cars_inside=17, unseen_cars=5)
    assert too_much(facts(corrected)) == {}
    assert too_much(facts(an_observation(1, cars_inside=None))) == {}


def test_more_cars_than_bays_is_an_impossible_count() -> None:
    overfull = an_observation(1, groups=(a_group(1, occupied=(9, 9, 9)), a_group(2)))
    assert (AlarmKind.COUNT_IMPOSSIBLE, "") in too_much(facts(overfull))


def test_rows_that_wait_in_the_outbox_and_in_the_stream() -> None:
    found = too_much(facts(rows_in_outbox=300, rows_in_stream=4_000))
    assert set(found) == {(AlarmKind.OUTBOX_GROWING, ""), (AlarmKind.RECORDER_BEHIND, "")}
    full = an_observation(1, doubts=(NEARLY_FULL_DOUBT,))
    assert set(too_much(facts(full))) == {(AlarmKind.OUTBOX_GROWING, "disk")}


def test_entries_nobody_can_read_and_a_second_gateway() -> None:
    found = too_much(facts(unreadable_entries=2, rival_epoch=77))
    assert set(found) == {(AlarmKind.UNREADABLE, ""), (AlarmKind.TWO_EPOCHS, "")}
    assert "77" in found[(AlarmKind.TWO_EPOCHS, "")]


def test_loops_that_miss_what_the_machines_store_and_fetch_are_stuck() -> None:
    found = too_much(facts(loops=StuckLoops(stored_unseen=8, fetched_unseen=9)))
    assert set(found) == {(AlarmKind.SENSOR_STUCK, "entry"), (AlarmKind.SENSOR_STUCK, "exit")}
    assert too_much(facts(loops=StuckLoops(7, 7))) == {}


def test_cars_the_machines_move_while_no_loop_counts_are_summed_up() -> None:
    loops, before = StuckLoops(), an_observation(1)
    for number, cars in enumerate(((4, 2, 1), (5, 2, 1), (5, 1, 1), (5, 2, 1)), start=2):
        news = an_observation(number, groups=(a_group(1, cars), a_group(2)))
        loops, before = follow(loops, before, news), news
    assert loops == StuckLoops(stored_unseen=3, fetched_unseen=1)
    counted = an_observation(6, groups=before.groups, entries_total=11)
    assert follow(loops, before, counted) == StuckLoops(0, 1)
    assert follow(loops, before, an_observation(6, exits_total=6, groups=before.groups)) == (
        StuckLoops(3, 0)
    )


def test_a_silent_group_and_a_new_memory_tell_nothing_of_the_loops() -> None:
    loops, before = StuckLoops(3, 1), an_observation(1)
    silent = an_observation(2, groups=(a_group(1, occupied=None), a_group(2)))
    assert follow(loops, before, silent) == loops
    assert follow(loops, before, an_observation(2, epoch=2)) == StuckLoops()
    assert follow(loops, None, before) == StuckLoops()


def test_a_device_never_heard_is_as_silent_as_can_be() -> None:
    never = DeviceHealth("kangle-g2", DeviceState.LOST, None)
    (found,) = (
        one
        for one in list_conditions(facts(an_observation(1, devices=(never,))), NOW_MS)
        if one.key.kind is AlarmKind.DEVICE_OFFLINE
    )
    assert found.value == math.inf
