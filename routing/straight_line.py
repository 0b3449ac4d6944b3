"""How long a way takes by its straight line, where nobody says better."""

from collections.abc import Sequence

from occupancy.lot import Place
from routing.gathering import metres

STREET_METRES_A_MINUTE, ROAD_METRES_A_MINUTE, DRIVE_DETOUR = 420.0, 1_100.0, 1.4
STREETS_METRES = 8_000.0
WALK_METRES_A_MINUTE, WALK_DETOUR = 75.0, 1.3


def by_car(origin: Place, to: Sequence[Place]) -> list[float]:
    """The first and last of the way through streets, the rest of a long one on fast roads."""
    roads = [metres(origin, place) * DRIVE_DETOUR for place in to]
    return [
        min(road, STREETS_METRES) / STREET_METRES_A_MINUTE
        + max(road - STREETS_METRES, 0.0) / ROAD_METRES_A_MINUTE
        for road in roads
    ]


def on_foot(origin: Place, to: Sequence[Place]) -> list[float]:
    return [metres(origin, place) * WALK_DETOUR / WALK_METRES_A_MINUTE for place in to]
