from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.faults.history_checker import BadTruthError, Crossing, Kind, Row, Verdict, check

TOGETHER_MS = 1_000
SECOND_MS = 1_000


def car(total: int, at_s: float, lane: str = "in") -> Crossing:
    return Crossing("kangle", lane, total, int(at_s * SECOND_MS))


def row(sequence: int, entries: int, exits: int = 0, *, epoch: int = 1, at_s: int = 0) -> Row:
    recorded_at_ms = (at_s or sequence) * SECOND_MS
    return Row("kangle", epoch, sequence, recorded_at_ms, {"in": entries, "out": exits})


def found(verdict: Verdict) -> dict[Kind, int]:
    return {kind: verdict.count(kind) for kind in Kind if verdict.count(kind)}


def whole_day() -> tuple[list[Crossing], list[Row]]:
    """Ten cars come, each two minutes after the other, and each leaves a minute later."""
    cars = [car(n, n * 120) for n in range(1, 11)]
    cars += [car(n, n * 120 + 60, "out") for n in range(1, 11)]
    rows = [row(2 * n, n, n - 1) for n in range(1, 11)]
    rows += [row(2 * n + 1, n, n) for n in range(1, 11)]
    return cars, [row(1, 0), *rows]


def test_a_whole_history_is_clean() -> None:
    verdict = check(*whole_day(), TOGETHER_MS)
    assert verdict.is_clean
    assert (verdict.events, verdict.recorded, verdict.rows) == (20, 20, 21)


@given(st.data())
def test_a_planted_loss_is_found(data: st.DataObject) -> None:
    cars, rows = whole_day()
    missing = data.draw(st.integers(1, 10))
    kept = [r for r in rows if r.lane_totals["in"] < missing]
    verdict = check(cars, kept, TOGETHER_MS)
    assert verdict.count(Kind.LOST) == sum(c.total >= missing for c in cars)


def test_a_car_that_every_row_misses_is_lost_once() -> None:
    cars = [car(1, 10), car(2, 200)]
    assert found(check(cars, [row(1, 0), row(2, 1)], TOGETHER_MS)) == {Kind.LOST: 1}


@given(st.data())
def test_a_planted_car_is_found(data: st.DataObject) -> None:
    cars, rows = whole_day()
    planted = data.draw(st.integers(1, 5))
    rows.append(row(99, 10 + planted, 10))
    assert found(check(cars, rows, TOGETHER_MS)) == {Kind.DOUBLED: planted}


@given(st.data())
def test_a_row_written_twice_is_found(data: st.DataObject) -> None:
    cars, rows = whole_day()
    rows.append(data.draw(st.sampled_from(rows)))
    assert found(check(cars, rows, TOGETHER_MS)) == {Kind.DOUBLED: 1}


@given(st.data())
def test_two_rows_that_changed_places_are_found(data: st.DataObject) -> None:
    cars, rows = whole_day()
    rows.sort(key=lambda r: r.sequence)
    places = st.integers(0, len(rows) - 1)
    one, other = data.draw(st.lists(places, min_size=2, max_size=2, unique=True))
    first, second = rows[one], rows[other]
    rows[one] = first._replace(lane_totals=second.lane_totals)
    rows[other] = second._replace(lane_totals=first.lane_totals)
    assert check(cars, rows, TOGETHER_MS).count(Kind.OUT_OF_ORDER) > 0


@given(st.data())
def test_a_total_that_falls_is_out_of_order_and_what_it_counts_again_is_doubled(
    data: st.DataObject,
) -> None:
    cars, rows = whole_day()
    rows.sort(key=lambda r: r.sequence)
    index = data.draw(st.integers(3, len(rows) - 2))
    fallen = data.draw(st.integers(1, 3))
    entries = rows[index].lane_totals["in"]
    assume(entries >= fallen)
    lower = {**rows[index].lane_totals, "in": entries - fallen}
    rows[index] = rows[index]._replace(lane_totals=lower)
    assume(rows[index - 1].lane_totals["in"] == entries)
    assert found(check(cars, rows, TOGETHER_MS)) == {Kind.OUT_OF_ORDER: 1, Kind.DOUBLED: fallen}


@given(st.integers(2, 21))
def test_a_row_recorded_before_the_one_it_follows_is_found(sequence: int) -> None:
    cars, rows = whole_day()
    late = [r._replace(recorded_at_ms=0) if r.sequence == sequence else r for r in rows]
    assert found(check(cars, late, TOGETHER_MS)) == {Kind.OUT_OF_ORDER: 1}


def test_cars_of_two_lanes_told_the_wrong_way_round_are_found() -> None:
    cars = [car(1, 10), car(1, 100, "out")]
    right = [row(1, 0, 0), row(2, 1, 0), row(3, 1, 1)]
    wrong = [row(1, 0, 0), row(2, 0, 1), row(3, 1, 1)]
    assert check(cars, right, TOGETHER_MS).is_clean
    assert found(check(cars, wrong, TOGETHER_MS)) == {Kind.OUT_OF_ORDER: 1}


def test_cars_that_came_together_may_be_told_in_any_order() -> None:
    cars = [car(1, 10), car(1, 10.9, "out")]
    assert check(cars, [row(1, 0, 1), row(2, 1, 1)], TOGETHER_MS).is_clean


def test_a_row_may_record_many_cars_at_once() -> None:
    cars, rows = whole_day()
    assert check(cars, [rows[0], row(99, 10, 10)], TOGETHER_MS).is_clean


def test_totals_go_on_under_a_younger_epoch_whatever_its_sequence() -> None:
    cars = [car(1, 10), car(2, 200)]
    rows = [row(7, 1, epoch=1), row(1, 2, epoch=2, at_s=8)]
    assert check(cars, rows, TOGETHER_MS).is_clean


def test_an_epoch_that_counts_from_nought_again_is_no_clean_history() -> None:
    cars = [car(1, 10), car(2, 200)]
    rows = [row(7, 1, epoch=1), row(1, 0, epoch=2, at_s=8), row(2, 1, epoch=2, at_s=9)]
    assert not check(cars, rows, TOGETHER_MS).is_clean


def test_a_car_park_without_any_row_has_lost_all() -> None:
    assert found(check([car(1, 10), car(2, 20)], [], TOGETHER_MS)) == {Kind.LOST: 2}


def test_car_parks_are_judged_one_by_one() -> None:
    elsewhere = Crossing("sanda", "sanda-in", 1, 10)
    verdict = check([car(1, 10), elsewhere], [row(1, 1)], TOGETHER_MS)
    assert [(f.kind, f.lot_id) for f in verdict.findings] == [(Kind.LOST, "sanda")]


def test_a_truth_with_holes_is_refused() -> None:
    with pytest.raises(BadTruthError, match="1 to 2"):
        check([car(1, 10), car(3, 20)], [row(1, 3)], TOGETHER_MS)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_any_way_of_looking_at_the_same_cars_is_clean(steps: Sequence[tuple[int, int]]) -> None:
    """However the looks fall, totals read in order record every car once."""
    totals = [(0, 0)]
    for entries, exits in steps:
        totals.append((totals[-1][0] + entries, totals[-1][1] + exits))
    rows = [row(n, *total) for n, total in enumerate(totals, 1)]
    cars = [
        car(number, n * 60, lane)
        for n, (before, after) in enumerate(pairwise(totals), 1)
        for lane, low, high in (("in", before[0], after[0]), ("out", before[1], after[1]))
        for number in range(low + 1, high + 1)
    ]
    assert check(cars, rows, TOGETHER_MS).is_clean
