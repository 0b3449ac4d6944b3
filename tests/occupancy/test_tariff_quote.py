from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType, day_of
from occupancy.quote_words import line_words, reason_words, summary_words
from occupancy.stay import (
    EarlierStay,
    EarlierStayError,
    LeaveBeforeArrivalError,
    NoTariffError,
    OutOfTimeError,
    QuoteError,
    Stay,
    StayTooLongError,
    UnknownExemptionError,
    UnknownVehicleError,
)
from occupancy.tariff import (
    CapWindow,
    Crossing,
    Edge,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Restart,
    Seconds,
    Tariff,
    VehicleClass,
)
from occupancy.tariff_clock import rfc3339, utc_ms, written
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_meter import Meter
from occupancy.tariff_quote import Quote, Reason, fee, quote
from occupancy.tariff_walk import LineRule
from tests.occupancy.random_tariffs import random_stay, random_tariff

OURS = {name: file.tariff for name, file in read_folder(OUR_TARIFFS).items()}
SHOWN = {name: file.tariff for name, file in read_folder(GALLERY).items()}
KANGLE = OURS["kangle"]
MINUTE, DAY = 60_000, 1440
MONDAY = day_of(date(2026, 11, 2)) * DAY


def at(clock: str, day: int = 0) -> int:
    """A clock of Monday 2026-11-02 or so many days later, in UTC milliseconds."""
    hours, minutes = clock.split(":")
    return utc_ms(MONDAY + day * DAY + int(hours) * 60 + int(minutes))


def priced(*tariffs: Tariff) -> tuple[PricedVersion, ...]:
    return price_versions(tariffs, Calendar())


def ask(tariff: Tariff, start: str, end: str, day: int = 0, **more: object) -> Quote:
    return quote(priced(tariff), Stay(at(start), at(end, day), **more))  # type: ignore[arg-type]


def reasons(answer: Quote) -> list[Reason]:
    return [because.reason for because in answer.because]


def test_a_quote_says_how_long_it_is_free_and_what_the_next_step_costs() -> None:
    answer = ask(KANGLE, "09:00", "09:20")
    assert (answer.total_fen, written(answer.free_until or 0)) == (0, "2026-11-02 09:30")
    assert (written(answer.next_step_at or 0), answer.next_total_fen) == ("2026-11-02 09:30", 300)
    assert reasons(answer) == [Reason.FREE_PERIOD]


def test_lines_say_what_was_charged_and_why() -> None:
    answer = ask(KANGLE, "09:00", "12:00")
    assert [line_words(line) for line in answer.lines] == [
        ("全天 1×小时，每小时3元", "全天 1 x 1 h at 3 yuan"),
        ("全天 2×小时，每小时2元", "全天 2 x 1 h at 2 yuan"),
    ]
    assert [line.amount_fen for line in answer.lines] == [300, 400]
    assert reasons(answer) == [Reason.FREE_EXCEEDED]
    assert summary_words(answer) == (
        "7元，2026-11-02 12:00 之后为9元",
        "7 yuan, after 2026-11-02 12:00 9 yuan",
    )


def test_a_cap_is_a_line_of_its_own_and_the_next_step_is_the_next_day() -> None:
    answer = ask(KANGLE, "09:00", "23:00")
    assert answer.cap_reached
    assert answer.lines[-1].rule is LineRule.CAP
    assert written(answer.next_step_at or 0) == "2026-11-03 09:00"
    assert answer.next_total_fen == 2200


def test_a_night_that_is_capped_says_so_on_its_line_and_in_a_reason() -> None:
    for day in (1, 3):
        answer = ask(OURS["sanda"], "20:30", "09:00", day=day)
        assert answer.cap_reached
        assert Reason.CAP in reasons(answer)
        assert line_words(answer.lines[2])[0] == "夜间 10×小时，每小时1元，连续停放封顶"
        assert answer.lines[2].amount_fen == 500


def test_a_month_has_a_line_for_its_whole_days() -> None:
    answer = ask(KANGLE, "09:00", "09:00", day=30)
    assert answer.total_fen == 30 * 2000
    assert [line.units for line in answer.lines if line.rule is LineRule.DAYS] == [28]


def test_a_stay_of_no_time_costs_nothing_and_has_no_lines() -> None:
    answer = ask(KANGLE, "09:00", "09:00")
    assert (answer.total_fen, answer.lines, answer.because) == (0, (), ())


def test_an_exempt_vehicle_pays_nothing_and_is_told_why() -> None:
    answer = ask(KANGLE, "09:00", "20:00", exemption="military")
    assert (answer.total_fen, answer.next_step_at) == (0, None)
    assert reason_words(answer.because[0])[0] == "军警车辆按规定减免。"
    assert summary_words(answer) == ("0元", "0 yuan")


def test_a_new_energy_discount_is_a_line_that_takes_off() -> None:
    tariff = replace(KANGLE, new_energy=NewEnergy(percent=50, in_mechanical=True))
    answer = ask(tariff, "09:00", "12:00", new_energy=True)
    assert answer.total_fen == 350
    assert answer.lines[-1].rule is LineRule.DISCOUNT
    assert Reason.NEW_ENERGY in reasons(answer)


def test_a_waiver_is_a_line_and_one_reason_however_many_days_it_touches() -> None:
    answer = quote(
        priced(SHOWN["national_day_waiver"]),
        Stay(at("08:00", -32), at("18:00", -31)),
    )
    assert sum(line.rule is LineRule.WAIVER for line in answer.lines) == 2
    assert reasons(answer) == [Reason.WAIVER]
    assert (
        reason_words(answer.because[0])[1]
        == "National Day waiver: the hours of the waiver are free."
    )


def test_a_stay_that_never_costs_anything_has_no_end_of_its_free_time() -> None:
    rate = replace(KANGLE.rates[0], bands=(replace(KANGLE.rates[0].bands[0], tiers=()),))
    answer = ask(replace(KANGLE, rates=(rate,)), "09:00", "20:00")
    assert (answer.total_fen, answer.free_until, answer.next_step_at) == (0, None, None)


def test_a_year_without_a_holiday_list_is_priced_by_weekdays_and_says_so() -> None:
    answer = quote(priced(SHOWN["makeup_workdays"]), Stay(at("10:00", 333), at("12:00", 333)))
    assert Reason.CALENDAR_UNKNOWN in reasons(answer)


def test_the_operators_override_of_a_date_changes_its_price() -> None:
    calendar = Calendar({MONDAY // DAY: DayType.PUBLIC_HOLIDAY})
    versions = price_versions([SHOWN["makeup_workdays"]], calendar)
    assert fee(versions, Stay(at("10:00"), at("12:00"))) == 400


def two_versions(crossing: Crossing) -> tuple[PricedVersion, ...]:
    change = MONDAY + 12 * 60
    rate = KANGLE.rates[0]
    dearer = replace(
        rate, bands=(replace(rate.bands[0], tiers=OURS["zhanqian"].rates[0].bands[0].tiers),)
    )
    old = replace(KANGLE, crossing=crossing, valid_to=change)
    new = replace(KANGLE, version=2, valid_from=change, rates=(dearer,))
    return priced(new, old)


def test_a_stay_over_a_change_of_prices_pays_those_at_entry() -> None:
    answer = quote(two_versions(Crossing.BY_ENTRY), Stay(at("11:00"), at("13:00")))
    assert (answer.total_fen, answer.versions) == (500, (1,))
    assert reasons(answer) == [Reason.FREE_EXCEEDED, Reason.VERSION_AT_ENTRY]


def test_a_stay_over_a_change_of_prices_is_split_if_the_tariff_says_so() -> None:
    answer = quote(two_versions(Crossing.SPLIT), Stay(at("11:00"), at("13:00")))
    assert (answer.total_fen, answer.versions) == (300 + 400, (1, 2))
    assert Reason.VERSIONS_SPLIT in reasons(answer)


def test_after_the_change_the_newer_version_holds() -> None:
    answer = quote(two_versions(Crossing.SPLIT), Stay(at("12:00"), at("13:00")))
    assert (answer.total_fen, answer.versions) == (400, (2,))


@pytest.mark.parametrize(
    ("stay", "error", "field"),
    [
        (Stay(at("12:00"), at("11:59")), LeaveBeforeArrivalError, "to"),
        (Stay(at("12:00"), at("12:00", 400)), StayTooLongError, "to"),
        (Stay(at("12:00"), at("13:00"), VehicleClass.LARGE), UnknownVehicleError, "vehicle"),
        (Stay(at("12:00"), at("13:00"), exemption="mayor"), UnknownExemptionError, "exemption"),
        (Stay(at("12:00", -3650), at("13:00", -3650)), NoTariffError, "from"),
        (Stay(at("12:00", 80_000), at("13:00", 80_000)), OutOfTimeError, "from"),
        (Stay(-(10**14), -(10**14)), OutOfTimeError, "from"),
    ],
)
def test_a_stay_without_a_price_says_which_field_is_wrong(
    stay: Stay, error: type[QuoteError], field: str
) -> None:
    with pytest.raises(error) as refused:
        quote(priced(KANGLE), stay)
    assert refused.value.field == field


def test_a_tariff_that_has_ended_gives_no_quote() -> None:
    ended = priced(replace(KANGLE, valid_to=MONDAY))
    with pytest.raises(NoTariffError):
        quote(ended, Stay(at("12:00"), at("13:00")))


def test_a_split_stay_that_outlives_the_last_version_gives_no_quote() -> None:
    ends = priced(replace(KANGLE, crossing=Crossing.SPLIT, valid_to=MONDAY + 12 * 60))
    with pytest.raises(NoTariffError):
        quote(ends, Stay(at("11:00"), at("13:00")))


def test_a_gap_between_two_versions_gives_no_split_quote() -> None:
    old = replace(KANGLE, crossing=Crossing.SPLIT, valid_to=MONDAY + 12 * 60)
    new = replace(KANGLE, version=2, valid_from=MONDAY + 13 * 60)
    with pytest.raises(NoTariffError):
        quote(priced(old, new), Stay(at("11:00"), at("14:00")))


@pytest.mark.parametrize(
    "earlier",
    [
        (EarlierStay(at("08:00"), at("10:00"), 0),),
        (EarlierStay(at("08:00"), at("07:00"), 0),),
        (EarlierStay(at("07:00"), at("08:00"), -1),),
        (EarlierStay(at("07:00"), at("08:00"), 0), EarlierStay(at("06:00"), at("06:30"), 0)),
    ],
)
def test_earlier_stays_that_cannot_be_are_refused(earlier: tuple[EarlierStay, ...]) -> None:
    with pytest.raises(EarlierStayError):
        quote(priced(OURS["zhongshan"]), Stay(at("09:00"), at("12:00"), earlier=earlier))


def test_a_stay_paid_for_within_24_hours_says_so() -> None:
    earlier = (EarlierStay(at("06:00"), at("08:00"), 500),)
    stay = Stay(at("09:00"), at("12:00"), earlier=earlier)
    answer = quote(priced(SHOWN["jiangmen_single_charge"]), stay)
    assert (answer.total_fen, reasons(answer)) == (0, [Reason.PAID_ONCE])


def test_only_a_full_minute_counts_unless_the_tariff_counts_begun_ones() -> None:
    stay = Stay(at("09:00"), at("09:30") + 59_000)
    begun = replace(KANGLE, seconds=Seconds.BEGUN)
    assert (fee(priced(KANGLE), stay), fee(priced(begun), stay)) == (0, 300)


def test_a_leap_day_and_a_month_end_are_days_like_others() -> None:
    leap = utc_ms(day_of(date(2028, 2, 28)) * DAY)
    assert fee(priced(KANGLE), Stay(leap, leap + 2 * DAY * MINUTE)) == 4000


def test_times_are_written_with_their_offset() -> None:
    assert rfc3339(MONDAY + 9 * 60) == "2026-11-02T09:00:00+08:00"


@given(st.randoms(use_true_random=False))
def test_a_fee_is_never_negative_its_lines_add_up_and_its_next_step_is_higher(rng: Random) -> None:
    tariff = random_tariff(rng)
    answer = quote(priced(tariff), random_stay(rng, tariff))
    assert answer.total_fen >= 0
    assert sum(line.amount_fen for line in answer.lines) == answer.total_fen
    if answer.next_total_fen is not None:
        assert answer.next_total_fen > answer.total_fen


@given(st.randoms(use_true_random=False))
def test_the_fee_alone_is_the_total_of_the_quote(rng: Random) -> None:
    tariff = random_tariff(rng)
    stay = random_stay(rng, tariff)
    assert fee(priced(tariff), stay) == quote(priced(tariff), stay).total_fen


@given(st.randoms(use_true_random=False), st.integers(0, 3000))
def test_leaving_later_is_never_cheaper(rng: Random, more: int) -> None:
    tariff = random_tariff(rng)
    stay = random_stay(rng, tariff)
    later = replace(stay, leave_ms=stay.leave_ms + more * MINUTE)
    assert fee(priced(tariff), stay) <= fee(priced(tariff), later)


@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_a_fee_is_never_above_the_caps_of_its_windows(rng: Random, days: int) -> None:
    tariff = random_tariff(rng)
    stay = replace(random_stay(rng, tariff), earlier=())
    stay = replace(stay, leave_ms=stay.arrive_ms + days * DAY * MINUTE)
    cap = priced(tariff)[0].meter(stay.vehicle).rate.cap
    if cap:
        windows = days + (1 if cap.window is CapWindow.CALENDAR_DAY else 0)
        most = sum(cap.amounts_fen[min(n, len(cap.amounts_fen) - 1)] for n in range(windows))
        assert fee(priced(tariff), stay) <= most


@given(st.randoms(use_true_random=False), st.integers(0, 600), st.integers(0, 1439))
def test_a_day_later_on_plain_workdays_costs_the_same(rng: Random, lasts: int, clock: int) -> None:
    tariff = replace(random_tariff(rng), waivers=())
    tuesday = utc_ms(MONDAY + DAY + min(clock, DAY - 1 - lasts))
    stay = Stay(tuesday, tuesday + lasts * MINUTE)
    shifted = Stay(tuesday + DAY * MINUTE, tuesday + (DAY + lasts) * MINUTE)
    assert fee(priced(tariff), stay) == fee(priced(tariff), shifted)


@given(st.randoms(use_true_random=False))
def test_every_line_and_reason_has_words_in_both_languages(rng: Random) -> None:
    tariff = random_tariff(rng)
    answer = quote(priced(tariff), random_stay(rng, tariff))
    words = [*map(line_words, answer.lines), *map(reason_words, answer.because)]
    assert all(chinese and english and "{" not in chinese + english for chinese, english in words)


def test_a_quote_that_was_remembered_is_the_quote_that_is_counted_anew() -> None:
    rng = Random(7)  # noqa: S311 -- it must repeat, not be secret
    tariff = replace(random_tariff(rng), edge=Edge.UNIT, restart=Restart.STAY)
    warm = priced(tariff)
    for number in range(200):
        begin = utc_ms(MONDAY + number * 37)
        stay = Stay(begin, begin + number * 191 * MINUTE)
        assert fee(warm, stay) == fee(priced(tariff), stay)


def test_a_meter_that_remembers_little_counts_the_same() -> None:
    tariff = SHOWN["makeup_workdays"]
    forgetful = Meter(tariff, tariff.rates[0], Calendar(), remembers=1)
    versions = priced(tariff)
    stay = Stay(at("09:00"), at("10:00", 9))
    expected = fee(versions, stay)
    versions[0].meters[VehicleClass.CAR] = forgetful
    assert fee(versions, stay) == expected


def test_a_threshold_of_no_minutes_is_no_free_period() -> None:
    rate = replace(KANGLE.rates[0], free=FreePeriod(0, FreeMode.THRESHOLD))
    answer = ask(replace(KANGLE, rates=(rate,)), "09:00", "09:01")
    assert (answer.total_fen, written(answer.free_until or 0)) == (300, "2026-11-02 09:00")
