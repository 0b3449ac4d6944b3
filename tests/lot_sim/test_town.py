from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lot_sim.arrivals import DAY_MS, Arrival, midnight_of
from lot_sim.car_park import Crossing
from lot_sim.scenario import Direction, Scenario
from lot_sim.town import Outcome, Town
from tests.lot_sim.towns import (
    HOUR_MS,
    MONDAY_NOON_MS,
    SANSHUI,
    small_lot,
    small_scenario,
)

TWO_LOTS = small_scenario(
    cars_a_day=600, lots=(small_lot("east"), small_lot("west", latitude=23.152))
)


def crossings(town: Town, until_ms: int, step_ms: int) -> list[Crossing]:
    seen: list[Crossing] = []
    town.on_crossing = seen.append
    for at_ms in range(town.start_ms, until_ms, step_ms):
        town.run_until(at_ms)
    town.run_until(until_ms)
    return seen


def test_the_same_seed_gives_the_same_day_however_it_is_watched() -> None:
    day = [
        crossings(Town(SANSHUI, "42", MONDAY_NOON_MS), MONDAY_NOON_MS + 8 * HOUR_MS, step_ms)
        for step_ms in (30_000, 7_777_777)
    ]
    assert day[0] == day[1]
    assert len(day[0]) > 500


def test_another_seed_gives_another_day() -> None:
    day = [
        crossings(Town(SANSHUI, seed, MONDAY_NOON_MS), MONDAY_NOON_MS + HOUR_MS, HOUR_MS)
        for seed in ("1", "2")
    ]
    assert day[0] != day[1]


def test_a_day_is_the_same_whichever_of_its_hours_one_starts_in() -> None:
    until_ms = MONDAY_NOON_MS + 3 * HOUR_MS
    early = crossings(Town(SANSHUI, "1", MONDAY_NOON_MS - 2 * HOUR_MS), until_ms, HOUR_MS)
    late = crossings(Town(SANSHUI, "1", MONDAY_NOON_MS), until_ms, HOUR_MS)
    assert [c[:4] for c in early if c.at_ms > MONDAY_NOON_MS] == [c[:4] for c in late]


@settings(max_examples=15)
@given(st.integers(0, 1_000), st.integers(1, 4 * 24))
def test_books_balance_in_every_lot_at_every_hour(seed: int, hours: int) -> None:
    town = Town(TWO_LOTS, str(seed), MONDAY_NOON_MS)
    town.run_until(MONDAY_NOON_MS + hours * HOUR_MS)
    for lot in town.lots:
        entries, exits = lot.crossed(Direction.ENTRY), lot.crossed(Direction.EXIT)
        assert lot.inside == lot.initially_inside + entries - exits
        assert lot.bays == lot.occupied + lot.free + lot.out_of_service
        assert lot.free >= 0


def test_every_driver_parks_or_goes_home() -> None:
    town = Town(TWO_LOTS, "3", midnight_of(MONDAY_NOON_MS))
    outcomes: list[Outcome] = []
    town.on_outcome = outcomes.append
    town.run_until(town.start_ms + 20 * HOUR_MS)
    parked = [o for o in outcomes if o.parked_in is not None]
    since_start = [o for o in outcomes if o.arrival.at_ms >= town.start_ms]
    for place, lot in enumerate(town.lots):
        assert sum(o.parked_in == place for o in parked) == lot.crossed(Direction.ENTRY)
        refused = sum(place in o.refused_by for o in since_start)
        assert 0 <= lot.refused - refused < 10
    assert len(outcomes) - len(parked) == town.went_home > 50
    arrivals = [o.arrival for o in outcomes]
    assert len(set(arrivals)) == len(arrivals)


def test_drivers_who_drive_on_arrive_later_and_do_not_come_back() -> None:
    town = Town(TWO_LOTS, "3", midnight_of(MONDAY_NOON_MS))
    outcomes: list[Outcome] = []
    town.on_outcome = outcomes.append
    town.run_until(town.start_ms + 20 * HOUR_MS)
    drove_on = [o for o in outcomes if o.refused_by and o.parked_in is not None]
    assert len(drove_on) > 10
    for outcome in drove_on:
        assert outcome.parked_in not in outcome.refused_by
        assert outcome.at_ms - outcome.arrival.at_ms >= 2 * 60_000


class Always:
    """Sends everybody to one lot, or home."""

    def __init__(self, lot: int | None) -> None:
        self._lot = lot

    def choose(self, arrival: Arrival, tried: tuple[int, ...], chance: Random) -> int | None:
        del arrival, chance
        return None if tried else self._lot


@pytest.mark.parametrize(("lot", "entered"), [(0, [True, False]), (None, [False, False])])
def test_a_guide_decides_which_lot_is_tried(lot: int | None, entered: list[bool]) -> None:
    town = Town(TWO_LOTS, "1", MONDAY_NOON_MS)
    town.guide = Always(lot)
    town.run_until(town.start_ms + HOUR_MS)
    before = [place.crossed(Direction.ENTRY) for place in town.lots]
    town.run_until(town.start_ms + 10 * HOUR_MS)
    after = [place.crossed(Direction.ENTRY) for place in town.lots]
    assert [b > a for a, b in zip(before, after, strict=True)] == entered
    assert town.went_home > 50


def test_an_unknown_lot_is_named() -> None:
    with pytest.raises(KeyError, match="no lot nowhere"):
        Town(TWO_LOTS, "1", MONDAY_NOON_MS).lot("nowhere")


def hourly_shares(scenario: Scenario, seed: str) -> dict[str, list[float]]:
    """A week from Monday midnight: each lot's occupied share at every half hour."""
    monday = midnight_of(MONDAY_NOON_MS)
    town = Town(scenario, seed, monday)
    shares: dict[str, list[float]] = {lot.plan.lot_id: [] for lot in town.lots}
    for half in range(7 * 48):
        town.run_until(monday + half * HOUR_MS // 2)
        for lot in town.lots:
            shares[lot.plan.lot_id].append((lot.occupied + lot.being_stored) / lot.bays)
    return shares


def between(shares: list[float], day: int, from_hour: int, to_hour: int) -> list[float]:
    return shares[day * 48 + from_hour * 2 : day * 48 + to_hour * 2]


@pytest.mark.parametrize("seed", ["1", "7"])
def test_the_week_looks_like_sanshui(seed: str) -> None:
    shares = hourly_shares(SANSHUI, seed)
    tuesday_eleven = {lot: between(s, 1, 11, 12)[0] for lot, s in shares.items()}
    assert sum(0.35 <= share <= 0.75 for share in tuesday_eleven.values()) >= 3
    for friday_to_sunday in (4, 5, 6):
        assert max(between(shares["zhongshan"], friday_to_sunday, 17, 21)) >= 0.98
    assert max(max(between(shares["kangle"], day, 8, 12)) for day in range(5)) >= 0.85
    assert max(between(shares["kangle"], 1, 8, 12)) > max(between(shares["kangle"], 5, 8, 12))
    assert max(max(between(s, day, 3, 5)) for s in shares.values() for day in range(7)) < 0.6


def test_a_day_of_the_whole_town_is_simulated_event_by_event() -> None:
    town = Town(SANSHUI, "1", midnight_of(MONDAY_NOON_MS))
    begun = town.agenda.done
    town.run_until(town.start_ms + DAY_MS)
    assert town.agenda.done - begun > 8_000
