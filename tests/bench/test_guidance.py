"""A made-up town: what its files may say, and that no policy makes cars or beats the bound."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tests.bench.guidance_bound import lower_bound
from tests.bench.guidance_history import learn
from tests.bench.guidance_ours import Ours
from tests.bench.guidance_peers import LiveSign
from tests.bench.guidance_run import run
from tests.bench.guidance_towns import RULES, Kind, make_world
from tests.bench.guidance_world import (
    BadWorldError,
    Day,
    FloatArray,
    Initial,
    IntArray,
    Lots,
    Trips,
    World,
    read_world,
    write_world,
)

SOME_METRES = st.integers(-4_000, 4_000).map(float)
SOME_MINUTES = st.integers(0, 400).map(float)
SOME_FEN = st.sampled_from([0.0, 200.0, 5_000.0])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    number = draw(st.integers(1, 4))
    lots = Lots(
        ids=tuple(f"lot{place}" for place in range(number)),
        capacity=np.array([draw(st.integers(0, 3)) for _ in range(number)], np.int64),
        x_m=np.array([draw(SOME_METRES) for _ in range(number)]),
        y_m=np.array([draw(SOME_METRES) for _ in range(number)]),
        fen_per_hour=np.array([draw(SOME_FEN) for _ in range(number)]),
    )
    return World(lots, RULES, draw(days(lots)), tuple(draw(st.lists(days(lots), max_size=2))))


@st.composite
def days(draw: st.DrawFn, lots: Lots) -> Day:
    number = draw(st.integers(0, 12))

    def column(values: st.SearchStrategy[float]) -> FloatArray:
        return np.array([draw(values) for _ in range(number)], np.float64)

    trips = Trips(
        minute=np.sort(column(SOME_MINUTES)),
        from_x_m=column(SOME_METRES),
        from_y_m=column(SOME_METRES),
        to_x_m=column(SOME_METRES),
        to_y_m=column(SOME_METRES),
        stay_minutes=column(SOME_MINUTES),
        guided=column(st.sampled_from([0.0, 1.0])) > 0,
        drive_factor=column(st.floats(0.5, 2)),
    )
    standing = [place for place, size in enumerate(lots.capacity) for _ in range(size)]
    some = [place for place in standing if draw(st.booleans())]
    leaves = np.array([draw(SOME_MINUTES) for _ in some], np.float64)
    return Day(trips, Initial(np.array(some, np.int64), leaves))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_whoever_decides_no_car_is_lost_no_lot_overfull_and_the_bound_is_below(
    world: World,
) -> None:
    bound = lower_bound(world)
    for policy in (
        LiveSign(world.lots, world.rules),
        Ours(world.lots, world.rules, world.history),
    ):
        outcome = run(world, policy)
        assert outcome.mean_minutes >= bound - 1e-6
        assert most_cars(world, outcome.lot, outcome.parked_at) <= 0


def most_cars(world: World, chosen: IntArray, parked_at: FloatArray) -> int:
    """By how many the fullest moment of any lot exceeds its spaces, counted car by car."""
    stays = [
        (int(lot), 0.0, float(until))
        for lot, until in zip(
            world.day.initial.lot, world.day.initial.leaves_at_minute, strict=True
        )
    ]
    until = parked_at + world.day.trips.stay_minutes
    stays += [
        (int(lot), float(since), float(end))
        for lot, since, end in zip(chosen, parked_at, until, strict=True)
        if lot < len(world.lots.ids)
    ]
    excess = [
        sum(other == lot and begin <= since < end for other, begin, end in stays)
        - world.lots.capacity[lot]
        for lot, since, _ in stays
    ]
    return max(excess, default=0)


def test_on_a_tight_day_ours_is_nearer_to_the_bound_than_the_live_sign() -> None:
    world = make_world(3, Kind(history_days=2))
    bound = lower_bound(world)
    sign = run(world, LiveSign(world.lots, world.rules)).mean_minutes
    ours = run(world, Ours(world.lots, world.rules, world.history)).mean_minutes
    assert bound <= ours < (bound + sign) / 2


def test_a_world_that_was_written_reads_back(tmp_path: Path) -> None:
    world = make_world(1, Kind(history_days=1))
    write_world(tmp_path, world)
    again = read_world(tmp_path)
    assert again.lots.ids == world.lots.ids
    assert again.rules == world.rules
    assert len(again.history) == 1
    assert_array_equal(again.day.trips.to_x_m, world.day.trips.to_x_m)
    assert_array_equal(again.day.initial.lot, world.day.initial.lot)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("trips.csv", "minute,", "minutes,", "line 1: column minute is missing"),
        ("trips.csv", ",1,", ",2,", "column guided: '2' is neither 0 nor 1"),
        ("lots.csv", "kangle,", "zhanqian,", "line 3, column id: 'zhanqian' is already the lot"),
        ("lots.csv", ",180,", ",-180,", "line 2, column capacity: '-180' is negative"),
        ("initial.csv", "\n", "\nnowhere,3\n", "line 2, column lot: 'nowhere' is no lot"),
        ("world.toml", "= 400.0", "= 0", "drive_speed_m_per_min = 0: nobody would ever arrive"),
        ("world.toml", "[overflow]", "[other]", "table [overflow] is missing"),
    ],
)
def test_a_world_that_cannot_be_is_refused_at_its_place(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    write_world(tmp_path, make_world(1, Kind(history_days=0)))
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadWorldError) as refused:
        read_world(tmp_path)
    assert file in str(refused.value)
    assert said in str(refused.value)


def test_an_earlier_day_that_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    write_world(tmp_path, make_world(1, Kind(history_days=2)))
    (tmp_path / "history/day_01/trips.csv").unlink()
    world = read_world(tmp_path)
    assert len(world.history) == 1
    assert "day_01" in world.history_left_out[0]


def test_a_past_with_and_without_trips_is_learned_from() -> None:
    """Days without a trip once had more choices than there were lots."""
    lots = Lots(("a", "b"), np.array([3, 3]), np.zeros(2), np.zeros(2), np.zeros(2))
    none = np.zeros(0)
    quiet = Trips(none, none, none, none, none, none, none.astype(bool), none)
    one = Trips(*(np.zeros(1),) * 6, np.zeros(1, bool), np.ones(1))
    empty = Initial(np.zeros(0, np.int64), np.zeros(0))
    learned = learn(lots, RULES, [Day(quiet, empty), Day(one, empty)], most_lots=16)
    assert learned.sample.lots.shape == (1, 3)
