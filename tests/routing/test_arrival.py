import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.arrival import LEVELS, USUAL_SHAPE, Demand, Shape

USABLE = 200
demands = st.builds(
    Demand,
    st.floats(-50, 400),
    st.floats(0, 100),
    st.lists(st.floats(0.001, 2), min_size=len(LEVELS), max_size=len(LEVELS)).map(
        lambda steps: Shape(tuple(sum(steps[: n + 1]) - sum(steps[:8]) for n in range(len(steps))))
    ),
)
counts = st.floats(0, USABLE)


@given(demands, counts, counts)
def test_a_chance_is_a_share(demand: Demand, spaces: float, promised: float) -> None:
    assert 0 <= demand.chance_of_at_least(spaces, USABLE, promised) <= 1


@given(demands, st.tuples(counts, counts), counts)
def test_more_spaces_are_never_likelier(
    demand: Demand, wanted: tuple[float, float], promised: float
) -> None:
    fewer, more = sorted(wanted)
    chances = [demand.chance_of_at_least(n, USABLE, promised) for n in (more, fewer)]
    assert chances == sorted(chances)


@given(demands, counts, st.tuples(counts, counts))
def test_more_promises_never_make_a_space_likelier(
    demand: Demand, spaces: float, promises: tuple[float, float]
) -> None:
    kept, given_away = sorted(promises)
    chances = [demand.chance_of_at_least(spaces, USABLE, p) for p in (given_away, kept)]
    assert chances == sorted(chances)


@given(demands, counts)
def test_another_bay_never_makes_a_space_less_likely(demand: Demand, spaces: float) -> None:
    chances = [demand.chance_of_at_least(spaces, usable) for usable in (USABLE, USABLE + 1)]
    assert chances == sorted(chances)


@given(
    st.floats(0, 3),
    st.floats(0, USABLE - 1),
    st.floats(0.1, 20),
    st.tuples(st.floats(1, 180), st.floats(1, 180)),
)
def test_while_cars_only_come_waiting_makes_no_likely_space_likelier(
    inflow: float, cars: float, scale: float, moments: tuple[float, float]
) -> None:
    chances = [
        Demand(cars + inflow * minutes, scale * minutes**0.5).chance_of_at_least(1, USABLE)
        for minutes in sorted(moments)
    ]
    # Of a lot that is full already time only makes us less sure.
    assert chances[1] <= max(chances[0], 0.5) + 1e-9


@given(demands, st.floats(0, 1), st.floats(0, 1))
def test_what_is_free_lies_between_none_and_all_and_rises_with_the_level(
    demand: Demand, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert 0 <= demand.free_at(low, USABLE) <= demand.free_at(high, USABLE) <= USABLE
    assert 0 <= demand.free_mean(USABLE) <= USABLE


@given(st.floats(LEVELS[0], LEVELS[-1]))
def test_error_and_chance_are_each_others_inverse(level: float) -> None:
    assert USUAL_SHAPE.chance_below(USUAL_SHAPE.error_at(level)) == pytest.approx(level)


def test_what_cannot_be_there_has_no_chance() -> None:
    assert Demand(0.0, 1.0).chance_of_at_least(USABLE + 1, USABLE) == 0


def test_a_sure_demand_is_a_count() -> None:
    sure = Demand(USABLE - 3.0, 0.0)
    chances = [sure.chance_of_at_least(spaces, USABLE) for spaces in (3, 4)]
    assert chances == [pytest.approx(1, abs=1e-9), pytest.approx(0, abs=1e-9)]
    assert sure.free_mean(USABLE) == pytest.approx(3)


@pytest.mark.parametrize("errors", [(0.0,), (1.0,) * len(LEVELS)])
def test_a_shape_that_does_not_rise_or_is_too_short_is_refused(errors: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        Shape(errors)
