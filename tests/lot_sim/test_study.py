"""A change is told from chance: the same drivers with and without it, in a town like the record."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lot_sim.arrivals import DAY_MS, weekday_of
from lot_sim.car_park import Crossing
from lot_sim.scenario import Direction, Scenario, parse_scenario
from lot_sim.study import changed_town, paired, play, sum_up, t95
from lot_sim.study_fit import Fitted, find_sources, fit
from lot_sim.study_guide import fee_fen
from lot_sim.study_player import StudyPlayer
from lot_sim.study_spec import (
    HOURS,
    BadStudyError,
    Board,
    Change,
    DayKind,
    Fees,
    Outcome,
    Recorded,
    Spec,
    StudyGroup,
    StudyLot,
)
from lot_sim.town import Town

MONDAY_MS = 1_793_548_800_000  # 2026-11-02 00:00 in Shanghai
FRIDAY_MS = MONDAY_MS + 4 * DAY_MS
BELIEVED = parse_scenario(
    (Path(__file__).parent.parent.parent / "lot_sim/scenarios/sanshui.toml").read_text("utf-8"),
    "sanshui.toml",
)
STAYS = (30, 60, 1_440)


def busier(factor: float) -> Scenario:
    """The shipped town with more drivers: what is recorded differs from what was believed."""
    more = tuple(
        msgspec.structs.replace(one, cars_a_day=one.cars_a_day * factor)
        for one in BELIEVED.destinations
    )
    return msgspec.structs.replace(BELIEVED, destinations=more)


def recorded(town: Scenario, weeks: int = 1) -> tuple[Recorded, ...]:
    """What history would hold of a town, counted here crossing by crossing."""
    played = Town(town, "record", MONDAY_MS)
    entries = np.zeros((len(town.lots), 7, HOURS))
    occupied = np.zeros_like(entries)
    ids = [lot.lot_id for lot in town.lots]

    def crossed(crossing: Crossing) -> None:
        if crossing.direction is Direction.ENTRY:
            hour = (crossing.at_ms - MONDAY_MS) // 3_600_000 % HOURS
            entries[ids.index(crossing.lot_id), weekday_of(crossing.at_ms), hour] += 1 / weeks

    played.on_crossing = crossed
    for half in range(weeks * 7 * 48):
        played.run_until(MONDAY_MS + half * 1_800_000)
        for n, lot in enumerate(played.lots):
            occupied[n, half // 48 % 7, half % 48 // 2] += lot.inside / 2 / weeks
    return tuple(
        Recorded(
            lot_id,
            _kinds(entries[n]),
            dict.fromkeys(DayKind, (0.0,) * HOURS),
            _kinds(occupied[n]),
            tuple(entries[n].sum(axis=1).tolist()),
        )
        for n, lot_id in enumerate(ids)
    )


def _kinds(days: np.ndarray) -> dict[DayKind, tuple[float | None, ...]]:
    return {
        DayKind.WORKDAY: tuple(days[:5].mean(axis=0).tolist()),
        DayKind.WEEKEND: tuple(days[5:].mean(axis=0).tolist()),
    }


def flat(fen_an_hour: int) -> Fees:
    prices = tuple(fen_an_hour * minutes // 60 for minutes in STAYS)
    return Fees(STAYS, dict.fromkeys(DayKind, (prices,) * HOURS))


def spec(change: Change, **other: object) -> Spec:
    lots = tuple(
        StudyLot(
            lot.lot_id,
            lot.lot_id,
            lot.latitude,
            lot.longitude,
            tuple(StudyGroup(group.group_id, group.bays_by_level) for group in lot.groups()),
        )
        for lot in BELIEVED.lots
    )
    plain = Spec(lots, RECORD, change, FRIDAY_MS, fees={lot.lot_id: flat(500) for lot in lots})
    return msgspec.structs.replace(plain, **{"days": 2, "seeds": 3, **other})


RECORD = recorded(busier(1.15))


@cache
def fitted() -> Fitted:
    facts = StudyPlayer(_json(spec(Change(spaces={"kangle": 1}))), BELIEVED).spec
    return fit(msgspec.json.decode(facts, type=Spec), BELIEVED)


def _json(facts: Spec) -> str:
    return msgspec.json.encode(facts).decode()


def played(change: Change, **other: object) -> Outcome:
    facts = spec(change, **other)
    return sum_up(facts, fitted(), [play(facts, fitted(), seed) for seed in range(facts.seeds)])


def difference(outcome: Outcome, name: str, lot_id: str = "") -> tuple[float, float, float]:
    (found,) = (one for one in outcome.differences if (one.name, one.lot_id) == (name, lot_id))
    return found.low, found.difference, found.high


def test_the_fitted_town_is_as_the_record_and_not_as_was_believed() -> None:
    for one in fitted().fits:
        assert one.fitted_entries_a_day == pytest.approx(one.recorded_entries_a_day, rel=0.05)
        assert one.fitted_occupied == pytest.approx(one.recorded_occupied, rel=0.08)


def test_the_same_facts_bring_the_same_outcome() -> None:
    change = Change(spaces={"zhongshan": 40})
    assert played(change, days=1, seeds=2) == played(change, days=1, seeds=2)


def test_spaces_where_cars_are_refused_let_cars_in() -> None:
    outcome = played(Change(spaces={"zhongshan": 60}))
    low, mean, high = difference(outcome, "refused", "zhongshan")
    assert low <= mean <= high < 0
    assert difference(outcome, "entries", "zhongshan")[0] > 0
    assert difference(outcome, "full_minutes", "zhongshan")[2] < 0


def test_a_closed_car_park_takes_nobody_and_its_drivers_go_elsewhere() -> None:
    outcome = played(Change(closed=("sanda",)))
    (closed,) = (
        one for one in outcome.differences if (one.name, one.lot_id) == ("entries", "sanda")
    )
    assert closed.with_change == 0
    assert difference(outcome, "entries", "zhongshan")[0] > 0


def test_a_dearer_car_park_loses_drivers_to_its_neighbours() -> None:
    outcome = played(Change(fees={"zhongshan": flat(2_000)}))
    assert difference(outcome, "entries", "zhongshan")[2] < 0
    assert difference(outcome, "entries", "sanda")[0] > 0
    assert difference(outcome, "revenue_fen", "sanda")[0] > 0


def test_a_heeded_sign_before_a_full_car_park_sends_drivers_on() -> None:
    others = tuple(lot.lot_id for lot in BELIEVED.lots if lot.lot_id != "zhongshan")
    outcome = played(Change(boards=(Board("zhongshan", 1.0, others),)))
    assert difference(outcome, "refused", "zhongshan")[2] < 0


def test_takings_nobody_can_price_are_left_out_not_made_up() -> None:
    outcome = played(Change(spaces={"kangle": 1}), fees={"kangle": flat(500)}, seeds=2)
    told = {one.lot_id for one in outcome.differences if one.name == "revenue_fen"}
    assert told == {"kangle"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(), "nothing is changed"),
        (Change(spaces={"nowhere": 3}), "nowhere"),
        (Change(spaces={"kangle": 0}), "1 or more"),
        (Change(closed=tuple(lot.lot_id for lot in BELIEVED.lots)), "leave one open"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_its_reason(change: Change, words: str) -> None:
    with pytest.raises(BadStudyError, match=words):
        StudyPlayer(_json(spec(change)), BELIEVED)


def test_a_period_without_entries_names_the_car_park() -> None:
    empty = msgspec.structs.replace(RECORD[0], entries=dict.fromkeys(DayKind, (None,) * HOURS))
    facts = spec(Change(spaces={"kangle": 1}), recorded=(empty, *RECORD[1:]))
    with pytest.raises(BadStudyError, match=RECORD[0].lot_id):
        StudyPlayer(_json(facts), BELIEVED)


def test_facts_of_another_shape_are_refused_with_their_place() -> None:
    with pytest.raises(BadStudyError, match="first_day_ms"):
        StudyPlayer('{"lots": [], "recorded": [], "change": {}}', BELIEVED)


@given(st.integers(1, 500))
def test_added_spaces_are_added_to_the_space(more: int) -> None:
    town = changed_town(BELIEVED, Change(spaces={"sanda": more}))
    before = {lot.lot_id: lot.bays for lot in BELIEVED.lots}
    after = {lot.lot_id: lot.bays for lot in town.lots}
    assert after == {**before, "sanda": before["sanda"] + more}


def test_a_stay_costs_what_the_next_longer_of_the_table_costs() -> None:
    fees = flat(600)
    told = [fee_fen(fees, MONDAY_MS, minutes * 60_000) for minutes in (1, 30, 31, 60, 61, 9_999)]
    assert told == [300, 300, 600, 600, 14_400, 14_400]
    assert all(a <= b for a, b in pairwise(told))


sums = st.lists(st.floats(0, 500), min_size=3, max_size=3)
weights = st.lists(st.floats(0.05, 1), min_size=3, max_size=3)


@given(sums, st.lists(weights, min_size=2, max_size=6))
def test_sources_keep_every_driver_and_make_none(
    sums: list[float], rows: list[list[float]]
) -> None:
    chances = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    found = find_sources(np.array(sums), chances, np.ones(len(rows)))
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(sum(sums), abs=1e-6)


@given(st.lists(st.floats(1, 300), min_size=4, max_size=4))
def test_sums_that_sources_can_bring_are_brought(cars: list[float]) -> None:
    chances = np.array([[0.9, 0.1, 0], [0.1, 0.8, 0.1], [0, 0.2, 0.8], [0.4, 0.3, 0.3]])
    wanted = np.array(cars) @ chances
    found = find_sources(wanted, chances, np.full(4, 100.0))
    assert found @ chances == pytest.approx(wanted, rel=0.05, abs=1)


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=30))
def test_the_interval_is_that_of_a_paired_t_test_or_a_little_wider(
    values: list[tuple[float, float]],
) -> None:
    without, changed = ([row[n] for row in values] for n in (0, 1))
    mean, half = paired(without, changed)
    each = np.array(changed) - np.array(without)
    exact = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
    assert mean == pytest.approx(each.mean(), abs=1e-9)
    assert exact * 0.999 - 1e-9 <= half <= exact * 1.05 + 1e-9


@pytest.mark.parametrize("freedom", [1, 5, 12, 13, 29, 50, 500])
def test_students_t_is_never_taken_too_small(freedom: int) -> None:
    exact = stats.t.ppf(0.975, freedom)
    assert exact * 0.999 <= t95(freedom) <= exact * 1.03


def test_one_seed_alone_bears_no_interval_and_is_refused() -> None:
    with pytest.raises(BadStudyError, match="2 seeds"):
        StudyPlayer(_json(spec(Change(spaces={"kangle": 10}), seeds=1)), BELIEVED)


def test_days_are_played_from_the_midnight_that_is_named() -> None:
    assert (MONDAY_MS + 8 * 3_600_000) % DAY_MS == 0
    assert weekday_of(MONDAY_MS) == 0
