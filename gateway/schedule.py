"""Whose turn it is on one line: what is due, the more important first, nothing starved."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.breaker import Breaker
from gateway.config import Device
from gateway.decode import Block
from gateway.register_map import Point


class Priority(IntEnum):
    """Smaller goes first on a shared bus."""

    SIGN_WRITE = 0
    COUNTER = 1
    SPACE = 2
    HOUSEKEEPING = 3


@dataclass
class Job:
    """One thing to read from one device, again and again. Times are monotonic milliseconds."""

    device: Device
    priority: Priority
    period_ms: float
    points: tuple[Point, ...]
    blocks: tuple[Block, ...]
    breaker: Breaker
    due_ms: float = 0.0
    late_ms: float = 0.0

    def urgency(self, now_ms: float) -> tuple[int, float]:
        """Each whole period of waiting lifts a job one priority, so that nothing starves."""
        waited_periods = int((now_ms - self.due_ms) / self.period_ms)
        return (self.priority - waited_periods, self.due_ms)

    def start(self, now_ms: float) -> None:
        """Note how late it starts and when it is due again; missed turns are not made up for."""
        self.late_ms = now_ms - self.due_ms
        missed = int(self.late_ms / self.period_ms)
        self.due_ms += (missed + 1) * self.period_ms


@dataclass
class Schedule:
    """All jobs of one line."""

    jobs: list[Job] = field(default_factory=list)

    def next_job(self, now_ms: float) -> Job | None:
        due = [j for j in self.jobs if j.due_ms <= now_ms and j.breaker.lets_pass(now_ms)]
        return min(due, key=lambda job: job.urgency(now_ms)) if due else None

    def next_due_ms(self) -> float:
        """When the next job may start; a unit left alone counts from the end of its pause."""
        return min(max(job.due_ms, job.breaker.closed_until_ms) for job in self.jobs)


def spread(jobs: Iterable[Job], now_ms: float, shares: Iterable[float]) -> None:
    """Give each job its own place in its period (`shares` in 0..1): not all at the same moment."""
    for job, share in zip(jobs, shares, strict=False):
        job.due_ms = now_ms + share * min(job.period_ms, 1_000)
