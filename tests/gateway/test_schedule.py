"""Whose turn it is on one line."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import Breaker
from gateway.config import Device, Role
from gateway.schedule import Job, Priority, Schedule, spread

DEVICE = Device("d", "line", "led_sign", Role.SIGN)


def _job(priority: Priority = Priority.SPACE, period_ms: float = 1_000, due_ms: float = 0.0) -> Job:
    return Job(DEVICE, priority, period_ms, (), (), Breaker(), due_ms)


def _run(schedule: Schedule, until_ms: float, request_ms: float) -> list[tuple[float, Job]]:
    """The order in which a line that takes `request_ms` a request serves the jobs."""
    now_ms, served = 0.0, []
    while now_ms < until_ms:
        job = schedule.next_job(now_ms)
        if job is None:
            now_ms = schedule.next_due_ms()
            continue
        job.start(now_ms)
        served.append((now_ms, job))
        now_ms += request_ms
    return served


def test_nothing_is_due_before_its_time() -> None:
    schedule = Schedule([_job(due_ms=500), _job(due_ms=700)])
    assert schedule.next_job(499) is None
    assert schedule.next_due_ms() == 500
    assert schedule.next_job(500) is schedule.jobs[0]


def test_the_more_important_goes_first_and_of_equals_the_longer_waiting() -> None:
    housekeeping, counter = _job(Priority.HOUSEKEEPING), _job(Priority.COUNTER, due_ms=5)
    older_space, space = _job(Priority.SPACE, due_ms=2), _job(Priority.SPACE, due_ms=4)
    schedule = Schedule([housekeeping, space, counter, older_space])
    order = []
    while job := schedule.next_job(10):
        job.start(10)
        order.append(job)
    assert order == [counter, older_space, space, housekeeping]


def test_on_an_overloaded_line_nothing_starves() -> None:
    counters = [_job(Priority.COUNTER, 100) for _ in range(3)]
    housekeeping = _job(Priority.HOUSEKEEPING, 1_000)
    served = _run(Schedule([*counters, housekeeping]), until_ms=20_000, request_ms=50)
    times = [at for at, job in served if job is housekeeping]
    assert len(times) >= 4
    assert max(b - a for a, b in itertools.pairwise(times)) <= 5_000


def test_with_room_to_spare_each_job_keeps_its_period() -> None:
    fast, slow = _job(Priority.COUNTER, 500), _job(Priority.SPACE, 2_000)
    served = _run(Schedule([fast, slow]), until_ms=10_000, request_ms=20)
    assert sum(job is fast for _, job in served) == 20
    assert sum(job is slow for _, job in served) == 5


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.floats(0, 1e6))
def test_a_job_that_starts_late_keeps_its_beat_and_makes_up_for_nothing(
    due_ms: float, period_ms: float, wait_ms: float
) -> None:
    job = _job(period_ms=period_ms, due_ms=due_ms)
    now_ms = due_ms + wait_ms
    job.start(now_ms)
    assert job.late_ms == pytest.approx(wait_ms, abs=1e-3)
    assert now_ms - period_ms * 1e-6 <= job.due_ms <= now_ms + period_ms * (1 + 1e-6)
    beats = (job.due_ms - due_ms) / period_ms
    assert beats == pytest.approx(round(beats), abs=1e-3)


def test_a_unit_that_is_left_alone_gives_its_turn_away() -> None:
    silent, other = _job(Priority.COUNTER), _job(Priority.HOUSEKEEPING)
    silent.breaker = Breaker(patience=1, first_pause_ms=300)
    silent.breaker.failed(0)
    schedule = Schedule([silent, other])
    assert schedule.next_job(10) is other
    other.start(10)
    assert schedule.next_due_ms() == 300
    assert schedule.next_job(300) is silent


def test_jobs_begin_spread_over_their_period_or_the_first_second() -> None:
    jobs = [_job(period_ms=400), _job(period_ms=400), _job(period_ms=60_000)]
    spread(jobs, 5_000, [0.0, 0.5, 0.9])
    assert [job.due_ms for job in jobs] == [5_000, 5_200, 5_900]
