"""A change is judged over days that were chosen with it, and not before they are over."""

import numpy as np
import pytest

from occupancy.calendar import Calendar
from occupancy.effect.change import Change, ChangeKind
from occupancy.effect.interrupted import Day, smallest_effect_of_past
from occupancy.effect.metric import Metric
from occupancy.rollup import day_start_ms

A_CHANGE = Change("加屏", ChangeKind.SIGN, "kangle", "路口", 20_000, Metric.REFUSED, 28, 21)
CALENDAR = Calendar()


def past(days: int, spread: float = 5.0) -> list[Day]:
    noise = np.random.default_rng(3).normal(0, spread, days)
    return [Day(n, CALENDAR.day_type(n), 100 + noise[n]) for n in range(days)]


def test_its_days_lie_around_it_and_are_over_at_midnight() -> None:
    assert A_CHANGE.span == (19_972, 20_020)
    assert not A_CHANGE.is_over(day_start_ms(20_021) - 1)
    assert A_CHANGE.is_over(day_start_ms(20_021))
    assert A_CHANGE.overlaps(20_020, 20_099)
    assert not A_CHANGE.overlaps(20_021, 20_099)
    assert not A_CHANGE.overlaps(19_900, 19_971)


def test_every_kind_has_its_word() -> None:
    assert len({one.words for one in ChangeKind}) == len(ChangeKind)


def test_a_restless_past_hides_larger_effects() -> None:
    calm, restless = (smallest_effect_of_past(past(84, spread), 28) for spread in (2.0, 20.0))
    assert calm is not None
    assert restless == pytest.approx(10 * calm)
    assert 0 < calm < 10


def test_too_little_past_tells_no_smallest_effect() -> None:
    assert smallest_effect_of_past([], 28) is None
    assert smallest_effect_of_past(past(48), 28) is None
    assert smallest_effect_of_past(past(49), 28) is not None
    silent = [Day(one.day, one.day_type, None) for one in past(84)]
    assert smallest_effect_of_past(silent, 28) is None
