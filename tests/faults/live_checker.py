"""What is published against the truth: never above it, and how old it is.

Entries and exits only grow, so what was published before the truth was asked may not exceed it.
Free spaces rise and fall, group by group, and each controller is read at a moment of its own: a
published count may not exceed what was free in that group at any moment since. A machine moves one
car at a time, and that takes a while: so what can have been free between two samples is known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

LOOK_MS = 1_000  # from a controller's answer to the moment that is written down for it
SHORTEST_MOVE_MS = 59_000  # of the simulated machines, for a car on the ground level
NEVER = float("inf")


class Actual(NamedTuple):
    """One car park as it really was at one moment of our clock; `free` by machine group."""

    at_ms: int
    simulated_ms: int
    entries: int
    exits: int
    free: Mapping[str, int]


class ToldGroup(NamedTuple):
    """A machine group as it was published; nothing of it was read before `read_since_ms`."""

    free: int | None
    read_since_ms: int | None


class Told(NamedTuple):
    """One car park as it was published; None where nothing was said."""

    entries: int | None
    exits: int | None
    free: int | None
    observed_at_ms: int | None
    groups: Mapping[str, ToldGroup]


SILENT = Told(None, None, None, None, {})


class _Span(NamedTuple):
    """From one sample of a number to the next: the least and the most it can have been."""

    from_ms: int
    to_ms: int
    least: int
    most: int


def list_excesses(told: Told, actual: Sequence[Actual]) -> list[str]:
    """What was published above the truth; the last sample was taken after the publication."""
    last = actual[-1]
    most_free = {
        group_id: _most_free(group_id, group, actual) for group_id, group in told.groups.items()
    }
    said_and_most = [
        ("entries", told.entries, last.entries),
        ("exits", told.exits, last.exits),
        ("free", told.free, sum(most_free.values())),
        *((f"free in {name}", told.groups[name].free, most) for name, most in most_free.items()),
    ]
    return [
        f"{said} {name}, {most} at most"
        for name, said, most in said_and_most
        if said is not None and said > most
    ]


def age_ms(told: Told, actual: Sequence[Actual]) -> float:
    """How long ago the oldest of the published numbers was last true; NEVER if it was not."""
    last = actual[-1]
    return max(
        _age(told.entries, last.entries, actual, _entries),
        _age(told.exits, last.exits, actual, _exits),
        *(
            _age(group.free, last.free[group_id], actual, _free_in(group_id))
            for group_id, group in told.groups.items()
        ),
        0 if told.groups else NEVER,
    )


def _age(
    said: int | None,
    now: int,
    actual: Sequence[Actual],
    span: Callable[[Actual, Actual], _Span],
) -> float:
    if said is None:
        return NEVER
    if said == now:
        return 0
    held = (s for s in _back(actual, span) if s.least <= said <= s.most)
    return next((actual[-1].at_ms - s.from_ms for s in held), NEVER)


def _most_free(group_id: str, told: ToldGroup, actual: Sequence[Actual]) -> int:
    last = actual[-1]
    since_ms = min(told.read_since_ms or last.at_ms, last.at_ms) - LOOK_MS
    spans = takewhile(lambda s: s.to_ms >= since_ms, _back(actual, _free_in(group_id)))
    return max([last.free[group_id], *(s.most for s in spans)])


def _back(actual: Sequence[Actual], span: Callable[[Actual, Actual], _Span]) -> Iterator[_Span]:
    """The spans between samples, the last first."""
    for index in range(len(actual) - 1, 0, -1):
        yield span(actual[index - 1], actual[index])


def _entries(before: Actual, after: Actual) -> _Span:
    return _Span(before.at_ms, after.at_ms, before.entries, after.entries)


def _exits(before: Actual, after: Actual) -> _Span:
    return _Span(before.at_ms, after.at_ms, before.exits, after.exits)


def _free_in(group_id: str) -> Callable[[Actual, Actual], _Span]:
    """Rises less falls are what is seen; together they are no more than the machine can move."""

    def span(before: Actual, after: Actual) -> _Span:
        was, gained = before.free[group_id], after.free[group_id] - before.free[group_id]
        moves = 1 + (after.simulated_ms - before.simulated_ms) // SHORTEST_MOVE_MS
        risen, fallen = max(moves + gained, 0) // 2, max(moves - gained, 0) // 2
        return _Span(
            before.at_ms,
            after.at_ms,
            min(was, was + gained, was - fallen),
            max(was, was + gained, was + risen),
        )

    return span
