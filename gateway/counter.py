"""A loop counter's register to a running total: wrap, reset and jump told apart."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Verdict(StrEnum):
    """What a new raw value means, seen after the ones before."""

    FIRST = "first"  # nothing to compare with: the base
    COUNTED = "counted"
    WRAPPED = "wrapped"  # ran over its last bit: counted on
    RESET = "reset"  # fell to a small value: what it shows has come since
    MASKED_RESET = "masked_reset"  # fell while nobody looked: cars may be missing
    WRAP_OR_RESET = "wrap_or_reset"  # fell behind a gap that explains both: the lower count holds
    JUMPED = "jumped"  # more cars than can have passed, or fewer than there were
    CONFIRMED = "confirmed"  # the register stayed where it fell or jumped to
    EXPLAINED = "explained"  # a jump that the time since then makes possible: counted
    WITHDRAWN = "withdrawn"  # the register is back on its old line: it was a misreading


class Branch(msgspec.Struct, frozen=True):
    """A fall or jump that further readings must confirm; the total waits meanwhile.

    `before` is the last raw value nobody doubted, `elapsed_ms` the time since; `cars` will be
    counted when it is confirmed, `withheld` will not.
    """

    verdict: Verdict
    before: int
    cars: int
    withheld: int
    elapsed_ms: int
    readings: int = 1


class CounterState(msgspec.Struct, frozen=True):
    """What is kept of one counter between readings, in the outbox.

    `total` never falls. `withheld` are the most cars that confirmed jumps and resets may stand
    for: neither counted nor forgotten. `read_at_ms` is the gateway's wall clock, UTC.
    """

    raw: int
    total: int
    read_at_ms: int
    withheld: int = 0
    branch: Branch | None = None

    @property
    def doubtful_cars(self) -> int:
        """Cars that may have passed and are not in the total."""
        return self.withheld + (self.branch.cars + self.branch.withheld if self.branch else 0)


@dataclass(frozen=True)
class CounterRule:
    """The width of the register and how many cars a minute a lane can pass."""

    bits: int
    cars_per_minute_max: float

    @property
    def values(self) -> int:
        return 1 << self.bits

    def most_in(self, elapsed_ms: int) -> int:
        """The most cars that can have passed; two may always have been under way."""
        return 2 + int(self.cars_per_minute_max * elapsed_ms / 60_000)


class _Judgement(NamedTuple):
    verdict: Verdict
    cars: int
    withheld: int = 0


CONFIRMING_READINGS = 3
SEEN_AT_ONCE_MS = 10_000  # a controller that lost its power is away for seconds, not for a poll
UNKNOWN_GAP_MS = 60_000
_ON_THE_LINE = (Verdict.COUNTED, Verdict.WRAPPED)


def gap_ms(state: CounterState | None, now_ms: int) -> int:
    """The time since the last reading by a wall clock that may have been set back."""
    if state is None:
        return 0
    gap = now_ms - state.read_at_ms
    return gap if gap >= 0 else UNKNOWN_GAP_MS


def fold(
    state: CounterState | None, raw: int, read_at_ms: int, elapsed_ms: int, rule: CounterRule
) -> tuple[CounterState, Verdict]:
    """The state after reading `raw`, `elapsed_ms` after the reading before.

    Reading the same value again changes nothing but the times.
    """
    if state is None:
        return CounterState(raw, 0, read_at_ms), Verdict.FIRST
    if state.branch is not None:
        return _on_branch(state, state.branch, raw, read_at_ms, elapsed_ms, rule)
    judgement = _judge(state.raw, raw, elapsed_ms, rule)
    if judgement.verdict in _ON_THE_LINE:
        total = state.total + judgement.cars
        return CounterState(raw, total, read_at_ms, state.withheld), judgement.verdict
    branch = _branch(state.raw, elapsed_ms, judgement)
    return (
        CounterState(raw, state.total, read_at_ms, state.withheld, branch),
        judgement.verdict,
    )


def _on_branch(
    state: CounterState,
    branch: Branch,
    raw: int,
    read_at_ms: int,
    elapsed_ms: int,
    rule: CounterRule,
) -> tuple[CounterState, Verdict]:
    since_ms = branch.elapsed_ms + elapsed_ms
    onward = _judge(state.raw, raw, elapsed_ms, rule)
    back = _judge(branch.before, raw, since_ms, rule)
    if onward.verdict in _ON_THE_LINE:
        grown = msgspec.structs.replace(
            branch,
            cars=branch.cars + onward.cars,
            elapsed_ms=since_ms,
            readings=branch.readings + 1,
        )
        if grown.readings >= CONFIRMING_READINGS:
            return _settled(state, grown, back, raw, read_at_ms)
        return CounterState(raw, state.total, read_at_ms, state.withheld, grown), onward.verdict
    if back.verdict in _ON_THE_LINE:
        total = state.total + back.cars
        return CounterState(raw, total, read_at_ms, state.withheld), Verdict.WITHDRAWN
    anew = _branch(branch.before, since_ms, back)
    return CounterState(raw, state.total, read_at_ms, state.withheld, anew), back.verdict


def _settled(
    state: CounterState, branch: Branch, back: _Judgement, raw: int, read_at_ms: int
) -> tuple[CounterState, Verdict]:
    if back.verdict is Verdict.COUNTED:
        total = state.total + back.cars
        return CounterState(raw, total, read_at_ms, state.withheld), Verdict.EXPLAINED
    withheld = state.withheld + branch.withheld
    return (
        CounterState(raw, state.total + branch.cars, read_at_ms, withheld),
        Verdict.CONFIRMED,
    )


def _branch(before: int, elapsed_ms: int, judgement: _Judgement) -> Branch:
    return Branch(judgement.verdict, before, judgement.cars, judgement.withheld, elapsed_ms)


def _judge(before: int, raw: int, elapsed_ms: int, rule: CounterRule) -> _Judgement:
    """The verdict on a raw value, the cars it proves, and those it only suggests."""
    most = rule.most_in(elapsed_ms)
    risen = raw - before
    if risen >= 0:
        likely = risen <= most
        return (
            _Judgement(Verdict.COUNTED, risen) if likely else _Judgement(Verdict.JUMPED, 0, risen)
        )
    to_the_top = rule.values - before
    seen_at_once = elapsed_ms <= SEEN_AT_ONCE_MS
    if raw + to_the_top <= most:
        if seen_at_once:
            return _Judgement(Verdict.WRAPPED, raw + to_the_top)
        return _Judgement(Verdict.WRAP_OR_RESET, raw, to_the_top)
    if raw > most:
        return _Judgement(Verdict.JUMPED, 0, most)
    if seen_at_once:
        return _Judgement(Verdict.RESET, raw)
    return _Judgement(Verdict.MASKED_RESET, raw, most - raw)
