"""WGS-84 to GCJ-02 and back: inside we keep WGS-84, Chinese maps want GCJ-02."""

import math

from occupancy.lot import Place

# Krasovsky 1940, on which GCJ-02 builds its offset.
_SEMI_MAJOR_METRES = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
_ORIGIN_LATITUDE, _ORIGIN_LONGITUDE = 35.0, 105.0
_INVERSE_ROUNDS = 6  # each round shrinks the error about a thousandfold


def to_gcj02(place: Place) -> Place:
    """The same point as Chinese maps count it (valid inside mainland China)."""
    north, east = _offset(place)
    return Place(place.latitude + north, place.longitude + east)


def from_gcj02(place: Place) -> Place:
    """The WGS-84 point whose GCJ-02 is `place`, found by repeated correction."""
    guess = place
    for _ in range(_INVERSE_ROUNDS):
        north, east = _offset(guess)
        guess = Place(place.latitude - north, place.longitude - east)
    return guess


def _offset(place: Place) -> tuple[float, float]:
    """Degrees north and east by which GCJ-02 lies off."""
    x = place.longitude - _ORIGIN_LONGITUDE
    y = place.latitude - _ORIGIN_LATITUDE
    radians = math.radians(place.latitude)
    root = 1 - _ECCENTRICITY_SQUARED * math.sin(radians) ** 2
    meridian = _SEMI_MAJOR_METRES * (1 - _ECCENTRICITY_SQUARED) / root**1.5
    parallel = _SEMI_MAJOR_METRES / math.sqrt(root) * math.cos(radians)
    return (
        math.degrees(_metres_north(x, y) / meridian),
        math.degrees(_metres_east(x, y) / parallel),
    )


def _metres_north(x: float, y: float) -> float:
    metres = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    metres += _ripple(x)
    metres += (20 * _sine(y) + 40 * _sine(y / 3)) * 2 / 3
    return metres + (160 * _sine(y / 12) + 320 * _sine(y / 30)) * 2 / 3


def _metres_east(x: float, y: float) -> float:
    metres = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    metres += _ripple(x)
    metres += (20 * _sine(x) + 40 * _sine(x / 3)) * 2 / 3
    return metres + (150 * _sine(x / 12) + 300 * _sine(x / 30)) * 2 / 3


def _ripple(x: float) -> float:
    return (20 * _sine(6 * x) + 20 * _sine(2 * x)) * 2 / 3


def _sine(half_turns: float) -> float:
    return math.sin(half_turns * math.pi)
