"""A number is told with its age and its doubt, and not at all when nobody renews it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from occupancy.live import STALE_AFTER_MS, Quality, Status
from occupancy.lot import OpeningHours, OpeningState
from occupancy.web.open_data.open_lot import (
    DROP_AFTER_MS,
    Numbers,
    OpenLot,
    open_lot,
    opening_hours_words,
)
from tests.builders import MORNING_MS, a_lot
from tests.occupancy.web.open_data.published import open_lots, pictured


def seen_after(age_ms: int, cars: int | None = 12) -> OpenLot:
    lot = a_lot()
    return open_lot(lot, pictured(lot, cars), None, MORNING_MS + age_ms)


def test_a_fresh_number_is_told_with_how_it_came_about() -> None:
    one = seen_after(0)
    assert one.numbers == Numbers(usable=36, occupied=12, free=24, out_of_service=0)
    assert (one.quality, one.calculation) == (Quality.COUNTED, "counted")
    assert one.is_open is True


def test_a_number_of_two_minutes_ago_is_told_as_stale_and_not_where_no_age_can_be_told() -> None:
    one = seen_after(120_000)
    assert one.numbers is not None
    assert (one.quality, one.status) == (Quality.STALE, Status.NO_DATA)
    assert one.fresh_numbers is None


def test_half_an_hour_after_the_last_observation_no_number_is_left() -> None:
    assert seen_after(DROP_AFTER_MS).numbers is not None
    one = seen_after(DROP_AFTER_MS + 1)
    assert (one.numbers, one.is_open, one.calculation) == (None, None, None)
    assert one.observed_at_ms == MORNING_MS
    assert all(group.free is None for group in one.groups)


def test_what_cannot_be_is_told_as_it_was_and_not_as_a_live_number() -> None:
    lot = a_lot(capacity=30)
    one = open_lot(lot, pictured(lot, 0), None, MORNING_MS)
    assert (one.quality, one.numbers) == (Quality.SUSPECT, None)
    assert one.contradicting is not None
    assert one.contradicting.free == 36  # more free than the 30 it has: told, not cut to 30
    assert one.doubts


def test_closed_is_not_full_and_full_is_not_closed() -> None:
    full = seen_after(0, cars=36)
    assert (full.status, full.is_open) == (Status.FULL, True)
    shut = a_lot(opening=OpeningState.CLOSED)
    one = open_lot(shut, pictured(shut, 12), None, MORNING_MS)
    assert (one.status, one.is_open) == (Status.CLOSED, False)
    assert open_lot(shut, None, None, MORNING_MS).is_open is False


def test_a_car_park_outside_its_hours_is_closed() -> None:
    lot = a_lot(opening_hours=OpeningHours(9 * 60, 22 * 60))  # it is eight o'clock
    assert open_lot(lot, pictured(lot, 12), None, MORNING_MS).is_open is False


def test_opening_hours_are_written_as_openstreetmap_does() -> None:
    assert opening_hours_words(None) == "24/7"
    assert opening_hours_words(OpeningHours(0, 0)) == "24/7"
    assert opening_hours_words(OpeningHours(420, 1_320)) == "Mo-Su 07:00-22:00"
    assert opening_hours_words(OpeningHours(1_200, 120)) == "Mo-Su 20:00-26:00"


@given(open_lots())
def test_numbers_are_whole_sound_and_never_older_than_half_an_hour(one: OpenLot) -> None:
    if one.numbers is None:
        return
    numbers = one.numbers
    assert one.observed_at_ms is not None
    assert numbers.usable == numbers.occupied + numbers.free
    assert 0 <= numbers.free <= one.lot.capacity
    assert one.quality is not Quality.SUSPECT
    assert one.contradicting is None


@given(st.integers(-5_000, 4 * 3_600_000))
def test_age_decides_alone_what_is_told(age_ms: int) -> None:
    one = seen_after(age_ms)
    assert (one.numbers is None) == (age_ms > DROP_AFTER_MS)
    assert (one.quality is Quality.STALE) == (age_ms >= STALE_AFTER_MS)
    assert msgspec.structs.asdict(one)["observed_at_ms"] == MORNING_MS
