"""Indicators of use say what their formulas say, and say in words why they say nothing."""

import datetime as dt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import balance, congestion, space_gap, vitals
from occupancy.calendar import Calendar, DayType, day_of
from occupancy.erlang import blocked_share
from occupancy.indicator import METHOD_VERSION, Interval, judge
from occupancy.lot import OpeningHours, Place
from occupancy.measures import MEASURES
from occupancy.observed import NEVER_MS, Facts, Observed, Span, grounds, observe
from occupancy.refused import Refusals, erlang_check, estimate
from occupancy.rollup import DAY_MS, MINUTE_MS, Window, date_start_ms, day_start_ms, local_day
from occupancy.vitals import Band, band_of, slot_score

DAY = date_start_ms(dt.date(2026, 10, 12))  # a Monday
QUARTER_MS, HOUR_MS = 15 * MINUTE_MS, 3_600_000


def a_window(at_ms: int, cars: float, spaces: int = 100, minutes: int = 15, **other: int) -> Window:
    """A window that was told throughout."""
    length_ms = minutes * MINUTE_MS
    is_full = spaces - cars <= max(1, 0.02 * spaces)
    told = {
        "told_ms": length_ms,
        "fresh_ms": length_ms,
        "full_ms": length_ms if is_full else 0,
        "occupied_ms": round(cars * length_ms),
        "free_ms": round((spaces - cars) * length_ms),
        "usable_ms": spaces * length_ms,
        "occupied_most": round(cars),
    }
    return Window("kangle", at_ms, minutes, **(told | other))


def a_day(cars: list[float], **other: int) -> Observed:
    """So many cars in each hour of a day from midnight on."""
    windows = [
        a_window(DAY + hour * HOUR_MS + n * QUARTER_MS, count, **other)
        for hour, count in enumerate(cars)
        for n in range(4)
    ]
    return observe(Facts("kangle", 100), windows, DAY, DAY + len(cars) * HOUR_MS, 15)


def test_a_quiet_day_has_every_figure() -> None:
    day = a_day([50.0] * 24, entries=5)
    assert congestion.turnover(day).value == pytest.approx(4.8)
    assert congestion.mean_stay_derived(day).value == pytest.approx(50 * 1440 / 480)
    assert congestion.time_occupancy(day).value == 0.5
    assert congestion.mean_occupancy(day).value == 0.5
    assert congestion.peak_saturation(day).value == 0.5
    assert congestion.peak_hour_saturation(day).value == pytest.approx(0.5)
    assert congestion.saturated_minutes(day).value == 0
    assert congestion.full_time_share(day).value == 0
    assert congestion.target_share(day).value == 0
    assert congestion.data_access_rate(day).value == 1


def test_the_edges_of_the_target_band_belong_to_it() -> None:
    assert congestion.target_share(a_day([60.0, 85.0, 59.0, 86.0])).value == 0.5


def test_the_peak_hour_may_begin_at_any_quarter() -> None:
    windows = [a_window(DAY + n * QUARTER_MS, 90 if 2 <= n < 6 else 10) for n in range(96)]
    day = observe(Facts("kangle", 100), windows, DAY, DAY + DAY_MS, 15)
    assert congestion.peak_hour_saturation(day).value == pytest.approx(0.9)


def test_below_90_percent_there_is_no_value_but_a_reason() -> None:
    half = observe(Facts("kangle", 100), a_day([50.0] * 12).windows, DAY, DAY + DAY_MS, 15)
    for formula in (congestion.turnover, congestion.time_occupancy, congestion.saturated_minutes):
        said = formula(half)
        assert said.value is None
        assert said.completeness == 0.5
        assert "50.0%" in said.reason
        assert said.method_version == METHOD_VERSION
    access = congestion.data_access_rate(half)
    assert (access.value, access.reason) == (0.5, "")


def test_a_period_without_data_says_so() -> None:
    nothing = observe(Facts("kangle", 100), [], DAY, DAY + DAY_MS, 15)
    assert congestion.turnover(nothing).reason == "统计期内没有收到数据"
    assert congestion.data_access_rate(nothing).value == 0


def test_a_period_before_the_first_data_says_since_when_there_is_some() -> None:
    later, never = (Facts("kangle", 9, opened_ms=at) for at in (DAY + 5 * DAY_MS, NEVER_MS))
    empty = [observe(facts, [], DAY, DAY + DAY_MS, 15) for facts in (later, never)]
    first = (dt.date(1970, 1, 1) + dt.timedelta(days=local_day(DAY) + 5)).isoformat()
    said = [congestion.turnover(one).reason for one in empty]
    assert said == [f"统计期内没有收到数据，{first} 起才有", "统计期内没有收到数据"]
    assert congestion.turnover(*empty).reason == said[0]
    assert not any(one.note for one in empty)
    shut = observe(Facts("sanda", 9, closed=(Span(DAY, DAY + DAY_MS),)), [], DAY, DAY + DAY_MS, 15)
    assert congestion.turnover(shut, empty[0]).reason == "统计期内没有开放的时段"


def test_a_lot_that_was_closed_all_the_time_was_not_open() -> None:
    facts = Facts("kangle", 100, closed=(Span(DAY, DAY + DAY_MS),))
    closed = observe(facts, a_day([50.0] * 24).windows, DAY, DAY + DAY_MS, 15)
    said = congestion.turnover(closed)
    assert (said.value, said.reason) == (None, "统计期内没有开放的时段")
    assert "停用" in said.note
    assert congestion.data_access_rate(closed).value is None
    assert closed.completeness == 0


def test_a_lot_opened_in_the_period_is_judged_from_then_on() -> None:
    facts = Facts("kangle", 100, opened_ms=DAY + 12 * HOUR_MS)
    windows = a_day([0.0] * 12 + [80.0] * 12).windows
    opened = observe(facts, windows, DAY, DAY + DAY_MS, 15)
    said = congestion.mean_occupancy(opened)
    assert said.value == pytest.approx(0.8)
    assert said.note == "自 2026-10-12 起有数据，此前不计"


def test_only_hours_in_which_it_is_open_count() -> None:
    facts = Facts("kangle", 100, opening_hours=OpeningHours(6 * 60, 22 * 60))
    day = observe(facts, a_day([50.0] * 24).windows, DAY, DAY + DAY_MS, 15)
    assert day.expected_ms == 16 * HOUR_MS
    assert congestion.turnover(day).completeness == 1


def test_a_lot_with_nothing_usable_has_no_occupancy() -> None:
    day = a_day([0.0] * 24, spaces=0)
    assert congestion.mean_occupancy(day).reason == congestion.NOTHING_USABLE
    assert congestion.peak_saturation(day).value is None
    assert congestion.peak_hour_saturation(day).value is None
    assert congestion.mean_stay_derived(day).reason == congestion.NOBODY_CAME


def test_a_snapshot_says_what_is_true_now_or_nothing() -> None:
    assert congestion.snapshot_occupancy(45, 90).value == 0.5
    assert congestion.snapshot_occupancy(None, 90).reason
    assert congestion.snapshot_occupancy(0, 0).reason == congestion.NOTHING_USABLE


def test_measured_stays_have_a_mean_and_an_interval() -> None:
    said = congestion.mean_stay([60.0, 90.0] * 20)
    assert said.value == 75
    assert said.low is not None
    assert said.high is not None
    assert said.low < 75 < said.high
    assert congestion.mean_stay([60.0]).low is None
    assert congestion.mean_stay([]).value is None


def test_the_district_is_its_lots_together() -> None:
    one, other = a_day([20.0] * 24), a_day([80.0] * 24)
    assert congestion.time_occupancy(one, other).value == 0.5
    assert congestion.peak_hour_saturation(one, other).value == pytest.approx(0.5)
    assert grounds(one, other).completeness == 1


def test_windows_of_another_length_are_refused() -> None:
    hours = observe(Facts("kangle", 100), [], DAY, DAY + DAY_MS, 60)
    for formula in (congestion.target_share, congestion.peak_hour_saturation):
        with pytest.raises(ValueError, match="15"):
            formula(hours)
    with pytest.raises(ValueError, match="15"):
        vitals.congestion_index((hours, None))


def test_balance_is_one_where_all_are_alike_and_nought_where_none_is() -> None:
    assert balance.balance_of([(50, 100), (25, 50)]) == pytest.approx(1)
    assert balance.balance_of([(100, 100), (0, 100)]) == pytest.approx(0)
    assert balance.balance_of([(50, 100)]) is None
    assert balance.balance_of([(0, 100), (0, 100)]) is None
    assert balance.balance(a_day([20.0] * 24)).value is None
    even = balance.balance(a_day([20.0] * 24), a_day([20.0] * 24))
    assert even.value == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(100, 200)), min_size=2, max_size=6))
def test_balance_lies_between_nought_and_one(lots: list[tuple[int, int]]) -> None:
    value = balance.balance_of(lots)
    assert value is None or -1e-9 <= value <= 1 + 1e-9


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1_000))
def test_the_index_rises_with_occupancy_and_refusals(a: float, b: float, refused: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= slot_score(low) <= slot_score(high) <= 8
    assert slot_score(low) <= slot_score(low, refused, 100) <= 10


@pytest.mark.parametrize(
    ("share", "score"), [(0, 0), (0.35, 1), (0.7, 2), (0.85, 4), (0.95, 6), (1, 8)]
)
def test_the_index_stands_at_its_points(share: float, score: float) -> None:
    assert slot_score(share) == pytest.approx(score)
    assert slot_score(share, 20, 100) == pytest.approx(score + 2)
    assert slot_score(share, 20, 0) == pytest.approx(score)


def test_bands_begin_at_their_lower_edge() -> None:
    assert [band_of(index) for index in (0, 1.99, 2, 4, 6, 8, 10)] == [
        Band.CLEAR,
        Band.CLEAR,
        Band.FAIRLY_CLEAR,
        Band.RATHER_FULL,
        Band.TENSE,
        Band.SEVERE,
        Band.SEVERE,
    ]


def test_a_days_index_is_that_of_its_worst_three_hours() -> None:
    day = a_day([95.0] * 3 + [0.0] * 21)
    said = vitals.congestion_index((day, None))
    assert said.value == pytest.approx(6)
    nothing = observe(Facts("kangle", 100), [], DAY, DAY + DAY_MS, 15)
    assert vitals.congestion_index((nothing, None)).value is None
    assert [one.score for one in vitals.score_slots(nothing)] == [None] * 96


def test_erlang_b_is_what_tables_say() -> None:
    assert blocked_share(0, 10) == 0
    assert blocked_share(10, 10) == pytest.approx(0.2146, abs=1e-4)
    assert blocked_share(5, 0) == 1


def minutes_of_days(days: int, arrivals: int, full_from: int, full_to: int) -> Observed:
    """Each day `arrivals` a minute; on the last one nobody gets in while it is full."""
    windows = []
    for minute in range(days * 1_440):
        of_day = minute % 1_440
        is_full = minute >= (days - 1) * 1_440 and full_from <= of_day < full_to
        cars, entries = (100, 0) if is_full else (50, arrivals)
        windows.append(a_window(DAY + minute * MINUTE_MS, cars, minutes=1, entries=entries))
    return observe(Facts("kangle", 100), windows, DAY, DAY + days * DAY_MS, 1)


def test_who_was_expected_and_did_not_enter_was_refused() -> None:
    seen = minutes_of_days(4, 1, 1_080, 1_140)
    found = estimate(seen, Calendar())
    assert found.indicator.value == pytest.approx(60, abs=1)
    assert found.indicator.low is not None
    assert found.indicator.high is not None
    assert found.indicator.low < 60 < found.indicator.high
    assert sum(found.by_quarter.values()) == pytest.approx(found.indicator.value)
    (spell,) = found.spells
    assert (spell.entries, spell.until_ms - spell.from_ms) == (0, HOUR_MS)
    check = erlang_check(seen, found, 60.0)
    assert check.value is not None
    assert erlang_check(seen, found, None).value is None


def test_nobody_is_refused_where_it_was_never_full() -> None:
    found = estimate(a_day([50.0] * 24), Calendar())
    assert (found.indicator.value, found.spells) == (0, ())


def test_a_make_up_workday_is_like_a_workday() -> None:
    """Its Saturday is expected to bring what the workdays brought, not what Saturdays do.

    From half past six workdays bring two cars a minute, weekends and holidays one; it is full from
    six to eight, and what came before is alike on all days.
    """
    holidays = (7, 8, 9)
    monday = day_of(dt.date(2026, 11, 2))
    saturday = monday + 19
    windows = []
    for minute in range(20 * 1_440):
        day, of_day = divmod(minute, 1_440)
        is_evening = 1_110 <= of_day < 1_260
        is_full = 1_080 <= of_day < 1_200 and monday + day == saturday
        entries = 2 if is_evening and day % 7 < 5 and day not in holidays else 1
        cars, entries = (100, 0) if is_full else (50, entries)
        start_ms = day_start_ms(monday) + minute * MINUTE_MS
        windows.append(a_window(start_ms, cars, minutes=1, entries=entries))
    span = day_start_ms(monday), day_start_ms(saturday + 1)
    seen = observe(Facts("kangle", 100), windows, *span, 1)
    free = Calendar({monday + day: DayType.PUBLIC_HOLIDAY for day in holidays})
    worked = free.supposing({saturday: DayType.MAKEUP_WORKDAY})
    assert estimate(seen, worked).indicator.value == pytest.approx(210, abs=5)
    assert estimate(seen, free).indicator.value == pytest.approx(120, abs=5)


def test_where_most_like_days_were_full_their_usual_day_is_found_beyond_the_quiet_ones() -> None:
    """Evenings want about 20 cars a quarter; where that is 19 or more the car park fills up."""
    monday = day_of(dt.date(2026, 11, 2))
    workdays = [n for n in range(29) if n % 7 < 5]
    wishes = [round(wish) for wish in NormalDist(20, 4).quantiles(len(workdays) + 1)]
    windows = []
    for wish, day in zip(wishes, workdays, strict=True):
        for quarter in range(96):
            wanted = wish if 60 <= quarter < 84 else 6
            is_full = 66 <= quarter < 80 and wanted >= 19
            cars, entries = (100, 4) if is_full else (50, wanted)
            at_ms = day_start_ms(monday + day) + quarter * QUARTER_MS
            windows.append(a_window(at_ms, cars, entries=entries))
    span = day_start_ms(monday), day_start_ms(monday + 29)
    found = estimate(observe(Facts("kangle", 100), windows, *span, 15), Calendar())
    full = [wish for wish in wishes if wish >= 19]
    assert len(full) > len(wishes) / 2
    expected = [spell.expected for spell in found.spells]
    assert expected == pytest.approx([14 * wish for wish in full], rel=0.1)
    refused = sum(spell.refused for spell in found.spells)
    assert refused == pytest.approx(sum(14 * (wish - 4) for wish in full), rel=0.05)


GAPS = (Place(23.1500, 112.9000), Place(23.1520, 112.9000))  # 222 m apart


def gap_lot(lot_id: str, place: Place, cars: float, refused: float) -> space_gap.GapLot:
    windows = [a_window(DAY + n * QUARTER_MS, cars) for n in range(96)]
    facts = Facts(lot_id, 100, place)
    quarters = {DAY + n * QUARTER_MS: refused for n in range(4)} if refused else {}
    told = judge(
        space_gap.NET_GAP, grounds(a_day([1.0])), refused * 4, interval=Interval(0, refused * 8)
    )
    named = [Window(lot_id, *_rest(one)) for one in windows]
    seen = observe(facts, named, DAY, DAY + DAY_MS, 15)
    return space_gap.GapLot(seen, Refusals(lot_id, told, (), quarters), 120)


def _rest(one: Window) -> tuple[int, ...]:
    names = Window.__struct_fields__[1:]
    return tuple(getattr(one, name) for name in names)


def test_who_finds_room_next_door_is_a_gap_of_distribution() -> None:
    lots = [gap_lot("full", GAPS[0], 100, 5), gap_lot("near", GAPS[1], 88, 0)]
    near = space_gap.neighbours_of([one.seen.facts for one in lots])
    assert [one.lot_id for one in near["full"]] == ["near"]
    gaps = space_gap.find_gaps(lots, near)
    # 12 free less a reserve of 5: seven places, and those moved there stay for two hours
    assert gaps["full"].transferable.value == pytest.approx(7)
    assert gaps["full"].net.value == pytest.approx(13)
    assert gaps["full"].net.high == pytest.approx(26)
    assert gaps["full"].moved == {"near": pytest.approx(7)}
    assert gaps["full"].net_spaces.value == pytest.approx(13)
    assert gaps["near"].net.value == 0


def test_too_far_to_walk_helps_nobody() -> None:
    far = Place(23.2000, 112.9000)
    lots = [gap_lot("full", GAPS[0], 100, 5), gap_lot("far", far, 0, 0)]
    gaps = space_gap.find_gaps(lots, space_gap.neighbours_of([one.seen.facts for one in lots]))
    assert gaps["full"].transferable.value == 0
    assert gaps["full"].net.value == pytest.approx(20)


def test_every_measure_has_a_formula_a_unit_and_a_source() -> None:
    assert len(MEASURES) >= 20
    for one in MEASURES.values():
        assert one.name
        assert one.unit
        assert one.formula
        assert one.source
