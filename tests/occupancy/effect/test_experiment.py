from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType
from occupancy.effect.block_plan import count_arms, draw_arms, draw_plan, pairs_of
from occupancy.effect.experiment import Arm, Experiment, arm_at, arm_of, is_held_out
from occupancy.effect.metric import Metric
from tests.occupancy.effect.plans import MONDAY, a_plan

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@given(st.sampled_from([120, 1_440]), st.integers(1, 60), st.text(max_size=8))
def test_each_time_of_day_and_kind_of_day_is_as_often_with_as_without(
    minutes: int, days: int, seed: str
) -> None:
    plan = a_plan(minutes, days, seed)
    pairs = pairs_of(plan)
    assert sorted(block for pair in pairs for block in pair) == list(range(len(plan.arms)))
    for pair in pairs:
        assert len({plan.stratum_of(block) for block in pair}) == 1
        assert len({plan.arms[block] for block in pair}) == len(pair)
    strata = {plan.stratum_of(block) for block in range(len(plan.arms))}
    with_it, without = count_arms(plan)
    assert abs(with_it - without) <= len(strata)


def test_a_seed_draws_one_plan_and_another_seed_another() -> None:
    assert a_plan(120) == a_plan(120)
    assert a_plan(120).arms == draw_arms(a_plan(120))
    assert a_plan(120).arms != a_plan(120, seed="t").arms


def test_over_many_seeds_every_block_is_as_often_with_as_without() -> None:
    drawn = [a_plan(1_440, 4, str(seed)).arms for seed in range(400)]
    for block in range(4):
        assert 150 < sum(arms[block] == "1" for arms in drawn) < 250


def test_make_up_workdays_are_compared_with_workdays() -> None:
    calendar = Calendar({MONDAY + 5: DayType.MAKEUP_WORKDAY, MONDAY: DayType.PUBLIC_HOLIDAY})
    assert draw_plan(Metric.BALANCE, 1_440, MONDAY, 7, "s", calendar).kinds == "rwwwwwr"


def test_the_arm_is_known_from_the_experiment_and_the_moment() -> None:
    plan = a_plan(120, 2)
    running = Experiment(1, plan, started_ms=plan.from_ms - 5)
    for block, arm in enumerate(plan.arms):
        wanted = Arm.GUIDED if arm == "1" else Arm.PLAIN
        start = plan.start_of(block)
        assert {arm_at(running, start), arm_at(running, start + 2 * HOUR_MS - 1)} == {wanted}
    assert arm_at(running, plan.from_ms - 1) is None
    assert arm_at(running, plan.to_ms) is None


def test_only_what_was_started_and_not_stopped_changes_anything() -> None:
    plan = a_plan()
    assert arm_at(Experiment(1, plan), plan.from_ms) is None
    late = Experiment(1, plan, started_ms=plan.from_ms + DAY_MS)
    assert arm_at(late, plan.from_ms + DAY_MS - 1) is None
    assert arm_at(late, plan.from_ms + DAY_MS) is not None
    stopped = replace(late, stopped_ms=plan.from_ms + 2 * DAY_MS)
    assert arm_at(stopped, plan.from_ms + 2 * DAY_MS) is None
    assert (late.is_over(plan.to_ms - 1), late.is_over(plan.to_ms)) == (False, True)
    assert stopped.is_over(plan.from_ms)


def test_a_driver_is_held_out_all_through_an_experiment_or_never() -> None:
    plan = a_plan(120)
    running = Experiment(1, plan, started_ms=0)
    on = [plan.start_of(block) for block, arm in enumerate(plan.arms) if arm == "1"]
    off = [plan.start_of(block) for block, arm in enumerate(plan.arms) if arm == "0"]
    for name in map(str, range(50)):
        wanted = Arm.HELD_OUT if is_held_out(plan, name) else Arm.GUIDED
        assert {arm_of(running, at_ms, name) for at_ms in on} == {wanted}
        assert {arm_of(running, at_ms, name) for at_ms in off} == {Arm.PLAIN}


def test_a_tenth_is_held_out_and_others_in_another_experiment() -> None:
    names = [str(n) for n in range(5_000)]
    first = {name for name in names if is_held_out(a_plan(), name)}
    second = {name for name in names if is_held_out(a_plan(seed="t"), name)}
    assert 430 < len(first) < 570
    assert 25 < len(first & second) < 80
    assert not any(is_held_out(a_plan(held_out_percent=0), name) for name in names)
