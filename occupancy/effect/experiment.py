"""An experiment with guidance: blocks of time with it and without, and who is held out."""

import hashlib
from enum import StrEnum

import msgspec

from occupancy.effect.metric import Metric
from occupancy.rollup import DAY_MS, MINUTE_MS, SHANGHAI_MS

BLOCK_MINUTES = (120, 1_440)
ON, OFF = "1", "0"
WORKDAY, REST_DAY = "w", "r"
_BUCKETS = 10_000


class Arm(StrEnum):
    """How a driver, or a sign, is treated at a moment."""

    GUIDED = "guided"
    PLAIN = "plain"  # the block is one without guidance
    HELD_OUT = "held_out"  # guidance is on, but not for this driver


class Plan(msgspec.Struct, frozen=True):
    """What was decided beforehand. `arms` and `kinds` have a letter a block, in order of time.

    `kinds` says which blocks lie in working days: the calendar as it was when the plan was drawn.
    `seed` is what the arms were drawn from, and what hides who is held out.
    """

    metric: Metric
    block_minutes: int
    from_ms: int
    seed: str
    arms: str
    kinds: str
    held_out_percent: int = 10

    @property
    def block_ms(self) -> int:
        return self.block_minutes * MINUTE_MS

    @property
    def to_ms(self) -> int:
        return self.from_ms + len(self.arms) * self.block_ms

    def block_at(self, now_ms: int) -> int | None:
        """The number of the block that holds this moment, from 0."""
        if not self.from_ms <= now_ms < self.to_ms:
            return None
        return (now_ms - self.from_ms) // self.block_ms

    def start_of(self, block: int) -> int:
        return self.from_ms + block * self.block_ms

    def stratum_of(self, block: int) -> tuple[str, int]:
        """Blocks of one kind of day and one time of day are compared with each other alone."""
        of_day_ms = (self.start_of(block) + SHANGHAI_MS) % DAY_MS
        return self.kinds[block], of_day_ms // MINUTE_MS


class Experiment(msgspec.Struct, frozen=True):
    """A plan and how far it has come. Without `started_ms` it changes nothing."""

    number: int
    plan: Plan
    started_ms: int | None = None
    stopped_ms: int | None = None

    def is_running(self, now_ms: int) -> bool:
        if self.started_ms is None or now_ms < self.started_ms:
            return False
        is_stopped = self.stopped_ms is not None and now_ms >= self.stopped_ms
        return not is_stopped and self.plan.block_at(now_ms) is not None

    def is_over(self, now_ms: int) -> bool:
        return self.stopped_ms is not None or now_ms >= self.plan.to_ms


def arm_at(experiment: Experiment, now_ms: int) -> Arm | None:
    """What signs and drivers see at this moment; None: the experiment is not running."""
    block = experiment.plan.block_at(now_ms)
    if block is None or not experiment.is_running(now_ms):
        return None
    return Arm.GUIDED if experiment.plan.arms[block] == ON else Arm.PLAIN


def arm_of(experiment: Experiment, now_ms: int, pseudonym: str) -> Arm | None:
    """What this driver sees: the same driver is held out all through an experiment, or never."""
    arm = arm_at(experiment, now_ms)
    if arm is Arm.GUIDED and is_held_out(experiment.plan, pseudonym):
        return Arm.HELD_OUT
    return arm


def is_held_out(plan: Plan, pseudonym: str) -> bool:
    """By a hash, so that nothing need be remembered of anybody."""
    words = f"{plan.seed}\x1f{pseudonym}".encode()
    number = int.from_bytes(hashlib.blake2b(words, digest_size=8).digest())
    return number % _BUCKETS < plan.held_out_percent * _BUCKETS // 100
