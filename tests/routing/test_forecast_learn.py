import numpy as np
import pytest

from occupancy.calendar import Calendar, DayType
from routing.arrival import LEVELS
from routing.forecast_learn import learn
from routing.forecast_model import (
    DAY_MS,
    FIRST_FOLLOW,
    FIRST_MODEL,
    HORIZONS,
    QUARTER_MS,
    QUARTERS,
    Model,
    usual_rate,
)
from routing.forecast_past import Quarter, remember, start_of_day_ms
from routing.forecast_usual import DAYS_AHEAD, walk
from tests.routing.forecast_pasts import BAYS, MONDAY, hill, past_of, quarters

WEEKS = 28
NOON = 48


def learned(days: int, **lots: list[Quarter]) -> Model:
    return learn(past_of(days, **lots), MONDAY, start_of_day_ms(MONDAY + days))


def usual_at(model: Model, lot: str, day: int, quarter: int = NOON) -> float:
    return usual_rate(model.lots[lot], start_of_day_ms(MONDAY + day) + quarter * QUARTER_MS)


@pytest.fixture(scope="module")
def model() -> Model:
    return learned(WEEKS, a=quarters(WEEKS), b=quarters(WEEKS, seed=2))


def test_usual_days_are_those_of_their_weekday(model: Model) -> None:
    for ahead in range(7):
        day = WEEKS + ahead
        assert usual_at(model, "a", day) == pytest.approx(hill(MONDAY + day, NOON) / BAYS, abs=0.04)


def test_a_day_beyond_those_learned_takes_its_weekday(model: Model) -> None:
    assert usual_at(model, "a", WEEKS + DAYS_AHEAD + 5) == usual_at(
        model, "a", WEEKS + (DAYS_AHEAD + 5) % 7
    )


def test_residuals_that_stay_all_day_are_followed(model: Model) -> None:
    for follow in model.follow[1:]:
        assert follow.residual == pytest.approx(0.9, abs=0.15)


def test_errors_are_told_as_large_as_they_are(model: Model) -> None:
    """A third of three cars by chance, and the same again in the count one starts from."""
    follow = model.follow[HORIZONS.index(60)]
    scale = follow.spread + follow.spread_usual * 0.6**0.5 + follow.spread_residual * 0.02
    tenths = [follow.shape.errors[LEVELS.index(level)] * scale for level in (0.1, 0.9)]
    assert tenths[0] == pytest.approx(-0.018, abs=0.007)
    assert tenths[1] == pytest.approx(0.018, abs=0.007)


def test_an_unruly_lot_has_more_unrest() -> None:
    model = learned(WEEKS, calm=quarters(WEEKS), wild=quarters(WEEKS, noise=12.0, seed=2))
    calm, wild = (np.mean(model.lots[lot].unrest) for lot in ("calm", "wild"))
    assert wild > 2 * calm


def test_a_young_lot_takes_after_its_siblings_and_soon_after_itself() -> None:
    old = quarters(WEEKS)

    def empty(_: int, __: int) -> float:
        return 5.0

    young = [one for one in quarters(WEEKS, empty) if one.start_ms >= old[-96].start_ms]
    model = learned(WEEKS, old=old, young=young, unseen=[])
    last_weekday = usual_at(model, "young", WEEKS + 6)  # a Sunday, as its only day
    assert last_weekday < 0.12
    assert usual_at(model, "unseen", WEEKS + 1) == pytest.approx(
        usual_at(model, "old", WEEKS + 1), abs=0.01
    )
    assert [model.lots[lot].is_own for lot in ("old", "young", "unseen")] == [True, False, False]


def test_lots_unheard_of_take_the_mean_day_and_are_unsure(model: Model) -> None:
    at_ms = start_of_day_ms(MONDAY + WEEKS) + NOON * QUARTER_MS
    mean = np.mean([usual_rate(model.lots[lot], at_ms) for lot in ("a", "b")])
    assert usual_rate(model.siblings, at_ms) == pytest.approx(mean)
    assert min(model.siblings.unrest) > max(max(lot.unrest) for lot in model.lots.values())


def test_without_a_past_the_first_model_holds() -> None:
    assert learned(1, a=quarters(1)) is FIRST_MODEL
    assert learned(5) is FIRST_MODEL
    nothing = learned(5, a=[])
    assert nothing.follow[3] == FIRST_FOLLOW[3]
    assert nothing.lots["a"].is_own is False


def test_a_first_holiday_is_rather_like_a_weekend() -> None:
    calendar = Calendar({MONDAY + WEEKS: DayType.PUBLIC_HOLIDAY})
    kinds = [calendar.day_type(MONDAY + day) for day in range(WEEKS + DAYS_AHEAD)]
    past = remember({"a": quarters(WEEKS)}, MONDAY, WEEKS, kinds)
    holiday = usual_at(learn(past, MONDAY, 0), "a", WEEKS)
    assert abs(holiday - 0.3) < abs(holiday - 0.6)


def test_usual_days_know_nothing_of_their_own_day() -> None:
    past = past_of(WEEKS, a=quarters(WEEKS))
    before, _ = walk(past)
    past.demand[:, 20:] = 0.99
    after, _ = walk(past)
    assert np.array_equal(before[:, :21], after[:, :21], equal_nan=True)
    assert not np.array_equal(before[:, 21], after[:, 21])


def test_a_lot_where_spaces_stand_free_between_two_cars_has_spare() -> None:
    def crowded(_: int, quarter: int) -> float:
        return 200.0 if 32 <= quarter < 80 else 20.0

    def counted(least: int) -> list[Quarter]:
        chance = np.random.default_rng(5)
        return [
            one._replace(occupied=BAYS - free, free=free)
            for one in quarters(WEEKS, crowded)
            for free in [max(one.free or 0, least + int(chance.integers(0, 3 * least + 1)))]
        ]

    full = learned(WEEKS, a=counted(0))
    between = learned(WEEKS, a=counted(1))
    assert full.spare == 0
    assert between.spare >= 1


def test_a_model_reaches_days_ahead(model: Model) -> None:
    days = [MONDAY + WEEKS - 1 + ahead for ahead in range(DAYS_AHEAD + 1)]
    assert list(model.lots["a"].days) == days
    assert all(len(day) == QUARTERS for day in model.lots["a"].days.values())
    assert model.learned_at_ms == start_of_day_ms(MONDAY) + WEEKS * DAY_MS
