"""Minutes as columns say what windows of a minute say, holes and all."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import refused
from occupancy.calendar import Calendar
from occupancy.columns import FIELDS, columns_of, join, spans_apart, stack
from occupancy.found_space import NO_MINUTES, PROMPT_MINUTES, found_in, found_space
from occupancy.observed import Facts, Observed, Span, observe
from occupancy.rollup import DAY_MS, MINUTE_MS, Window, date_start_ms, lengthen
from tests.recorded_month import OCTOBER

START = date_start_ms(OCTOBER)
DAYS = 5
FACTS = Facts("kangle", 20)
UNTIL = START + DAYS * DAY_MS
NOON, HOURS_FULL = 720, 2


def minute(number: int, told_ms: int, full_ms: int, entries: int) -> Window:
    return Window(
        FACTS.lot_id,
        START + number * MINUTE_MS,
        1,
        told_ms=told_ms,
        fresh_ms=told_ms,
        full_ms=min(full_ms, told_ms),
        occupied_ms=told_ms * 10,
        usable_ms=told_ms * 20,
        entries=entries,
    )


def slow_prompt(minutes: Sequence[Window]) -> int:
    """A driver's own way to count: was it open now, or within the two minutes before?"""
    is_open = [one.full_ms < one.told_ms or not one.told_ms for one in minutes]
    return sum(
        one.entries
        for place, one in enumerate(minutes)
        if any(is_open[max(0, place - PROMPT_MINUTES + 1) : place + 1]) or place < PROMPT_MINUTES
    )


told = st.lists(
    st.tuples(
        st.sampled_from((0, 30_000, 60_000)), st.sampled_from((0, 60_000)), st.integers(0, 3)
    ),
    min_size=1,
    max_size=40,
)


@given(told)
def test_who_found_a_space_is_counted_as_a_driver_would(made: list[tuple[int, int, int]]) -> None:
    windows = [minute(number, *one) for number, one in enumerate(made)]
    seen = observe(FACTS, windows, START, START + len(windows) * MINUTE_MS, 1)
    refusals = refused.estimate(seen, Calendar())
    said = found_in([(seen, refusals, columns_of(seen))])
    if said.value is not None:
        came = seen.total("entries") + (refusals.indicator.value or 0.0)
        assert said.value == pytest.approx(slow_prompt(seen.windows) / came)


def evenings() -> list[Window]:
    """A car a minute; full at noon of the last day, when hardly anybody enters."""
    found = []
    for number in range(DAYS * 1_440):
        is_last = number // 1_440 == DAYS - 1
        is_full = is_last and NOON <= number % 1_440 < NOON + HOURS_FULL * 60
        if number % 1_440 == 300:  # a minute of which nothing was heard
            continue
        found.append(minute(number, 60_000, 60_000 if is_full else 0, 0 if is_full else 1))
    return found


def quarters_of(windows: Sequence[Window], facts: Facts = FACTS) -> Observed:
    return observe(facts, lengthen(windows, 15), START, UNTIL, 15)


def test_refused_by_columns_are_those_by_windows_of_a_minute() -> None:
    windows = evenings()
    by_windows = refused.estimate(observe(FACTS, windows, START, UNTIL, 1), Calendar())
    finer = stack(1, ([getattr(one, name) for name in FIELDS] for one in windows))
    quarters = quarters_of(windows)
    by_columns = refused.estimate(quarters, Calendar(), finer.within(quarters))
    assert by_columns.spells == by_windows.spells
    assert by_columns.indicator.value == by_windows.indicator.value == pytest.approx(120, rel=0.1)
    assert by_columns.by_quarter == by_windows.by_quarter
    slowly = found_space([(observe(FACTS, windows, START, UNTIL, 1), by_windows)])
    quickly = found_in([(quarters, by_columns, finer.within(quarters))])
    assert quickly.value == slowly.value


def test_minutes_of_a_closure_do_not_count() -> None:
    closed = Facts("kangle", 20, closed=(Span(START, START + DAY_MS),))
    windows = evenings()
    quarters = quarters_of(windows, closed)
    finer = stack(1, ([getattr(one, name) for name in FIELDS] for one in windows))
    assert int(finer.within(quarters).start_ms[0]) == START + DAY_MS


def test_without_minutes_nobody_is_said_to_have_waited_or_not() -> None:
    quarters = quarters_of(evenings())
    refusals = refused.estimate(quarters, Calendar())
    said = found_in([(quarters, refusals, columns_of(quarters))])
    assert (said.value, said.reason) == (None, NO_MINUTES)


def test_periods_that_touch_are_read_once_and_joined_in_order() -> None:
    spans = [Span(50, 60), Span(0, 10), Span(10, 20), Span(5, 12)]
    assert spans_apart(spans) == [Span(0, 20), Span(50, 60)]
    late, early = stack(1, [(60_000, 1, 2, 3)]), stack(1, [(0, 4, 5, 6)])
    both = join([late, early])
    assert both.start_ms.tolist() == [0, 60_000]
    assert both.entries.tolist() == [4, 1]
    assert len(stack(1, []).start_ms) == 0
