"""Whether heavy reads may go to a replica: how far it lags, by our own clock, and when to return.

The primary's log position is noted at each look; the replica lags since the oldest noted position
that it has not replayed. So the servers' clocks do not matter, nor whether anything was written.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec

BACK_AFTER_LOOKS = 3  # a replica that comes back must keep up for so many looks
MOST_MARKS = 600


class ReplicaState(StrEnum):
    """How the replica stands."""

    NONE = "none"  # no replica is set
    UNSEEN = "unseen"  # not looked at often enough
    SERVING = "serving"
    LAGGING = "lagging"
    AWAY = "away"
    PROMOTED = "promoted"  # it takes writes of its own: what it says is another history


class ReplicaSettings(NamedTuple):
    """Where the replica is ("": there is none), and how far it may lag."""

    url: str = ""
    lag_seconds: int = 30


NO_REPLICA = ReplicaSettings()


class Mark(NamedTuple):
    """Where the primary's log ended at a moment, UTC milliseconds."""

    position: int
    at_ms: int


class Sight(NamedTuple):
    """One look at both servers; None: no answer. A promoted replica is no replica any more."""

    primary_position: int | None
    replayed_position: int | None
    is_promoted: bool = False


class Standing(msgspec.Struct, frozen=True):
    """What is known after a look. `lag_ms` is None while the replica does not answer."""

    state: ReplicaState = ReplicaState.NONE
    lag_ms: int | None = None
    marks: tuple[Mark, ...] = ()
    good_looks: int = 0

    @property
    def serves(self) -> bool:
        return self.state is ReplicaState.SERVING


def step(before: Standing, sight: Sight, now_ms: int, limit_ms: int) -> Standing:
    """Look once. It stops serving at once, and serves again after `BACK_AFTER_LOOKS` good looks.

    Coming back asks for half the limit, so that it does not go to and fro.
    """
    marks = _noted(before.marks, sight.primary_position, now_ms)
    if sight.is_promoted:
        return Standing(ReplicaState.PROMOTED, None, marks)
    if sight.replayed_position is None:
        return Standing(ReplicaState.AWAY, None, marks)
    waiting = tuple(mark for mark in marks if mark.position > sight.replayed_position)
    lag_ms = now_ms - waiting[0].at_ms if waiting else 0
    if lag_ms > (limit_ms if before.serves else limit_ms // 2):
        return Standing(ReplicaState.LAGGING, lag_ms, waiting)
    good_looks = before.good_looks + 1
    if before.serves or good_looks >= BACK_AFTER_LOOKS:
        return Standing(ReplicaState.SERVING, lag_ms, waiting, good_looks)
    state = before.state if before.state is ReplicaState.LAGGING else ReplicaState.UNSEEN
    return Standing(state, lag_ms, waiting, good_looks)


def _noted(marks: tuple[Mark, ...], position: int | None, now_ms: int) -> tuple[Mark, ...]:
    """The marks with this one, the oldest always kept: it says since when the replica lags."""
    if position is None or (marks and position <= marks[-1].position):
        return marks
    kept = marks if len(marks) < MOST_MARKS else (marks[0], *marks[2:])
    return (*kept, Mark(position, now_ms))
