"""A sign is judged by what it showed at the time, and by what was true then."""

import pytest

from occupancy.found_space import found_space
from occupancy.indicator import Grounds, judge
from occupancy.observed import Facts, Observed, observe
from occupancy.refused import REFUSED, Refusals
from occupancy.rollup import MINUTE_MS, Window
from occupancy.sign_truth import Shown, judge_sign
from tests.occupancy.test_congestion import DAY, a_window

HOUR_MS = 60 * MINUTE_MS


def an_hour(cars: float, stale_from: int = 60, **other: int) -> Observed:
    windows = [
        a_window(DAY + n * MINUTE_MS, cars, minutes=1, **other)
        if n < stale_from
        else Window("kangle", DAY + n * MINUTE_MS, 1)
        for n in range(60)
    ]
    return observe(Facts("kangle", 100), windows, DAY, DAY + HOUR_MS, 1)


def shown(*texts: str | None) -> list[Shown]:
    """Each for as long of the hour as the others."""
    step_ms = HOUR_MS // len(texts)
    return [Shown(DAY + n * step_ms, DAY + (n + 1) * step_ms, text) for n, text in enumerate(texts)]


def test_near_the_truth_is_true() -> None:
    said = judge_sign(shown("53", "47", "54", "50"), an_hour(50))
    assert said.true_share.value == pytest.approx(0.75)
    assert said.free_while_full.value == 0
    assert said.number_while_stale.value == 0


def test_room_on_the_sign_while_it_is_full_is_counted() -> None:
    said = judge_sign(shown("12", "满"), an_hour(100))
    assert said.free_while_full.value == pytest.approx(30)
    assert said.true_share.value == pytest.approx(0.5)


def test_a_number_after_the_source_fell_silent_is_counted() -> None:
    said = judge_sign(shown("50", "—"), an_hour(50, stale_from=20))
    assert said.number_while_stale.value == pytest.approx(10)


def test_a_sign_that_nobody_heard_of_has_no_figures() -> None:
    assert judge_sign([], an_hour(50)).true_share.reason == "没有该屏的显示记录"
    said = judge_sign(shown("50", None), an_hour(50))
    assert said.true_share.value is None
    assert said.true_share.completeness == pytest.approx(0.5)
    dashes = judge_sign(shown("—", "关"), an_hour(50))
    assert dashes.true_share.reason == "没有显示与实际都已知的时间"
    nothing = observe(Facts("kangle", 100), [], DAY, DAY, 1)
    assert judge_sign(shown("50"), nothing).free_while_full.value is None


def refusals(value: float) -> Refusals:
    return Refusals("kangle", judge(REFUSED, Grounds(1.0), value), (), {})


def test_who_entered_at_once_found_a_space() -> None:
    assert found_space([(an_hour(50, entries=1), refusals(20))]).value == pytest.approx(0.75)


def test_who_entered_long_after_it_was_full_had_waited() -> None:
    # the first minute counts as the last that was open
    said = found_space([(an_hour(100, entries=1), refusals(0))])
    assert said.value == pytest.approx(3 / 60)
    with pytest.raises(ValueError, match="minute"):
        found_space([(observe(Facts("kangle", 1), [], DAY, DAY, 15), refusals(0))])
    empty = found_space([(an_hour(50), refusals(0))])
    assert empty.reason == "统计期内没有车辆到达"
