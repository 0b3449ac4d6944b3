from urllib.parse import parse_qs, quote, urlsplit

import pytest

from occupancy.coordinates import to_gcj02
from occupancy.navigation import links_to
from tests.builders import a_lot

LOT = a_lot(name="火车站, |东| & 西停车场")
ENTRANCE = to_gcj02(LOT.entrance)
LAT, LNG = f"{ENTRANCE.latitude:.6f}", f"{ENTRANCE.longitude:.6f}"


def asked(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_amap_wants_longitude_first() -> None:
    link = links_to(LOT).amap
    assert link.startswith(f"https://uri.amap.com/navigation?to={LNG},{LAT},")
    assert asked(link)["mode"] == "car"
    assert "callnative" not in link


def test_tencent_wants_latitude_first_and_its_datum_named() -> None:
    link = links_to(LOT).tencent
    assert link.startswith("https://apis.map.qq.com/uri/v1/routeplan?type=drive&")
    assert (asked(link)["tocoord"], asked(link)["coord_type"]) == (f"{LAT},{LNG}", "2")


def test_baidu_wants_latitude_first_and_is_told_gcj02() -> None:
    link = links_to(LOT).baidu
    assert asked(link)["destination"] == f"latlng:{LAT},{LNG}|name:{LOT.name}"
    assert (asked(link)["coord_type"], asked(link)["mode"]) == ("gcj02", "driving")


def test_wechat_gets_numbers() -> None:
    location = links_to(LOT).wechat
    assert (location.latitude, location.longitude) == (float(LAT), float(LNG))
    assert isinstance(location.latitude, float)
    assert all(len(str(x).partition(".")[2]) <= 6 for x in (location.latitude, location.longitude))
    assert 1 <= location.scale <= 28


@pytest.mark.parametrize("provider", ["amap", "tencent", "baidu"])
def test_a_name_with_commas_and_bars_breaks_no_link(provider: str) -> None:
    link = getattr(links_to(LOT), provider)
    assert quote(LOT.name, safe="") in link
