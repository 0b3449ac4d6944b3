"""Guidance as a floor of the web service: made once a process, with its routes and its loops."""

from collections.abc import Sequence

import structlog

from gateway.process import monotonic_seconds
from occupancy.web.floors import Builder, Floor, Ground
from routing.config import GuidanceSettings
from routing.forecast import Forecasts
from routing.guided_trips import GuidedTrips
from routing.service import Guidance
from routing.trip_history import TripHistory
from routing.ways import StraightLine
from routing.web import Found, Recommendations

log = structlog.get_logger()


class NoDestinations:
    """Knows no names: a place must be given."""

    def find(self, words: str) -> tuple[Found | None, Sequence[Found]]:
        log.debug("no destinations are known", words=len(words))
        return None, ()


def guidance_floor(settings: GuidanceSettings, public_url: str = "") -> Builder:
    """Builds the floor once the ground is there."""

    def build(ground: Ground) -> Floor:
        history = TripHistory(ground.connections, ground.clock)
        guidance = Guidance(
            ground.showcase,
            ground.shelf,
            ground.redis,
            Forecasts(ground.showcase.lots.values()),
            StraightLine(),
            settings,
            history.note,
            monotonic_seconds,
        )
        trips = GuidedTrips(guidance, ground.redis)
        routes = Recommendations(guidance, trips, NoDestinations(), public_url).routes()
        loops = {
            "match entries with promises": trips.keep_matching,
            "trips to PostgreSQL": history.keep_writing,
        }
        return Floor(routes, loops)

    return build
