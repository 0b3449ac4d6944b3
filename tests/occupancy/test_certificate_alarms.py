"""A certificate's end is an alarm: two weeks ahead, grave once it is there, over when renewed."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.certificate import WARN_DAYS, Endpoint, Term
from occupancy.alarm import RULES, Alarm, AlarmKind, Key, Rulebook, Severity, Watch, step, watching
from occupancy.certificate_alarms import certificate_conditions, unseen_keys

ENDS, ENDED = AlarmKind.CERTIFICATE_ENDS, AlarmKind.CERTIFICATE_ENDED
CACHE = Endpoint("ZHIBO_REDIS_URL", "cache", 6379)
PROXY = Endpoint("ZHIBO_PUSH_URL", "push.example", 443)
END_MS = 1_800_000_000_000  # 2027-01-15 16:00 in Sanshui
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Keeper:
    """Looks now and then, as whoever keeps the alarms does."""

    def __init__(self, rules: Rulebook | None = None) -> None:
        self.watches: dict[Key, Watch] = {}
        self.rules = rules or Rulebook(RULES)
        self.raised: list[Alarm] = []
        self.cleared: list[Alarm] = []

    def look(self, now_ms: int, *terms: Term) -> list[AlarmKind]:
        """The kinds that are open afterwards."""
        conditions, unseen = certificate_conditions(terms, now_ms), unseen_keys(terms)
        made = step(self.watches, conditions, now_ms, self.rules, frozenset(), unseen)
        self.watches = made.watches
        self.raised += made.raised
        self.cleared += made.cleared
        return [watch.alarm.key.kind for watch in self.watches.values() if watch.alarm]


def term(expires_ms: int | None, endpoint: Endpoint = CACHE) -> Term:
    return Term(endpoint, expires_ms, "" if expires_ms else "no answer within 5 s")


def test_it_is_told_from_fourteen_days_ahead_and_is_grave_once_it_has_ended() -> None:
    keeper = Keeper()
    assert keeper.look(END_MS - WARN_DAYS * DAY_MS - 1, term(END_MS)) == []
    assert keeper.look(END_MS - WARN_DAYS * DAY_MS, term(END_MS)) == [ENDS]
    assert keeper.look(END_MS - 1, term(END_MS)) == [ENDS]
    assert keeper.look(END_MS, term(END_MS)) == [ENDED]
    assert [one.severity for one in keeper.raised] == [Severity.MINOR, Severity.CRITICAL]


def test_it_says_whose_when_and_what_to_do() -> None:
    (soon,) = certificate_conditions([term(END_MS)], END_MS - DAY_MS)
    (over,) = certificate_conditions([term(END_MS)], END_MS)
    for told in (soon.words, over.words):
        for piece in ("cache:6379", "ZHIBO_REDIS_URL", "2027-01-15 16:00", "换新证书"):
            assert piece in told
    assert "将于" in soon.words
    assert "已于" in over.words


def test_it_is_over_as_soon_as_the_renewed_one_is_seen() -> None:
    for ends_ms in (END_MS - DAY_MS, END_MS + DAY_MS):
        keeper = Keeper()
        assert len(keeper.look(END_MS, term(ends_ms))) == 1
        assert keeper.look(END_MS + 1, term(END_MS + 90 * DAY_MS)) == []
        assert [one.cleared_at_ms for one in keeper.cleared] == [END_MS + 1]


def test_a_server_that_shows_none_raises_nothing_and_ends_nothing() -> None:
    keeper = Keeper()
    assert keeper.look(END_MS - HOUR_MS, term(None)) == []
    assert keeper.look(END_MS - HOUR_MS, term(END_MS)) == [ENDS]
    assert keeper.look(END_MS, term(None)) == [ENDS]
    assert keeper.look(END_MS + DAY_MS, term(None)) == [ENDS]
    assert len(keeper.raised) == 1
    assert keeper.look(END_MS + 2 * DAY_MS, term(END_MS)) == [ENDED]


def test_who_takes_over_before_he_has_looked_leaves_the_alarm_as_it_is() -> None:
    first, second = Keeper(), Keeper()
    first.look(END_MS - DAY_MS, term(END_MS))
    second.watches = watching(first.raised)
    assert second.look(END_MS - DAY_MS + 60_000, term(None)) == [ENDS]
    assert second.look(END_MS - DAY_MS + 61_000, term(END_MS)) == [ENDS]
    assert (second.raised, second.cleared) == ([], [])


def test_a_server_whose_setting_is_gone_has_no_alarm_any_more() -> None:
    keeper = Keeper()
    keeper.look(END_MS, term(END_MS), term(END_MS, PROXY))
    assert keeper.look(END_MS + 1, term(None, PROXY)) == [ENDED]
    assert [one.key.subject for one in keeper.cleared] == ["cache:6379（ZHIBO_REDIS_URL）"]


def test_each_host_of_each_setting_has_its_own() -> None:
    endpoints = (CACHE, PROXY, PROXY._replace(host="b"), PROXY._replace(setting="ZHIBO_PUBLIC_URL"))
    keeper = Keeper()
    keeper.look(END_MS, *(term(END_MS, one) for one in endpoints))
    assert len(keeper.raised) == len({one.key for one in keeper.raised}) == len(endpoints)


@pytest.mark.parametrize("days", [2.0, 30.0])
def test_the_rule_says_how_many_days_ahead(days: float) -> None:
    rule = msgspec.structs.replace(RULES[ENDS], threshold=days, hysteresis=1.0)
    keeper = Keeper(Rulebook({**RULES, ENDS: rule}))
    edge_ms = END_MS + round(days * DAY_MS)
    assert keeper.look(END_MS, term(edge_ms + 1)) == []
    assert keeper.look(END_MS, term(edge_ms)) == [ENDS]
    assert keeper.look(END_MS, term(edge_ms + DAY_MS)) == [ENDS]
    assert keeper.look(END_MS, term(edge_ms + DAY_MS + 1)) == []


@given(st.lists(st.none() | st.integers(-40 * 24, 40 * 24), max_size=60))
def test_one_alarm_at_most_and_only_sightings_change_it(hours_left: Sequence[int | None]) -> None:
    keeper, now_ms, before = Keeper(), END_MS, list[AlarmKind]()
    for hours in hours_left:
        now_ms += HOUR_MS
        seen = term(None if hours is None else now_ms + hours * HOUR_MS)
        after = keeper.look(now_ms, seen)
        assert len(after) <= 1
        if hours is None:
            assert after == before
        else:
            due = [ENDED] if hours <= 0 else [ENDS] if hours <= WARN_DAYS * 24 else []
            assert after == due
        before = after
