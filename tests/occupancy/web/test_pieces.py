import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import BadSettingError
from occupancy.coordinates import from_gcj02, to_gcj02
from occupancy.live import Status
from occupancy.lot import Place
from occupancy.navigation import links_to
from occupancy.web.config import load_settings
from occupancy.web.schematic import HEIGHT, WIDTH, Mark, draw
from tests.builders import a_lot

SERVERS = {"ZHIBO_REDIS_URL": "redis://h", "ZHIBO_POSTGRES_URL": "postgresql://h/d"}
in_sanshui = st.builds(Place, st.floats(22.9, 23.5), st.floats(112.6, 113.2))


@given(in_sanshui)
def test_gcj02_lies_where_the_field_facts_say(place: Place) -> None:
    moved = to_gcj02(place)
    south_metres = (place.latitude - moved.latitude) * 110_800
    east_metres = (moved.longitude - place.longitude) * 102_400
    assert 200 < south_metres < 450
    assert 400 < east_metres < 700


@given(in_sanshui)
def test_there_and_back_is_the_same_place(place: Place) -> None:
    back = from_gcj02(to_gcj02(place))
    assert back.latitude == pytest.approx(place.latitude, abs=1e-9)
    assert back.longitude == pytest.approx(place.longitude, abs=1e-9)


def test_the_known_offset_of_sanshui_town() -> None:
    moved = to_gcj02(Place(23.15486, 112.89161))
    assert (23.15486 - moved.latitude) * 111_000 == pytest.approx(317, abs=2)
    assert (moved.longitude - 112.89161) * 102_400 == pytest.approx(516, abs=2)


def test_each_map_gets_its_own_order_and_an_encoded_name() -> None:
    links = links_to(a_lot(name="东,西|南"))
    lat, lng = links.wechat.latitude, links.wechat.longitude
    assert f"to={lng},{lat},%E4%B8%9C%2C%E8%A5%BF%7C%E5%8D%97" in links.amap
    assert f"tocoord={lat},{lng}&coord_type=2" in links.tencent
    assert f"latlng:{lat},{lng}%7Cname:" in links.baidu
    assert "callnative" not in links.amap
    assert all(len(str(x).partition(".")[2]) <= 6 for x in (lat, lng))


marks = st.lists(
    st.builds(
        Mark,
        lot_id=st.uuids().map(str),
        name=st.text(min_size=1),
        status=st.sampled_from(Status),
        label=st.just("1"),
        latitude=st.floats(23.1, 23.2),
        longitude=st.floats(112.8, 112.95),
    ),
    max_size=6,
    unique_by=lambda mark: mark.lot_id,
)


@given(marks)
def test_every_mark_lies_on_the_schematic(several: list[Mark]) -> None:
    places = re.findall(r'transform="translate\((-?\d+) (-?\d+)\)"', draw(several))
    assert len(places) == len(several)
    assert all(0 <= int(x) <= WIDTH and 0 <= int(y) <= HEIGHT for x, y in places)


def test_a_name_from_a_form_stays_text() -> None:
    mark = Mark("a", "<script>", Status.OPEN, "1", 23.1, 112.9)
    assert "<script>" not in draw([mark])


def test_the_web_service_names_the_server_it_lacks() -> None:
    assert load_settings(SERVERS).port == 8080
    with pytest.raises(BadSettingError, match="ZHIBO_POSTGRES_URL"):
        load_settings({"ZHIBO_REDIS_URL": "redis://h"})


@pytest.mark.parametrize("wrong", ["http", "0", "70000", "-1", "8080.5"])
def test_a_wrong_port_names_itself(wrong: str) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_PORT"):
        load_settings({**SERVERS, "ZHIBO_PORT": wrong})
