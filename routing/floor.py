"""Guidance as a floor of the web service: made once a process, with its routes and its loops."""

import secrets

from gateway.process import monotonic_seconds
from occupancy.web.floors import Builder, Floor, Ground
from routing.config import GuidanceSettings
from routing.destination_shelf import DestinationShelf
from routing.destination_web import DestinationPages
from routing.forecast import Forecasts
from routing.forecast_loop import ForecastLearning
from routing.forecast_web import ForecastWeb
from routing.guided_trips import GuidedTrips
from routing.service import Guidance
from routing.trip_history import TripHistory
from routing.ways import StraightLine
from routing.web import Recommendations


def guidance_floor(settings: GuidanceSettings, public_url: str = "") -> Builder:
    """Builds the floor once the ground is there."""

    def build(ground: Ground) -> Floor:
        history = TripHistory(ground.connections, ground.clock)
        forecasts = Forecasts(ground.showcase.lots.values())
        learning = ForecastLearning(
            forecasts, ground.showcase.lots, ground.connections, ground.clock, secrets.token_hex(8)
        )
        guidance = Guidance(
            ground.showcase,
            ground.shelf,
            ground.redis,
            forecasts,
            StraightLine(),
            settings,
            history.note,
            monotonic_seconds,
        )
        trips = GuidedTrips(guidance, ground.redis)
        shelf = DestinationShelf()
        routes = [
            *Recommendations(guidance, trips, shelf, public_url).routes(),
            *DestinationPages(shelf).routes(),
            *ForecastWeb(ground.showcase, forecasts).routes(),
        ]
        loops = {
            "match entries with promises": trips.keep_matching,
            "learn to forecast": learning.keep_learning,
            "trips to PostgreSQL": history.keep_writing,
            "destinations": lambda: shelf.keep_fresh(ground.connections),
        }
        return Floor(routes, loops)

    return build
