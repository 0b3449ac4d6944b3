"""A preview prices as the engine does, names its days, and never fails for want of a holiday."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType, date_of
from occupancy.price_board import PriceBoard
from occupancy.stay import Stay
from occupancy.tariff import Tariff, VehicleClass
from occupancy.tariff_clock import DAY_MINUTES, utc_ms
from occupancy.tariff_diff import changes_of, compare
from occupancy.tariff_entry import price_versions
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_preview import NO_PRICE, STAYS, preview
from occupancy.tariff_quote import fee
from tests.occupancy.random_tariffs import random_tariff

KANGLE = read_folder(OUR_TARIFFS)["kangle"].tariff
GALLERY_TARIFFS = {name: file.tariff for name, file in read_folder(GALLERY).items()}
CALENDAR = Calendar()


def test_twelve_stays_on_four_types_of_day_and_the_board() -> None:
    shown = preview(KANGLE, CALENDAR)
    (table,) = shown.tables
    assert (len(table.rows), table.words) == (12, "小车")
    assert [one.day_type for one in shown.days] == list(DayType)
    assert all(len(row.fees_fen) == 4 for row in table.rows)
    assert shown.days[2].words == "法定节假日（2026-01-01 周四）"
    assert table.rows[5].words == "09:00 进场，停 4小时"
    assert table.rows[5].fees_words == ("9元", "9元", "9元", "9元")
    assert shown.board == PriceBoard().rows(KANGLE)


@pytest.mark.parametrize("tariff", GALLERY_TARIFFS.values(), ids=GALLERY_TARIFFS)
def test_a_preview_says_what_a_quote_of_that_day_says(tariff: Tariff) -> None:
    shown = preview(tariff, CALENDAR)
    priced = price_versions([replace(tariff, valid_from=0, valid_to=None)], CALENDAR)
    known = [(at, one) for at, one in enumerate(shown.days) if not one.is_supposed]
    assert known
    for table in shown.tables:
        for row, (arrive, minutes) in zip(table.rows, STAYS, strict=True):
            for place, day in known:
                at = day.day * DAY_MINUTES + arrive
                stay = Stay(utc_ms(at), utc_ms(at + minutes), table.vehicles[0])
                assert row.fees_fen[place] == fee(priced, stay)


def test_a_day_type_that_nobody_has_published_is_supposed() -> None:
    tariff = replace(GALLERY_TARIFFS["makeup_workdays"], valid_from=KANGLE.valid_from * 3)
    shown = preview(tariff, CALENDAR)
    holiday, makeup = shown.days[2:]
    assert "假定" in holiday.words
    assert date_of(makeup.day).weekday() == 5
    assert "假定" not in shown.days[0].words
    assert shown.tables[0].rows[4].fees_fen[0] == shown.tables[0].rows[4].fees_fen[3]


def test_a_stay_that_is_too_long_has_no_price() -> None:
    short = preview(replace(KANGLE, max_stay_minutes=1440), CALENDAR)
    assert short.tables[0].rows[-1].fees_words == (NO_PRICE,) * 4


@given(st.randoms(use_true_random=False))
def test_every_sound_tariff_has_a_preview_and_differs_not_from_itself(rng: Random) -> None:
    tariff = random_tariff(rng)
    assert preview(tariff, CALENDAR).tables
    same = compare(tariff, replace(tariff, version=9), CALENDAR)
    assert (same.changes, same.prices) == ((), ())


@given(st.randoms(use_true_random=False))
def test_any_two_tariffs_can_be_compared_and_the_other_way_round_swaps(rng: Random) -> None:
    old, new = random_tariff(rng), random_tariff(rng)
    there, back = changes_of(old, new), changes_of(new, old)
    assert {(one.label, one.before, one.after) for one in there} == {
        (one.label, one.after, one.before) for one in back
    }


def dearer() -> Tariff:
    rate = KANGLE.rates[0]
    first, then = rate.bands[0].tiers
    band = replace(rate.bands[0], tiers=(replace(first, price_fen=400), then))
    return replace(KANGLE, version=2, rates=(replace(rate, bands=(band,), cap=None),))


def test_a_difference_names_fields_in_words_and_prices_before_and_after() -> None:
    found = compare(KANGLE, dearer(), CALENDAR)
    assert [(one.label, one.before, one.after) for one in found.changes] == [
        ("小车 / 时段“全天” / 第1档 / 单价", "3元", "4元"),
        ("小车 / 封顶 / 周期", "每24小时", None),
        ("小车 / 封顶 / 金额", "20元", None),
    ]
    assert found.changes[0].path == "rates[0].bands[0].tiers[0].price_fen"
    prices = {(one.row.words, one.day.day_type): one.words for one in found.prices}
    assert prices["09:00 进场，停 2小时", DayType.WORKDAY] == ("5元", "6元")
    assert prices["09:00 进场，停 24小时", DayType.WEEKEND] == ("20元", "50元")
    assert ("09:00 进场，停 15分钟", DayType.WORKDAY) not in prices


def test_a_vehicle_that_comes_or_goes_has_a_price_on_one_side_only() -> None:
    both = replace(
        KANGLE, rates=(*KANGLE.rates, replace(KANGLE.rates[0], vehicles=(VehicleClass.LARGE,)))
    )
    came, went = compare(KANGLE, both, CALENDAR), compare(both, KANGLE, CALENDAR)
    assert {one.vehicle for one in came.prices} == {VehicleClass.LARGE}
    assert {one.words[0] for one in came.prices} == {NO_PRICE}
    assert {one.words[1] for one in went.prices} == {NO_PRICE}


def test_rows_of_one_name_are_told_apart() -> None:
    waivers = GALLERY_TARIFFS["national_day_waiver"].waivers
    twice = (waivers[0], replace(waivers[0], start_minute=60))
    found = changes_of(
        replace(KANGLE, waivers=twice), replace(KANGLE, waivers=(twice[0], waivers[0]))
    )
    (change,) = found
    assert (change.before, change.after) == ("01:00", "09:00")
    assert "（2）" in change.label
