"""The three ways to count a place in China: WGS-84 inside, GCJ-02 and BD-09 at the faces."""

import math
from enum import StrEnum

# Krasovsky 1940, on which GCJ-02 builds its offset.
_SEMI_MAJOR_METRES = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
_ORIGIN_LATITUDE, _ORIGIN_LONGITUDE = 35.0, 105.0
_INVERSE_ROUNDS = 6  # each round shrinks the error about a thousandfold
# BD-09 shifts GCJ-02 and lets it ripple; its degrees are counted 3,000 to the half turn.
_BAIDU_EAST, _BAIDU_NORTH = 0.0065, 0.006
_BAIDU_RIPPLE = math.pi * 3_000 / 180
_BAIDU_LENGTH, _BAIDU_ANGLE = 0.000_02, 0.000_003
_KM_A_DEGREE = 111.2


class Datum(StrEnum):
    """What a latitude and a longitude are counted in."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"  # AMap, Tencent
    BD09 = "bd09"  # Baidu


Point = tuple[float, float]  # latitude, longitude in degrees


def to_wgs84(datum: Datum, latitude: float, longitude: float) -> Point:
    if datum is Datum.WGS84:
        return latitude, longitude
    if datum is Datum.BD09:
        latitude, longitude = _bd09_to_gcj02(latitude, longitude)
    return gcj02_to_wgs84(latitude, longitude)


def wgs84_to_gcj02(latitude: float, longitude: float) -> Point:
    """The same point as Chinese maps count it (valid inside mainland China)."""
    north, east = _offset(latitude, longitude)
    return latitude + north, longitude + east


def gcj02_to_wgs84(latitude: float, longitude: float) -> Point:
    """The WGS-84 point whose GCJ-02 this is, found by repeated correction."""
    guess = latitude, longitude
    for _ in range(_INVERSE_ROUNDS):
        north, east = _offset(*guess)
        guess = latitude - north, longitude - east
    return guess


def gcj02_to_bd09(latitude: float, longitude: float) -> Point:
    length = math.hypot(longitude, latitude) + _BAIDU_LENGTH * math.sin(latitude * _BAIDU_RIPPLE)
    angle = math.atan2(latitude, longitude) + _BAIDU_ANGLE * math.cos(longitude * _BAIDU_RIPPLE)
    return length * math.sin(angle) + _BAIDU_NORTH, length * math.cos(angle) + _BAIDU_EAST


def metres_apart(one: Point, other: Point) -> float:
    """By the flat earth: good enough within a city."""
    north = (one[0] - other[0]) * _KM_A_DEGREE
    east = (one[1] - other[1]) * _KM_A_DEGREE * math.cos(math.radians(one[0]))
    return 1_000 * math.hypot(north, east)


def _bd09_to_gcj02(latitude: float, longitude: float) -> Point:
    guess = latitude, longitude
    for _ in range(_INVERSE_ROUNDS):
        there = gcj02_to_bd09(*guess)
        guess = guess[0] + latitude - there[0], guess[1] + longitude - there[1]
    return guess


def _offset(latitude: float, longitude: float) -> Point:
    """Degrees north and east by which GCJ-02 lies off."""
    x = longitude - _ORIGIN_LONGITUDE
    y = latitude - _ORIGIN_LATITUDE
    radians = math.radians(latitude)
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
