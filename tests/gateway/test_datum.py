"""Places in three datums: there and back, and as far apart as they are known to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.datum import Datum, gcj02_to_bd09, metres_apart, to_wgs84, wgs84_to_gcj02

TOWN = (23.15486, 112.89161)
LATITUDES, LONGITUDES = st.floats(18, 54), st.floats(73, 135)


@given(LATITUDES, LONGITUDES)
def test_every_datum_leads_back_to_the_place(latitude: float, longitude: float) -> None:
    place = latitude, longitude
    gcj02 = wgs84_to_gcj02(*place)
    assert metres_apart(to_wgs84(Datum.GCJ02, *gcj02), place) < 0.01
    assert metres_apart(to_wgs84(Datum.BD09, *gcj02_to_bd09(*gcj02)), place) < 0.01
    assert to_wgs84(Datum.WGS84, *place) == place


def test_a_mix_up_is_an_error_of_hundreds_of_metres() -> None:
    gcj02 = wgs84_to_gcj02(*TOWN)
    assert metres_apart(TOWN, gcj02) == pytest.approx(605, abs=25)
    assert metres_apart(gcj02, gcj02_to_bd09(*gcj02)) == pytest.approx(940, abs=60)
