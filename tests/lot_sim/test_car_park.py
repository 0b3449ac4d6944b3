import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lot_sim.agenda import Agenda
from lot_sim.car_park import CarPark, Crossing, State, Task
from lot_sim.scenario import Direction, Habits
from tests.lot_sim.towns import small_lot

MINUTE_MS = 60_000


class Watched:
    """A car park with the crossings it reported."""

    def __init__(self, seed: int = 1, *, groups: int = 2, habits: Habits | None = None) -> None:
        self.agenda = Agenda(0)
        self.crossings: list[Crossing] = []
        self.lot = CarPark(
            small_lot(groups=groups),
            habits or Habits(),
            self.agenda,
            random.Random(seed),  # noqa: S311
            self.crossings.append,
        )

    def admit(self, stay_minutes: int = 10_000) -> bool:
        return self.lot.admit(self.agenda.now_ms, stay_minutes * MINUTE_MS)

    def set_state(self, group_id: str, state: State) -> None:
        self.lot.set_state(self.agenda.now_ms, group_id, state)

    def wait(self, minutes: float) -> None:
        self.agenda.run_until(self.agenda.now_ms + int(minutes * MINUTE_MS))

    def check_books(self) -> None:
        lot = self.lot
        entries, exits = lot.crossed(Direction.ENTRY), lot.crossed(Direction.EXIT)
        assert lot.inside == lot.initially_inside + entries - exits
        assert lot.inside == lot.occupied + lot.locked_in + lot.being_stored + lot.leaving
        assert lot.bays == lot.occupied + lot.free + lot.out_of_service
        for machine in lot.machines:
            standing = [bay for bay, car in enumerate(machine.pallets) if car is not None]
            assert machine.stored == len(standing) == sum(machine.on_level)
            assert machine.on_level == [
                sum(machine.level_of[bay] == level for bay in standing) for level in range(2)
            ]
            assert machine.stored + machine.being_stored <= machine.bays
            task = machine.job.task if machine.job else None
            assert machine.being_stored == len(machine.storing) + (task is Task.STORE)
            assert machine.being_fetched == len(machine.fetching) + (task is Task.FETCH)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.integers(1, 90)),
        st.tuples(st.just("wait"), st.integers(0, 60)),
        st.tuples(st.sampled_from(State), st.integers(1, 2)),
        st.just(("books", 0)),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 5))
def test_cars_are_neither_made_nor_lost(did: list[tuple[str, int]], seed: int) -> None:
    watched = Watched(seed)
    for what, number in did:
        if what == "admit":
            watched.admit(number)
        elif what == "wait":
            watched.wait(number)
        elif what == "books":
            watched.lot.open_books()
        else:
            watched.set_state(f"g{number}", State(what))
        watched.check_books()
    for group_id in ("g1", "g2"):
        watched.set_state(group_id, State.WORKING)
    watched.wait(24 * 60)
    watched.check_books()
    assert watched.lot.inside == 0
    assert len(watched.agenda) == 0


def test_a_car_counts_at_the_loop_before_it_stands_on_a_pallet() -> None:
    watched = Watched()
    assert watched.admit()
    assert watched.lot.crossed(Direction.ENTRY) == 1
    assert (watched.lot.occupied, watched.lot.being_stored) == (0, 1)
    watched.wait(4)
    assert (watched.lot.occupied, watched.lot.being_stored) == (1, 0)


def test_storing_takes_one_to_three_minutes() -> None:
    watched = Watched(groups=1)
    watched.admit()
    watched.wait(0.9)
    assert watched.lot.occupied == 0
    watched.wait(2.1)
    assert watched.lot.occupied == 1
    assert 60 <= watched.lot.machines[0].cycle_ms / 1000 <= 180


def test_a_car_is_occupied_until_its_machine_has_fetched_it() -> None:
    watched = Watched(groups=1)
    watched.admit(stay_minutes=30)
    while watched.lot.being_fetched == 0:
        watched.wait(0.1)
    assert watched.lot.occupied == 1
    while watched.lot.leaving == 0:
        watched.wait(0.1)
    assert watched.lot.occupied == 0
    assert watched.lot.crossed(Direction.EXIT) == 0
    watched.wait(1)
    assert watched.lot.crossed(Direction.EXIT) == 1


def test_a_full_lot_refuses_and_counts_it() -> None:
    watched = Watched()
    while watched.admit():
        watched.wait(3)
    assert watched.lot.occupied + watched.lot.being_stored == watched.lot.bays
    assert watched.lot.refused == 1
    assert watched.lot.crossed(Direction.ENTRY) == watched.lot.bays


def test_a_driver_does_not_join_a_queue_that_is_too_long() -> None:
    watched = Watched(groups=1, habits=Habits(storing_queue_most=1))
    assert [watched.admit(), watched.admit(), watched.admit()] == [True, True, False]
    assert watched.lot.refused == 1


def test_a_jammed_group_takes_all_its_bays_out_and_locks_its_cars_in() -> None:
    watched = Watched()
    for _ in range(6):
        watched.admit()
        watched.wait(3)
    (first, second) = watched.lot.machines
    watched.set_state("g1", State.JAMMED)
    lot = watched.lot
    assert (lot.out_of_service, lot.locked_in) == (5, first.stored)
    assert lot.occupied == second.stored
    assert lot.free == 5 - second.stored


def test_drivers_queueing_at_a_group_that_jams_go_to_another_or_leave() -> None:
    watched = Watched(groups=2)
    for _ in range(6):
        watched.admit()
    watched.set_state("g2", State.JAMMED)
    on_lift = watched.lot.machine("g2").being_stored
    assert on_lift == 1
    assert watched.lot.machine("g1").being_stored == 5
    watched.set_state("g1", State.MAINTENANCE)
    assert watched.lot.leaving == 4
    watched.check_books()


def test_a_jam_holds_the_car_on_the_lift_until_the_repair() -> None:
    watched = Watched(groups=1)
    watched.admit()
    watched.wait(0.2)
    watched.set_state("g1", State.JAMMED)
    watched.set_state("g1", State.JAMMED)
    watched.wait(600)
    assert (watched.lot.locked_in, watched.lot.being_stored) == (0, 1)
    watched.set_state("g1", State.MAINTENANCE)
    watched.wait(60)
    watched.set_state("g1", State.WORKING)
    watched.wait(4)
    assert (watched.lot.occupied, watched.lot.being_stored) == (1, 0)


def test_a_locked_in_driver_gets_the_car_after_the_repair() -> None:
    watched = Watched(groups=1)
    watched.admit(stay_minutes=20)
    watched.wait(5)
    watched.set_state("g1", State.JAMMED)
    watched.wait(100)
    assert (watched.lot.locked_in, watched.lot.being_fetched) == (1, 1)
    watched.set_state("g1", State.WORKING)
    watched.wait(6)
    assert watched.lot.inside == 0


def test_each_lane_counts_for_itself() -> None:
    watched = Watched()
    for _ in range(3):
        watched.admit(stay_minutes=5)
    watched.wait(60)
    totals = [(c.device_id, c.total) for c in watched.crossings]
    assert [t for d, t in totals if d == "small-in"] == [1, 2, 3]
    assert [t for d, t in totals if d == "small-out"] == [1, 2, 3]


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(KeyError, match="small has no group g9"):
        Watched().lot.machine("g9")
