"""The report's own arithmetic: hours, stays by counters alone, likely peaks, words for numbers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.calendar import DayType
from occupancy.congestion import mean_occupancy, mean_stay_derived
from occupancy.observed import facts_of, observe
from occupancy.report.expected import daily_peaks, expect, likely_of, try_out
from occupancy.report.figures import write_number
from occupancy.report.first_out import histogram, share_within, stays
from occupancy.report.hourly import hours_of
from occupancy.report.wording import compared, hours_words
from occupancy.rollup import DAY_MS, Window
from tests.occupancy.report.a_period import (
    DISTRICT,
    OCTOBER,
    QUARTER_MS,
    always,
    lot,
    quarters,
    working,
)


@given(st.sets(st.integers(0, 23), max_size=24))
def test_hours_in_words_are_those_hours(hours: set[int]) -> None:
    words = hours_words(sorted(hours))
    spans = [part.removesuffix(" 时").split("—") for part in words.split("、")] if words else []
    told = [hour for first, last in spans for hour in range(int(first), int(last))]
    assert told == sorted(hours)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_comparison_never_contradicts_the_numbers_it_shows(now: float, before: float) -> None:
    def write(value: float) -> str:
        return write_number(value, 1)

    words = compared(now, before, "上月", write)
    if write(now) == write(before):
        assert words.endswith("持平")
    else:
        assert ("↑" in words) is (now > before)
        assert words.endswith(write(abs(now - before)))


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 900_000)), min_size=96, max_size=96))
def test_hours_weighed_by_their_time_give_the_days_mean(said: list[tuple[int, int]]) -> None:
    one = lot("东")
    windows = [
        Window(
            *("东", OCTOBER.start_ms + place * QUARTER_MS, 15),
            told_ms=QUARTER_MS,
            occupied_ms=cars * QUARTER_MS,
            usable_ms=100 * QUARTER_MS,
        )
        for place, (cars, _) in enumerate(said)
    ]
    seen = observe(facts_of(one), windows, OCTOBER.start_ms, OCTOBER.start_ms + DAY_MS, 15)
    told = hours_of([seen], lambda _: "day")
    assert len(told) == 24
    mean = sum(hour.occupancy or 0.0 for hour in told.values()) / 24
    assert mean == pytest.approx(mean_occupancy(seen).value)


def by_counters(seed: int, mean_minutes: float, days: int = 6) -> list[Window]:
    """Cars that come at random and stay at random: what their counters would tell."""
    chance = random.Random(seed)  # noqa: S311 -- by seed
    span = days * DAY_MS
    came = sorted(chance.uniform(0, span) for _ in range(days * 400))
    left = sorted(at + chance.expovariate(1 / mean_minutes) * 60_000 for at in came)
    made, present = [], 0.0
    for start in range(0, span, QUARTER_MS):
        inn = sum(start <= at < start + QUARTER_MS for at in came)
        out = sum(start <= at < start + QUARTER_MS for at in left)
        inside = sum(
            max(0.0, min(end, start + QUARTER_MS) - max(at, start))
            for at, end in ((a, b) for a, b in zip(came, left, strict=True))
        )
        made.append(
            Window(
                *("东", OCTOBER.start_ms + start, 15),
                told_ms=QUARTER_MS,
                occupied_ms=round(inside),
                usable_ms=500 * QUARTER_MS,
                entries=inn,
                exits=out,
            )
        )
        present += inn - out
    return made


@pytest.mark.parametrize(("seed", "minutes"), [(1, 60.0), (2, 150.0), (3, 240.0)])
def test_stays_first_in_first_out_have_the_mean_of_littles_law(seed: int, minutes: float) -> None:
    windows = by_counters(seed, minutes)
    seen = observe(
        facts_of(lot("东", 500)), windows, OCTOBER.start_ms, OCTOBER.start_ms + 6 * DAY_MS, 15
    )
    found = stays(seen)
    mean = float((found.minutes * found.cars).sum() / found.cars.sum())
    assert mean == pytest.approx(mean_stay_derived(seen).value or 0, rel=0.08)


def test_every_stay_is_in_the_histogram_once() -> None:
    seen = observe(
        facts_of(lot("东", 500)), by_counters(4, 120), OCTOBER.start_ms, OCTOBER.end_ms, 15
    )
    found = stays(seen)
    counts = histogram(found, (0, 30, 60, 120, 240))
    assert sum(counts) == pytest.approx(float(found.cars.sum()))
    assert share_within(found, 10_000) == pytest.approx(1.0)


def test_a_day_that_begins_in_silence_says_nothing_of_stays() -> None:
    one = lot("东")
    seen = observe(facts_of(one), [], OCTOBER.start_ms, OCTOBER.end_ms, 15)
    assert share_within(stays(seen), 60) is None
    assert histogram(stays(seen), (0, 60)) == (0.0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_likely_value_lies_in_its_range_and_among_what_was(values: list[float]) -> None:
    likely = likely_of(values)
    if len(values) < 3:
        assert likely is None
        return
    assert likely is not None
    assert min(values) <= likely.low <= likely.middle <= likely.high <= max(values)


def test_a_steady_town_is_forecast_without_error() -> None:
    one = lot("东")
    seen = observe(facts_of(one), quarters(one, working()), OCTOBER.start_ms, OCTOBER.end_ms, 15)
    peaks = daily_peaks(seen)
    told = expect(peaks, DISTRICT, (DayType.WORKDAY, DayType.WEEKEND))
    assert told[DayType.WORKDAY].middle == pytest.approx(0.75)
    assert told[DayType.WEEKEND].middle == pytest.approx(0.2)
    trial = try_out(peaks, DISTRICT)
    assert trial is not None
    assert trial.mean_error == pytest.approx(0)
    assert trial.covered == 1.0


def test_too_few_holidays_are_taken_as_weekends() -> None:
    peaks = {day: 0.5 for day in range(20_000, 20_060) if DISTRICT.day_type(day) is DayType.WEEKEND}
    told = expect(peaks, DISTRICT, (DayType.PUBLIC_HOLIDAY, DayType.WORKDAY))
    assert told[DayType.PUBLIC_HOLIDAY].middle == 0.5
    assert DayType.WORKDAY not in told


def test_a_day_that_was_silent_for_long_has_no_peak() -> None:
    one = lot("东")
    told = quarters(
        one, always(0.4), silent=lambda at_ms: at_ms < OCTOBER.start_ms + 5 * QUARTER_MS * 4
    )
    seen = observe(facts_of(one), told, OCTOBER.start_ms, OCTOBER.start_ms + 2 * DAY_MS, 15)
    assert len(daily_peaks(seen)) == 1
