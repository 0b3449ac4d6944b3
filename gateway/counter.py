"""A loop counter's register to a running total: wrap, reset and jump told apart."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What a new raw value means, seen after the one before."""

    FIRST = "first"  # nothing to compare with: the base
    COUNTED = "counted"
    WRAPPED = "wrapped"  # ran over its last bit: counted on
    RESET = "reset"  # fell to a small value: what it shows has come since
    MASKED_RESET = "masked_reset"  # fell while nobody looked: some cars may be missing
    JUMPED = "jumped"  # more cars than can have passed: not counted until it is explained


class CounterState(msgspec.Struct, frozen=True):
    """What is kept of one counter between readings, in the outbox.

    `total` never falls. `withheld` are cars of a jump that nobody has explained: neither counted
    nor forgotten. Times are UTC milliseconds of the gateway's clock.
    """

    raw: int
    total: int
    read_at_ms: int
    withheld: int = 0


@dataclass(frozen=True)
class CounterRule:
    """The width of the register and how many cars a minute a lane can pass."""

    bits: int
    cars_per_minute_max: float

    def most_in(self, elapsed_ms: int) -> int:
        """The most cars that can have passed; two may always have been under way."""
        return 2 + int(self.cars_per_minute_max * max(elapsed_ms, 0) / 60_000)


def fold(
    state: CounterState | None, raw: int, read_at_ms: int, rule: CounterRule
) -> tuple[CounterState, Verdict]:
    """The state after reading `raw`. Reading the same value again changes nothing but the time."""
    if state is None:
        return CounterState(raw, 0, read_at_ms), Verdict.FIRST
    verdict, cars = _judge(state, raw, read_at_ms, rule)
    withheld = max(raw - state.raw, 0) if verdict is Verdict.JUMPED else 0
    return CounterState(raw, state.total + cars, read_at_ms, state.withheld + withheld), verdict


def _judge(
    state: CounterState, raw: int, read_at_ms: int, rule: CounterRule
) -> tuple[Verdict, int]:
    """The verdict and the cars to add: never more than can have passed."""
    most = rule.most_in(read_at_ms - state.read_at_ms)
    risen = raw - state.raw
    if 0 <= risen <= most:
        return Verdict.COUNTED, risen
    if risen < 0 and risen + (1 << rule.bits) <= most:
        return Verdict.WRAPPED, risen + (1 << rule.bits)
    if risen < 0 and raw <= most:
        # Between the last reading and the reset cars may have passed that no register knows of.
        seen_at_once = most - raw <= _HIDDEN_FEW
        return (Verdict.RESET if seen_at_once else Verdict.MASKED_RESET), raw
    return Verdict.JUMPED, 0


_HIDDEN_FEW = 4  # cars that may hide behind a reset without making the total doubtful
