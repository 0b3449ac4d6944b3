from datetime import date

import numpy as np
import pytest

from occupancy.calendar import Calendar, day_of
from occupancy.effect.interrupted import LEAST_DAYS, BeforeAfter, Day, judge
from occupancy.effect.metric import Metric

FIRST = day_of(date(2026, 3, 2))
HALF = 60
CALENDAR = Calendar()


def days(
    step: float = 0.0, bend: float = 0.0, trend: float = 0.0, spread: float = 5.0
) -> list[Day]:
    """Weekdays differ, holidays are quiet; the change comes in the middle."""
    noise = np.random.default_rng(1).normal(0, spread, 2 * HALF)
    found = []
    for n in range(2 * HALF):
        kind = CALENDAR.day_type(FIRST + n)
        value = 200 + 10 * (n % 7) + trend * n + noise[n] - 80 * (kind == "public_holiday")
        since = n - HALF
        found.append(Day(FIRST + n, kind, value + (since >= 0) * (step + bend * since)))
    return found


def judged(told: list[Day], metric: Metric = Metric.REFUSED) -> BeforeAfter:
    return judge(metric, told, FIRST + HALF)


def test_a_step_and_a_bend_are_told_apart() -> None:
    found = judged(days(step=-40, bend=0.5, spread=0.5))
    assert found.segments is not None
    assert found.segments.step == pytest.approx(-40, abs=1)
    assert found.segments.bend_a_day == pytest.approx(0.5, abs=0.03)
    assert found.evidence.effect == pytest.approx(-40 + 0.5 * 29.5, abs=1)


def test_weekdays_holidays_and_an_old_trend_are_no_effect() -> None:
    found = judged(days(trend=0.4))
    assert not found.evidence.is_seen
    assert "没有看出作用" in found.evidence.words
    improved = judged(days(step=-40, trend=0.4)).evidence
    assert improved.is_seen
    assert improved.p is not None
    assert improved.p < 0.01
    assert "被拒车辆：有改善" in improved.words
    assert "变化前 60 天和变化后 60 天" in improved.words


def test_the_interval_and_p_agree() -> None:
    for step in np.linspace(-12, 12, 25):
        told = judged(days(step=float(step))).evidence
        assert told.p is not None
        assert told.is_seen == (told.p <= 0.05)


def test_days_without_data_keep_their_place_and_are_counted() -> None:
    told = days(step=-40)
    holes = [Day(d.day, d.day_type, None) if n % 9 == 0 else d for n, d in enumerate(told)]
    found = judged(holes).evidence
    assert found.left_out == ("14 天数据不足九成，未用",)
    assert found.blocks == 106
    assert found.effect == pytest.approx(-40, abs=6)


def test_too_few_days_on_a_side_say_nothing_and_how_many_there_are() -> None:
    found = judge(Metric.REFUSED, days(), FIRST + 20)
    assert found.segments is None
    assert found.evidence.effect is None
    assert f"前后各要至少 {LEAST_DAYS} 天，现有 20 天和 100 天" in found.evidence.words


def test_a_flat_line_has_no_effect_and_no_doubt() -> None:
    flat = [Day(one.day, one.day_type, 7.0) for one in days()]
    found = judged(flat, Metric.FOUND).evidence
    assert found.effect == pytest.approx(0, abs=1e-9)
    assert not found.is_seen


def test_what_would_have_been_keeps_weekdays_and_trend_and_leaves_the_change_out() -> None:
    told = days(step=-40, trend=0.4, spread=0.0)
    found = judged(told)
    assert min(found.otherwise) == FIRST + HALF
    for one in told[HALF:]:
        assert one.value is not None
        assert found.otherwise[one.day] == pytest.approx(one.value + 40, abs=0.5)
    assert found.days == tuple(told)
