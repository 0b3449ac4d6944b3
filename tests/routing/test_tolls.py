import pytest

from occupancy.lot import Lot, Place
from occupancy.tariff_clock import utc_ms
from routing.tolls import QUARTERS, Flow, learn_tolls
from tests.builders import a_lot

DAY = 20_780
HOUR_MS = 3_600_000
LOTS = [
    a_lot(lot_id="near", capacity=36),
    a_lot(lot_id="wide", capacity=600, entrance=Place(23.1600, 112.8902)),
]


def at(hour: float, day: int = DAY) -> int:
    return utc_ms(day * 1440) + round(hour * HOUR_MS)


def a_day(rush: int, inside: int = 10, free: int = 20) -> Flow:
    """So many cars a quarter from ten to noon, one otherwise."""
    entries = tuple(rush if 40 <= quarter < 48 else 1 for quarter in range(QUARTERS))
    return Flow((inside,) * QUARTERS, (free,) * QUARTERS, entries)


def learned(near: Flow, wide: Flow, lots: list[Lot] = LOTS) -> dict[str, float]:
    tolls = learn_tolls(DAY, lots, [{"near": near, "wide": wide}] * 2)
    return {lot.lot_id: tolls(lot.lot_id, at(10), at(12)) for lot in lots}


def test_where_all_fit_nobody_takes_anything_from_others() -> None:
    assert learned(a_day(1), a_day(1)) == {"near": 0.0, "wide": 0.0}


def test_a_scarce_lot_has_its_price_in_its_hours_and_the_wide_one_has_none() -> None:
    tolls = learn_tolls(DAY, LOTS, [{"near": a_day(12, inside=30), "wide": a_day(1)}])
    rush, night = tolls("near", at(10), at(12)), tolls("near", at(1), at(3))
    assert rush > 1.0
    assert night == pytest.approx(0.0, abs=0.2)
    assert tolls("wide", at(10), at(12)) == pytest.approx(0.0, abs=0.2)


def test_a_longer_stay_takes_more() -> None:
    tolls = learn_tolls(DAY, LOTS, [{"near": a_day(12, inside=30), "wide": a_day(1)}])
    assert tolls("near", at(10), at(10.5)) < tolls("near", at(10), at(12))


def test_another_day_and_another_lot_have_no_price() -> None:
    tolls = learn_tolls(DAY, LOTS, [{"near": a_day(12, inside=30), "wide": a_day(1)}])
    assert tolls("near", at(10, DAY + 1), at(12, DAY + 1)) == 0
    assert tolls("near", at(10, DAY - 1), at(12, DAY - 1)) == 0
    assert tolls("nowhere", at(10), at(12)) == 0


def test_who_was_shut_out_of_a_full_lot_counts_as_on_other_days() -> None:
    open_day = {"near": a_day(12, inside=30), "wide": a_day(1)}
    shut = Flow((36,) * QUARTERS, (0,) * QUARTERS, (0,) * QUARTERS)
    with_shut = learn_tolls(DAY, LOTS, [open_day, {"near": shut, "wide": a_day(1)}])
    quiet = learn_tolls(DAY, LOTS, [open_day, {"near": a_day(0), "wide": a_day(1)}])
    assert with_shut("near", at(10), at(12)) > quiet("near", at(10), at(12))


def test_what_is_not_known_is_as_usual_and_without_any_day_there_is_no_price() -> None:
    gap = Flow((None,) * QUARTERS, (None,) * QUARTERS, (None,) * QUARTERS)
    assert learned(gap, a_day(1)) == {"near": 0.0, "wide": 0.0}
    assert learn_tolls(DAY, LOTS, [])("near", at(10), at(12)) == 0
    assert learn_tolls(DAY, LOTS, [{"near": a_day(9)}])("near", at(10), at(12)) == 0
    assert learn_tolls(DAY, [], [{}])("near", at(10), at(12)) == 0
