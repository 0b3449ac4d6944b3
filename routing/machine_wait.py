"""How long a mechanical garage takes to store a car on arrival and to fetch it after the stay."""

from collections.abc import Sequence

from gateway.observation import GroupState
from occupancy.live import LiveGroup

USUAL_CYCLE_SECONDS = 90.0
QUEUE_HALVES_MINUTES = 30.0  # what waits now says so much less of later


def store_minutes(groups: Sequence[LiveGroup], ahead_minutes: float) -> float:
    """At the working machine with the shortest queue, so many minutes from now."""
    return min(_waits(groups, ahead_minutes), default=USUAL_CYCLE_SECONDS / 60)


def fetch_minutes(groups: Sequence[LiveGroup], ahead_minutes: float) -> float:
    """Of any working machine: nobody knows yet which one will hold the car."""
    waits = _waits(groups, ahead_minutes)
    return sum(waits) / len(waits) if waits else USUAL_CYCLE_SECONDS / 60


def _waits(groups: Sequence[LiveGroup], ahead_minutes: float) -> list[float]:
    """A cycle of one's own, after those of the cars that will still wait."""
    left = 0.5 ** (ahead_minutes / QUEUE_HALVES_MINUTES)
    return [
        (1 + left * ((group.storing_queue or 0) + (group.fetching_queue or 0)))
        * (group.cycle_seconds or USUAL_CYCLE_SECONDS)
        / 60
        for group in groups
        if group.state is GroupState.WORKING
    ]
