"""Alarms: raised once, after their time; ended by themselves; kept while nobody can tell."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.alarm import (
    RULES,
    Alarm,
    AlarmKind,
    Condition,
    Key,
    Rule,
    Rulebook,
    Severity,
    Watch,
    step,
)
from occupancy.alarm import watching as take_over

KEY = Key(AlarmKind.DRIFT, "kangle", "")
RULE = Rule(
    Severity.MAJOR, 10.0, "cars", raise_after_seconds=5, clear_after_seconds=3, hysteresis=2
)


class Watched:
    """Looks at one value, second by second."""

    def __init__(self, rule: Rule = RULE) -> None:
        self.watches: dict[Key, Watch] = {}
        self.raised: list[Alarm] = []
        self.cleared: list[Alarm] = []
        self.rules = Rulebook({**RULES, AlarmKind.DRIFT: rule})

    def look(self, value: float | None, second: int, silent: Iterable[str] = ()) -> None:
        found = [] if value is None else [Condition(KEY, value, f"{value:.0f} cars")]
        made = step(self.watches, found, second * 1_000, self.rules, frozenset(silent))
        self.watches = made.watches
        self.raised += made.raised
        self.cleared += made.cleared

    @property
    def is_open(self) -> bool:
        return any(watch.alarm for watch in self.watches.values())


def test_a_condition_that_lasts_is_raised_once_with_its_words() -> None:
    seen = Watched()
    for second in range(20):
        seen.look(12, second)
    assert seen.raised == [Alarm(KEY, Severity.MAJOR, "12 cars", 5_000)]
    assert not seen.cleared


def test_a_condition_that_passes_is_no_alarm() -> None:
    seen = Watched()
    for second in range(40):
        seen.look(12 if second % 5 else None, second)
    assert not seen.raised


def test_an_alarm_ends_by_itself_some_time_after_its_condition() -> None:
    seen = Watched()
    for second in range(10):
        seen.look(12, second)
    for second in range(10, 20):
        seen.look(None, second)
    assert [alarm.cleared_at_ms for alarm in seen.cleared] == [12_000]
    assert not seen.is_open


def test_an_alarm_holds_until_the_value_is_well_below_its_threshold() -> None:
    seen = Watched()
    for second in range(10):
        seen.look(10, second)
    for second in range(10, 30):
        seen.look(8.5, second)
    assert seen.is_open
    for second in range(30, 40):
        seen.look(7.9, second)
    assert not seen.is_open


def test_a_value_just_below_the_threshold_never_raises() -> None:
    seen = Watched()
    for second in range(30):
        seen.look(9.9, second)
    assert not seen.raised


def test_what_a_silent_car_park_told_last_neither_ends_nor_begins() -> None:
    seen = Watched()
    for second in range(10):
        seen.look(12, second)
    for second in range(10, 60):
        seen.look(None, second, silent=["kangle"])
    assert seen.is_open
    fresh = Watched()
    for second in range(60):
        fresh.look(12, second, silent=["kangle"])
    assert not fresh.raised


def test_a_rule_that_is_switched_off_ends_its_alarms() -> None:
    seen = Watched()
    for second in range(10):
        seen.look(12, second)
    seen.rules = Rulebook({**RULES, AlarmKind.DRIFT: Rule(Severity.MAJOR, 10, "cars", is_on=False)})
    seen.look(12, 10)
    assert [alarm.cleared_at_ms for alarm in seen.cleared] == [10_000]


def test_who_takes_over_goes_on_with_the_alarms_that_are_open() -> None:
    seen = Watched()
    alarm = Alarm(KEY, Severity.MAJOR, "12 cars", 1_000)
    seen.watches = take_over([alarm])
    seen.look(12, 100)
    assert not seen.raised
    seen.look(None, 104)
    assert [over.key for over in seen.cleared] == [KEY]


@given(st.lists(st.none() | st.floats(0, 20), max_size=80))
def test_raised_and_cleared_alternate(values: list[float | None]) -> None:
    seen, told = Watched(), 0
    for second, value in enumerate(values):
        seen.look(value, second)
        assert len(seen.raised) - len(seen.cleared) == int(seen.is_open)
        assert len(seen.raised) + len(seen.cleared) <= told + 1
        told = len(seen.raised) + len(seen.cleared)


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_has_a_rule_that_ships(kind: AlarmKind) -> None:
    assert RULES[kind].threshold > RULES[kind].hysteresis >= 0


def test_a_car_park_with_a_rule_of_its_own_is_judged_by_it_and_no_other_is() -> None:
    own = msgspec.structs.replace(RULE, threshold=50.0, severity=Severity.MINOR)
    book = Rulebook({**RULES, AlarmKind.DRIFT: RULE}, {("sanda", AlarmKind.DRIFT): own})
    watches: dict[Key, Watch] = {}
    raised: list[Alarm] = []
    for value in (20.0, 60.0):
        found = [Condition(Key(AlarmKind.DRIFT, lot, ""), value, "") for lot in ("kangle", "sanda")]
        for second in range(10):
            made = step(watches, found, int(value) * 100_000 + second * 1_000, book)
            watches = made.watches
            raised += made.raised
    assert [(alarm.key.lot_id, alarm.severity) for alarm in raised] == [
        ("kangle", Severity.MAJOR),
        ("sanda", Severity.MINOR),
    ]
