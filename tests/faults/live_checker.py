"""What is published against the truth: never above it, and how old it is.

Entries and exits only grow, so what was published before the truth was asked may not exceed it.
Free spaces rise and fall: a published count may not exceed what was free at any moment from a look
before its `observed_at` until now. Between two samples of the truth free spaces rise only by cars
that were fetched, and those have left since or are leaving: so the most there can have been is
known.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

LOOK_MS = 3_000  # from a controller's answer to the observation that carries it, on a slow bus
NEVER = float("inf")


class Actual(NamedTuple):
    """One car park as it really was at one moment of our clock."""

    at_ms: int
    entries: int
    exits: int
    leaving: int
    free: int


class Told(NamedTuple):
    """One car park as it was published; None where nothing was said."""

    entries: int | None
    exits: int | None
    free: int | None
    observed_at_ms: int | None


class _Span(NamedTuple):
    """From one sample to the next: the least and the most of each number."""

    from_ms: int
    to_ms: int
    entries: tuple[int, int]
    exits: tuple[int, int]
    free: tuple[int, int]


def list_excesses(told: Told, actual: Sequence[Actual]) -> list[str]:
    """What was published above the truth; the last sample was taken after the publication."""
    last = actual[-1]
    since_ms = min(told.observed_at_ms or last.at_ms, last.at_ms) - LOOK_MS
    looked_at = takewhile(lambda span: span.to_ms >= since_ms, _back(actual))
    free_most = max([last.free, *(span.free[1] for span in looked_at)])
    pairs = (
        ("entries", told.entries, last.entries),
        ("exits", told.exits, last.exits),
        ("free", told.free, free_most),
    )
    return [
        f"{said} {name}, {most} at most"
        for name, said, most in pairs
        if said is not None and said > most
    ]


def age_ms(told: Told, actual: Sequence[Actual]) -> float:
    """How long ago the oldest of the published numbers was last true; NEVER if it was not."""
    last = actual[-1]
    return max(
        _age(told.entries, last.entries, ((s.from_ms, s.entries) for s in _back(actual)), last),
        _age(told.exits, last.exits, ((s.from_ms, s.exits) for s in _back(actual)), last),
        _age(told.free, last.free, ((s.from_ms, s.free) for s in _back(actual)), last),
    )


def _age(
    said: int | None, now: int, spans: Iterator[tuple[int, tuple[int, int]]], last: Actual
) -> float:
    if said is None:
        return NEVER
    if said == now:
        return 0
    return next(
        (last.at_ms - from_ms for from_ms, (least, most) in spans if least <= said <= most), NEVER
    )


def _back(actual: Sequence[Actual]) -> Iterator[_Span]:
    """The spans between samples, the last first."""
    for index in range(len(actual) - 1, 0, -1):
        before, after = actual[index - 1], actual[index]
        fetched = after.leaving - before.leaving + after.exits - before.exits
        stored = fetched + before.free - after.free
        yield _Span(
            before.at_ms,
            after.at_ms,
            (before.entries, after.entries),
            (before.exits, after.exits),
            (before.free - stored, before.free + fetched),
        )
