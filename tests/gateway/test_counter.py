"""Counters: what a register that wraps, forgets and lies says about cars."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.counter import (
    UNKNOWN_GAP_MS,
    CounterRule,
    CounterState,
    Verdict,
    fold,
    gap_ms,
)

POLL_MS = 500
LONG_MS = 600_000
NARROW = CounterRule(bits=16, cars_per_minute_max=30)
WIDE = CounterRule(bits=32, cars_per_minute_max=30)
TOP = 65_536


def _read(
    readings: Iterable[tuple[int, int]], rule: CounterRule = NARROW
) -> tuple[CounterState, list[Verdict]]:
    """Fold (raw, milliseconds since the one before)."""
    state, verdicts, now_ms = None, [], 1_000_000
    for raw, elapsed_ms in readings:
        now_ms += elapsed_ms
        state, verdict = fold(state, raw, now_ms, elapsed_ms, rule)
        verdicts.append(verdict)
    assert state is not None
    return state, verdicts


def _polls(*raws: int) -> list[tuple[int, int]]:
    return [(raw, POLL_MS) for raw in raws]


def test_the_first_reading_is_the_base_and_counts_nothing() -> None:
    state, verdicts = _read(_polls(4_711))
    assert (state.raw, state.total, verdicts) == (4_711, 0, [Verdict.FIRST])


def test_a_counter_that_rises_counts() -> None:
    state, verdicts = _read(_polls(100, 101, 103))
    assert (state.total, verdicts[1:]) == (3, [Verdict.COUNTED] * 2)


def test_a_counter_that_wraps_goes_on_counting() -> None:
    state, verdicts = _read(_polls(65_534, 65_535, 0, 1))
    assert (state.total, verdicts[2]) == (3, Verdict.WRAPPED)
    assert state.doubtful_cars == 0


def test_a_32_bit_counter_wraps_at_its_own_top() -> None:
    state, verdicts = _read(_polls(2**32 - 1, 1), WIDE)
    assert (state.total, verdicts[1]) == (2, Verdict.WRAPPED)


def test_a_reset_seen_at_once_counts_what_came_since() -> None:
    state, verdicts = _read(_polls(5_000, 5_001, 1, 2, 3))
    assert verdicts[2:] == [Verdict.RESET, Verdict.COUNTED, Verdict.CONFIRMED]
    assert (state.total, state.doubtful_cars) == (1 + 3, 0)


def test_a_reset_that_a_gap_hid_says_how_many_cars_may_be_missing() -> None:
    state, verdicts = _read([(5_000, POLL_MS), (40, LONG_MS), *_polls(40, 41)])
    assert verdicts[1] is Verdict.MASKED_RESET
    assert state.total == 41
    assert state.withheld == NARROW.most_in(LONG_MS) - 40


def test_behind_a_gap_a_wrap_and_a_reset_look_alike_and_the_lower_count_holds() -> None:
    state, verdicts = _read([(65_500, POLL_MS), (40, LONG_MS), *_polls(40, 40)])
    assert verdicts[1] is Verdict.WRAP_OR_RESET
    assert (state.total, state.withheld) == (40, 36)


def test_a_jump_is_not_counted_and_not_lost() -> None:
    state, verdicts = _read(_polls(100, 900))
    assert verdicts[1] is Verdict.JUMPED
    assert (state.total, state.doubtful_cars) == (0, 800)


def test_a_jump_that_stays_is_confirmed_and_counting_goes_on_from_there() -> None:
    state, verdicts = _read(_polls(100, 900, 901, 902, 903))
    assert verdicts[3] is Verdict.CONFIRMED
    assert (state.total, state.withheld) == (3, 800)


def test_a_jump_that_goes_back_was_a_misreading() -> None:
    state, verdicts = _read(_polls(100, 900, 101))
    assert verdicts[2] is Verdict.WITHDRAWN
    assert (state.total, state.doubtful_cars) == (1, 0)


def test_a_fall_to_nought_that_goes_back_was_a_misreading() -> None:
    state, verdicts = _read(_polls(5_000, 0, 5_002))
    assert verdicts[1:] == [Verdict.RESET, Verdict.WITHDRAWN]
    assert (state.total, state.doubtful_cars) == (2, 0)


def test_a_misreading_behind_a_misreading_is_judged_from_the_last_sound_value() -> None:
    state, verdicts = _read(_polls(5_000, 60_000, 30_000, 5_001))
    assert verdicts[1:] == [Verdict.JUMPED, Verdict.JUMPED, Verdict.WITHDRAWN]
    assert (state.total, state.doubtful_cars) == (1, 0)


def test_a_burst_that_time_explains_is_counted_after_all() -> None:
    slow = [(100, POLL_MS), (103, POLL_MS), (103, 1_500), (103, 1_500)]
    state, verdicts = _read(slow)
    assert verdicts[1:] == [Verdict.JUMPED, Verdict.COUNTED, Verdict.EXPLAINED]
    assert (state.total, state.doubtful_cars) == (3, 0)


def test_a_number_typed_in_below_the_old_one_is_a_jump() -> None:
    state, verdicts = _read(_polls(5_000, 1_200, 1_201, 1_202))
    assert verdicts[1:] == [Verdict.JUMPED, Verdict.COUNTED, Verdict.CONFIRMED]
    assert (state.total, state.withheld) == (2, NARROW.most_in(POLL_MS))


def test_a_gap_by_a_clock_that_was_set_back_is_taken_for_a_minute() -> None:
    state = CounterState(raw=10, total=0, read_at_ms=5_000)
    assert gap_ms(state, 4_000) == UNKNOWN_GAP_MS
    assert gap_ms(state, 6_000) == 1_000
    assert gap_ms(None, 6_000) == 0


@dataclass
class _Lane:
    """A loop as it really is: `raw` is what its register shows, `truth` what has passed."""

    raw: int
    truth: int = 0

    def pass_cars(self, cars: int) -> None:
        self.truth += cars
        self.raw = (self.raw + cars) % TOP


gaps = st.one_of(st.just(POLL_MS), st.integers(POLL_MS, LONG_MS))
shares = st.floats(0, 1)


@given(st.integers(0, TOP - 1), st.lists(st.tuples(st.integers(0, 9_999), shares)))
def test_while_polls_go_on_the_total_is_the_truth_wraps_included(
    start: int, steps: list[tuple[int, float]]
) -> None:
    lane = _Lane(start)
    readings = [(lane.raw, 0)]
    for gap, share in steps:
        lane.pass_cars(int(share * NARROW.most_in(gap)))
        readings.append((lane.raw, gap))
    state, verdicts = _read(readings)
    assert state.total == lane.truth
    assert state.doubtful_cars == 0
    assert set(verdicts) <= {Verdict.FIRST, Verdict.COUNTED, Verdict.WRAPPED}


@given(
    st.integers(0, TOP - 1_000), st.lists(st.tuples(gaps, shares, st.sampled_from([0, 0, 0, 1, 2])))
)
def test_whatever_is_reset_the_total_never_exceeds_the_truth(
    start: int, steps: list[tuple[int, float, int]]
) -> None:
    lane = _Lane(start)
    state, _ = fold(None, lane.raw, 0, 0, NARROW)
    for gap, share, resets in steps:
        cars = int(share * NARROW.most_in(gap))
        for _ in range(resets):
            lane.pass_cars(cars // (resets + 1))
            lane.raw = 0 if lane.raw < TOP - 1_000 else lane.raw  # see the test of look-alikes
        lane.pass_cars(cars - resets * (cars // (resets + 1)))
        before = state.total
        state, _ = fold(state, lane.raw, 0, gap, NARROW)
        assert before <= state.total <= lane.truth


@given(st.integers(0, TOP - 1_000), st.lists(st.tuples(gaps, shares), max_size=40))
def test_what_no_reset_hid_is_counted_in_the_end_or_carried_as_doubt(
    start: int, steps: list[tuple[int, float]]
) -> None:
    lane = _Lane(start)
    readings = [(lane.raw, 0)]
    for gap, share in steps:
        lane.pass_cars(int(share * NARROW.most_in(gap)))
        readings.append((lane.raw, gap))
    state, _ = _read(readings)
    assert state.total <= lane.truth <= state.total + state.doubtful_cars


@given(st.lists(st.tuples(st.integers(0, TOP - 1), gaps), min_size=1), st.integers(1, 5))
def test_any_numbers_at_all_never_make_the_total_fall(
    readings: list[tuple[int, int]], times: int
) -> None:
    state: CounterState | None = None
    for raw, gap in readings:
        before = state.total if state else 0
        for _ in range(times):
            state, _ = fold(state, raw, 0, gap, NARROW)
        assert state is not None
        assert state.total >= before


@given(st.integers(0, TOP - 1), st.integers(0, 2), st.integers(0, LONG_MS))
def test_reading_twice_changes_nothing(start: int, cars: int, later_ms: int) -> None:
    once, _ = _read([(start, 0), ((start + cars) % TOP, POLL_MS)])
    twice, _ = fold(once, once.raw, once.read_at_ms, later_ms, NARROW)
    assert twice == once


@pytest.mark.parametrize("bits", [16, 32])
def test_a_minute_lets_pass_what_the_rule_says_and_two_more(bits: int) -> None:
    assert CounterRule(bits, 30).most_in(60_000) == 32
