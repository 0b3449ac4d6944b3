"""Each conclusion comes of its rule: with the condition met, and not without it."""

from collections.abc import Callable
from typing import Any

import pytest

from occupancy.report import findings, rules
from occupancy.report.document import Confidence, Finding
from occupancy.report.study import Study
from occupancy.rollup import DAY_MS
from occupancy.tariff_file import shipped_tariffs
from occupancy.truth_check import TruthCheck
from tests.occupancy.report.a_period import (
    OCTOBER,
    a_month,
    always,
    evenings_full,
    facts,
    lot,
    quarters,
)
from tests.occupancy.report.test_content import a_line, tariffs_of


def found(**other: Any) -> dict[str, Finding]:  # noqa: ANN401
    return {one.rule: one for one in findings.find(Study(a_month(**other)))}


def alone(**other: Any) -> dict[str, Finding]:  # noqa: ANN401
    """One car park, full every evening, with nothing within a walk."""
    one = lot("东")
    made = facts([(one, quarters(one, evenings_full()))], **other)
    return {finding.rule: finding for finding in findings.find(Study(made))}


def quiet(**other: Any) -> tuple[Finding, ...]:  # noqa: ANN401
    one = lot("东")
    return findings.find(Study(facts([(one, quarters(one, always(0.5)))], **other)))


def test_room_next_door_asks_for_a_sign_and_not_for_spaces() -> None:
    told = found()
    sign = told[rules.ADD_SIGN]
    assert sign.lots == ("东", "西")
    assert "每天 17—21 时指向西" in sign.action
    assert rules.ADD_SPACES not in told
    assert rules.HOLD_BUILDING in told


def test_the_effect_of_a_sign_is_a_share_of_those_who_could_go_next_door() -> None:
    one = found()[rules.ADD_SIGN]
    study = Study(a_month())
    gap = study.gaps["东"]
    a_day = (gap.transferable.value or 0) / 31
    assert one.low == pytest.approx(a_day * rules.FOLLOW_SIGN[0])
    assert one.high == pytest.approx(a_day * rules.FOLLOW_SIGN[1])
    assert one.low is not None
    assert one.effect is not None
    assert one.low <= one.effect <= (one.high or 0)


def test_nothing_within_a_walk_asks_for_spaces_and_not_for_a_sign() -> None:
    told = alone()
    spaces = told[rules.ADD_SPACES]
    assert rules.ADD_SIGN not in told
    assert rules.HOLD_BUILDING not in told
    assert spaces.low is not None
    assert spaces.high is not None
    assert spaces.low <= (spaces.effect or 0) <= spaces.high


def test_evenings_that_are_rarely_full_ask_for_no_spaces() -> None:
    one = lot("东")

    def cars(day: int, hour: float) -> float:
        return 100 if day % 14 == 0 and 17 <= hour < 21 else 40

    told = findings.find(Study(facts([(one, quarters(one, cars))])))
    assert [finding.rule for finding in told] == []


@pytest.mark.parametrize("lots", [("东", "西", "远"), ("西", "东", "远")])
def test_a_price_is_named_only_where_the_full_one_is_the_cheaper_one(lots: tuple[str, ...]) -> None:
    told = found(tariffs=tariffs_of(*lots))
    assert (rules.RE_PRICE in told) is (lots[0] == "东")


def test_a_price_gap_without_anybody_turned_away_is_no_finding() -> None:
    assert quiet(tariffs=tuple(shipped_tariffs())) == ()


@pytest.mark.parametrize(
    ("minutes", "is_found"),
    [
        ({"wrong": 2_199}, False),
        ({"wrong": 2_201}, True),
        ({"stale_number": 1}, True),
        ({"unknown": 2_233}, True),
        ({"unknown": 2_231}, False),
        ({"free_while_full": 40}, False),
    ],
)
def test_a_sign_is_mended_where_it_breaks_a_threshold(
    minutes: dict[str, int],
    is_found: bool,  # noqa: FBT001
) -> None:
    told = quiet(sign_lines=(a_line("s", "东", **minutes),))
    assert [one.rule for one in told] == ([rules.MEND_SIGN] if is_found else [])


def test_a_source_is_mended_where_it_is_silent_for_long() -> None:
    one = lot("东")
    silent_ms = OCTOBER.start_ms + 29 * DAY_MS
    told = quarters(one, always(0.5), silent=lambda at_ms: at_ms >= silent_ms)
    (finding,) = findings.find(Study(facts([(one, told)])))
    assert finding.rule == rules.MEND_SOURCE
    assert finding.effect == pytest.approx(48.0)
    assert "93.5%" in finding.evidence


@pytest.mark.parametrize(("cars", "is_found"), [(2, False), (3, True), (-3, True)])
def test_counters_that_drift_are_mended(cars: int, is_found: bool) -> None:  # noqa: FBT001
    checks = tuple(
        TruthCheck(
            lot_id="东",
            checked_at_ms=OCTOBER.start_ms + day * DAY_MS,
            night=None,
            asked_by="",
            epoch=1,
            sequence=day,
            capacity=100,
            entries_total=0,
            exits_total=0,
            cars_by_counters=50,
            cars_by_machines=50,
            unseen_cars=0,
            drift_cars=cars * day,
            drift_since_last_cars=cars,
        )
        for day in range(1, 6)
    )
    told = quiet(checks=checks)
    assert [one.rule for one in told] == ([rules.MEND_SOURCE] if is_found else [])


def test_where_no_rule_is_met_nothing_is_said() -> None:
    assert quiet() == ()


def busy(cars: int) -> Callable[[int, float], int]:
    """So many cars a quarter from 8 o'clock on."""
    return lambda _day, hour: cars if hour >= 8 else 1


def test_there_are_at_most_five_and_the_largest_effect_comes_first() -> None:
    lots = [lot(name, metres_east=2_000.0 * place) for place, name in enumerate("甲乙丙丁戊己庚")]
    made = facts(
        [
            (one, quarters(one, evenings_full(), entries=busy(4 + place)))
            for place, one in enumerate(lots)
        ]
    )
    told = findings.find(Study(made))
    assert len(told) == 5
    effects = [one.effect or 0 for one in told]
    assert effects == sorted(effects, reverse=True)


def test_places_that_nobody_confirmed_make_nothing_sure() -> None:
    sure = found()[rules.ADD_SIGN].confidence
    one, other = lot("东", placeholders=("entrance",)), lot("西", metres_east=230)
    made = facts([(one, quarters(one, evenings_full())), (other, quarters(other, always(0.3)))])
    unsure = next(f for f in findings.find(Study(made)) if f.rule == rules.ADD_SIGN)
    assert (sure, unsure.confidence) == (Confidence.HIGH, Confidence.MEDIUM)


def test_without_figures_there_are_no_conclusions_from_them() -> None:
    one = lot("东")
    told = quarters(one, evenings_full())[: 96 * 5]
    rules_found = [f.rule for f in findings.find(Study(facts([(one, told)])))]
    assert rules_found == [rules.MEND_SOURCE]
