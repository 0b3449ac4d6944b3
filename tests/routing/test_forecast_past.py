import numpy as np
import pytest

from occupancy.calendar import DayType
from routing.forecast_model import QUARTER_MS, QUARTERS
from routing.forecast_past import Quarter, day_of_ms, remember, start_of_day_ms
from tests.routing.forecast_pasts import BAYS, MONDAY, plain_kinds, quarters


def at(day: int, quarter: int) -> int:
    return start_of_day_ms(MONDAY + day) + quarter * QUARTER_MS


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert day_of_ms(start_of_day_ms(MONDAY)) == MONDAY
    assert day_of_ms(start_of_day_ms(MONDAY) - 1) == MONDAY - 1


def test_shares_stand_at_their_quarter_and_the_rest_is_unknown() -> None:
    past = remember({"a": [Quarter(at(1, 5), 30, 70, 4, 2)]}, MONDAY, 2, plain_kinds(2))
    assert past.demand[0, 1, 5] == pytest.approx(0.3)
    assert np.isnan(past.demand).sum() == 2 * QUARTERS - 1
    assert (past.free[0, 1, 5], past.bays[0, 1, 5]) == (70, 100)


def test_what_is_too_old_too_new_unknown_or_without_bays_is_left_out() -> None:
    strange = [
        Quarter(at(-1, 0), 1, 1, None, None),
        Quarter(at(2, 0), 1, 1, None, None),
        Quarter(at(0, 0), None, None, None, None),
        Quarter(at(0, 1), 0, 0, None, None),
    ]
    past = remember({"a": strange}, MONDAY, 2, plain_kinds(2))
    assert np.isnan(past.demand).all()


def test_weekdays_and_kinds_go_on_into_the_future() -> None:
    kinds = [DayType.WORKDAY, DayType.MAKEUP_WORKDAY, DayType.WEEKEND, DayType.PUBLIC_HOLIDAY]
    past = remember({}, MONDAY, 2, kinds)
    assert past.days.weekdays.tolist() == [0, 1, 2, 3]
    assert past.days.kinds.tolist() == [0, 0, 1, 2]


def full_day(day: int, entries: int) -> list[Quarter]:
    """Twenty cars come each quarter and ten go; on the last day the lot is full from ten on."""
    return [
        Quarter(at(day, quarter), 100 if quarter >= 40 else 50, 0 if quarter >= 40 else 50, n, 10)
        for quarter in range(QUARTERS)
        for n in [entries if quarter >= 40 else 20]
    ]


def test_while_a_lot_is_full_those_who_would_have_come_are_put_back() -> None:
    open_days = [
        Quarter(at(day, quarter), 50, 50, 20, 10) for day in range(3) for quarter in range(QUARTERS)
    ]
    past = remember({"a": open_days + full_day(3, 10)}, MONDAY, 4, plain_kinds(4))
    demand = past.demand[0, 3]
    assert demand[39] == pytest.approx(0.5)
    assert demand[40] == pytest.approx(1.1)  # ten of twenty found no space
    assert demand[41] == pytest.approx(1.19)  # a tenth of them has left, ten more want in
    assert (np.diff(demand[40:]) > 0).all()
    assert demand[-1] < 2


def test_a_full_lot_that_lets_all_in_wants_no_more_than_it_has() -> None:
    open_days = [
        Quarter(at(day, quarter), 50, 50, 20, 10) for day in range(3) for quarter in range(QUARTERS)
    ]
    past = remember({"a": open_days + full_day(3, 20)}, MONDAY, 4, plain_kinds(4))
    assert past.demand[0, 3, 40:] == pytest.approx(np.ones(56))


def test_a_lot_that_is_never_full_wants_what_is_counted() -> None:
    made = quarters(3)
    past = remember({"a": made}, MONDAY, 3, plain_kinds(3))
    counted = [(one.occupied or 0) / BAYS for one in made]
    assert past.demand.ravel() == pytest.approx(counted)
