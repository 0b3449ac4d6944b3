"""Guidance as a floor of the web service: made once a process, with its routes and its loops."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.process import monotonic_seconds
from occupancy.effect.advice import Guiding
from occupancy.web.floors import Builder, Floor, Ground
from routing.config import GuidanceSettings
from routing.destination_shelf import DestinationShelf
from routing.destination_web import DestinationPages
from routing.effect_web import EffectPages
from routing.forecast import Forecasts
from routing.forecast_loop import ForecastLearning
from routing.forecast_web import ForecastWeb
from routing.guided_trips import GuidedTrips
from routing.maps import maps_of
from routing.service import Guidance
from routing.toll_loop import TollLearning
from routing.trip_history import TripHistory
from routing.web import Recommendations


@dataclass(frozen=True)
class Guided:
    """What guidance gives to the floor above it."""

    guidance: Guidance
    trips: GuidedTrips
    destinations: DestinationShelf


def guidance_floor(
    settings: GuidanceSettings,
    public_url: str = "",
    above: Callable[[Ground, Guided], Floor] = lambda _, __: Floor(),
) -> Builder:
    """Builds the floor once the ground is there, and the one above on it."""

    def build(ground: Ground) -> Floor:
        maps = maps_of(settings.maps, ground.clock)
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
            maps.travel,
            settings,
            history.note,
            monotonic_seconds,
        )
        trips = GuidedTrips(guidance, ground.redis)
        shelf = DestinationShelf(maps.geocoder)
        upper = above(ground, Guided(guidance, trips, shelf))
        forecast_web = ForecastWeb(ground.showcase, forecasts)
        routes = [
            *Recommendations(guidance, trips, shelf, public_url).routes(),
            *DestinationPages(shelf).routes(),
            *EffectPages(ground.connections, ground.clock).routes(),
            *forecast_web.routes(),
            *upper.routes,
        ]
        tolls = TollLearning(ground.showcase.lots, ground.connections, ground.clock, guidance.price)
        loops = {
            "follow experiments": lambda: guidance.experiments.keep_fresh(ground.connections),
            "learn tolls": tolls.keep_learning,
            "match entries with promises": trips.keep_matching,
            "learn to forecast": learning.keep_learning,
            "trips to PostgreSQL": history.keep_writing,
            "destinations": lambda: shelf.keep_fresh(ground.connections),
            "map services": maps.stay_open,
            **upper.loops,
        }
        guiding = Guiding(history.advice, trips.list_coming)
        return Floor(routes, loops, trips.count_on_the_way, forecast_web.outlook, guiding)

    return build
