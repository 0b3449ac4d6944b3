"""One mechanical car park as it really is: machines, queues, cars. Cars are never made or lost."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from lot_sim.agenda import Agenda
from lot_sim.scenario import DevicePlan, Direction, Habits, LotPlan

_MOVE_MS, _LEVEL_MS = 45_000, 25_000
_MOVE_SPREAD = (0.85, 1.25)
_LOWEST_FIRST_SHARE = 0.5
_CYCLE_MEMORY = 0.2


class State(StrEnum):
    """What a machine group is doing."""

    WORKING = "working"
    JAMMED = "jammed"
    MAINTENANCE = "maintenance"


class Task(StrEnum):
    """The two things a machine does."""

    STORE = "store"
    FETCH = "fetch"


class Crossing(NamedTuple):
    """A car drove over a loop: the `total`-th of its lane since the books were opened."""

    lot_id: str
    device_id: str
    direction: Direction
    at_ms: int
    total: int


@dataclass(slots=True, eq=False)
class Car:
    """One car inside."""

    stay_ms: int
    bay: int = -1
    asked_ms: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """What a machine has on its lift."""

    task: Task
    car: Car


@dataclass(slots=True, eq=False)
class Machine:
    """One lift-and-slide group with a controller; it moves one car at a time."""

    plan: DevicePlan
    state: State = State.WORKING
    storing: deque[Car] = field(default_factory=deque)
    fetching: deque[Car] = field(default_factory=deque)
    job: Job | None = None
    turn: int = 0  # a finish planned in an earlier turn no longer counts
    cycle_ms: float = _MOVE_MS + _LEVEL_MS
    pallets: list[Car | None] = field(init=False)
    level_of: list[int] = field(init=False)
    on_level: list[int] = field(init=False)
    stored: int = 0
    being_stored: int = 0  # cars that wait for a pallet or are on their way to one
    being_fetched: int = 0  # cars on pallets whose drivers wait for them
    bays: int = field(init=False)

    def __post_init__(self) -> None:
        bays = self.plan.bays_by_level
        self.level_of = [level for level, count in enumerate(bays) for _ in range(count)]
        self.bays = len(self.level_of)
        self.pallets = [None] * self.bays
        self.on_level = [0] * len(bays)

    @property
    def is_working(self) -> bool:
        return self.state is State.WORKING

    @property
    def room(self) -> int:
        """Bays that nobody stands on and nobody waits for."""
        return self.bays - self.stored - self.being_stored


class CarPark:
    """Machines behind one entry and one exit."""

    def __init__(
        self,
        plan: LotPlan,
        habits: Habits,
        agenda: Agenda,
        chance: random.Random,
        crossed: Callable[[Crossing], None],
    ) -> None:
        self.plan = plan
        self.machines = [Machine(group) for group in plan.groups()]
        self.crossings = {d.device_id: 0 for d in plan.device if d.direction is not None}
        self.refused = self.leaving = self.initially_inside = 0
        self._lanes = {
            direction: [d.device_id for d in plan.device if d.direction is direction]
            for direction in Direction
        }
        self._habits, self._agenda, self._chance = habits, agenda, chance
        self._crossed = crossed

    @property
    def bays(self) -> int:
        return sum(m.bays for m in self.machines)

    @property
    def occupied(self) -> int:
        """Cars on pallets of groups in service."""
        return sum(m.stored for m in self.machines if m.is_working)

    @property
    def locked_in(self) -> int:
        """Cars on pallets of groups out of service."""
        return sum(m.stored for m in self.machines if not m.is_working)

    @property
    def out_of_service(self) -> int:
        return sum(m.bays for m in self.machines if not m.is_working)

    @property
    def free(self) -> int:
        return self.bays - self.occupied - self.out_of_service

    @property
    def being_stored(self) -> int:
        return sum(m.being_stored for m in self.machines)

    @property
    def being_fetched(self) -> int:
        return sum(m.being_fetched for m in self.machines)

    @property
    def inside(self) -> int:
        """All cars between the entry loop and the exit loop."""
        return self.occupied + self.locked_in + self.being_stored + self.leaving

    def crossed(self, direction: Direction) -> int:
        """Cars over all loops of one direction since the books were opened."""
        return sum(self.crossings[device_id] for device_id in self._lanes[direction])

    def open_books(self) -> None:
        """Count from here on; the cars inside stay."""
        self.initially_inside, self.refused = self.inside, 0
        self.crossings = dict.fromkeys(self.crossings, 0)

    def machine(self, group_id: str) -> Machine:
        for machine in self.machines:
            if machine.plan.group_id == group_id:
                return machine
        raise KeyError(f"{self.plan.lot_id} has no group {group_id}")

    def admit(self, now_ms: int, stay_ms: int) -> bool:
        """Let a car in if it finds a bay behind a bearable queue; else it is counted refused."""
        machine = self._shortest_queue()
        if machine is None or len(machine.storing) >= self._habits.storing_queue_most:
            self.refused += 1
            return False
        self._cross(now_ms, Direction.ENTRY)
        self._queue_to_store(now_ms, machine, Car(stay_ms))
        return True

    def set_state(self, now_ms: int, group_id: str, state: State) -> None:
        """A group that stops keeps its cars; drivers who only queued go elsewhere."""
        machine = self.machine(group_id)
        if machine.state is state:
            return
        was_working, machine.state = machine.is_working, state
        machine.turn += 1
        if machine.is_working:
            self._resume(now_ms, machine)
        elif was_working:
            self._send_elsewhere(now_ms, machine)

    def _resume(self, now_ms: int, machine: Machine) -> None:
        if machine.job is None:
            self._start_next(now_ms, machine)
        else:
            self._plan_finish(now_ms, machine, machine.job)

    def _send_elsewhere(self, now_ms: int, machine: Machine) -> None:
        waiting, machine.storing = machine.storing, deque()
        machine.being_stored -= len(waiting)
        for car in waiting:
            other = self._shortest_queue()
            if other is None:
                self._leave(now_ms)
            else:
                self._queue_to_store(now_ms, other, car)

    def _shortest_queue(self) -> Machine | None:
        fit = [m for m in self.machines if m.state is State.WORKING and m.room > 0]
        return min(fit, key=_queue_length, default=None)

    def _cross(self, now_ms: int, direction: Direction) -> None:
        lanes = self._lanes[direction]
        device_id = lanes[0] if len(lanes) == 1 else self._chance.choice(lanes)
        total = self.crossings[device_id] = self.crossings[device_id] + 1
        self._crossed(Crossing(self.plan.lot_id, device_id, direction, now_ms, total))

    def _queue_to_store(self, now_ms: int, machine: Machine, car: Car) -> None:
        car.asked_ms = now_ms
        machine.storing.append(car)
        machine.being_stored += 1
        self._start_next(now_ms, machine)

    def _ask_for(self, now_ms: int, machine: Machine, car: Car) -> None:
        car.asked_ms = now_ms
        machine.fetching.append(car)
        machine.being_fetched += 1
        self._start_next(now_ms, machine)

    def _start_next(self, now_ms: int, machine: Machine) -> None:
        if machine.job is not None or not machine.is_working:
            return
        job = _take_oldest(machine)
        if job is None:
            return
        if job.task is Task.STORE:
            job.car.bay = self._pick_bay(machine)
        machine.job = job
        self._plan_finish(now_ms, machine, job)

    def _pick_bay(self, machine: Machine) -> int:
        empty = [bay for bay, car in enumerate(machine.pallets) if car is None]
        if self._chance.random() < _LOWEST_FIRST_SHARE:
            return empty[0]
        return self._chance.choice(empty)

    def _plan_finish(self, now_ms: int, machine: Machine, job: Job) -> None:
        level = machine.level_of[job.car.bay] + 1
        lasting = int((_MOVE_MS + _LEVEL_MS * level) * self._chance.uniform(*_MOVE_SPREAD))
        machine.cycle_ms += _CYCLE_MEMORY * (lasting - machine.cycle_ms)
        self._agenda.at(now_ms + lasting, self._finish, machine, machine.turn)

    def _finish(self, now_ms: int, machine: Machine, turn: int) -> None:
        job = machine.job
        if turn != machine.turn or job is None:
            return
        machine.job, machine.turn = None, turn + 1
        if job.task is Task.STORE:
            machine.being_stored -= 1
            _put(machine, job.car, job.car)
            self._agenda.at(now_ms + job.car.stay_ms, self._ask_for, machine, job.car)
        else:
            machine.being_fetched -= 1
            _put(machine, job.car, None)
            self._leave(now_ms)
        self._start_next(now_ms, machine)

    def _leave(self, now_ms: int) -> None:
        self.leaving += 1
        least, most = self._habits.leaving_seconds
        self._agenda.at(now_ms + int(self._chance.uniform(least, most) * 1000), self._drive_out)

    def _drive_out(self, now_ms: int) -> None:
        self.leaving -= 1
        self._cross(now_ms, Direction.EXIT)


def _queue_length(machine: Machine) -> tuple[int, int]:
    return (machine.being_stored + machine.being_fetched, -machine.room)


def _take_oldest(machine: Machine) -> Job | None:
    storing, fetching = machine.storing, machine.fetching
    if not storing and not fetching:
        return None
    if not fetching or (storing and storing[0].asked_ms <= fetching[0].asked_ms):
        return Job(Task.STORE, storing.popleft())
    return Job(Task.FETCH, fetching.popleft())


def _put(machine: Machine, car: Car, content: Car | None) -> None:
    machine.pallets[car.bay] = content
    change = -1 if content is None else 1
    machine.stored += change
    machine.on_level[machine.level_of[car.bay]] += change
