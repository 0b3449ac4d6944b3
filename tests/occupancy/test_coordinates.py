from hypothesis import given
from hypothesis import strategies as st

from occupancy.coordinates import from_gcj02, to_gcj02
from occupancy.lot import Place

METRES_A_DEGREE = 111_320.0
NORTH = st.floats(22.5, 24.0)
EAST = st.floats(112.0, 114.0)


def test_around_sanshui_chinese_maps_lie_south_and_east() -> None:
    town = Place(23.15486, 112.89161)
    shown = to_gcj02(town)
    south_metres = (town.latitude - shown.latitude) * METRES_A_DEGREE
    east_metres = (shown.longitude - town.longitude) * METRES_A_DEGREE * 0.9195
    assert 312 < south_metres < 322
    assert 511 < east_metres < 521


@given(NORTH, EAST)
def test_there_and_back_is_within_a_millimetre(latitude: float, longitude: float) -> None:
    back = from_gcj02(to_gcj02(Place(latitude, longitude)))
    assert abs(back.latitude - latitude) * METRES_A_DEGREE < 0.001
    assert abs(back.longitude - longitude) * METRES_A_DEGREE < 0.001


@given(NORTH, EAST)
def test_near_places_stay_near(latitude: float, longitude: float) -> None:
    """An offset that jumped would send a driver round the block."""
    here, near = to_gcj02(Place(latitude, longitude)), to_gcj02(Place(latitude + 1e-4, longitude))
    assert abs((near.latitude - here.latitude) - 1e-4) < 2e-6
