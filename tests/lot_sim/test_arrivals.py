import random
from collections import Counter
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lot_sim.arrivals import (
    DAY_MS,
    HOUR_MS,
    Arrival,
    Nearness,
    draw_stay_ms,
    metres_between,
    midnight_of,
    plan_day,
    weekday_of,
)
from lot_sim.scenario import Stay
from tests.lot_sim.towns import MONDAY_NOON_MS, SANSHUI, small_scenario

MONDAY_MS = MONDAY_NOON_MS - 12 * HOUR_MS


@given(st.integers(0, 4_000_000_000_000))
def test_midnight_is_the_last_one_in_shanghai(at_ms: int) -> None:
    midnight_ms = midnight_of(at_ms)
    assert 0 <= at_ms - midnight_ms < DAY_MS
    assert (midnight_ms + 8 * HOUR_MS) % DAY_MS == 0


def test_weekdays_change_at_midnight_in_shanghai() -> None:
    assert weekday_of(MONDAY_MS) == 0
    assert weekday_of(MONDAY_MS - 1) == 6
    assert weekday_of(0) == 3


def test_a_day_brings_about_as_many_cars_as_the_scenario_says() -> None:
    scenario = small_scenario(cars_a_day=5_000)
    plans = [plan_day(scenario, MONDAY_MS + day * DAY_MS, "1") for day in range(5)]
    assert 4_600 < sum(len(plan) for plan in plans) / 5 < 5_400
    assert len({len(plan) for plan in plans}) == 5


def test_all_arrivals_lie_within_their_day() -> None:
    plan = plan_day(SANSHUI, MONDAY_MS, "1")
    assert all(MONDAY_MS <= arrival.at_ms < MONDAY_MS + DAY_MS for arrival in plan)


def test_hours_bring_cars_in_proportion_to_their_weights() -> None:
    hospital = next(
        n for n, d in enumerate(SANSHUI.destinations) if d.destination_id == "三水区人民医院"
    )
    hours: Counter[int] = Counter()
    for week in range(20):
        for arrival in plan_day(SANSHUI, MONDAY_MS + week * 7 * DAY_MS, "1"):
            if arrival.destination == hospital:
                hours[(arrival.at_ms - MONDAY_MS) % DAY_MS // HOUR_MS] += 1
    weights = SANSHUI.kinds["hospital"].workday
    assert hours[8] / hours[15] == pytest.approx(weights[8] / weights[15], rel=0.2)
    assert hours[3] < 0.05 * hours[8]


def test_the_same_seed_plans_the_same_day() -> None:
    assert plan_day(SANSHUI, MONDAY_MS, "x") == plan_day(SANSHUI, MONDAY_MS, "x")
    assert plan_day(SANSHUI, MONDAY_MS, "x") != plan_day(SANSHUI, MONDAY_MS, "y")


def test_a_weekend_draws_other_cars_than_a_workday() -> None:
    office = next(n for n, d in enumerate(SANSHUI.destinations) if d.kind == "government")
    monday, sunday = (
        sum(a.destination == office for a in plan_day(SANSHUI, MONDAY_MS + day * DAY_MS, "1"))
        for day in (0, 6)
    )
    assert monday > 4 * sunday


@pytest.mark.parametrize("stay", [Stay(1, 90, 0.6), Stay(1, 90, alpha=1.4)])
def test_half_of_the_stays_are_shorter_than_the_median_and_the_tail_is_long(stay: Stay) -> None:
    chance = random.Random(5)  # noqa: S311
    minutes = [draw_stay_ms((stay,), chance) / 60_000 for _ in range(8_000)]
    assert median(minutes) == pytest.approx(90, rel=0.05)
    assert max(minutes) > 8 * 90
    assert min(minutes) >= 1
    assert max(minutes) <= 3 * 24 * 60


def test_distances_within_the_town() -> None:
    kangle, zhanqian = SANSHUI.lots[:2]
    assert metres_between(kangle, zhanqian) == pytest.approx(618, abs=5)
    assert metres_between(kangle, kangle) == 0


def test_drivers_mostly_try_the_nearest_lot_and_none_twice() -> None:
    nearness = Nearness(SANSHUI)
    chance = random.Random(5)  # noqa: S311
    driver = Arrival(0, 0, 60_000)
    tries = Counter(nearness.choose(driver, (), chance) for _ in range(1_000))
    nearest = min(
        range(5), key=lambda lot: metres_between(SANSHUI.destinations[0], SANSHUI.lots[lot])
    )
    assert tries.most_common(1)[0][0] == nearest
    assert all(nearness.choose(driver, (nearest,), chance) != nearest for _ in range(100))
    assert nearness.choose(driver, (0, 1, 2, 3, 4), chance) is None
