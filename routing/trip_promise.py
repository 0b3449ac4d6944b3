"""From a recommendation to its trip, and from a trip to what it promises of a car park."""

import msgspec

from occupancy.effect.experiment import Arm
from routing.config import GuidanceSettings
from routing.promise import GRACE_MINUTES, Promise, minute_of
from routing.question import Question
from routing.recommend import Recommendation
from routing.trip import ShownLot, Trip

WINDOW_MINUTES, WINDOW_PART = 3, 0.2  # drivers come so much earlier or later than said
PLANNED_WINDOW_MINUTES = 10
_MINUTE_MS = 60_000


class Answer(msgspec.Struct, frozen=True):
    """A recommendation and the trip it began; no trip where nothing could be recommended.

    `arm` is how an experiment treated the driver, where one runs.
    """

    question: Question
    recommendation: Recommendation
    asked_at_ms: int
    trip: Trip | None = None
    arm: Arm | None = None


def begin_trip(
    trip_id: str,
    question: Question,
    recommendation: Recommendation,
    now_ms: int,
    settings: GuidanceSettings,
) -> Trip:
    """The trip to the first option; nothing of it is promised yet."""
    first = recommendation.options[0].candidate
    half = _half_window_minutes(question, first.travel.drive)
    arrives_minute = minute_of(first.arrives_ms)
    until_minute = arrives_minute + half
    options = [option.candidate for option in recommendation.options]
    margin = 1 + settings.overbooking
    return Trip(
        trip_id=trip_id,
        lot_id=first.lot_id,
        shown={
            c.lot_id: ShownLot(c.chance, c.arrives_ms, c.outlook.free_mean * margin)
            for c in options
        },
        shown_at_ms=now_ms,
        arrives_ms=first.arrives_ms,
        from_minute=arrives_minute - half,
        until_minute=until_minute,
        expires_ms=(until_minute + GRACE_MINUTES) * _MINUTE_MS,
        chance=first.chance,
        promised=0.0,
        regret_minutes=recommendation.regret_minutes,
        changed_at_ms=now_ms,
    )


def promise_of(trip: Trip, share: float) -> Promise:
    """What this trip asks of a car park that it was shown."""
    return Promise(trip.trip_id, share, share, trip.from_minute, trip.until_minute)


def _half_window_minutes(question: Question, drive_minutes: float) -> int:
    if question.arrive_ms is not None:
        return PLANNED_WINDOW_MINUTES
    return max(WINDOW_MINUTES, round(WINDOW_PART * drive_minutes))
