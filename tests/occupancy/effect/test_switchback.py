import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.effect.evidence import ALPHA, student
from occupancy.effect.switchback import (
    LEAST_PAIRS,
    differences_of,
    invert,
    judge,
    smallest_effect,
    smallest_effect_of_past,
)
from tests.occupancy.effect.plans import a_plan, totals

some = st.lists(st.floats(-50, 50).map(lambda x: round(x, 3)), min_size=LEAST_PAIRS, max_size=40)


@given(some)
def test_the_interval_leaves_out_nought_exactly_where_p_is_at_most_five_in_a_hundred(
    differences: list[float],
) -> None:
    found = invert(np.array(differences), "s")
    assert found.low <= found.high
    assert (found.low <= 0 <= found.high) == (found.p > ALPHA)
    assert 0 < found.p <= 1


@given(some, st.floats(-20, 20).map(lambda x: round(x, 2)))
def test_an_effect_moves_estimate_and_interval_by_itself(
    differences: list[float], more: float
) -> None:
    before, after = invert(np.array(differences), "s"), invert(np.array(differences) + more, "s")
    moved = (after.effect - before.effect, after.low - before.low, after.high - before.high)
    assert moved == pytest.approx((more, more, more), abs=1e-6)


def test_few_pairs_are_redrawn_completely() -> None:
    """Six pairs that all agree: only the draw itself and its mirror are as rare."""
    found = invert(np.array([3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), "s")
    assert found.p == 2 / 64
    assert (found.low, found.high, found.effect) == (3.0, 8.0, 5.5)


def test_a_slow_walk_through_every_d_finds_the_same_interval() -> None:
    differences = np.random.default_rng(3).normal(2, 5, 9)
    found = invert(differences, "s")
    signs = 1 - 2 * (np.arange(2**9)[:, None] >> np.arange(9) & 1)

    def kept(d: float) -> bool:
        means = (signs * (differences - d)).mean(axis=1)
        here = (differences - d).mean()
        rarer = min((means >= here - 1e-12).mean(), (means <= here + 1e-12).mean())
        return bool(rarer > ALPHA / 2)

    walked = [d for d in np.linspace(-10, 14, 4_801) if kept(float(d))]
    assert (found.low, found.high) == pytest.approx((walked[0], walked[-1]), abs=0.006)


def test_an_effect_is_told_in_words_with_everything_that_is_needed_to_doubt_it() -> None:
    plan = a_plan()
    told = judge(plan, totals(plan, effect=-30.0), detectable=12.0)
    assert told.is_seen
    assert told.effect == pytest.approx(-30, abs=8)
    assert (told.blocks, told.method_version) == (28, "switchback-1")
    for part in ("被拒车辆：有改善", "95% 区间 −", "p ", "28 段", "能看出的最小变化约 12.0 辆"):
        assert part in told.words


def test_nothing_seen_is_not_called_no_effect() -> None:
    plan = a_plan()
    told = judge(plan, totals(plan), detectable=None)
    assert not told.is_seen
    assert "没有看出不等于没有" in told.words
    worse = judge(plan, totals(plan, effect=40.0), None)
    assert "变差了" in worse.words


def test_blocks_with_too_little_data_leave_with_their_partner_and_it_is_said() -> None:
    plan = a_plan()
    values = totals(plan, effect=-30.0)
    del values[0], values[1], values[9]
    told = judge(plan, values, None)
    assert told.blocks < 26
    assert told.left_out[0] == "3 段数据不足九成，未用"
    assert "没有可比的另一段" in told.left_out[1]


def test_too_few_pairs_say_nothing_and_why() -> None:
    plan = a_plan(days=7)
    told = judge(plan, totals(plan), None)
    assert (told.effect, told.low, told.p) == (None, None, None)
    assert "至少要 6 对完整的时段，现有 3 对" in told.words
    assert judge(plan, {}, None).detectable is None


def test_the_smallest_effect_is_found_four_times_in_five() -> None:
    """As large an effect as the past says could be seen, in 300 experiments."""
    plans = [a_plan(seed=str(n)) for n in range(300)]
    past = [totals(plans[0], seed=n) for n in range(1_000, 1_004)]
    least = smallest_effect_of_past(plans[0], past)
    assert least is not None
    seen = [
        judge(plan, totals(plan, effect=least, seed=n), least).is_seen
        for n, plan in enumerate(plans)
    ]
    assert 0.7 < sum(seen) / len(seen) < 0.92


def test_without_a_past_the_smallest_effect_is_not_known() -> None:
    assert smallest_effect_of_past(a_plan(), []) is None
    assert smallest_effect(np.array([1.0, 2.0]), 0) is None


def test_the_factor_of_few_degrees_is_students() -> None:
    known = {5: 2.5706, 9: 2.2622, 20: 2.0860, 100: 1.9840}
    for degrees, factor in known.items():
        assert student(degrees) == pytest.approx(factor, rel=0.003)


def test_the_unit_names_the_length_of_a_block() -> None:
    two_hours = judge(a_plan(120), totals(a_plan(120)), None)
    assert (two_hours.unit, judge(a_plan(), {}, None).unit) == ("辆（每 2 小时）", "辆（每天）")
    assert differences_of(a_plan(120), {})[1] == []
