"""Links that lead a driver to a car park's entrance, in each map's own order and datum."""

from functools import lru_cache
from urllib.parse import quote

import msgspec

from occupancy.coordinates import to_gcj02
from occupancy.lot import Lot, Place

SOURCE = "zhibo"
DECIMALS = 6
_LINKS_KEPT = 4_096


class WechatLocation(msgspec.Struct, frozen=True, gc=False):
    """The arguments of wx.openLocation: numbers in GCJ-02."""

    latitude: float
    longitude: float
    name: str
    address: str
    scale: int = 18


class NavigationLinks(msgspec.Struct, frozen=True, gc=False):
    """One link a provider."""

    amap: str
    tencent: str
    baidu: str
    wechat: WechatLocation


def links_to(lot: Lot) -> NavigationLinks:
    """AMap wants lng,lat; Tencent and Baidu want lat,lng; all of them GCJ-02."""
    return _links(lot.entrance, lot.name, lot.address)


@lru_cache(maxsize=_LINKS_KEPT)
def _links(wgs84: Place, lot_name: str, address: str) -> NavigationLinks:
    """Each picture of a car park tells them again."""
    entrance = to_gcj02(wgs84)
    lat, lng = round(entrance.latitude, DECIMALS), round(entrance.longitude, DECIMALS)
    name = quote(lot_name, safe="")
    return NavigationLinks(
        amap=f"https://uri.amap.com/navigation?to={lng},{lat},{name}&mode=car&src={SOURCE}",
        tencent=(
            "https://apis.map.qq.com/uri/v1/routeplan?type=drive"
            f"&to={name}&tocoord={lat},{lng}&coord_type=2&referer={SOURCE}"
        ),
        baidu=(
            "https://api.map.baidu.com/direction?origin=%E6%88%91%E7%9A%84%E4%BD%8D%E7%BD%AE"
            f"&destination=latlng:{lat},{lng}%7Cname:{name}"
            f"&mode=driving&output=html&coord_type=gcj02&src={SOURCE}"
        ),
        wechat=WechatLocation(lat, lng, lot_name, address),
    )
