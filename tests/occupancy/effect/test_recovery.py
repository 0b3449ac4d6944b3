"""What was put into the simulated town is found again, 200 times each; nothing where nothing is."""

import pytest

from tests.bench.effect import FALSE, FOUND, both_before_afters, both_switchbacks


@pytest.mark.parametrize("minutes", [120, 1_440])
def test_a_switchback_finds_the_injected_effect_and_none_where_there_is_none(minutes: int) -> None:
    with_effect, without = both_switchbacks(minutes)
    assert with_effect.truth < -20 / (1_440 / minutes)
    assert with_effect.inside >= FOUND
    assert 1 - without.seen >= FALSE


def test_before_and_after_finds_the_injected_effect_and_none_where_there_is_none() -> None:
    with_effect, without = both_before_afters()
    assert with_effect.truth < -20
    assert with_effect.inside >= FOUND
    assert 1 - without.seen >= FALSE
