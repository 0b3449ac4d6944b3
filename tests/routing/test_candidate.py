import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.lot import OpeningHours, OpeningState, VehicleLimits, find_closing
from routing.candidate import Fee, barriers, doubts, expected_minutes, plain_minutes, sure_minutes
from routing.question import Vehicle, Wish
from routing.reason import Code
from tests.routing.drivers import a_candidate, a_question

EIGHT = 8 * 60  # MORNING_MS in local minutes of its day


def codes(reasons: object) -> list[Code]:
    assert isinstance(reasons, list)
    return [reason.code for reason in reasons]


def test_a_good_car_park_has_nothing_against_it() -> None:
    assert barriers(a_candidate(), a_question()) == []
    assert doubts(a_candidate()) == []


@pytest.mark.parametrize(
    ("vehicle", "code", "words"),
    [
        (Vehicle(height_metres=2.1), Code.TOO_HIGH, "车高超限：限高2米，车高2.1米"),
        (Vehicle(weight_tonnes=2.5), Code.TOO_HEAVY, "车重超限：限重2.2吨，车重2.5吨"),
        (Vehicle(length_metres=5.6), Code.TOO_LONG, "车长超限：限长5.2米，车长5.6米"),
        (Vehicle(width_metres=2.05), Code.TOO_WIDE, "车宽超限：限宽2米，车宽2.05米"),
    ],
)
def test_a_vehicle_beyond_a_limit_is_told_which(vehicle: Vehicle, code: Code, words: str) -> None:
    limits = {"limits": VehicleLimits(5.2, 2.0, 2.0, 2.2)}
    (reason,) = barriers(a_candidate(lot=limits), a_question(vehicle=vehicle))
    assert (reason.code, reason.zh) == (code, words)


def test_a_vehicle_as_large_as_the_limit_fits() -> None:
    fits = Vehicle(height_metres=2.0, weight_tonnes=2.2, length_metres=5.2, width_metres=2.0)
    assert barriers(a_candidate(), a_question(vehicle=fits)) == []


def test_new_energy_vehicles_stay_out_where_they_are_not_taken() -> None:
    closed_to_them = a_candidate(lot={"takes_new_energy": False})
    assert barriers(closed_to_them, a_question()) == []
    new_energy = a_question(vehicle=Vehicle(new_energy=True))
    assert codes(barriers(closed_to_them, new_energy)) == [Code.NO_NEW_ENERGY]
    assert barriers(a_candidate(), new_energy) == []


def test_a_closed_and_an_unwanted_car_park_say_so() -> None:
    candidate = a_candidate(lot={"opening": OpeningState.CLOSED})
    question = a_question(without=frozenset({"kangle"}))
    assert codes(barriers(candidate, question)) == [Code.NOT_WANTED, Code.CLOSED]


def test_a_stay_or_a_vehicle_the_tariff_refuses_is_a_barrier() -> None:
    too_long = a_candidate(fee=Fee(None, Code.STAY_TOO_LONG))
    assert codes(barriers(too_long, a_question())) == [Code.STAY_TOO_LONG]
    (reason,) = barriers(a_candidate(fee=Fee(None, Code.VEHICLE_NOT_ADMITTED)), a_question())
    assert reason.zh == "不停放小车"
    assert barriers(a_candidate(fee=Fee(None, Code.FEE_UNKNOWN)), a_question()) == []


@pytest.mark.parametrize(
    ("hours", "stay_minutes", "expected"),
    [
        (OpeningHours(EIGHT - 60, EIGHT + 120), 120, []),
        (OpeningHours(EIGHT - 60, EIGHT + 119), 120, [Code.CLOSES_DURING_STAY]),
        (OpeningHours(EIGHT + 1, EIGHT + 600), 120, [Code.CLOSES_BEFORE_ARRIVAL]),
        (OpeningHours(20 * 60, EIGHT + 1), 60, [Code.CLOSES_DURING_STAY]),
        (OpeningHours(0, 0), 5_000, []),
        (OpeningHours(6 * 60, 0), 16 * 60, []),
        (OpeningHours(6 * 60, 0), 16 * 60 + 1, [Code.CLOSES_DURING_STAY]),
    ],
)
def test_it_must_be_open_until_the_stay_ends(
    hours: OpeningHours, stay_minutes: int, expected: list[Code]
) -> None:
    candidate = a_candidate(lot={"opening_hours": hours})
    assert codes(barriers(candidate, a_question(stay_minutes=stay_minutes))) == expected


def test_the_hours_are_told_to_midnight() -> None:
    candidate = a_candidate(lot={"opening_hours": OpeningHours(6 * 60, 0)})
    (reason,) = barriers(candidate, a_question(stay_minutes=1_000))
    assert reason.zh == "停放期间会关门（06:00—24:00）"


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(29_000_000, 29_010_000))
def test_a_lot_closes_within_its_hours(opens: int, closes: int, minute: int) -> None:
    closing = find_closing(OpeningHours(opens, closes), minute)
    if opens == closes:
        assert closing is None
        return
    assert closing is not None
    inside = (minute - opens) % 1440 < (closes - opens) % 1440
    assert (closing > minute) == inside
    assert not inside or closing % 1440 == closes


def test_silence_and_a_full_car_park_and_a_long_walk_are_doubts() -> None:
    assert codes(doubts(a_candidate(is_stale=True))) == [Code.NO_DATA]
    (full,) = doubts(a_candidate(chance=0.12))
    assert full.zh == "到达时多半已满：有空位的可能约12%"
    assert codes(doubts(a_candidate(walk=45))) == [Code.TOO_FAR]


def test_promises_to_others_take_from_the_chance() -> None:
    assert a_candidate(free=4).chance == 1
    assert a_candidate(free=4, promised=3).chance == 0.25


@pytest.mark.parametrize(
    ("wish", "minutes"),
    [(None, 13.5), (Wish.CHEAP, 18.0), (Wish.NEAR, 16.5), (Wish.COVERED, 18.5), (Wish.SURE, 13.5)],
)
def test_a_wish_weighs_its_part_of_the_way(wish: Wish | None, minutes: float) -> None:
    question = a_question(wishes=frozenset({wish} if wish else ()))
    assert sure_minutes(a_candidate(), question) == minutes


def test_who_wants_to_be_sure_fears_the_risk_three_times() -> None:
    risky = a_candidate(chance=0.5)
    usual = expected_minutes(risky, a_question()) - sure_minutes(risky, a_question())
    sure = a_question(wishes=frozenset({Wish.SURE}))
    assert expected_minutes(risky, sure) - sure_minutes(risky, sure) == 3 * usual
    assert plain_minutes(risky) == 10
