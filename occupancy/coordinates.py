"""WGS-84 to GCJ-02 and back: inside we keep WGS-84, Chinese maps want GCJ-02."""

from gateway.datum import Datum, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02
from occupancy.lot import Place


def to_gcj02(place: Place) -> Place:
    """The same point as Chinese maps count it (valid inside mainland China)."""
    return Place(*wgs84_to_gcj02(place.latitude, place.longitude))


def from_gcj02(place: Place) -> Place:
    """The WGS-84 point whose GCJ-02 is `place`."""
    return Place(*gcj02_to_wgs84(place.latitude, place.longitude))


def from_datum(datum: Datum, place: Place) -> Place:
    """The WGS-84 point that `place` is, counted in that datum."""
    return Place(*to_wgs84(datum, place.latitude, place.longitude))
