from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType
from occupancy.tariff import Band, DayPlan, Edge, FreeMode, FreePeriod, Period, Tariff, Tier
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_warnings import sample_days, warnings_of

OURS = read_folder(OUR_TARIFFS)
SANDA, ZHANQIAN, KANGLE = (OURS[name].tariff for name in ("sanda", "zhanqian", "kangle"))


def warned(tariff: Tariff) -> dict[str, str]:
    return {found.rule: found.message for found in warnings_of(tariff, Calendar())}


def test_an_ordinary_tariff_has_no_surprises() -> None:
    assert warned(KANGLE) == {}


def test_a_longer_stay_that_is_cheaper_is_warned_of_at_its_moment() -> None:
    message = warned(ZHANQIAN)["longer_is_cheaper"]
    assert "2026-01-03 16:29 进场、停 8小时，比晚一分钟进场、同时离场便宜2元" in message


def test_where_the_band_at_entry_holds_an_early_entry_into_the_night_is_warned_of() -> None:
    by_entry = replace(SANDA, edge=Edge.ENTRY)
    assert "2026-01-03 07:59 进场" in warned(by_entry)["longer_is_cheaper"]


def test_a_free_band_at_entry_is_free_for_ever_and_is_warned_of() -> None:
    rate = SANDA.rates[0]
    bands = (rate.bands[0], Band("夜间"))
    free_night = replace(SANDA, edge=Edge.ENTRY, rates=(replace(rate, bands=bands),))
    assert "夜间" in warned(free_night)["free_for_ever"]


def test_a_jump_behind_a_threshold_is_warned_of_with_its_minute_and_amount() -> None:
    rate = replace(
        KANGLE.rates[0],
        bands=(Band("全天", (Tier(15, 200),)),),
        free=FreePeriod(30, FreeMode.THRESHOLD, jump_is_meant=True),
    )
    message = warned(replace(KANGLE, rates=(rate,)))["threshold_jump"]
    assert message == "12:00 进场，停 31 分钟由免费一次跳到6元"


def test_days_that_differ_are_searched_one_by_one_and_missing_years_are_warned_of() -> None:
    file = read_folder(GALLERY)["makeup_workdays"]
    assert "2026 年之后" in warned(file.tariff)["calendar_missing_year"]


def test_a_tariff_that_ends_in_a_known_year_does_not_warn_of_later_ones() -> None:
    tariff = read_folder(GALLERY)["makeup_workdays"].tariff
    ends = replace(tariff, valid_to=tariff.valid_from + 30 * 1440)
    assert "calendar_missing_year" not in warned(ends)


def test_every_type_of_day_is_sampled_inside_the_tariffs_time() -> None:
    assert set(sample_days(KANGLE, Calendar())) == set(DayType)
    a_week = replace(KANGLE, valid_from=29_893_000, valid_to=29_893_000 + 7 * 1440)
    assert set(sample_days(a_week, Calendar())) == {DayType.WORKDAY, DayType.WEEKEND}


def test_plans_that_differ_by_day_are_priced_on_each_of_them() -> None:
    workdays = DayPlan((DayType.WORKDAY, DayType.MAKEUP_WORKDAY), (Period(0, 1440, "工作日价"),))
    others = DayPlan((DayType.WEEKEND, DayType.PUBLIC_HOLIDAY), (Period(0, 1440, "休息日价"),))
    bands = (Band("工作日价", (Tier(60, 900),)), Band("休息日价", (Tier(60, 100),)))
    rate = replace(KANGLE.rates[0], bands=bands, day_plans=(workdays, others), cap=None)
    tariff = replace(KANGLE, edge=Edge.ENTRY, rates=(rate,))
    found = [one.message for one in warnings_of(tariff, Calendar()) if "更久" in one.message]
    assert any("法定节假日" in message for message in found)
